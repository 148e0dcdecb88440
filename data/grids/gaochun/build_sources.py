"""What the sample district knows of other systems: some cameras, and what those systems call matters. All schematic."""

from __future__ import annotations

import csv
from pathlib import Path

from build_places import TOWNSHIPS

# place, English, longitude, latitude, degrees it looks to, degrees it sees, metres it sees
BY_WATER = (
    ("固城湖西岸", "Gucheng Lake west bank", 118.8870, 31.2960, 95, 50, 600),
    ("官溪河口", "Guanxi River mouth", 118.8680, 31.3180, 260, 70, 300),
    ("胥河闸", "Xu River lock", 119.0450, 31.2880, 80, 45, 250),
)
# source, what it calls it, matter
THEIRS = (
    ("hotline_12345", "违法建设", "0101"),
    ("hotline_12345", "垃圾堆放", "0102"),
    ("hotline_12345", "占道经营", "0501"),
    ("hotline_12345", "噪音扰民", "0508"),
    ("hotline_12345", "违规停车", "0505"),
    ("hotline_12345", "偷捕", "2103"),
    ("video", "illegal_parking", "0505"),
    ("video", "street_vendor", "0501"),
    ("video", "garbage", "0102"),
    ("video", "boat_fishing", "2103"),
    ("digital_city", "出店经营", "0504"),
    ("digital_city", "占道经营", "0501"),
)


def write_sources(folder: Path) -> None:
    """cameras.csv and source_matters.csv."""
    cameras = [
        (town.short, town.name_en.split()[0], *town.seat, 45 * k % 360, 60, 120) for k, town in enumerate(TOWNSHIPS)
    ]
    rows = [
        (f"V{k:03d}", f"{zh}摄像机（示意）", f"{en} camera (made)", lon, lat, bearing, fov, metres)
        for k, (zh, en, lon, lat, bearing, fov, metres) in enumerate([*cameras, *BY_WATER], 1)
    ]
    _write(folder / "cameras.csv", "code,name,name_en,lon,lat,bearing_deg,fov_deg,range_m", rows)
    said = [(f"S{k:03d}", source, theirs, matter, "示意 made") for k, (source, theirs, matter) in enumerate(THEIRS, 1)]
    _write(folder / "source_matters.csv", "code,source,theirs,matter,note", said)


def _write(file: Path, header: str, rows: list[tuple[object, ...]] | list[tuple[str, ...]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(header.split(","))
        table.writerows(rows)
