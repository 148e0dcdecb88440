"""Writes the sample district's layers: GeoJSON, one feature a line, coordinates to a centimetre."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import shapely
from build_places import Made
from shapely.geometry.base import BaseGeometry

HERE = Path(__file__).parent


def write_zones(file: str, zones: Sequence[Made]) -> None:
    """One layer's file."""
    write_features(
        file,
        [
            (
                {"code": z.code, "name": z.name, "name_en": z.name_en, "kind": z.kind, "parent": z.parent, **z.more},
                z.geometry,
            )
            for z in zones
        ],
    )


def write_features(file: str, features: Sequence[tuple[Mapping[str, object], BaseGeometry]]) -> None:
    """A GeoJSON file, one feature a line, coordinates with seven decimals (1 cm)."""

    def feature(properties: Mapping[str, object], geometry: BaseGeometry) -> str:
        shape = shapely.geometry.mapping(shapely.orient_polygons(geometry))
        shape["coordinates"] = rounded(shape["coordinates"])
        clean = {k: v for k, v in properties.items() if v is not None}
        return json.dumps(
            {"type": "Feature", "properties": clean, "geometry": shape}, ensure_ascii=False, separators=(",", ":")
        )

    lines = ",\n".join(feature(p, g) for p, g in features)
    (HERE / file).write_text('{"type":"FeatureCollection","features":[\n' + lines + "\n]}\n", encoding="utf-8")


def rounded(value: object) -> object:
    """Coordinates of any depth with seven decimals."""
    return round(value, 7) if isinstance(value, float) else [rounded(v) for v in value]  # type: ignore[attr-defined]
