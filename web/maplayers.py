"""The district as the map draws it: GeoJSON of each layer, made once per edition and served with its digest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from shapely import STRtree, box, to_geojson
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from dispatch.district import District
from dispatch.errors import UnknownLayer

EXTRA: Final = ("roads", "bases")
"""Served like layers, though they are no zones."""


@dataclass(frozen=True, slots=True)
class _MapLayer:
    """Features already written as JSON, with their shapes for `bbox`."""

    head: str
    features: tuple[str, ...]
    shapes: tuple[BaseGeometry, ...]
    whole: bytes
    etag: str


class MapLayers:
    """All layers of one edition."""

    def __init__(self, district: District) -> None:
        self._layers = {name: _of_layer(district, name) for name in district.layers}
        self._layers["roads"] = _build(
            {"real": False, "source": "", "label": "道路", "label_en": "Roads"},
            ((line, {"class": kind, "bridge": bridge}) for line, kind, bridge in district.roads),
        )
        self._layers["bases"] = _build(
            {"real": False, "source": "", "label": "驻点", "label_en": "Bases"},
            (
                (Point(base.lon, base.lat), {"code": base.code, "name": base.name, "name_en": base.name_en})
                for base in district.bases.values()
            ),
        )

    def whole(self, name: str) -> tuple[bytes, str]:
        """The layer's FeatureCollection and its ETag. Raises `UnknownLayer`."""
        layer = self._find(name)
        return layer.whole, layer.etag

    def within(self, name: str, bbox: tuple[float, float, float, float]) -> bytes:
        """The features that meet a box (west, south, east, north in degrees). Raises `UnknownLayer`."""
        layer = self._find(name)
        found = sorted(STRtree(layer.shapes).query(box(*bbox), predicate="intersects"))
        return _write(layer.head, (layer.features[i] for i in found))

    def _find(self, name: str) -> _MapLayer:
        if name not in self._layers:
            raise UnknownLayer(layer=name)
        return self._layers[name]


def _of_layer(district: District, name: str) -> _MapLayer:
    layer = district.layers[name]
    head = {"real": layer.real, "source": layer.source, "label": layer.label, "label_en": layer.label_en}
    rows = (
        (
            zone.geometry,
            {
                "code": zone.code,
                "name": zone.name,
                "name_en": zone.name_en,
                "kind": zone.kind,
                "parent": zone.parent,
                "team": zone.properties.get("team"),
                "area_km2": round(zone.area_km2, 4),
            },
        )
        for zone in layer.zones
    )
    return _build(head, rows)


def _build(head: Mapping[str, Any], rows: Iterable[tuple[BaseGeometry, Mapping[str, Any]]]) -> _MapLayer:
    shapes: list[BaseGeometry] = []
    features: list[str] = []
    for shape, properties in rows:
        shapes.append(shape)
        written = json.dumps(properties, ensure_ascii=False, separators=(",", ":"))
        features.append(f'{{"type":"Feature","properties":{written},"geometry":{to_geojson(shape)}}}')
    opening = json.dumps(head, ensure_ascii=False, separators=(",", ":"))[1:-1]
    whole = _write(opening, features)
    return _MapLayer(opening, tuple(features), tuple(shapes), whole, f'"{sha256(whole).hexdigest()[:16]}"')


def _write(head: str, features: Iterable[str]) -> bytes:
    return f'{{"type":"FeatureCollection",{head},"features":[{",".join(features)}]}}'.encode()
