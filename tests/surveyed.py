"""The sample district as an office hands it over: Shapefiles in GBK, borders that nearly meet, slips of the hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pyproj
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "grids" / "gaochun"
OFF_M = 0.25
"""Every zone lies so far from where it should, each in its own direction: borders are up to 0.5 m apart."""


@dataclass(frozen=True)
class Given:
    """One zone as it was handed over."""

    code: str
    name: str
    parent: str
    shape: BaseGeometry
    """EPSG:4549."""


def layer(file: str, seed: int, most: int | None = None) -> list[Given]:
    """The sample's zones in metres, at most so many, each a little beside its place."""
    rng = np.random.default_rng(seed)
    features = json.loads((SAMPLE / file).read_text("utf-8"))["features"]
    zones = [(f["properties"], shapely.geometry.shape(f["geometry"])) for f in features]
    if most is not None:
        zones = fewer(zones, most)
    to_metres = pyproj.Transformer.from_crs(4326, 4549, always_xy=True)
    out = []
    for words, shape in zones:
        turn = rng.uniform(0, 2 * np.pi)
        metric = shapely.transform(shape, lambda xy: np.column_stack(to_metres.transform(xy[:, 0], xy[:, 1])))
        beside = shapely.transform(metric, lambda xy, t=turn: xy + OFF_M * np.array([np.cos(t), np.sin(t)]))
        out.append(Given(words["code"], words["name"], words["parent"], beside))
    return out


def fewer(zones: list[tuple[dict[str, str], BaseGeometry]], most: int) -> list[tuple[dict[str, str], BaseGeometry]]:
    """Neighbours of one parent joined until there are only so many."""
    zones = list(zones)
    for words, shape in list(zones):
        if len(zones) <= most:
            break
        for i, (other, beside) in enumerate(zones):
            if other["parent"] == words["parent"] and other is not words and (words, shape) in zones:
                joined = shape.union(beside)
                if isinstance(joined, Polygon) and not joined.interiors and shape.intersection(beside).length > 0.001:
                    zones[i] = (other, joined)
                    zones.remove((words, shape))
                    break
    return zones


def tie(shape: BaseGeometry, near: int) -> Polygon:
    """The polygon with two neighbouring vertices in the wrong order, the first from `near` on at which it crosses."""
    ring = shapely.get_coordinates(shape)[:-1]
    for at in range(near, len(ring) - 1):
        swapped = ring.copy()
        swapped[[at, at + 1]] = swapped[[at + 1, at]]
        if not Polygon(swapped).is_valid:
            return Polygon(swapped)
    raise AssertionError("no two vertices that cross when swapped")


def write(path: Path, zones: Sequence[Given], columns: tuple[str, str, str], encoding: str = "GBK", crs: int = 4549,
          cpg: bool = False) -> None:  # fmt: skip
    """A Shapefile (or another format, by the suffix); without .cpg, as most come."""
    words = {
        columns[0]: [z.code for z in zones],
        columns[1]: [z.name for z in zones],
        columns[2]: [z.parent for z in zones],
    }
    frame = geopandas.GeoDataFrame(words, geometry=[z.shape for z in zones], crs=4549).to_crs(crs)
    if path.suffix == ".shp":
        pyogrio.write_dataframe(frame, path, encoding=encoding)
        if not cpg:
            path.with_suffix(".cpg").unlink()
    else:
        pyogrio.write_dataframe(frame, path)


def parts(shape: BaseGeometry) -> Iterator[Polygon]:
    """The polygons in it."""
    assert isinstance(shape, Polygon | MultiPolygon)
    yield from shapely.get_parts(shape)
