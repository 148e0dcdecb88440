"""A district's own time: working hours and days, limits and escalation, shifts and who stands in; read and checked.

The files are `calendar.csv` and `shifts.csv`, both optional, and two sections of `district.toml`; the format is
`docs/data-format.md`. A folder without any of it goes by the standard day, with everybody always on duty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from dispatch.deadlines import STEPS, WARN_SHARE, Rules, Step, Whom
from dispatch.errors import InvalidLimit
from dispatch.folder import CODE, HOURS, TEXT, Column, Reading, Table, one_of, optional, whole
from dispatch.manifest import Manifest, Section, is_positive
from dispatch.model import Limit, LimitUnit
from dispatch.rota import DAYS, EVERY, NOBODY, Rota, clock, split
from dispatch.working_time import DAY_MIN, STANDARD, Calendar, DayKind, Window, WorkingTime, span, whole_days

WEEKDAYS: Final = ("周一 Mon", "周二 Tue", "周三 Wed", "周四 Thu", "周五 Fri", "周六 Sat", "周日 Sun")
KINDS: Final[Mapping[DayKind, tuple[str, str]]] = {
    DayKind.WORKING: ("工作日", "working"),
    DayKind.WEEKEND: ("周末", "weekend"),
    DayKind.HOLIDAY: ("节假日", "holiday"),
}


@dataclass(frozen=True, slots=True)
class OwnDay:
    """A row of calendar.csv."""

    date: str
    day: str
    """`working` or `off`."""
    note: str


def _date(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _begins(text: str) -> str:
    if clock(text) >= DAY_MIN:
        raise ValueError(text)
    return text


def _ends(text: str) -> str:
    clock(text)
    return text


def _days(text: str) -> str:
    if not all(word in DAYS for word in split(text)):
        raise ValueError(text)
    return text


_DATE: Final = Column(_date, "2026-10-01")
CALENDAR: Final[Mapping[str, Column]] = {"date": _DATE, "day": one_of(["working", "off"]), "note": TEXT}
SHIFTS: Final[Mapping[str, Column]] = {
    "code": CODE,
    "name": CODE,
    "name_en": TEXT,
    "team": CODE,
    "units": TEXT,
    "days": Column(_days, " | ".join(DAYS)),
    "start": Column(_begins, "00:00–23:59"),
    "end": Column(_ends, "00:00–24:00"),
    "first_day": Column(lambda text: _date(text) if text else "", _DATE.expected, absent=""),
    "every": Column(lambda text: whole(1, EVERY).parse(text or "1"), f"1–{EVERY}", absent=""),
}
LIMIT: Final[Mapping[str, Column]] = {
    "limit_h": optional(HOURS),
    "limit": optional(HOURS),
    "limit_unit": Column(
        lambda text: one_of([unit.value for unit in LimitUnit]).parse(text or "h"), " | ".join(LimitUnit), absent=""
    ),
}
"""Of matters.csv: `limit` with its unit, or `limit_h` as older folders have it."""


# --- district.toml and calendar.csv ----------------------------------------------------------------------------------


def read_rules(reading: Reading, manifest: Manifest, calendar: Table | None) -> Rules:
    """The sections `working_time` and `deadlines`, with everything wrong in them noted."""
    time = Section(reading, "working_time", manifest.raw.get("working_time"))
    section = Section(reading, "deadlines", manifest.raw.get("deadlines"))
    own = {
        date.fromisoformat(row["date"]): row["day"] == "working" for row in (calendar.rows if calendar else {}).values()
    }
    years = time.raw.get("years", [])
    if not (isinstance(years, list) and all(isinstance(year, int) and 1900 < year < 3000 for year in years)):
        time.bad("years", "[2027]")
        years = []
    for year in years:
        if not any(day.year == year for day in own):
            time.bad("years", f"calendar.csv: {year}-…")
    return Rules(
        working_time=WorkingTime(
            Calendar(MappingProxyType(own), frozenset(years)), _windows(time), _zone(manifest.timezone)
        ),
        warn_share=section.share("warn_share", WARN_SHARE),
        steps=_steps(section),
        limits=_limits(section),
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return ZoneInfo("UTC")  # the entry's own finding says it


def _windows(section: Section) -> tuple[Window, ...]:
    given = section.raw.get("hours")
    if given is None:
        return STANDARD
    windows: list[Window] = []
    for text in given if isinstance(given, list) else ():
        try:
            start, _, end = str(text).partition("-")
            windows.append((clock(start), clock(end)))
        except ValueError:
            break
    ordered = [minute for window in windows for minute in window]
    if windows and len(windows) == len(given) and all(a < b for a, b in windows) and ordered == sorted(ordered):
        return tuple(windows)
    section.bad("hours", '["09:00-12:00", "13:00-18:00"]')
    return STANDARD


def _limits(section: Section) -> Mapping[int, Limit]:
    """`{ 1 = "4 h", 3 = "5 working_d" }`, by urgency."""
    given = section.raw.get("limits", {})
    limits: dict[int, Limit] = {}
    for name, text in given.items() if isinstance(given, dict) else (("", ""),):
        match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(\w+)", str(text))
        unit = match[2] if match else ""
        limit = Limit(float(match[1]), LimitUnit(unit)) if match and unit in set(LimitUnit) else None
        if name in ("1", "2", "3") and limit is not None and is_limit(limit):
            limits[int(name)] = limit
        else:
            section.bad(f"limits.{name}", '1–3 = "4 h" | "8 working_h" | "5 working_d"')
    return MappingProxyType(limits)


def _steps(section: Section) -> tuple[Step, ...]:
    given = section.raw.get("escalation")
    if given is None:
        return STEPS
    steps: list[Step] = []
    for one in given if isinstance(given, list) else (None,):
        row = one if isinstance(one, dict) else {}
        late = [row.get("late_h"), row.get("late_share")]
        said = [value for value in late if value is not None]
        right = len(said) == 1 and (is_positive(said[0]) or said[0] in (0, 0.0)) and said[0] is not False
        if row.get("to") in set(Whom) and right:
            steps.append(Step(Whom(row["to"]), *(None if value is None else float(value) for value in late)))
        else:
            section.bad("escalation", '[{ to = "' + " | ".join(Whom) + '", late_h = 2 }] (late_h | late_share, ≥ 0)')
    return tuple(steps)


# --- matters.csv -----------------------------------------------------------------------------------------------------


def is_limit(limit: Limit) -> bool:
    """Whether it is one that can be counted."""
    try:
        _ = whole_days(limit) if limit.unit is LimitUnit.WORKING_DAYS else span(limit)
    except InvalidLimit:
        return False
    return True


def with_limits(reading: Reading, file: str, table: Table | None, rules: Rules) -> Table | None:
    """The matters with one limit each: its own, or its urgency's. What has none, or one that is none, is named."""
    if table is None:
        return None
    rows: dict[str, Mapping[str, Any]] = {}
    for code, row in table.rows.items():
        amount, unit = row["limit"], LimitUnit(row["limit_unit"])
        if amount is None:
            amount, unit = row["limit_h"], LimitUnit.HOURS
        limit = rules.limits.get(row["urgency"]) if amount is None else Limit(amount, unit)
        if limit is not None and is_limit(limit):
            rows[code] = {**row, "limit": limit.amount, "limit_unit": limit.unit}
        else:
            value = "" if amount is None else f"{amount:g}"
            expected = "整数 / a whole number" if limit else "limit | limit_h | district.toml: deadlines.limits"
            reading.wrong("bad_value", file, row=table.numbers[code], field="limit", value=value, expected=expected)
    return Table(rows, table.codes, table.numbers)


# --- shifts.csv, teams.csv -------------------------------------------------------------------------------------------


def check_shifts(reading: Reading, tables: Mapping[str, Table | None]) -> None:
    """Name what the shifts, the teams that stand in and the skills refer to that is not there."""
    shifts, teams, units, matters = (tables[file] for file in ("shifts.csv", "teams.csv", "units.csv", "matters.csv"))
    if teams is not None:
        reading.refer("shifts.csv", shifts, "team", "teams.csv", teams.codes)
        known = [*teams.codes, NOBODY]
        _each(reading, "teams.csv", teams, "stand_in", "teams.csv", lambda row: set(known) - {row["code"]})
    if units is not None and units.codes == units.rows.keys():
        of: dict[str, set[str]] = {}
        for unit in units.rows.values():
            of.setdefault(unit["team"], set()).add(unit["code"])
        _each(reading, "shifts.csv", shifts, "units", "units.csv", lambda row: of.get(row["team"], set()))
        skills = {skill for unit in units.rows.values() for skill in split(unit["skills"])}
        _each(reading, "matters.csv", matters, "skill", "units.csv (skills)", lambda _: skills)
    for code, row in shifts.rows.items() if shifts else ():
        if row["every"] > 1 and not row["first_day"]:
            number = shifts.numbers[code] if shifts else 0
            reading.wrong("bad_value", "shifts.csv", row=number, field="first_day", value="", expected=_DATE.expected)


def _each(
    reading: Reading,
    file: str,
    table: Table | None,
    column: str,
    target: str,
    known: Callable[[Mapping[str, Any]], set[str]],
) -> None:
    for code, row in table.rows.items() if table else ():
        for value in split(row[column]):
            if table and value not in known(row):
                where = f"{code} ({file}:{table.numbers[code]})"
                reading.wrong("unknown_reference", file, code, where=where, field=column, target=target, value=value)


def check_duty(reading: Reading, rota: Rota, teams: Iterable[str]) -> None:
    """Name each team that at some hour of the week has nobody on duty and no stand-in, by its first such time.

    Not before what it rests on is right.
    """
    broken = {finding.layer for finding in reading.findings} & {"shifts.csv", "teams.csv", "units.csv"}
    for team in () if broken else teams:
        gaps = list(rota.gaps(team))
        if gaps:
            first = gaps[0]
            zh, en = KINDS[first.kind]
            times = f"{WEEKDAYS[first.weekday]} {first.start // 60:02d}:{first.start % 60:02d}–"
            times += f"{first.end // 60:02d}:{first.end % 60:02d}"
            reading.wrong("nobody_on_duty", "shifts.csv", team, times=times, kind_zh=zh, kind=en, more=len(gaps) - 1)
