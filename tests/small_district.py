"""A district of two townships and no water, written from code: what a folder needs at least."""

from __future__ import annotations

import json
from pathlib import Path

TOML = """
[district]
code = "990001"
name = "小区"
name_en = "Small District"
edition = "1"
metric_crs = "EPSG:4549"
timezone = "Asia/Shanghai"
real = false

[settings]
unclaimed_after_min = 20
travel_cell_m = 100
speeds_kmh = { main = 50, field = 5, boat = 18, foot = 4 }

[[layers]]
name = "township"
file = "townships.geojson"
label = "乡镇"
label_en = "Townships"
cover = "partition"
parent = ""
real = false
source = "tests"
"""
TABLES = {
    "departments.csv": "code,name,name_en\nD1,城管局,Urban Management\n",
    "classes.csv": "code,name,name_en\n01,市容,Appearance\n",
    "matters.csv": "code,name,name_en,department,legal_basis,urgency,limit_h,on_water\n"
    "0101,私搭乱建,Illegal building,D1,,3,72,false\n",
    "teams.csv": "code,name,name_en,kind,base\nT1,西队,West,township,B1\nT2,东队,East,township,B1\n",
    "units.csv": "code,name,name_en,team,mode,base,crew\nT1-V1,一号车,Car 1,T1,vehicle,B1,2\n"
    "T2-V1,二号车,Car 2,T2,vehicle,B1,2\n",
    "rules.csv": "code,township,dedicated,water,joint,matter,team,note,note_en\nR1,,,,,,@township,默认,default\n",
}


def square(west: float, south: float, east: float, north: float) -> dict[str, object]:
    """A GeoJSON rectangle."""
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(geometry: dict[str, object], **properties: object) -> dict[str, object]:
    """A GeoJSON feature."""
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def write_features(path: Path, *features: dict[str, object]) -> None:
    """A GeoJSON file."""
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}), encoding="utf-8")


def write_small_district(folder: Path) -> Path:
    """The whole folder: 0.1 by 0.1 degrees near 120 E 30 N, cut in half."""
    folder.mkdir()
    (folder / "district.toml").write_text(TOML, encoding="utf-8")
    for file, text in TABLES.items():
        (folder / file).write_text(text, encoding="utf-8")
    write_features(folder / "district.geojson", feature(square(120, 30, 120.1, 30.1), code="990001", name="小区"))
    write_features(
        folder / "townships.geojson",
        feature(square(120, 30, 120.05, 30.1), code="990001001", name="西镇", team="T1"),
        feature(square(120.05, 30, 120.1, 30.1), code="990001002", name="东镇", team="T2"),
    )
    base = {"type": "Point", "coordinates": [120.02, 30.05]}
    write_features(folder / "bases.geojson", feature(base, code="B1", name="驻地", name_en="Base"))
    return folder
