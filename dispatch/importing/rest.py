"""What no map file holds (teams, units, matters, rules, roads, bases): from a folder, or the least that loads."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import shapely

from dispatch.errors import BrokenDistrict, UnreadableSource
from dispatch.folder import Reading
from dispatch.manifest import FILE, LayerEntry, read_manifest
from geo.grid import Layer, Zone, read_zones

LISTS: Final = ("departments.csv", "classes.csv", "matters.csv")
PEOPLE: Final = ("teams.csv", "units.csv", "rules.csv", "bases.geojson")
WITH_PEOPLE: Final = ("shifts.csv",)
"""Taken over with them, where it is there."""
ALONE: Final = ("roads.geojson", "powers.csv", "calendar.csv", "cameras.csv", "source_matters.csv")
"""Taken over where they are there."""
_SCHEMATIC: Final = "（示意）"


@dataclass(frozen=True, slots=True)
class Template:
    """A folder at hand: all of a district, or only some of its tables."""

    folder: Path | None
    head: Mapping[str, Any]
    """`district.toml` as it stands; empty if there is none."""
    layers: tuple[tuple[LayerEntry, Layer], ...]
    files: Mapping[str, bytes]
    """Tables, bases and roads, as they stand."""

    def has(self, files: Sequence[str]) -> bool:
        """Whether it has all of these; raises `UnreadableSource` where it has some only: they name each other."""
        found = [file for file in files if file in self.files]
        if found and len(found) < len(files):
            lacking = ", ".join(sorted(set(files) - set(found)))
            name = self.folder.name if self.folder else ""
            raise UnreadableSource(
                file=name,
                problem_zh=f"有 {', '.join(found)}，还缺 {lacking}。",
                problem=f"it has {', '.join(found)} and lacks {lacking}.",
            )
        return bool(found)

    def zones(self, layer: str) -> Mapping[str, Zone]:
        """The zones of one of its layers by code."""
        return next(({zone.code: zone for zone in there.zones} for _, there in self.layers if there.name == layer), {})


def read_template(folder: Path | None) -> Template:
    """The folder at hand. Raises `BrokenDistrict` if its `district.toml` or a layer cannot be read."""
    if folder is None:
        return Template(None, MappingProxyType({}), (), MappingProxyType({}))
    if not folder.is_dir():
        raise UnreadableSource(file=folder.name, problem_zh="没有这个文件夹。", problem="there is no such folder.")
    files = {
        name: (folder / name).read_bytes()
        for name in (*LISTS, *PEOPLE, *WITH_PEOPLE, *ALONE)
        if (folder / name).is_file()
    }
    if not (folder / FILE).is_file():
        return Template(folder, MappingProxyType({}), (), MappingProxyType(files))
    reading = Reading(folder)
    manifest = read_manifest(reading)
    layers: list[tuple[LayerEntry, Layer]] = []
    for entry in manifest.layers if manifest and manifest.metric else ():
        features = reading.features(entry.file)
        if manifest and manifest.metric and features:
            zones, findings = read_zones(entry.name, entry.file, features, manifest.metric)
            reading.findings += findings
            about = (entry.name, entry.label, entry.label_en, entry.cover, entry.parent, entry.real, entry.source)
            layers.append((entry, Layer(*about, zones)))
    if reading.findings:
        raise BrokenDistrict(folder.name, reading.findings)
    head = tomllib.loads((folder / FILE).read_text("utf-8-sig"))
    return Template(folder, MappingProxyType(head), tuple(layers), MappingProxyType(files))


def lists() -> dict[str, bytes]:
    """The least list of matters: one department, one class, one matter."""
    return {
        "departments.csv": _csv("code,name,name_en", [("D01", f"综合执法{_SCHEMATIC}", "Enforcement (schematic)")]),
        "classes.csv": _csv("code,name,name_en", [("01", f"一般事项{_SCHEMATIC}", "General (schematic)")]),
        "matters.csv": _csv(
            "code,name,name_en,department,legal_basis,urgency,limit_h,on_water",
            [("0101", f"其他事项{_SCHEMATIC}", "Other (schematic)", "D01", "", "3", "72", "false")],
        ),
    }


def people(layers: Mapping[str, Layer]) -> tuple[dict[str, bytes], dict[str, dict[str, str]]]:
    """The least of teams: one a township with one vehicle, one with a boat where there is water, and the rule by place.

    Also the team of each zone, by layer and code. Bases are points inside the townships, off the water.
    """
    wet = layers.get("water")
    water = shapely.union_all([zone.geometry for zone in wet.zones]) if wet else shapely.Point()
    teams: list[tuple[str, ...]] = []
    units: list[tuple[str, ...]] = []
    bases: list[dict[str, Any]] = []
    of: dict[str, dict[str, str]] = {"township": {}}
    rules = [
        ("R001", "", "", "", "", "", "@township", f"默认：属地{_SCHEMATIC}", "By default the township (schematic)")
    ]
    for number, zone in enumerate(layers["township"].zones, 1):
        code, base, english = f"T{number:02d}", f"B{number:02d}", zone.name_en or zone.name
        dry = zone.geometry.difference(water)
        teams.append((code, f"{zone.name}执法队{_SCHEMATIC}", f"{english} team (schematic)", "township", base))
        units.append((f"{code}-V1", f"{zone.name}1号车{_SCHEMATIC}", f"{english} vehicle 1 (schematic)", code,
                      "vehicle", base, "2"))  # fmt: skip
        bases.append(_base(base, zone, zone.geometry if dry.is_empty else dry))
        of["township"][zone.code] = code
    if wet and wet.zones:
        largest = max(wet.zones, key=lambda zone: zone.geometry.area)
        teams.append(("W01", f"水上执法队{_SCHEMATIC}", "Water team (schematic)", "water", "P01"))
        units.append(("W01-B1", f"1号艇{_SCHEMATIC}", "Boat 1 (schematic)", "W01", "boat", "P01", "2"))
        bases.append(_base("P01", largest, largest.geometry))
        rules.append(("R002", "", "", "*", "", "", "@water", f"水面{_SCHEMATIC}", "On the water (schematic)"))
        of["water"] = {zone.code: "W01" for zone in wet.zones}
    files = {
        "teams.csv": _csv("code,name,name_en,kind,base", teams),
        "units.csv": _csv("code,name,name_en,team,mode,base,crew", units),
        "rules.csv": _csv("code,township,dedicated,water,joint,matter,team,note,note_en", rules),
        "bases.geojson": json.dumps({"type": "FeatureCollection", "features": bases}, ensure_ascii=False).encode(),
    }
    return files, of


def _base(code: str, zone: Zone, where: shapely.geometry.base.BaseGeometry) -> dict[str, Any]:
    at = shapely.point_on_surface(where)
    return {
        "type": "Feature",
        "properties": {
            "code": code,
            "name": f"{zone.name}驻点{_SCHEMATIC}",
            "name_en": f"{zone.name_en or zone.name} base (schematic)",
        },
        "geometry": {"type": "Point", "coordinates": [round(at.x, 7), round(at.y, 7)]},
    }


def _csv(header: str, rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return out.getvalue().encode()
