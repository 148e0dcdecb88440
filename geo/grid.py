"""Zones of a district: layers of coded polygons, read from GeoJSON.

Coordinates are EPSG:4326 (WGS 84, longitude first; CGCS2000 is taken as equal to it, the two differ by
centimetres). Areas and lengths are computed in the district's own metric CRS. Whether the zones of a layer lie as
they should is judged in `geo.coverage`; what can be wrong is named in `geo.findings`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geo.findings import Finding
from geo.metres import into


class Cover(StrEnum):
    """How the zones of one layer lie to each other and to the district."""

    PARTITION = "partition"
    """They cover the district and share nothing but edges."""
    DISJOINT = "disjoint"
    """They share nothing but edges, and need not cover the district."""
    OVERLAP = "overlap"
    """They may lie over each other."""


@dataclass(frozen=True, slots=True)
class Zone:
    """One coded polygon of a layer (EPSG:4326)."""

    layer: str
    code: str
    name: str
    name_en: str
    kind: str
    parent: str | None
    geometry: Polygon | MultiPolygon
    area_km2: float
    """In the district's metric CRS."""
    properties: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Layer:
    """All zones of one kind, in ascending order of code."""

    name: str
    label: str
    label_en: str
    cover: Cover
    parent: str | None
    """The layer whose zones these nest in, by each zone's `parent` code."""
    real: bool
    """False: schematic, made for demonstration; pages and exports must say so."""
    source: str
    zones: tuple[Zone, ...]


class Metric:
    """Degrees to metres by one projected CRS (e.g. EPSG:4549).

    Raises pyproj.exceptions.CRSError where the CRS is unknown, ValueError where its unit is not the metre.
    """

    def __init__(self, crs: str) -> None:
        known = pyproj.CRS.from_user_input(crs)
        if not known.is_projected or any(axis.unit_name != "metre" for axis in known.axis_info):
            raise ValueError(f"{crs} is not a projected CRS in metres")
        self._forward = into(crs)

    def points(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows of longitude, latitude (degrees) to rows of east, north (metres)."""
        return np.column_stack(self._forward.transform(lonlat[:, 0], lonlat[:, 1]))

    def area_m2(self, geometry: BaseGeometry) -> float:
        """Square metres of a geometry in degrees."""
        return float(shapely.transform(geometry, self.points).area)

    def areas_m2(self, geometries: Sequence[BaseGeometry]) -> NDArray[np.float64]:
        """Square metres of each."""
        return np.asarray(shapely.area(shapely.transform(np.array(geometries, dtype=object), self.points)))


@dataclass(frozen=True, slots=True)
class Feature:
    """A GeoJSON feature as it was read; `number` counts from 1. `geometry` is None where it could not be read."""

    number: int
    properties: Mapping[str, Any]
    geometry: BaseGeometry | None
    problem: str = ""


def read_features(text: str) -> list[Feature]:
    """The features of a GeoJSON FeatureCollection. Raises ValueError (with the place) if it is none."""
    document = json.loads(text, parse_constant=_no_number)
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        raise ValueError("no FeatureCollection with a list of features")
    shapes = shapely.get_parts(shapely.from_geojson(text, on_invalid="ignore"))
    if len(shapes) != len(features):  # one of them cannot be read: find out which, and why
        return [_feature(i, f) for i, f in enumerate(features, 1)]
    return [_feature(i, f, shape) for i, (f, shape) in enumerate(zip(features, shapes, strict=True), 1)]


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _feature(number: int, raw: object, known: BaseGeometry | None = None) -> Feature:
    if not isinstance(raw, dict) or raw.get("type") != "Feature":
        return Feature(number, {}, None, "type is not Feature")
    properties = raw.get("properties")
    kept: Mapping[str, Any] = properties if isinstance(properties, dict) else {}
    shape = raw.get("geometry")
    if not isinstance(shape, dict):
        return Feature(number, kept, None, "geometry is null")
    try:
        geometry = shapely.force_2d(known if known is not None else shapely.geometry.shape(shape))
    except Exception as error:  # shapely raises as it comes on coordinates nested the wrong way
        return Feature(number, kept, None, str(error) or type(error).__name__)
    if geometry.is_empty:
        return Feature(number, kept, None, "geometry is empty")
    return Feature(number, kept, geometry)


def read_zones(
    layer: str, file: str, features: Sequence[Feature], metric: Metric
) -> tuple[tuple[Zone, ...], list[Finding]]:
    """The zones of a layer in ascending order of code, and what is wrong with each by itself.

    Features that are no polygon in degrees are named and left out; zones of the same code are all kept.
    """
    findings: list[Finding] = []
    found: list[tuple[Feature, Polygon | MultiPolygon]] = []
    for feature in features:
        wrong = list(_wrong_with(feature, layer))
        findings += wrong
        if not wrong and isinstance(feature.geometry, Polygon | MultiPolygon):
            found.append((feature, feature.geometry))
    if not features:
        findings.append(Finding("empty_layer", layer, data={"file": file}))
    areas = metric.areas_m2([shape for _, shape in found]) / 1e6
    zones = sorted(
        (_zone(layer, feature, shape, float(a)) for (feature, shape), a in zip(found, areas, strict=True)),
        key=lambda zone: zone.code,
    )
    findings += [_invalid(zone) for zone in zones if not zone.geometry.is_valid]
    findings += duplicates(layer, zones)
    return tuple(zones), findings


def _zone(layer: str, feature: Feature, shape: Polygon | MultiPolygon, area_km2: float) -> Zone:
    p = feature.properties
    return Zone(
        layer=layer,
        code=p["code"],
        name=p["name"],
        name_en=p.get("name_en") or "",
        kind=p.get("kind") or "",
        parent=p.get("parent") or None,
        geometry=shape,
        area_km2=area_km2,
        properties=MappingProxyType(dict(p)),
    )


def _wrong_with(feature: Feature, layer: str) -> Iterator[Finding]:
    shape = feature.geometry
    named = feature.properties.get("code") or feature.number
    if not isinstance(shape, Polygon | MultiPolygon):
        problem = feature.problem or (shape.geom_type if shape is not None else "geometry is null")
        yield Finding("not_polygon", layer, data={"feature": named, "problem": problem})
    elif not in_degrees(shape):
        yield Finding("outside_degrees", layer, (str(named),))
    for name in ("code", "name"):
        value = feature.properties.get(name)
        if not isinstance(value, str) or not value.strip() or value != value.strip():
            yield _property(layer, feature, name)
    for name in ("name_en", "kind", "parent", "team"):
        if not isinstance(feature.properties.get(name) or "", str):
            yield _property(layer, feature, name)


def _property(layer: str, feature: Feature, name: str) -> Finding:
    value = json.dumps(feature.properties.get(name), ensure_ascii=False)
    return Finding("bad_property", layer, data={"feature": feature.number, "field": name, "value": value})


def in_degrees(shape: BaseGeometry) -> bool:
    """Whether all of it lies between 180 W and 180 E, 90 S and 90 N (NaN does not)."""
    west, south, east, north = shape.bounds
    return -180 <= west <= east <= 180 and -90 <= south <= north <= 90


def _invalid(zone: Zone) -> Finding:
    """GEOS says e.g. `Self-intersection[118.9 31.3]`."""
    problem, _, place = shapely.is_valid_reason(zone.geometry).partition("[")
    words = place.rstrip("]").split()
    try:
        at = Point(float(words[0]), float(words[1]))
    except (IndexError, ValueError):
        at = Point(shapely.get_coordinates(zone.geometry)[0])
    return Finding("invalid_ring", zone.layer, (zone.code,), {"problem": problem}, None, at)


def duplicates(layer: str, zones: Sequence[Zone]) -> list[Finding]:
    """Codes that more than one zone has; the place is the second zone."""
    seen: dict[str, list[Zone]] = {}
    for zone in zones:
        seen.setdefault(zone.code, []).append(zone)
    return [
        Finding(
            "duplicate_code",
            layer,
            (code,),
            {"code_": code, "places": ", ".join(z.name for z in same)},
            None,
            shapely.point_on_surface(same[1].geometry),
        )
        for code, same in seen.items()
        if len(same) > 1
    ]


def read_lines(layer: str, features: Sequence[Feature]) -> tuple[list[tuple[LineString, Feature]], list[Finding]]:
    """The lines of a layer (the parts of multilines each by itself), and the features that are none."""
    lines: list[tuple[LineString, Feature]] = []
    findings: list[Finding] = []
    for feature in features:
        parts = shapely.get_parts(feature.geometry) if feature.geometry is not None else np.array([])
        if not len(parts) or not all(isinstance(p, LineString) and in_degrees(p) for p in parts):
            shape = feature.geometry
            problem = feature.problem or (shape.geom_type if shape is not None else "")
            findings.append(Finding("not_line", layer, data={"feature": feature.number, "problem": problem}))
        else:
            lines += [(part, feature) for part in parts]
    return lines, findings
