"""A district folder as values: loaded whole or refused whole."""
# Lead's provisional version so that the others can start a server: helper for district data, replace this file with yours.

from __future__ import annotations

import csv
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pyproj import Transformer
from shapely import LineString, transform
from shapely.geometry import shape

from dispatch.model import Base, Department, Matter, MatterClass, Mode, Rule, Team, TeamKind, Unit
from geo.grid import Cover, Layer, Zone


@dataclass(frozen=True, slots=True)
class DistrictSettings:
    unclaimed_after_min: float
    travel_cell_m: float
    speeds_kmh: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class District:
    code: str
    name: str
    name_en: str
    version: str
    folder: Path
    metric_crs: str
    timezone: str
    settings: DistrictSettings
    layers: Mapping[str, Layer]
    roads: tuple[tuple[LineString, str, bool], ...]
    bases: Mapping[str, Base]
    departments: Mapping[str, Department]
    classes: Mapping[str, MatterClass]
    matters: Mapping[str, Matter]
    teams: Mapping[str, Team]
    units: Mapping[str, Unit]
    rules: tuple[Rule, ...]


def load(folder: Path) -> District:
    toml = tomllib.loads((folder / "district.toml").read_text("utf-8"))
    head = toml["district"]
    to = Transformer.from_crs("EPSG:4326", head["metric_crs"], always_xy=True)

    def rows(name: str) -> list[dict[str, str]]:
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def zones(layer: str, file: str) -> tuple[Zone, ...]:
        out = []
        for f in json.loads((folder / file).read_text("utf-8"))["features"]:
            p: dict[str, Any] = f["properties"]
            g = shape(f["geometry"])
            area = transform(g, lambda x, y: to.transform(x, y), interleaved=False).area / 1e6
            out.append(Zone(layer, p.get("code", head["code"]), p.get("name", ""), p.get("name_en", ""), p.get("kind", ""), p.get("parent"), g, area, MappingProxyType(p)))
        return tuple(sorted(out, key=lambda z: z.code))

    layers = {"district": Layer("district", "区", "District", Cover.PARTITION, None, bool(head.get("real")), head.get("source", ""), zones("district", "district.geojson"))}
    for row in toml["layers"]:
        layers[row["name"]] = Layer(row["name"], row["label"], row["label_en"], Cover(row["cover"]), row.get("parent") or None, row["real"], row["source"], zones(row["name"], row["file"]))
    roads = []
    if (folder / "roads.geojson").exists():
        roads = [(shape(f["geometry"]), f["properties"]["class"], bool(f["properties"].get("bridge"))) for f in json.loads((folder / "roads.geojson").read_text("utf-8"))["features"]]
    bases = {f["properties"]["code"]: Base(f["properties"]["code"], f["properties"]["name"], f["properties"].get("name_en", ""), *f["geometry"]["coordinates"]) for f in json.loads((folder / "bases.geojson").read_text("utf-8"))["features"]}
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.*")):
        if path.suffix in (".toml", ".geojson", ".csv"):
            digest.update(path.name.encode() + path.read_bytes())
    s = toml["settings"]
    return District(
        head["code"], head["name"], head["name_en"], f"{head['code']}@{head['edition']}+{digest.hexdigest()[:8]}", folder, head["metric_crs"], head["timezone"],
        DistrictSettings(s["unclaimed_after_min"], s["travel_cell_m"], s["speeds_kmh"]), layers, tuple(roads), bases,
        {r["code"]: Department(**r) for r in rows("departments.csv")},
        {r["code"]: MatterClass(**r) for r in rows("classes.csv")},
        {r["code"]: Matter(**{**r, "urgency": int(r["urgency"]), "limit_h": float(r["limit_h"]), "on_water": r["on_water"] == "true"}) for r in rows("matters.csv")},
        {r["code"]: Team(**{**r, "kind": TeamKind(r["kind"])}) for r in rows("teams.csv")},
        {r["code"]: Unit(**{**r, "mode": Mode(r["mode"]), "crew": int(r["crew"])}) for r in rows("units.csv")},
        tuple(Rule(**r) for r in rows("rules.csv")),
    )


def check(folder: Path) -> list[Any]:
    return []
