"""The district as the map draws it: GeoJSON of each layer, made once per edition and served with its digest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
from shapely import STRtree, box, relate_pattern, to_geojson
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from dispatch.district import District
from dispatch.errors import UnknownLayer, UnknownZone
from web.paging import Box, page_by_code


@dataclass(frozen=True, slots=True)
class ZoneFilter:
    """Which features are asked for; None means any."""

    bbox: Box | None = None
    township: str | None = None
    team: str | None = None


@dataclass(frozen=True)
class _MapLayer:
    """Features already written as JSON, with their shapes for `bbox`."""

    head: str
    keys: tuple[str, ...]
    """Of each feature, unlike every other's: its code, or (roads have none) a digest of what it is."""
    teams: tuple[str | None, ...]
    features: tuple[str, ...]
    shapes: tuple[BaseGeometry, ...]
    whole: bytes
    etag: str

    @cached_property
    def tree(self) -> STRtree:
        """Of the shapes, made when it is first asked."""
        return STRtree(self.shapes)


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

    def filtered(self, name: str, wanted: ZoneFilter) -> bytes:
        """The features that a filter takes. Raises `UnknownLayer`, `UnknownZone`."""
        layer = self._find(name)
        return _write(layer.head, (layer.features[i] for i in self._taken(layer, wanted)))

    def page(self, name: str, wanted: ZoneFilter, limit: int, cursor: str | None) -> bytes:
        """One page of them, by their keys, with `next`. Raises `UnknownLayer`, `UnknownZone`, `InvalidCursor`."""
        layer = self._find(name)
        taken = self._taken(layer, wanted)
        page, following = page_by_code(f"zones/{name}", taken, limit, cursor, lambda i: layer.keys[i])
        return _write(f'{layer.head},"next":{json.dumps(following)}', (layer.features[i] for i in page))

    def _taken(self, layer: _MapLayer, wanted: ZoneFilter) -> list[int]:
        """The places of the features that a filter takes, ascending."""
        taken = set(range(len(layer.features)))
        if wanted.team is not None:
            taken = {i for i in taken if layer.teams[i] == wanted.team}
        if wanted.bbox is not None:
            taken &= set(layer.tree.query(box(*wanted.bbox), predicate="intersects").tolist())
        if wanted.township is not None and taken:
            near = sorted(taken & set(layer.tree.query(self._township(wanted.township)).tolist()))
            shapes = np.array([layer.shapes[i] for i in near], dtype=object)
            # Inside meets inside: what only shares an edge with the township does not lie in it.
            meets = relate_pattern(shapes, self._township(wanted.township), "T********")
            taken = {i for i, yes in zip(near, meets, strict=True) if yes}
        return sorted(taken)

    def _township(self, code: str) -> BaseGeometry:
        towns = self._layers.get("township")
        if towns is None or code not in towns.keys:
            raise UnknownZone({"field": "township"}, zone=code)
        return towns.shapes[towns.keys.index(code)]

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
    keys: list[str] = []
    teams: list[str | None] = []
    alike: Counter[str] = Counter()
    for shape, properties in rows:
        written = json.dumps(properties, ensure_ascii=False, separators=(",", ":"))
        feature = f'{{"type":"Feature","properties":{written},"geometry":{to_geojson(shape)}}}'
        key = properties.get("code") or sha256(feature.encode()).hexdigest()[:16]
        alike[key] += 1
        shapes.append(shape)
        features.append(feature)
        keys.append(key if alike[key] == 1 else f"{key}#{alike[key]}")
        teams.append(properties.get("team"))
    opening = json.dumps(head, ensure_ascii=False, separators=(",", ":"))[1:-1]
    whole = _write(opening, features)
    etag = f'"{sha256(whole).hexdigest()[:16]}"'
    return _MapLayer(opening, tuple(keys), tuple(teams), tuple(features), tuple(shapes), whole, etag)


def _write(head: str, features: Iterable[str]) -> bytes:
    return f'{{"type":"FeatureCollection",{head},"features":[{",".join(features)}]}}'.encode()
