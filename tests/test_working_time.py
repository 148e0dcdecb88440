"""Working time against the official calendar by hand, and against a model that walks through it quarter by quarter."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.errors import CalendarUnknown, InvalidLimit
from dispatch.model import Limit, LimitUnit
from dispatch.working_time import PUBLISHED, STANDARD, Calendar, DayKind, WorkingTime

UNHURRIED = settings(deadline=None, max_examples=60)
"""The machine may be busy with something else."""
SHANGHAI = ZoneInfo("Asia/Shanghai")
QUARTER = timedelta(minutes=15)
TIME = WorkingTime(Calendar(), STANDARD, SHANGHAI)
OWN = {date(2026, 6, 1): False, date(2026, 6, 6): True, date(2026, 10, 8): False}
WINDOWS = (
    STANDARD,
    ((8 * 60 + 30, 12 * 60), (14 * 60, 17 * 60 + 30)),
    ((0, 24 * 60),),
    ((0, 6 * 60 + 15), (22 * 60, 24 * 60)),
)
TIMES = [WorkingTime(Calendar(MappingProxyType(own)), windows, SHANGHAI) for own in ({}, OWN) for windows in WINDOWS]


def here(text: str) -> datetime:
    """A moment by the clock on the wall in China."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def limit(text: str) -> Limit:
    """`3 working_d`."""
    amount, unit = text.split()
    return Limit(float(amount), LimitUnit(unit))


# --- the slow, obvious model ---------------------------------------------------------------------------------------


def worked(day: date, own: dict[date, bool]) -> bool:
    """As the package says, which `dispatch.working_time` does not ask."""
    return own[day] if day in own else chinese_calendar.is_workday(day)


def walked(start: datetime, quarters: int, time: WorkingTime) -> datetime:
    """The end of so many quarters of working time, one quarter after the other."""
    at, own = start.astimezone(SHANGHAI), dict(time.calendar.own)
    while quarters:
        minutes = at.hour * 60 + at.minute
        if worked(at.date(), own) and any(a <= minutes < b for a, b in time.windows):
            quarters -= 1
        at += QUARTER  # the wall clock of a zone that never changes its offset in these years
    return at


def walked_days(start: datetime, days: int, time: WorkingTime) -> datetime:
    """The closing of the last of so many working days after the one it starts on."""
    day, own = start.astimezone(SHANGHAI).date(), dict(time.calendar.own)
    while days:
        day += timedelta(days=1)
        days -= worked(day, own)
    closing = time.windows[-1][1]
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(minutes=closing)


FIRST = datetime(2024, 9, 1, tzinfo=SHANGHAI)
quarter_hours = st.integers(0, 700 * 96).map(lambda n: FIRST + n * QUARTER)
moments = st.integers(0, 700 * 86_400_000_000 - 1).map(lambda n: FIRST + timedelta(microseconds=n))
times = st.sampled_from(TIMES)
units = st.sampled_from(LimitUnit)


@st.composite
def limits(draw: st.DrawFn) -> Limit:
    """Any limit, up to two working weeks."""
    unit = draw(units)
    if unit is LimitUnit.WORKING_DAYS:
        return Limit(draw(st.integers(1, 10)), unit)
    return Limit(draw(st.floats(0.01, 80)), unit)


@UNHURRIED
@given(quarter_hours, st.integers(1, 160), times)
def test_working_hours_agree_with_walking_through_the_calendar(start: datetime, n: int, time: WorkingTime) -> None:
    assert time.add(start, Limit(n / 4, LimitUnit.WORKING_HOURS)) == walked(start, n, time)


@UNHURRIED
@given(moments, st.integers(1, 15), times)
def test_working_days_agree_with_walking_through_the_calendar(start: datetime, n: int, time: WorkingTime) -> None:
    assert time.add(start, Limit(n, LimitUnit.WORKING_DAYS)) == walked_days(start, n, time)


@UNHURRIED
@given(moments, limits(), times)
def test_working_time_never_ends_outside_it(start: datetime, given: Limit, time: WorkingTime) -> None:
    due = time.add(start, given)
    assert due.tzinfo is UTC
    if given.unit is not LimitUnit.HOURS:
        # The closing moment is the last of the working time; just before any end is inside.
        assert time.is_working(due - timedelta(microseconds=1))


@UNHURRIED
@given(moments, limits(), times, st.floats(0, 1))
def test_what_is_left_leads_to_the_same_end(start: datetime, given: Limit, time: WorkingTime, part: float) -> None:
    due = time.add(start, given)
    now = start.astimezone(UTC) + (due - start) * part
    left = time.left(start, now, given)
    assert timedelta() <= left
    assert time.after(now, left, given.unit) == due


@UNHURRIED
@given(moments, st.timedeltas(timedelta(), timedelta(days=20)), st.sampled_from(list(LimitUnit)[:2]), times)
def test_after_and_measure_are_inverse(start: datetime, long: timedelta, unit: LimitUnit, time: WorkingTime) -> None:
    end = time.after(start, long, unit)
    assert time.measure(start, end, unit) == long
    assert time.measure(end, start, unit) == -long


@UNHURRIED
@given(moments, moments, moments, times)
def test_working_time_adds_up(a: datetime, b: datetime, c: datetime, time: WorkingTime) -> None:
    assert time.between(a, b) + time.between(b, c) == time.between(a, c)


@UNHURRIED
@given(moments, st.timedeltas(timedelta(), timedelta(days=9)), limits(), times)
def test_who_starts_later_is_due_later(start: datetime, wait: timedelta, given: Limit, time: WorkingTime) -> None:
    assert time.add(start, given) <= time.add(start + wait, given)


@UNHURRIED
@given(moments, limits(), times, st.integers(1, 5))
def test_more_time_is_never_due_before_less(start: datetime, given: Limit, time: WorkingTime, more: int) -> None:
    assert time.add(start, given) < time.add(start, Limit(given.amount + more, given.unit))


# --- by hand, from the notices of the State Council ------------------------------------------------------------------

CASES = [
    # an ordinary week: Wednesday 11 March 2026
    ("2026-03-11 10:00", "4 h", "2026-03-11 14:00"),
    ("2026-03-11 10:00", "4 working_h", "2026-03-11 15:00"),
    ("2026-03-11 10:00", "8 working_h", "2026-03-12 10:00"),
    ("2026-03-11 10:00", "2 working_h", "2026-03-11 12:00"),
    ("2026-03-11 12:30", "1 working_h", "2026-03-11 14:00"),
    ("2026-03-13 17:30", "1 working_h", "2026-03-16 09:30"),
    ("2026-03-11 10:00", "1 working_d", "2026-03-12 18:00"),
    ("2026-03-11 00:00", "1 working_d", "2026-03-12 18:00"),
    ("2026-03-11 23:59", "1 working_d", "2026-03-12 18:00"),
    ("2026-03-13 10:00", "1 working_d", "2026-03-16 18:00"),
    ("2026-03-14 10:00", "1 working_d", "2026-03-16 18:00"),
    # National Day 2026: free 1 to 7 October, worked Sunday 20 September and Saturday 10 October
    ("2026-09-30 17:00", "2 working_h", "2026-10-08 10:00"),
    ("2026-09-30 17:00", "1 working_d", "2026-10-08 18:00"),
    ("2026-09-30 17:00", "3 working_d", "2026-10-10 18:00"),
    ("2026-09-30 17:00", "4 working_d", "2026-10-12 18:00"),
    ("2026-10-03 03:00", "8 working_h", "2026-10-08 18:00"),
    ("2026-10-09 17:00", "2 working_h", "2026-10-10 10:00"),
    ("2026-09-18 17:00", "2 working_h", "2026-09-20 10:00"),
    # Mid-autumn 2026 from Friday 25 September, between the two
    ("2026-09-24 17:30", "1 working_h", "2026-09-28 09:30"),
    # Spring Festival 2026: free 15 to 23 February, worked Saturdays 14 and 28 February
    ("2026-02-13 17:00", "9 working_h", "2026-02-14 18:00"),
    ("2026-02-13 17:00", "10 working_h", "2026-02-24 10:00"),
    ("2026-02-13 09:00", "2 working_d", "2026-02-24 18:00"),
    ("2026-02-13 09:00", "6 working_d", "2026-02-28 18:00"),
    ("2026-02-13 09:00", "7 working_d", "2026-03-02 18:00"),
    # New Year 2026: free 1 to 3 January, worked Sunday 4 January
    ("2025-12-31 17:00", "1 working_d", "2026-01-04 18:00"),
    # Spring Festival 2025: free 28 January to 4 February, worked Sunday 26 January and Saturday 8 February
    ("2025-01-24 17:00", "1 working_d", "2025-01-26 18:00"),
    ("2025-01-24 17:00", "2 working_d", "2025-01-27 18:00"),
    ("2025-01-24 17:00", "3 working_d", "2025-02-05 18:00"),
    ("2025-01-24 17:00", "6 working_d", "2025-02-08 18:00"),
    # National Day and Mid-autumn 2025: free 1 to 8 October, worked Sunday 28 September and Saturday 11 October
    ("2025-09-30 17:00", "3 working_d", "2025-10-11 18:00"),
    # Spring Festival 2020 was made longer for the epidemic: free until 2 February
    ("2020-01-23 17:00", "2 working_h", "2020-02-03 10:00"),
    # New Year 2019: by the notice of 2019, Saturday 29 December 2018 was worked, Monday the 31st free
    ("2018-12-28 17:00", "1 working_d", "2018-12-29 18:00"),
    ("2018-12-28 17:00", "2 working_d", "2019-01-02 18:00"),
]


@pytest.mark.parametrize(("start", "long", "due"), CASES)
def test_known_due_moments(start: str, long: str, due: str) -> None:
    assert TIME.add(here(start), limit(long)) == here(due)


def test_every_day_is_as_the_package_says_it() -> None:
    calendar = Calendar()
    days = [date(min(PUBLISHED), 1, 1) + timedelta(days=n) for n in range(365 * len(PUBLISHED))]
    assert [calendar.works(day) for day in days] == [chinese_calendar.is_workday(day) for day in days]
    assert {calendar.kind(day) for day in days if chinese_calendar.is_workday(day)} == {DayKind.WORKING}
    assert calendar.kind(date(2026, 10, 3)) is DayKind.HOLIDAY  # a Saturday of the National Day
    assert calendar.kind(date(2026, 10, 17)) is DayKind.WEEKEND


# --- what nobody has said yet ----------------------------------------------------------------------------------------

LAST = max(PUBLISHED)
UNKNOWN = date(LAST + 1, 3, 10)


def test_a_year_without_a_notice_is_refused_by_name() -> None:
    with pytest.raises(CalendarUnknown) as refused:
        TIME.add(datetime(LAST, 12, 20, 2, tzinfo=UTC), limit("30 working_d"))
    assert refused.value.where == {"year": LAST}  # the end of its December hangs on the next year's notice
    with pytest.raises(CalendarUnknown) as refused:
        TIME.between(datetime(LAST + 1, 3, 1, tzinfo=UTC), datetime(LAST + 1, 3, 2, tzinfo=UTC))
    assert refused.value.where == {"year": LAST + 1}
    with pytest.raises(CalendarUnknown):
        TIME.add(datetime(1999, 3, 1, tzinfo=UTC), limit("1 working_h"))
    # plain hours need no calendar
    assert TIME.add(datetime(2050, 1, 1, tzinfo=UTC), limit("5 h")) == datetime(2050, 1, 1, 5, tzinfo=UTC)


def test_it_goes_by_the_week_where_that_is_asked_for_and_says_so() -> None:
    start = datetime(LAST, 12, 24, 1, tzinfo=UTC)
    due = TIME.assuming().add(start, limit("10 working_d"))
    day, days = date(LAST, 12, 24), 10
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    assert TIME.day_of(due) == day
    assert TIME.unknown_years(start, due) == (LAST, LAST + 1)
    assert TIME.unknown_years(start, start) == ()
    assert not Calendar().known(date(LAST, 12, 25))
    assert Calendar().known(date(LAST - 1, 12, 31))


def test_the_district_says_its_own_days_and_years() -> None:
    own = {date(2026, 6, 1): False, date(2026, 6, 6): True, UNKNOWN: False}
    time = WorkingTime(Calendar(own, frozenset({LAST + 1})), STANDARD, SHANGHAI)
    assert time.add(here("2026-05-29 17:00"), limit("1 working_d")) == here("2026-06-02 18:00")
    assert time.add(here("2026-06-05 17:00"), limit("1 working_d")) == here("2026-06-06 18:00")
    before = datetime(UNKNOWN.year, 3, 9, 10, tzinfo=SHANGHAI)
    assert time.day_of(time.add(before, limit("1 working_d"))) == UNKNOWN + timedelta(days=1)
    assert time.calendar.kind(UNKNOWN) is DayKind.HOLIDAY
    assert time.unknown_years(here(f"{LAST}-12-25 00:00"), here(f"{LAST + 1}-12-24 00:00")) == ()
    assert time.unknown_years(here(f"{LAST + 1}-12-25 00:00"), here(f"{LAST + 1}-12-26 00:00")) == (LAST + 1,)
    one_day = Calendar({UNKNOWN: True})
    assert one_day.known(UNKNOWN)
    assert not one_day.known(UNKNOWN + timedelta(days=1))


@pytest.mark.parametrize("bad", [Limit(0), Limit(-1), Limit(1.5, LimitUnit.WORKING_DAYS), Limit(float("nan"))])
def test_what_is_no_limit_is_refused(bad: Limit) -> None:
    with pytest.raises(InvalidLimit):
        TIME.add(here("2026-03-11 10:00"), bad)


# --- clocks that change ----------------------------------------------------------------------------------------------


def test_an_hour_that_is_skipped_or_repeated_counts_as_long_as_it_is() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    own = {date(2026, 3, 29): True, date(2026, 10, 25): True}
    time = WorkingTime(Calendar(own), ((60, 5 * 60),), berlin)
    spring, autumn = (datetime(2026, m, d, 0, 30, tzinfo=berlin) for m, d in ((3, 29), (10, 25)))
    assert time.between(spring, spring + timedelta(hours=12)) == timedelta(hours=3)
    assert time.between(autumn, autumn + timedelta(hours=12)) == timedelta(hours=5)
    split = WorkingTime(Calendar(own), ((60, 150), (180, 300)), berlin)
    assert split.between(spring, spring + timedelta(hours=12)) == timedelta(hours=3)


@UNHURRIED
@given(st.integers(0, 96 * 60), st.integers(1, 60 * 40))
def test_adding_is_the_inverse_of_measuring_over_such_an_hour(start: int, minutes: int) -> None:
    time = WorkingTime(Calendar(), ((0, 24 * 60),), ZoneInfo("Europe/Berlin"))
    at = datetime(2026, 3, 27, tzinfo=UTC) + timedelta(minutes=start)
    long = timedelta(minutes=minutes)
    assert time.between(at, time.after(at, long, LimitUnit.WORKING_HOURS)) == long
