"""From a file's own coordinates to degrees of WGS 84, saying how and how well; and what is noted on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.aoi import AreaOfInterest
from pyproj.crs import BoundCRS
from pyproj.crs.coordinate_operation import ToWGS84Transformation
from pyproj.exceptions import CRSError
from pyproj.transformer import TransformerGroup
from shapely.geometry.base import BaseGeometry

from dispatch.errors import BadMapping
from dispatch.importing.mapping import LayerMap
from dispatch.importing.sources import Drawing
from geo.datum import Datum, to_wgs84
from geo.grid import in_degrees

GRID_DIGITS: Final = 9
"""Degrees are kept to 1e-9: a tenth of a millimetre."""


@dataclass(frozen=True, slots=True)
class Noted:
    """One value that is not as it stood in the source."""

    layer: str
    file: str
    row: int
    field: str
    before: str
    after: str
    why: str
    """normalised, recoded, merged, labelled, line_closed, polygonized, parent_by_prefix, parent_by_place,
    from_template, team_schematic."""


@dataclass(slots=True)
class Notes:
    """What was noted while reading, and how each layer came to degrees."""

    mapping: str
    values: list[Noted] = field(default_factory=list)
    crs: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def to_degrees(
    shapes: Sequence[BaseGeometry | None], drawing: Drawing, told: LayerMap, notes: Notes
) -> list[BaseGeometry | None]:
    """Shapes in EPSG:4326 on the grid of 1e-9 degrees; how they came there is noted."""
    if told.datum in {Datum.GCJ02, Datum.BD09}:
        datum = told.datum
        notes.crs[told.name] = f"{datum}: 反算至 WGS 84，公式误差小于 0.1 mm / solved back to WGS 84"

        def convert(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum))
    else:
        convert = _transformer(shapes, drawing, told, notes)

    def place(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.round(convert(xy), GRID_DIGITS)

    out = [None if shape is None or shape.is_empty else shapely.transform(shape, place) for shape in shapes]
    off = next((i for i, shape in enumerate(out) if shape is not None and not in_degrees(shape)), None)
    if off is not None:
        raise BadMapping(
            file=notes.mapping,
            field=f"{told.name}.crs",
            problem_zh=f"{drawing.file} 的坐标按 {notes.crs[told.name]} 换算后不是经纬度",
            problem=f"coordinates of {drawing.file}, taken as {notes.crs[told.name]}, are no degrees on the earth",
        )
    return out


def _transformer(shapes: Sequence[BaseGeometry | None], drawing: Drawing, told: LayerMap, notes: Notes) -> Any:
    try:
        said = pyproj.CRS.from_user_input(told.crs) if told.crs else None
    except CRSError as error:
        raise BadMapping(
            file=notes.mapping, field=f"{told.name}.crs", problem_zh=str(error), problem=str(error)
        ) from error
    crs = said or drawing.crs
    if crs is None:
        raise BadMapping(
            file=notes.mapping,
            field=f"{told.name}.crs",
            problem_zh=f"{drawing.file} 没有说明坐标系（无 .prj），请写明 crs，例如 EPSG:4549",
            problem=f"{drawing.file} does not say its CRS (no .prj); write crs, e.g. EPSG:4549",
        )
    if said and drawing.crs and not said.equals(drawing.crs, ignore_axis_order=True):
        raise BadMapping(
            file=notes.mapping,
            field=f"{told.name}.crs",
            problem_zh=f"文件自己说是 {drawing.crs.name}，对应表说是 {said.name}",
            problem=f"the file says {drawing.crs.name}, the mapping {said.name}",
        )
    named = f"{crs.name}" + (f" (EPSG:{crs.to_epsg()})" if crs.to_epsg() else "")
    if crs.to_epsg() in {4326, 4490}:
        notes.crs[told.name] = f"{named}: 经纬度原样 / degrees as they are"
        return lambda xy: xy
    best = _shifted(crs, told.towgs84) if told.towgs84 else _best(crs, shapes)
    geodetic = crs.geodetic_crs
    if told.towgs84:
        quality = f"towgs84 = {list(told.towgs84)}"
    elif geodetic is not None and geodetic.to_epsg() in {4326, 4490}:
        quality = "CGCS2000 视同 WGS 84，相差厘米 / CGCS2000 taken as WGS 84, centimetres apart"
    elif best.accuracy >= 0:
        quality = f"{best.description}, ± {best.accuracy:g} m"
    else:
        quality = "没有公开的转换参数，可能整体偏移约百米 / no public parameters, all of it may lie about 100 m off"
        notes.warnings.append(
            f"{told.name}: {named} 没有公开的转换参数，位置可能整体偏移约百米；请在对应表写入本地参数 towgs84。 / "
            f"There are no public parameters for {named}: all of it may lie about 100 m off; "
            "write the local ones into the mapping as towgs84."
        )
    notes.crs[told.name] = f"{named}: {quality}"
    return lambda xy: np.column_stack(best.transform(xy[:, 0], xy[:, 1]))


def _shifted(crs: pyproj.CRS, parameters: Sequence[float]) -> pyproj.Transformer:
    """By the district's own three or seven parameters (position vector, EPSG method 9606)."""
    whole = [*parameters, *[0.0] * (7 - len(parameters))]
    bound = BoundCRS(crs, "EPSG:4326", ToWGS84Transformation(crs.geodetic_crs, *whole))
    return pyproj.Transformer.from_crs(bound, 4326, always_xy=True)


def _best(crs: pyproj.CRS, shapes: Sequence[BaseGeometry | None]) -> Any:
    """The transformation that is meant for where they lie."""
    west, south, east, north = shapely.total_bounds([shape for shape in shapes if shape is not None])
    rough = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    bounds = rough.transform_bounds(west, south, east, north)
    area: Any = AreaOfInterest(*bounds) if np.all(np.isfinite(bounds)) else None
    return TransformerGroup(crs, 4326, always_xy=True, area_of_interest=area).transformers[0]
