"""The district folder, and in its `import/` all that was done: report.json, changes.geojson, zones.csv, values.csv."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from dispatch.importing.places import Noted
from geo.grid import Layer, Zone
from geo.repair import Balance, Change

SETTINGS: Final[Mapping[str, Any]] = {
    "unclaimed_after_min": 30,
    "travel_cell_m": 100,
    "speeds_kmh": {"main": 50, "minor": 30, "field": 5, "boat": 18, "foot": 4},
}
"""Where neither the mapping nor a template says any."""


def write_layer(path: Path, zones: Iterable[Zone]) -> None:
    """One feature a line, coordinates to a tenth of a millimetre."""
    write_features(
        path,
        (
            (
                {
                    **{key: value for key, value in zone.properties.items() if key != "row"},
                    "code": zone.code,
                    "name": zone.name,
                    "name_en": zone.name_en,
                    "kind": zone.kind,
                    "parent": zone.parent or "",
                },
                zone.geometry,
            )
            for zone in zones
        ),
    )


def write_features(path: Path, features: Iterable[tuple[Mapping[str, object], BaseGeometry]]) -> None:
    """A GeoJSON file; coordinates as they are."""
    told = list(features)
    shapes = shapely.to_geojson([shape for _, shape in told])
    lines = ",\n".join(
        f'{{"type":"Feature","properties":{json.dumps(words, ensure_ascii=False)},"geometry":{shape}}}'
        for (words, _), shape in zip(told, shapes, strict=True)
    )
    path.write_text('{"type":"FeatureCollection","features":[\n' + lines + "\n]}\n", encoding="utf-8")


def write_manifest(
    path: Path,
    head: Mapping[str, Any],
    settings: Mapping[str, Any],
    grid_code: Mapping[str, Any],
    time: Mapping[str, Mapping[str, Any]],
    layers: Sequence[tuple[str, Layer, Mapping[str, Any]]],
) -> None:
    """`district.toml`: its sections on time by name; each layer with its file, and what else its entry says."""
    lines = ["[district]", *_entries(head), "", "[settings]", *_entries(settings)]
    if grid_code:
        lines += ["", "[grid_code]", *_entries(grid_code)]
    for name, section in time.items():
        lines += ["", f"[{name}]", *_entries(section)]
    for file, layer, more in layers:
        entry = {
            "name": layer.name,
            "file": file,
            "label": layer.label,
            "label_en": layer.label_en,
            "cover": str(layer.cover),
            "parent": layer.parent or "",
            "real": layer.real,
            "source": layer.source,
            **more,
        }
        lines += ["", "[[layers]]", *_entries(entry)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _entries(values: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_toml(value)}" for key, value in values.items()]


def _toml(value: Any) -> str:
    """A TOML value: strings and numbers are written as in JSON."""
    if isinstance(value, list):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)


def write_report(
    folder: Path,
    changes: Sequence[Change],
    balances: Sequence[Balance],
    values: Sequence[Noted],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything that was done, in `folder`; the report is given back too."""
    folder.mkdir()
    write_features(
        folder / "changes.geojson",
        (
            (
                {
                    "kind": change.kind,
                    "layer": change.layer,
                    "before": list(change.before),
                    "after": list(change.after),
                    "area_m2": round(change.area_m2, 6),
                    "width_m": round(change.width_m, 4),
                    "lon": round(change.shape.representative_point().x, 7),
                    "lat": round(change.shape.representative_point().y, 7),
                    "problem": change.problem,
                },
                change.shape,
            )
            for change in changes
        ),
    )
    _table(folder / "zones.csv", Balance, balances)
    _table(folder / "values.csv", Noted, values)
    kinds = Counter((change.layer, change.kind) for change in changes)
    areas: defaultdict[tuple[str, str], float] = defaultdict(float)
    for change in changes:
        areas[change.layer, change.kind] += change.area_m2
    report = {
        **facts,
        "changes": [
            {"layer": layer, "kind": kind, "count": count, "area_m2": round(float(areas[layer, kind]), 3)}
            for (layer, kind), count in sorted(kinds.items())
        ],
        "balance_m2": {
            layer: {
                name: round(sum(getattr(b, name) for b in balances if b.layer == layer), 3)
                for name in ("drawn", "redrawn", "gained", "lost", "after")
            }
            for layer in dict.fromkeys(balance.layer for balance in balances)
        },
        "values": dict(Counter(noted.why for noted in values)),
    }
    text = json.dumps(report, ensure_ascii=False, indent=1)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    return report


def _table(path: Path, kind: type[Balance | Noted], rows: Sequence[Balance] | Sequence[Noted]) -> None:
    names = [column.name for column in fields(kind)]
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([getattr(row, name) for name in names] for row in rows)
