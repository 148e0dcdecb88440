"""The due moment of a case over its life, against a model that walks minute by minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch import lifecycle, routing
from dispatch.audit import Entry
from dispatch.deadlines import as_data, from_data, started
from dispatch.district import load
from dispatch.fleet import Fleet
from dispatch.ground import Ground, prepare
from dispatch.history import History, Step
from dispatch.intake import Draft, place
from dispatch.lifecycle import BEGUN, MOST_LEVELS, RESTS_ON_EDITION, RUNNING, TRANSITIONS
from dispatch.model import Action, CaseRow, LimitUnit, Source, State
from dispatch.opening import opening, timing_of
from dispatch.orders import Order
from dispatch.overseer import ordered, recounted
from dispatch.relocation import Pin
from dispatch.steps import decide_merger, decide_relocation, decide_sending, decide_step
from dispatch.timing import day_begins, next_at
from dispatch.working_time import PUBLISHED
from tests.small_district import write_small_district

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 2, 1, tzinfo=SHANGHAI)
"""Before the Spring Festival, whose days are moved; 40 weeks on is before the end of what is known."""
MINUTE = timedelta(minutes=1)
LIMITS = {"0101": "3,working_d", "0102": "9,working_h", "0103": "30,h"}


@cache
def small(edition: str = "1", own: str = "", manifest_more: str = "") -> Ground:
    """The small district with a limit of each unit; citizens' reports are looked at first. own: of its calendar."""
    with TemporaryDirectory() as name:
        folder = write_small_district(Path(name) / "small")
        head, row = (folder / "matters.csv").read_text("utf-8").splitlines()
        rows = [row.replace("0101", code).replace(",72,", f",{limit},") for code, limit in LIMITS.items()]
        (folder / "matters.csv").write_text("\n".join([head.replace("limit_h", "limit,limit_unit"), *rows]), "utf-8")
        manifest = folder / "district.toml"
        listed = manifest.read_text("utf-8").replace("[settings]", '[settings]\ntriage = ["citizen"]')
        manifest.write_text(listed.replace('edition = "1"', f'edition = "{edition}"') + manifest_more, "utf-8")
        if own:
            (folder / "calendar.csv").write_text(f"date,day,note\n{own}", "utf-8")
        return prepare(load(folder))


@cache
def worked() -> bytes:
    """Of each minute from `FIRST` on whether it is working time: written out, by nothing of ours."""
    hours = bytes(9 * 60) + b"\1" * 180 + bytes(60) + b"\1" * 300 + bytes(6 * 60)
    days = (FIRST.date() + timedelta(days=n) for n in range(300))
    return b"".join(hours if chinese_calendar.is_workday(day) else bytes(1440) for day in days)


def minute_of(at: datetime) -> int:
    return round((at - FIRST) / MINUTE)


@dataclass
class Model:
    """What was left, and when it is due, counted on minute by minute."""

    unit: LimitUnit
    amount: int
    left: int = 0
    due: int | None = None
    runs: bool = False
    at: int = 0

    def counts(self, minute: int) -> bool:
        return self.unit is LimitUnit.HOURS or bool(worked()[minute])

    def start(self, at: int) -> None:
        self.at, self.runs, self.left = at, True, 0
        if self.unit is not LimitUnit.WORKING_DAYS:
            self.left = self.amount * 60
        else:
            day, days = at // 1440, self.amount
            while days:
                day += 1
                days -= any(worked()[day * 1440 : day * 1440 + 1440])
            self.left = sum(worked()[at : day * 1440 + 18 * 60])
        self._foresee()

    def _foresee(self) -> None:
        minute, left = self.at, self.left
        while left > 0:
            left -= self.counts(minute)
            minute += 1
        self.due = minute

    def walk(self, to: int) -> None:
        while self.at < to:
            self.left -= self.runs and self.counts(self.at)
            self.at += 1

    def stop(self, at: int) -> None:
        self.walk(at)
        self.runs = False

    def resume(self, at: int, stood: int) -> None:
        self.at, self.runs = max(at, stood), True
        if self.due is not None and stood <= self.due:
            self._foresee()


@dataclass
class Life:
    """A case that is driven by orders through the pure steps."""

    case: CaseRow
    before: dict[str, Any]
    entries: list[Entry]
    model: Model
    fleet: Fleet = field(default_factory=lambda: Fleet(small().district, timedelta(minutes=5)))

    def history(self) -> History:
        return History(
            tuple(
                Step(e.event.id, Action(e.event.action), "", State(e.event.data["after"]["state"]), self.case.team,  # type: ignore[index]
                     {"sides": e.event.data.get("sides", []), "whose": ""})
                for e in self.entries
            )
        )  # fmt: skip

    def do(self, order: Order, now: datetime) -> None:
        """One step, and what the model makes of it."""
        ground, was = small(), self.case
        if order.action is Action.RELOCATE:
            case, entry = decide_relocation(ground, ground, self.fleet, order, was, self.before, frozenset(), now)
            self.before = dict(entry.event.data["decision"])  # type: ignore[call-overload]
        elif order.action in RESTS_ON_EDITION:
            case, entry = decide_sending(ground, self.fleet, order, was, self.history(), self.before, frozenset(), now)
        elif order.action is Action.MERGE:
            case, entry, _, _ = decide_merger(order, was, other(), timing_of(ground.district, was.matter), now)
        else:
            case, entry = decide_step(order, was, self.history(), {}, timing_of(ground.district, was.matter), now)
        self.case = case
        self.entries.append(entry)
        self._follow(was, order, minute_of(now))

    def _follow(self, was: CaseRow, order: Order, at: int) -> None:
        ran, runs = was.state in RUNNING, self.case.state in RUNNING
        if order.action in (Action.ASSIGN, Action.REWORK, Action.REOPEN) or (was.state is State.HANDLED and runs):
            self.model.start(at)
        elif was.state is State.SUSPENDED and runs:
            assert was.suspended_until is not None
            opens = minute_of(datetime.combine(was.suspended_until, datetime.min.time(), SHANGHAI)) + 9 * 60
            self.model.resume(min(at, opens), self.model.at)
        elif ran and not runs:
            self.model.stop(at)


def other() -> CaseRow:
    return replace(begun("0103", Source.PATROL, FIRST).case, case_no="2")


def begun(matter: str, source: Source, at: datetime) -> Life:
    ground = small()
    draft = Draft(id=uuid4(), lon=120.02, lat=30.05, matter=matter, source=source, seen_at=at)
    placed = place(ground, draft, draft.id or UUID(int=0), at, 400)
    weighed = ground.weigh(120.02, 30.05, 0, placed.place, matter)
    decision = routing.decide(
        version="", ruling=weighed.ruling, place=placed.place, candidates=[], busy=frozenset(), notes=(), facts={},
        weighed=weighed, held=ground.looks_first(source),
    )  # fmt: skip
    decided = routing.as_json(decision)
    case, entry = opening(ground, placed, decision, decided, 1)
    amount, unit = LIMITS[matter].split(",")
    life = Life(case, dict(decided), [entry], Model(LimitUnit(unit), int(amount)))
    if case.state is State.ASSIGNED and minute_of(at) < len(worked()):
        life.model.start(minute_of(at))
    return life


def possible(life: Life) -> list[lifecycle.Transition]:
    suspended, returns = life.case.suspended_from, len(life.history().returns)
    rows = []
    for row in TRANSITIONS:
        if row.source is not life.case.state or not row.by or row.action in (Action.EVIDENCE, Action.STATE_GROUND):
            continue
        if row.action is Action.RESUME and row.when != suspended:
            continue
        if row.action is Action.RETURN and row.when != ("again" if returns else "first"):
            continue
        if row.action is Action.ESCALATE and life.case.level >= MOST_LEVELS:
            continue
        rows.append(row)
    return rows


def order_of(row: lifecycle.Transition, case: CaseRow, until: date) -> Order:
    return Order(
        uuid4(), case.case_no, row.action, "", note="x", team="T1" if "team" in row.needs else "", until=until,
        pin=Pin(120.03, 30.05) if row.action is Action.RELOCATE else None,
        into="2" if row.action is Action.MERGE else "",
    )  # fmt: skip


WAITS = st.one_of(st.integers(0, 90), st.integers(0, 4 * 1440))
ORDINARY = settings(deadline=None, max_examples=150)


@ORDINARY
@given(st.data(), st.sampled_from(sorted(LIMITS)), st.sampled_from([Source.PATROL, Source.CITIZEN]))
def test_the_due_moment_is_the_one_that_is_walked_to(data: st.DataObject, matter: str, source: Source) -> None:
    now = FIRST + data.draw(st.integers(0, 60 * 1440)) * MINUTE
    life = begun(matter, source, now)
    for _ in range(data.draw(st.integers(0, 8))):
        now += data.draw(WAITS) * MINUTE
        # Suspensions are what moves it: as likely as all else together.
        rows = possible(life)
        pauses = [row for row in rows if row.action in (Action.SUSPEND, Action.RESUME)]
        row = data.draw(st.sampled_from(pauses if pauses and data.draw(st.booleans()) else rows))
        until = now.astimezone(SHANGHAI).date() + timedelta(days=data.draw(st.integers(1, 12)))
        life.do(order_of(row, life.case, until), now)
        agrees(life)


def agrees(life: Life) -> None:
    case, model = life.case, life.model
    due = None if case.due_at is None else minute_of(case.due_at)
    assert due == model.due, f"{case.state}: {case.due_at} instead of {model.due and FIRST + model.due * MINUTE}"
    assert (case.clock is None) == (model.due is None)
    told = [e.event.data for e in life.entries]
    assert told[-1]["after"]["due_at"] == (None if case.due_at is None else stamp(case.due_at))  # type: ignore[index]
    sealed = [data["clock"] for data in told if "clock" in data]
    assert (sealed[-1] if sealed else None) == case.clock, "what the chain says last of the clock is what the case has"
    if case.clock is None:
        assert case.next_at is None
        return
    clock = from_data(case.clock)
    assert as_data(clock) == case.clock
    assert clock.recounted(small().district.deadlines) == clock, "all of it is in what it says of itself"
    assert (clock.suspended_at is None) == model.runs == (case.state in RUNNING)
    if model.runs:
        assert clock.left_at(FIRST + model.at * MINUTE, small().district.deadlines) == model.left * MINUTE
    timing = timing_of(small().district, case.matter)
    if case.state is State.SUSPENDED and case.suspended_until:
        assert case.next_at == day_begins(case.suspended_until, timing.rules)
    elif case.state in RUNNING and case.level < MOST_LEVELS:
        assert len(life.entries) == 1 or case.next_at == clock.escalates_at(timing.rules)[case.level]
        assert case.next_at is not None
        assert case.next_at >= case.due_at or not model.runs  # type: ignore[operator]
    else:
        assert case.next_at is None


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@ORDINARY
@given(st.data(), st.sampled_from(sorted(LIMITS)))
def test_what_the_overseer_orders_is_what_the_table_allows_and_comes_to_an_end(
    data: st.DataObject, matter: str
) -> None:
    now = FIRST + data.draw(st.integers(0, 60 * 1440)) * MINUTE
    life = begun(matter, Source.PATROL, now)
    if data.draw(st.booleans()):
        until = now.astimezone(SHANGHAI).date() + timedelta(days=data.draw(st.integers(1, 12)))
        life.do(Order(uuid4(), life.case.case_no, Action.SUSPEND, "", note="x", until=until), now)
    waited, ids = now + data.draw(st.integers(0, 40 * 1440)) * MINUTE, set()
    timing = timing_of(small().district, matter)
    while order := ordered(life.case, small().district, waited):
        assert order.id not in ids
        ids.add(order.id)
        assert order == ordered(life.case, small().district, waited), "whoever looks orders the same"
        life.do(order, waited)
        agrees(life)
    again = next_at(life.case, timing)
    assert again is None or again > waited
    if life.case.state is State.SUSPENDED:
        return
    clock = from_data(life.case.clock or {})
    assert life.case.level == clock.standing(waited, timing.rules).step


LAST = max(PUBLISHED)
EVE = datetime(LAST, 12, 22, 10, tzinfo=SHANGHAI)
"""Three working days on, and nobody has said of a day after the 25th that it is worked."""


def announced() -> Ground:
    """The next year's calendar is known: a made one, by which the 25th to the 31st of December are free."""
    off = f"{LAST + 1}-01-01,off,示意 made\n" + "".join(f"{LAST}-12-{day},off,示意 made\n" for day in range(25, 32))
    return small("2", off, f"\n[working_time]\nyears = [{LAST + 1}]\n")


@pytest.mark.parametrize("pause", [False, True])
def test_a_year_that_was_assumed_is_counted_anew_once_it_is_known(pause: bool) -> None:
    life = begun("0101", Source.PATROL, EVE)
    assert LAST in from_data(life.case.clock or {}).assumed
    stood, goes_on = EVE + timedelta(hours=2), datetime(LAST, 12, 24, 9, tzinfo=SHANGHAI)
    if pause:
        life.do(Order(uuid4(), "", Action.SUSPEND, "", note="x", until=goes_on.date()), stood)
        life.do(Order(uuid4(), "", Action.RESUME, ""), goes_on + timedelta(hours=1))
    assert recounted(life.case, small().district) is None, "nothing is known yet"
    order = recounted(life.case, announced().district)
    assert order is not None
    assert order == recounted(life.case, announced().district)
    timing = timing_of(announced().district, "0101")
    case, entry = decide_step(order, life.case, life.history(), {}, timing, goes_on + timedelta(hours=4))
    time = timing.rules.working_time
    days = (EVE.date() + timedelta(days=n) for n in range(1, 30))
    third = [day for day in days if time.calendar.works(day)][2]
    due = datetime(third.year, third.month, third.day, 18, tzinfo=SHANGHAI)
    if pause:
        due = time.after(goes_on, time.between(EVE, due) - time.between(EVE, stood), LimitUnit.WORKING_HOURS)
    assert case.due_at == due
    assert due > (life.case.due_at or due)
    assert from_data(case.clock or {}).assumed == ()
    assert entry.event.data["clock"] == case.clock
    assert str(entry.event.data["rule"]).startswith(f"calendar:{LAST}")
    assert recounted(case, announced().district) is None
    assert (case.state, case.changed_at) == (life.case.state, life.case.changed_at)


def ordinary(matter: str = "0102") -> tuple[Life, Callable[[str], datetime]]:
    """Nine working hours from Wednesday 11 March, 10:00: due on Thursday at 11:00."""

    def here(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=SHANGHAI)

    return begun(matter, Source.PATROL, here("03-11 10:00")), here


def test_by_hand_a_case_that_waits_over_a_weekend() -> None:
    life, here = ordinary()
    assert life.case.due_at == here("03-12 11:00")
    life.do(Order(uuid4(), "", Action.SUSPEND, "", note="x", until=date(2026, 3, 16)), here("03-11 12:30"))
    assert (life.case.due_at, life.case.next_at) == (here("03-12 11:00"), here("03-16 09:00"))
    assert ordered(life.case, small().district, here("03-16 08:59")) is None
    order = ordered(life.case, small().district, here("03-17 15:00"))
    assert order is not None
    assert (order.action, order.rule, order.role) == (Action.RESUME, "until:2026-03-16", None)
    life.do(order, here("03-17 15:00"))  # nobody was there on Monday; its clock ran from then all the same
    assert life.case.due_at == here("03-16 17:00")
    order = ordered(life.case, small().district, here("03-17 15:00"))
    assert order is not None
    assert (order.action, order.rule, life.case.state in BEGUN) == (Action.ESCALATE, "late:1:team_leader", True)


def test_by_hand_what_is_held_has_no_clock_until_somebody_is_sent() -> None:
    _, here = ordinary()
    life = begun("0101", Source.CITIZEN, here("03-11 10:00"))
    assert (life.case.state, life.case.due_at, life.case.clock, life.case.next_at) == (State.TRIAGE, None, None, None)
    life.do(Order(uuid4(), "", Action.ASSIGN, ""), here("03-13 10:00"))
    assert life.case.due_at == here("03-18 18:00")
    handled = [Action.ACCEPT, Action.ARRIVE, Action.HANDLE]
    for action in handled:
        life.do(Order(uuid4(), "", action, "", note="x"), here("03-19 09:00"))
    assert (life.case.due_at, life.case.next_at) == (here("03-18 18:00"), None)
    assert str(from_data(life.case.clock or {}).standing(here("06-01 10:00"), small().district.deadlines)) == "late"
    life.do(Order(uuid4(), "", Action.REWORK, "", note="x"), here("03-20 09:00"))
    assert life.case.due_at == here("03-25 18:00")


@pytest.mark.parametrize("state", [State.ASSIGNED, State.SUSPENDED, State.CLOSED])
def test_a_case_from_before_clocks_were_kept_gets_one_with_its_next_step(state: State) -> None:
    life, here = ordinary()
    rules = small().district.deadlines
    kept = started(timing_of(small().district, "0102").limit, here("03-11 10:00"), rules)
    case = replace(life.case, clock=None, next_at=None, state=state)
    if state is State.SUSPENDED:
        held = {"suspended_until": date(2026, 3, 16), "suspended_from": State.ASSIGNED}
        case = replace(case, changed_at=here("03-11 12:30"), **held)  # type: ignore[arg-type]
    life.case = case
    if state is State.ASSIGNED:
        life.do(Order(uuid4(), "", Action.ACCEPT, ""), here("03-11 11:00"))
        assert life.case.clock == as_data(kept)
    elif state is State.SUSPENDED:
        life.model.stop(minute_of(here("03-11 12:30")))
        life.do(Order(uuid4(), "", Action.RESUME, ""), here("03-16 09:00"))
        assert life.case.due_at == here("03-16 17:00")
    else:
        life.do(Order(uuid4(), "", Action.REOPEN, "", note="x"), here("03-13 10:00"))
        assert life.case.due_at == here("03-16 11:00")
