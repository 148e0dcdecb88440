"""`district.toml`: what a district folder says of itself, each entry checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from pyproj.exceptions import CRSError

from dispatch.folder import Reading
from dispatch.model import Source, Weights
from geo.grid import Cover, Metric

FILE: Final = "district.toml"
SPEEDS: Final = ("field", "boat", "foot")
"""Speeds there must be; beside them one for each class of road."""


@dataclass(frozen=True, slots=True)
class DistrictSettings:
    """Figures that differ from district to district."""

    unclaimed_after_min: float
    """Minutes after which a case that nobody accepted is shown as unclaimed."""
    travel_cell_m: float
    """Metres, the grain of travel times."""
    confirm_share: float
    """A team that has less than this of a position's circle (0 to 1) is sent, and the place is to be confirmed."""
    speeds_kmh: Mapping[str, float]
    triage: frozenset[Source] = frozenset()
    """Sources whose reports somebody looks at before anybody is sent."""
    weights: Weights = field(default_factory=Weights)
    """When many cases are given their units at once."""


@dataclass(frozen=True, slots=True)
class LayerEntry:
    """One `[[layers]]` entry."""

    name: str
    file: str
    label: str
    label_en: str
    cover: Cover
    parent: str | None
    real: bool
    source: str
    expect_union_km2: float | None
    tolerance_km2: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """All of `district.toml`."""

    code: str
    name: str
    name_en: str
    edition: str
    metric_crs: str
    metric: Metric | None
    """None when the CRS is wrong."""
    timezone: str
    holds_from: datetime | None
    """From when the edition holds (生效日期), in the district's time; None: from when it is loaded."""
    source: str
    real: bool
    settings: DistrictSettings
    digits: tuple[int, ...]
    layers: tuple[LayerEntry, ...]
    raw: Mapping[str, Any]
    """As it is written: the sections on time are `dispatch.timetable`'s."""


class Section:
    """One table of the file, asked entry by entry; what is wrong is noted and a harmless value returned."""

    def __init__(self, reading: Reading, name: str, raw: object) -> None:
        self.reading, self.name = reading, name
        self.raw: Mapping[str, Any] = raw if isinstance(raw, dict) else {}

    def bad(self, key: str, expected: str) -> None:
        self.reading.wrong("bad_setting", FILE, field=f"{self.name}.{key}", expected=expected)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.raw.get(key, default)
        if isinstance(value, str) and (value.strip() or default is not None):
            return value
        self.bad(key, "文字 / text")
        return ""

    def share(self, key: str, default: float) -> float:
        value = self.raw.get(key, default)
        if is_positive(value) and value <= 1:
            return float(value)
        self.bad(key, "> 0, ≤ 1")
        return default

    def truth(self, key: str) -> bool:
        value = self.raw.get(key)
        if not isinstance(value, bool):
            self.bad(key, "true | false")
        return value is True

    def number(self, key: str, default: float | None = None) -> float:
        value = self.raw.get(key, default)
        if is_positive(value):
            return float(value)
        self.bad(key, "> 0")
        return 1.0


def is_positive(value: object) -> bool:
    """Whether it is a finite number above zero."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def read_manifest(reading: Reading) -> Manifest | None:
    """`district.toml`, with everything wrong in it noted; None only if it cannot be read at all."""
    raw = reading.toml(FILE)
    if raw is None:
        return None
    head = Section(reading, "district", raw.get("district"))
    settings = Section(reading, "settings", raw.get("settings"))
    speeds = settings.raw.get("speeds_kmh")
    speeds = speeds if isinstance(speeds, dict) else {}
    for name in dict.fromkeys((*SPEEDS, *speeds)):
        if not is_positive(speeds.get(name)):
            settings.bad(f"speeds_kmh.{name}", "> 0")
    return Manifest(
        code=head.text("code"),
        name=head.text("name"),
        name_en=head.text("name_en"),
        edition=head.text("edition"),
        metric_crs=head.text("metric_crs"),
        metric=_metric(head),
        timezone=_timezone(head),
        holds_from=_holds_from(head),
        source=head.text("source", ""),
        real=head.truth("real"),
        settings=DistrictSettings(
            settings.number("unclaimed_after_min"),
            settings.number("travel_cell_m"),
            settings.share("confirm_share", 0.7),
            MappingProxyType({name: float(v) for name, v in speeds.items() if is_positive(v)}),
            _triage(settings),
            _weights(Section(reading, "assignment", raw.get("assignment"))),
        ),
        digits=_digits(reading, raw.get("grid_code")),
        layers=_layers(reading, raw.get("layers")),
        raw=MappingProxyType(raw),
    )


def _triage(settings: Section) -> frozenset[Source]:
    """The sources listed; none where the file does not say."""
    listed = settings.raw.get("triage", [])
    if isinstance(listed, list) and all(one in set(Source) for one in listed):
        return frozenset(Source(one) for one in listed)
    settings.bad("triage", "[" + ", ".join(f'"{one}"' for one in Source) + "]")
    return frozenset()


def _weights(section: Section) -> Weights:
    """The section `assignment`; the standard's where the file does not say."""
    standard, given = Weights(), section.raw.get("urgency", {})
    urgency = {
        key: given[str(key)] if isinstance(given, dict) and is_positive(given.get(str(key))) else weight
        for key, weight in standard.urgency.items()
    }
    if not isinstance(given, dict) or any(
        name not in map(str, urgency) or not is_positive(given[name]) for name in given
    ):
        section.bad("urgency", "{ 1 = 4, 2 = 2, 3 = 1 }")
    return Weights(
        MappingProxyType({key: float(weight) for key, weight in urgency.items()}),
        60 * section.number("left_min", standard.left_s / 60),
        60 * section.number("load_min", standard.load_s / 60),
    )


def _metric(head: Section) -> Metric | None:
    try:
        return Metric(str(head.raw.get("metric_crs", "")))
    except (CRSError, ValueError):
        head.bad("metric_crs", "投影坐标系，单位米 / a projected CRS in metres, e.g. EPSG:4549")
        return None


def _timezone(head: Section) -> str:
    name = head.text("timezone")
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        head.bad("timezone", "IANA, e.g. Asia/Shanghai")
    return name


def _holds_from(head: Section) -> datetime | None:
    """A TOML date or date with time; without an offset it is the district's own time."""
    value = head.raw.get("holds_from")
    if value is None:
        return None
    if not isinstance(value, date):
        head.bad("holds_from", "2026-12-01 | 2026-12-01T08:00:00")
        return None
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    if moment.tzinfo is not None:
        return moment
    try:
        return moment.replace(tzinfo=ZoneInfo(str(head.raw.get("timezone"))))
    except (OSError, ValueError, KeyError):
        return None  # the time zone's own finding says it


def _digits(reading: Reading, raw: object) -> tuple[int, ...]:
    """Digits of the parts of a grid code; empty when the file does not say."""
    if raw is None:
        return ()
    section = Section(reading, "grid_code", raw)
    digits = section.raw.get("digits")
    if not (isinstance(digits, list) and digits and all(isinstance(n, int) and n > 0 for n in digits)):
        section.bad("digits", "[6, 3, 3, 3]")
        return ()
    return tuple(digits)


def _layers(reading: Reading, raw: object) -> tuple[LayerEntry, ...]:
    entries: list[LayerEntry] = []
    for i, one in enumerate(raw if isinstance(raw, list) else [], 1):
        section = Section(reading, f"layers[{i}]", one)
        known = {"district", *(entry.name for entry in entries)}
        name, file, parent = section.text("name"), section.text("file"), section.text("parent", "")
        cover = section.raw.get("cover")
        if name in known:
            section.bad("name", f"≠ {name}")
            continue
        if file and (PurePosixPath(file).name != file or "\\" in file):
            section.bad("file", "本文件夹中的文件名 / a file of this folder")
            continue
        if parent and parent not in known:
            section.bad("parent", f"{' | '.join(sorted(known))}（在其前列出 / listed before）")
        if cover not in set(Cover):
            section.bad("cover", " | ".join(Cover))
            continue
        union = section.raw.get("expect_union_km2")
        entries.append(
            LayerEntry(
                name=name,
                file=file,
                label=section.text("label"),
                label_en=section.text("label_en"),
                cover=Cover(cover),
                parent=parent or None,
                real=section.truth("real"),
                source=section.text("source", ""),
                expect_union_km2=None if union is None else section.number("expect_union_km2"),
                tolerance_km2=section.number("tolerance_km2", 0.5),
            )
        )
    if not any(entry.name == "township" and entry.cover is Cover.PARTITION for entry in entries):
        reading.wrong("bad_setting", FILE, field="layers", expected='name = "township", cover = "partition"')
    return tuple(entry for entry in entries if entry.file)
