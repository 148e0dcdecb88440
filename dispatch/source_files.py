"""`cameras.csv` and `source_matters.csv`: what a district folder knows of other systems, read strictly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import shapely

from dispatch.folder import CODE, TEXT, Column, Reading, Table, one_of
from dispatch.model import Source
from geo.findings import Finding
from geo.grid import Layer


def _number(low: float, high: float, *, above: bool = False) -> Column:
    """A finite number from low (or above it) to high."""

    def parse(text: str) -> float:
        value = float(text)
        if not (math.isfinite(value) and low <= value <= high) or (above and value == low):
            raise ValueError(text)
        return value

    return Column(parse, f"{'>' if above else '≥'} {low:g}, ≤ {high:g}")


CAMERAS: Final = "cameras.csv"
MATTERS: Final = "source_matters.csv"
CAMERA_COLUMNS: Final[Mapping[str, Column]] = {
    "code": CODE,
    "name": CODE,
    "name_en": TEXT,
    "lon": _number(-180, 180),
    "lat": _number(-90, 90),
    "bearing_deg": _number(0, 360),
    "fov_deg": _number(0, 360, above=True),
    "range_m": _number(0, 10_000, above=True),
}
MATTER_COLUMNS: Final[Mapping[str, Column]] = {
    "code": CODE,
    "source": one_of([source.value for source in Source]),
    "theirs": CODE,
    "matter": CODE,
    "note": Column(str, "", absent=""),
}


def check_cameras(reading: Reading, cameras: Table | None, district: Layer | None) -> None:
    """Name every camera that stands outside the district."""
    if cameras is None or district is None or not district.zones or not district.zones[0].geometry.is_valid:
        return
    whole = district.zones[0].geometry
    for code, row in cameras.rows.items():
        at = shapely.Point(row["lon"], row["lat"])
        if not whole.covers(at):
            facts = {"code_": code, "row": cameras.numbers[code]}
            reading.findings.append(Finding("camera_outside", CAMERAS, (code,), facts, None, at))


def check_matters(reading: Reading, rows: Table | None, known: frozenset[str] | None) -> None:
    """Name every row whose matter is not listed, and those that say the same word of the same source twice."""
    reading.refer(MATTERS, rows, "matter", "matters.csv", known)
    said: dict[tuple[str, str], str] = {}
    for code, row in rows.rows.items() if rows else ():
        key = (row["source"], row["theirs"])
        if before := said.get(key):
            line = rows.numbers[code] if rows else 0
            told = {"code_": f"{key[0]} {key[1]}", "places": f"{before}, {code}", "row": line}
            reading.wrong("duplicate_code", MATTERS, code, **told)
        said.setdefault(key, code)
