"""The clock of a case: known moments by hand, and what must hold whatever is done to it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.deadlines import STEPS, Clock, Rules, Step, Timeliness, Whom, as_data, from_data, started, words
from dispatch.district import load
from dispatch.errors import InvalidLimit
from dispatch.ground import prepare
from dispatch.intake import Placed
from dispatch.model import CaseRow, Decision, Limit, LimitUnit, Report, Source
from dispatch.opening import opening
from dispatch.routing import as_json
from dispatch.working_time import PUBLISHED, STANDARD, Calendar, WorkingTime
from geo.datum import Datum
from tests.small_district import write_small_district

UNHURRIED = settings(deadline=None, max_examples=60)
SHANGHAI = ZoneInfo("Asia/Shanghai")
TIME = WorkingTime(Calendar({date(2026, 6, 1): False}), STANDARD, SHANGHAI)
RULES = Rules(TIME)
HOURLY = Rules(TIME, 0.5, (Step(Whom.TEAM_LEADER, late_h=1), Step(Whom.DISPATCHER, late_h=3)))
NONE = timedelta()
FIRST = datetime(2024, 9, 1, tzinfo=UTC)


def here(text: str) -> datetime:
    """A moment of 2026 by the clock on the wall in China."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=SHANGHAI)


def limit(text: str) -> Limit:
    """`3 working_d`."""
    amount, unit = text.split()
    return Limit(float(amount), LimitUnit(unit))


moments = st.integers(0, 600 * 86_400).map(lambda n: FIRST + timedelta(seconds=n))
waits = st.timedeltas(NONE, timedelta(days=12))
limits = st.one_of(
    st.builds(Limit, st.integers(1, 8), st.just(LimitUnit.WORKING_DAYS)),
    st.builds(Limit, st.floats(0.1, 60), st.sampled_from([LimitUnit.HOURS, LimitUnit.WORKING_HOURS])),
)
rules_ = st.sampled_from([RULES, HOURLY, Rules(TIME, 1.0, ())])


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_an_ordinary_case_is_warned_late_and_goes_up() -> None:
    # ten working hours from Wednesday 11 March, 10:00: due on Thursday at 12:00
    clock = started(limit("10 working_h"), here("03-11 10:00"), RULES)
    assert clock.due_at == here("03-12 12:00")
    assert clock.warn_at(RULES) == here("03-12 10:00")  # eight of ten hours
    assert clock.escalates_at(RULES) == (here("03-12 14:00"), here("03-12 15:30"), here("03-12 18:00"))
    told = {
        "03-11 10:00": "on_time",
        "03-12 09:59": "on_time",
        "03-12 10:00": "warned",
        "03-12 12:00": "warned",
        "03-12 12:01": "late",
        "03-12 14:00": "escalated(1)",
        "03-12 15:30": "escalated(2)",
        "03-13 08:00": "escalated(3)",
    }
    assert {at: str(clock.standing(here(at), RULES)) for at in told} == told
    assert clock.standing(here("03-12 16:00"), RULES).to is Whom.DISPATCHER
    assert clock.next_at(here("03-12 09:00"), RULES) == here("03-12 10:00")
    assert clock.next_at(here("03-12 12:00"), RULES) == here("03-12 14:00")
    assert clock.next_at(here("03-12 18:00"), RULES) is None


def test_steps_in_hours_are_hours_of_the_limit_and_go_up_one_after_the_other() -> None:
    plain = started(limit("4 h"), here("03-13 16:00"), HOURLY)
    assert (plain.due_at, plain.warn_at(HOURLY)) == (here("03-13 20:00"), here("03-13 18:00"))
    assert plain.escalates_at(HOURLY) == (here("03-13 21:00"), here("03-13 23:00"))
    working = started(limit("2 working_h"), here("03-13 16:00"), HOURLY)
    assert working.due_at == here("03-13 18:00")
    assert working.escalates_at(HOURLY) == (here("03-16 10:00"), here("03-16 12:00"))
    assert str(working.standing(here("03-14 12:00"), HOURLY)) == "late"
    mixed = Rules(TIME, 0.8, (Step(Whom.TEAM_LEADER, late_h=5), Step(Whom.DISPATCHER, late_share=0.1)))
    assert started(limit("10 h"), here("03-11 00:00"), mixed).escalates_at(mixed) == (here("03-11 15:00"),) * 2


def test_it_stands_over_the_national_day() -> None:
    # due on 30 September at 18:00; suspended with six working hours left, resumed in the middle of the holidays
    clock = started(limit("2 working_d"), here("09-28 09:00"), RULES)
    assert clock.due_at == here("09-30 18:00")
    stood = clock.suspended(here("09-30 11:00"))
    assert stood.left_at(here("10-03 10:00"), RULES) == timedelta(hours=6)
    assert str(stood.standing(here("10-20 10:00"), RULES)) == "on_time"
    assert stood.next_at(here("09-30 11:00"), RULES) is None
    again = stood.resumed(here("10-03 10:00"), RULES)
    assert again.due_at == here("10-08 16:00")
    assert again.left_at(here("10-08 12:30"), RULES) == timedelta(hours=3)
    assert again.warn_at(RULES) == here("10-08 10:12")  # 24 working hours in all, 4.8 of them left


def test_what_was_late_stays_late_and_its_standing_is_not_held_against_it() -> None:
    clock = started(limit("4 h"), here("03-11 10:00"), HOURLY).suspended(here("03-11 16:00"))
    assert clock.left_at(here("03-20 00:00"), HOURLY) == timedelta(hours=-2)
    assert str(clock.standing(here("03-20 00:00"), HOURLY)) == "escalated(1)"
    again = clock.resumed(here("03-15 10:00"), HOURLY)
    assert again.due_at == here("03-11 14:00")
    assert again.left_at(here("03-15 10:30"), HOURLY) == timedelta(hours=-2.5)
    assert again.escalates_at(HOURLY) == (here("03-15 10:00"), here("03-15 11:00"))
    # closed for the weekend: due on Friday at the end of the day, suspended on Saturday, late without an hour of it
    late = started(limit("1 working_d"), here("03-12 10:00"), HOURLY).suspended(here("03-14 10:00"))
    again = late.resumed(here("03-18 09:00"), HOURLY)
    assert again.due_at == here("03-13 18:00")
    assert str(again.standing(here("03-18 09:00"), HOURLY)) == "late"
    assert again.escalates_at(HOURLY) == (here("03-18 10:00"), here("03-18 12:00"))


def test_twice_is_once() -> None:
    clock = started(limit("8 working_h"), here("03-11 10:00"), RULES)
    assert clock.resumed(here("03-11 11:00"), RULES) == clock
    stood = clock.suspended(here("03-11 11:00"))
    assert stood.suspended(here("03-11 12:00")) == stood
    # clocks of two devices: resumed before it was suspended is resumed as it was suspended
    assert stood.resumed(here("03-11 10:30"), RULES).due_at == clock.due_at


def test_a_year_without_a_calendar_is_counted_by_the_week_and_named() -> None:
    last = max(PUBLISHED)
    at = datetime(last, 12, 22, 2, tzinfo=UTC)
    assert started(limit("10 working_d"), at, RULES).assumed == (last, last + 1)
    assert started(limit("1 working_d"), at, RULES).assumed == ()
    assert started(limit("900 h"), at, RULES).assumed == ()
    clock = started(limit("1 working_d"), at, RULES).suspended(at)
    assert clock.resumed(at + timedelta(days=60), RULES).assumed == (last + 1,)


def test_what_is_no_limit_starts_no_clock() -> None:
    with pytest.raises(InvalidLimit):
        started(Limit(1.5, LimitUnit.WORKING_DAYS), FIRST, RULES)


def test_limits_have_words() -> None:
    assert words(limit("3 working_d")) == ("3 个工作日", "3 working days")
    assert words(Limit(1.5)) == ("1.5 小时", "1.5 h")
    assert len(STEPS) == 3


def test_a_case_is_opened_with_its_limit_and_says_what_was_assumed(tmp_path: Path) -> None:
    folder = write_small_district(tmp_path / "small")
    matters = (folder / "matters.csv").read_text("utf-8").replace("limit_h", "limit,limit_unit")
    (folder / "matters.csv").write_text(matters.replace(",72,", ",2,working_d,"), encoding="utf-8")
    ground = prepare(load(folder))
    decision = Decision("", "R1", "T1", None, None, None, None, (), (), (), ("no_unit_free",))
    last = max(PUBLISHED)

    def opened(day: datetime) -> tuple[CaseRow, dict[str, object]]:
        report = Report(
            uuid4(), 120.02, 30.05, 120.02, 30.05, Datum.WGS84, 5, day, day, Source.PATROL, "0101", "", {}, ()
        )
        placed = Placed(report, ground.locator.at(120.02, 30.05), (), (), {})
        case, entry = opening(ground, placed, decision, as_json(decision), 1)
        return case, dict(entry.event.data)

    case, said = opened(datetime(2026, 3, 13, 2, tzinfo=UTC))
    assert (case.due_at, case.clock, case.notes) == (here("03-17 18:00"), said["clock"], ("no_unit_free",))
    assert from_data(case.clock or {}).assumed == ()
    case, said = opened(datetime(last, 12, 30, 2, tzinfo=UTC))
    assert case.clock == said["clock"]
    assert from_data(case.clock or {}).assumed == (last, last + 1)


# --- whatever is done to it ------------------------------------------------------------------------------------------


def pauses(clock: Clock, waited: list[timedelta], rules: Rules) -> list[Clock]:
    """The clock after each of the waits: suspended after the first, resumed after the second, and so on."""
    clocks, at = [clock], clock.started_at
    for number, wait in enumerate(waited):
        at += wait
        before = clocks[-1]
        clocks.append(before.resumed(at, rules) if number % 2 else before.suspended(at))
    return clocks


@UNHURRIED
@given(moments, limits, st.lists(waits, max_size=5), rules_)
def test_standing_never_shortens_what_was_left(
    at: datetime, given: Limit, waited: list[timedelta], rules: Rules
) -> None:
    clocks = pauses(started(given, at, rules), waited, rules)
    for before, after in pairwise(clocks):
        assert after.due_at >= before.due_at
        if before.suspended_at and not after.suspended_at:
            assert after.left == before.left_at(after.since, rules)
            assert after.left_at(after.since, rules) == after.left
            if after.left > NONE:
                # as a new limit of what was left would end
                assert after.due_at == TIME.after(after.since, after.left, given.unit)


@UNHURRIED
@given(moments, limits, st.lists(waits, max_size=4), st.lists(waits, max_size=6), rules_)
def test_a_clock_only_goes_forward(
    at: datetime, given: Limit, waited: list[timedelta], later: list[timedelta], rules: Rules
) -> None:
    clock = pauses(started(given, at, rules), waited, rules)[-1]
    order = list(Timeliness)
    now, seen, left = clock.suspended_at or clock.since, (-1, -1), clock.left_at(clock.since, rules)
    for wait in [NONE, *later]:
        now += wait
        standing = clock.standing(now, rules)
        assert (order.index(standing.timeliness), standing.step) >= seen
        assert clock.left_at(now, rules) <= left
        seen, left = (order.index(standing.timeliness), standing.step), clock.left_at(now, rules)
    ups = clock.escalates_at(rules)
    assert list(ups) == sorted(ups)
    assert all(clock.due_at <= up for up in ups)
    if clock.due_at > clock.since:
        assert clock.since <= clock.warn_at(rules) <= clock.due_at
        assert clock.left_at(clock.due_at, rules) == NONE or clock.suspended_at


@UNHURRIED
@given(moments, limits, waits, st.lists(waits, max_size=4), rules_)
def test_its_standing_changes_only_at_the_moments_it_says(
    at: datetime, given: Limit, wait: timedelta, waited: list[timedelta], rules: Rules
) -> None:
    clock = pauses(started(given, at, rules), waited, rules)[-1]
    now = clock.since + wait
    following = clock.next_at(now, rules)
    if following is None:
        assert clock.standing(now + timedelta(days=400), rules) == clock.standing(now, rules) or now == clock.due_at
    else:
        assert following > now
        inside = now + (following - now) / 2
        at_due = now == clock.due_at  # late is after it
        assert clock.standing(inside, rules) == clock.standing(now, rules) or at_due


@UNHURRIED
@given(moments, limits, st.lists(waits, max_size=4))
def test_it_is_kept_as_plain_data(at: datetime, given: Limit, waited: list[timedelta]) -> None:
    for clock in pauses(started(given, at, RULES), waited, RULES):
        assert from_data(json.loads(json.dumps(as_data(clock)))) == clock


@UNHURRIED
@given(moments, limits, st.lists(waits, min_size=2, max_size=2))
def test_a_pause_moves_the_end_by_its_own_length_of_that_time(
    at: datetime, given: Limit, waited: list[timedelta]
) -> None:
    clock, _, again = pauses(started(given, at, RULES), waited, RULES)
    stood = (at + waited[0], at + waited[0] + waited[1])
    if stood[0] < clock.due_at:
        moved = TIME.measure(clock.due_at, again.due_at, given.unit)
        assert moved == TIME.measure(*stood, given.unit)
