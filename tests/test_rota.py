"""Who is on duty: against a model that asks minute by minute, and what a folder may say of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.district import check, load
from dispatch.model import Limit, LimitUnit, Matter, Mode, Team, TeamKind, Unit
from dispatch.rota import Rota, Shift, clock, split
from dispatch.working_time import Calendar, DayKind
from tests.small_district import write_small_district

UNHURRIED = settings(deadline=None, max_examples=60)
SHANGHAI = ZoneInfo("Asia/Shanghai")
OWN = {date(2026, 6, 1): False}
CALENDAR = Calendar(OWN)


def team(code: str, stand_in: str = "", most: int | None = None) -> Team:
    """A township's brigade."""
    return Team(code, code, code, TeamKind.TOWNSHIP, "B", stand_in, most)


def unit(code: str, skills: str = "") -> Unit:
    """A car of the team that its code begins with."""
    return Unit(code, code, code, code[0], Mode.VEHICLE, "B", 2, skills)


def shift(row: str) -> Shift:
    """`team units days start end [first_day every]`; `.` is an empty cell."""
    whose, units, days, start, end, *turn = ("" if cell == "." else cell for cell in row.split())
    first, every = turn or ("", "1")
    return Shift(row, row, row, whose, units, days, start, end, first, int(every))


UNITS = [unit(code) for code in ("A1", "A2", "B1", "C1", "C2", "C3")]


def rota(*shifts: str, a: str = "", b: str = "") -> Rota:
    """Teams A and B with these to stand in for them, C, and D without any unit."""
    teams = {one.code: one for one in (team("A", a), team("B", b), team("C"), team("D", "-"))}
    return Rota([shift(row) for row in shifts], teams, UNITS, CALENDAR, SHANGHAI)


def here(text: str) -> datetime:
    """A moment of 2026 by the clock on the wall in China."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=SHANGHAI).astimezone(UTC)


def crews(table: Rota, whose: str, *at: str) -> list[str]:
    """The units on duty at each of these moments."""
    return [" ".join(sorted(table.crew(whose, here(moment)))) for moment in at]


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_three_shifts_go_round_the_clock() -> None:
    table = rota("C C1 . 00:00 08:00", "C C2 . 08:00 16:00", "C C3 . 16:00 24:00")
    times = ("03-11 00:00", "03-11 07:59", "03-11 08:00", "03-11 15:59", "03-11 16:00", "03-11 23:59")
    assert crews(table, "C", *times) == ["C1", "C1", "C2", "C2", "C3", "C3"]
    assert list(table.gaps("C")) == []
    assert table.on_duty("C1", here("03-11 03:00"))
    assert not table.on_duty("C1", here("03-11 09:00"))


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    # Friday night 17 April is worked until Saturday morning; Saturday night is not
    table = rota("A A1 working 20:00 08:00", "A A2 off 08:00 08:00")
    assert crews(table, "A", "04-17 21:00", "04-18 07:59", "04-18 21:00", "04-20 07:59") == ["A1", "A1", "A2", "A2"]
    assert crews(table, "A", "04-18 08:00", "04-20 08:00", "04-20 20:00") == ["A2", "", "A1"]


def test_holidays_and_shifted_days_are_what_the_calendar_says() -> None:
    table = rota("A A1 working 08:00 18:00", "A A2 holiday 08:00 18:00", "B . weekend 08:00 18:00")
    # National Day; Saturday 10 October is worked; Saturday 17 October is free; 1 June is the district's own
    assert crews(table, "A", "10-05 09:00", "10-10 09:00", "10-17 09:00", "06-01 09:00") == ["A2", "A1", "", "A2"]
    assert crews(table, "B", "10-05 09:00", "10-10 09:00", "10-17 09:00", "10-03 09:00") == ["", "", "B1", ""]
    assert crews(rota("A A1 6|7 08:00 18:00"), "A", "10-10 09:00", "10-09 09:00") == ["A1", ""]


def test_turns_come_every_so_many_days() -> None:
    rows = (f"C C{n} . 08:00 08:00 2026-01-0{n} 3" for n in (1, 2, 3))
    table = rota(*rows)
    assert crews(table, "C", "01-01 09:00", "01-02 07:59", "01-02 09:00", "01-03 09:00", "01-04 09:00") == [
        "C1", "C1", "C2", "C3", "C1",
    ]  # fmt: skip
    assert crews(table, "C", "12-31 09:00") == [f"C{(364 % 3) + 1}"]
    assert list(table.gaps("C")) == []


def test_who_stands_in_goes_only_while_nobody_else_does() -> None:
    table = rota("A . working 08:00 18:00", "B . . 18:00 24:00", "C C1 . 00:00 24:00", a="B|C")
    assert table.stands_in("A", here("03-11 09:00")) == ()
    assert table.stands_in("A", here("03-11 19:00")) == ("B", "C")
    assert table.stands_in("A", here("03-12 03:00")) == ("C",)
    assert table.stands_in("B", here("03-12 03:00")) == ()
    assert table.next_crew_at("B", here("03-12 03:00")) == here("03-12 18:00")
    assert table.next_crew_at("A", here("03-12 03:00")) == here("03-12 03:00")
    assert table.next_crew_at("D", here("03-12 03:00")) is None
    week_off = rota("A . working 08:00 18:00")
    assert week_off.next_crew_at("A", here("09-30 18:00")) == here("10-08 08:00")


def test_a_team_without_shifts_is_always_on_duty() -> None:
    table = rota("A A1 . 08:00 18:00")
    assert crews(table, "C", "10-01 03:00") == ["C1 C2 C3"]
    assert table.on_duty("C1", here("10-01 03:00"))
    assert not table.on_duty("A2", here("10-01 09:00"))
    with pytest.raises(KeyError):
        table.on_duty("Z", here("10-01 09:00"))


def test_skills_and_load() -> None:
    teams = {"A": team("A", most=2)}
    table = Rota([], teams, [unit("A1", "diving | drone"), unit("A2")], CALENDAR, SHANGHAI)
    deep = Matter("0101", "", "", "D", "", 3, 24, on_water=True, skill="diving")
    shallow = Matter("0102", "", "", "D", "", 3, 24, on_water=True)
    assert [table.able(code, deep) for code in ("A1", "A2")] == [True, False]
    assert [table.able("A2", shallow), table.able("A2", None)] == [True, True]
    assert [table.over_load("A", n) for n in (0, 2, 3)] == [False, False, True]
    assert not rota().over_load("A", 10_000)


# --- against minutes -------------------------------------------------------------------------------------------------

hours = st.integers(0, 23).map(lambda n: f"{n:02d}:00")
ends = st.integers(0, 24).map(lambda n: f"{n:02d}:00")
days = st.sampled_from(["", "working", "weekend", "holiday", "off", "1|2|3", "6|7", "working|7"])
turns = st.one_of(st.just(("", 1)), st.tuples(st.sampled_from(["2026-01-01", "2026-01-02"]), st.integers(2, 3)))


@st.composite
def tables(draw: st.DrawFn) -> list[Shift]:
    """A few shifts of A and of B."""
    rows = []
    for number in range(draw(st.integers(1, 5))):
        whose = draw(st.sampled_from("AB"))
        units = draw(st.sampled_from(["", "A1", "A1|A2"])) if whose == "A" else ""
        first, every = draw(turns)
        rows.append(Shift(str(number), "", "", whose, units, draw(days), draw(hours), draw(ends), first, every))
    return rows


def is_day(day: date, words: tuple[str, ...]) -> bool:
    """As docs/shifts.md says it, by the package."""
    free = not chinese_calendar.is_workday(day) or day in OWN
    week = free and day.weekday() >= 5 and day not in chinese_calendar.holidays
    said = {
        "working": not free,
        "off": free,
        "weekend": week,
        "holiday": free and not week,
        str(day.isoweekday()): True,
    }
    return not words or any(said.get(word) for word in words)


def slow_crew(rows: list[Shift], whose: str, at: datetime) -> set[str]:
    """Every shift that began today or yesterday, walked through hour by hour."""
    on: set[str] = set()
    here_ = at.astimezone(SHANGHAI).replace(tzinfo=None)
    own = {one.code for one in UNITS if one.team == whose}
    for row in rows:
        for back in (0, 1):
            day = here_.date() - timedelta(days=back)
            turn = not row.first_day or (day - date.fromisoformat(row.first_day)).days % row.every == 0
            if row.team != whose or not turn or not is_day(day, split(row.days)):
                continue
            begin = datetime.combine(day, datetime.min.time()) + timedelta(hours=int(row.start[:2]))
            end = begin + timedelta(hours=1)
            while f"{end.hour:02d}:00" != row.end.replace("24:00", "00:00"):
                end += timedelta(hours=1)
            if begin <= here_ < end:
                on |= set(split(row.units)) or own
    return on


moments = st.integers(0, 360 * 1440).map(lambda n: datetime(2026, 1, 2, tzinfo=UTC) + timedelta(minutes=n))


@UNHURRIED
@given(tables(), st.lists(moments, min_size=1, max_size=20))
def test_a_crew_is_what_the_rows_say_read_slowly(rows: list[Shift], at: list[datetime]) -> None:
    table = Rota(rows, {"A": team("A"), "B": team("B")}, UNITS, CALENDAR, SHANGHAI)
    for whose in {row.team for row in rows}:
        for moment in at:
            crew = slow_crew(rows, whose, moment)
            assert table.crew(whose, moment) == crew
            assert {one.code for one in UNITS if one.team == whose and table.on_duty(one.code, moment)} == crew


DICE = Random(4)
EVERY_KIND = Calendar(
    {date(2030, 1, 1) + timedelta(days=n): roll > 1 for n in range(7 * 150) if (roll := DICE.randrange(4))}
)
"""A calendar of 150 weeks in which every kind of day comes after every other, on each day of the week."""


@settings(deadline=None, max_examples=6)
@given(tables())
def test_gaps_are_where_nobody_goes_and_nowhere_else(rows: list[Shift]) -> None:
    rows = [replace(row, every=min(row.every, 2)) for row in rows]
    table = Rota(rows, {"A": team("A", "B"), "B": team("B")}, UNITS, EVERY_KIND, SHANGHAI)
    alone, now = set(), datetime(2030, 1, 2, tzinfo=SHANGHAI)
    for n in range(24 * (7 * 150 - 2)):
        at = now + timedelta(hours=n)
        if not table.crew("A", at) and not table.crew("B", at):
            alone.add((at.weekday(), EVERY_KIND.kind(at.date()), at.hour))
    gaps = [(gap.weekday, gap.kind, hour) for gap in table.gaps("A") for hour in range(gap.start // 60, gap.end // 60)]
    assert set(gaps) == alone


@UNHURRIED
@given(tables(), moments)
def test_the_next_crew_is_the_first_that_comes(rows: list[Shift], at: datetime) -> None:
    table = Rota(rows, {"A": team("A", "B"), "B": team("B")}, UNITS, CALENDAR, SHANGHAI)
    begins = table.next_crew_at("A", at)
    steps = (at.replace(minute=0) + timedelta(hours=n) for n in range(1, 24 * 30))
    hours_ = [at, *steps]
    first = next((moment for moment in hours_ if table.crew("A", moment) or table.stands_in("A", moment)), None)
    assert begins == first or (first is None and begins is not None and begins > hours_[-1])


# --- a folder --------------------------------------------------------------------------------------------------------

SHIFTS = """code,name,name_en,team,units,days,start,end,first_day,every
Z1,日班,Day,T1,,working,08:30,17:30,,
Z2,值班,Duty,T2,T2-V1,,00:00,24:00,2026-01-01,1
"""
TEAMS = """code,name,name_en,kind,base,stand_in,max_open
T1,西队,West,township,B1,T2,20
T2,东队,East,township,B1,,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small district with shifts."""
    made = write_small_district(tmp_path / "small")
    (made / "shifts.csv").write_text(SHIFTS, encoding="utf-8")
    (made / "teams.csv").write_text(TEAMS, encoding="utf-8")
    (made / "calendar.csv").write_text("date,day,note\n2026-06-01,off,示意\n2027-03-10,off,示意\n", encoding="utf-8")
    return made


def say(folder: Path, text: str) -> None:
    """More sections for district.toml."""
    with (folder / "district.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def test_a_folder_without_any_of_it_is_as_before(tmp_path: Path) -> None:
    district = load(write_small_district(tmp_path / "small"))
    assert (district.shifts, district.calendar) == ({}, {})
    assert district.rota.on_duty("T1-V1", here("10-01 03:00"))
    matter = district.matters["0101"]
    assert Limit(matter.limit, matter.limit_unit) == Limit(72.0)
    assert district.deadlines.class_limit() == Limit(72.0)


def test_a_folder_says_its_own_time(folder: Path) -> None:
    say(folder, '[working_time]\nhours = ["08:30-12:00", "14:00-17:30"]\nyears = [2027]\n')
    say(folder, '[deadlines]\nwarn_share = 0.5\nlimits = { 1 = "2 h", 3 = "5 working_d" }\n')
    say(folder, 'escalation = [{ to = "dispatcher", late_h = 2 }, { to = "district_office", late_share = 1 }]\n')
    (folder / "matters.csv").write_text(
        "code,name,name_en,department,legal_basis,urgency,limit_h,limit,limit_unit,on_water\n"
        "0101,甲,A,D1,,3,72,3,working_d,false\n0102,乙,B,D1,,3,72,,,false\n0103,丙,C,D1,,1,,,,false\n"
        "0104,丁,D,D1,,2,,1.5,working_h,false\n",
        encoding="utf-8",
    )
    district = load(folder)
    assert {code: (one.limit, one.limit_unit) for code, one in district.matters.items()} == {
        "0101": (3, LimitUnit.WORKING_DAYS),
        "0102": (72, LimitUnit.HOURS),
        "0103": (2, LimitUnit.HOURS),
        "0104": (1.5, LimitUnit.WORKING_HOURS),
    }
    rules = district.deadlines
    assert rules.class_limit() == Limit(5, LimitUnit.WORKING_DAYS)
    assert [(step.to.value, step.late_h, step.late_share) for step in rules.steps] == [
        ("dispatcher", 2, None),
        ("district_office", None, 1),
    ]
    assert rules.working_time.windows == ((510, 720), (840, 1050))
    assert rules.working_time.calendar.kind(date(2027, 3, 10)) is DayKind.HOLIDAY
    assert rules.working_time.calendar.known(date(2027, 3, 11))
    assert district.rota.stands_in("T1", here("06-01 09:00")) == ("T2",)
    assert district.rota.over_load("T1", 21)


WRONG = {
    ("nobody_on_duty", "shifts.csv"): ("teams.csv", ",T2,20", ",,20"),
    ("unknown_reference", "teams.csv"): ("teams.csv", ",T2,20", ",T9,20"),
    ("unknown_reference", "shifts.csv"): ("shifts.csv", "T2-V1", "T1-V1"),
    ("bad_value", "shifts.csv"): ("shifts.csv", "2026-01-01,1", ",2"),
    ("bad_value", "calendar.csv"): ("calendar.csv", ",off,", ",free,"),
    ("bad_value", "matters.csv"): ("matters.csv", ",72,", ",,"),
    ("unknown_reference", "matters.csv"): ("matters.csv", "on_water\n0101,私搭乱建,Illegal building,D1,,3,72,false",
                                           "on_water,skill\n0101,私搭乱建,Illegal building,D1,,3,72,false,diving"),
}  # fmt: skip


@pytest.mark.parametrize("found", list(WRONG), ids=" ".join)
def test_what_is_wrong_is_named(folder: Path, found: tuple[str, str]) -> None:
    assert check(folder) == []
    file, right, wrong = WRONG[found]
    text = (folder / file).read_text("utf-8")
    assert right in text
    (folder / file).write_text(text.replace(right, wrong), encoding="utf-8")
    findings = check(folder)
    assert {(finding.code, finding.layer) for finding in findings} == {found}
    assert all(finding.text("zh") and finding.text("en") for finding in findings)


@pytest.mark.parametrize(
    "cells", ["0:00,08:00", "08:30,25:00", "24:00,08:00", "08:3,17:00", "08:30,17:60", "working,17:30", "８:30,17:00"]
)
def test_times_are_of_the_clock(folder: Path, cells: str) -> None:
    (folder / "shifts.csv").write_text(SHIFTS.replace("08:30,17:30", cells), encoding="utf-8")
    right = cells == "0:00,08:00"
    assert bool(check(folder)) != right
    assert clock("24:00") == 1440


@pytest.mark.parametrize(
    ("section", "field"),
    [
        ('[working_time]\nhours = ["12:00-09:00"]', "working_time.hours"),
        ('[working_time]\nhours = ["09:00-12:00", "11:00-18:00"]', "working_time.hours"),
        ("[working_time]\nhours = []", "working_time.hours"),
        ('[working_time]\nhours = "9-5"', "working_time.hours"),
        ("[working_time]\nyears = [2030]", "working_time.years"),
        ('[working_time]\nyears = "2027"', "working_time.years"),
        ("[deadlines]\nwarn_share = 1.2", "deadlines.warn_share"),
        ('[deadlines]\nlimits = { 4 = "2 h" }', "deadlines.limits.4"),
        ('[deadlines]\nlimits = { 1 = "1.5 working_d" }', "deadlines.limits.1"),
        ('[deadlines]\nlimits = { 1 = "2 days" }', "deadlines.limits.1"),
        ("[deadlines]\nlimits = 3", "deadlines.limits."),
        ('[deadlines]\nescalation = [{ to = "mayor", late_h = 1 }]', "deadlines.escalation"),
        ('[deadlines]\nescalation = [{ to = "dispatcher" }]', "deadlines.escalation"),
        ('[deadlines]\nescalation = [{ to = "dispatcher", late_h = 1, late_share = 1 }]', "deadlines.escalation"),
        ('[deadlines]\nescalation = [{ to = "dispatcher", late_h = -1 }]', "deadlines.escalation"),
        ('[deadlines]\nescalation = "dispatcher"', "deadlines.escalation"),
    ],
)
def test_settings_that_are_wrong_are_named(folder: Path, section: str, field: str) -> None:
    say(folder, f"{section}\n")
    assert [(finding.code, finding.data["field"]) for finding in check(folder)] == [("bad_setting", field)]


def test_an_old_folder_that_says_nobody_stands_in_is_taken_at_its_word(folder: Path) -> None:
    (folder / "teams.csv").write_text(TEAMS.replace(",T2,20", ",-,20"), encoding="utf-8")
    district = load(folder)
    assert district.rota.stands_in("T1", here("03-12 03:00")) == ()
    assert district.rota.next_crew_at("T1", here("03-12 03:00")) == here("03-12 08:30")
