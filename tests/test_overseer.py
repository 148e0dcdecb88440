"""The overseer against the database: each thing that time asks for is done once, whoever does it and whoever dies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import httpx
import psycopg
import pytest

from dispatch import overseer
from dispatch.audit import instant
from dispatch.database import Running
from dispatch.deadlines import from_data
from dispatch.editions import Editions
from dispatch.fleet import Fleet
from dispatch.intake import Draft
from dispatch.model import Action, CaseRow, Source, State
from dispatch.orders import Order
from dispatch.overseer import LEASE, Desk, Duty, Overseer, keep_time
from dispatch.reception import Reception
from dispatch.store import cases, oversight, record
from dispatch.store.engine import connect, migrate, open_engine
from dispatch.timing import day_begins
from tests.life import opened, small_server, verified, walk, whole
from tests.small_district import write_small_district
from tests.test_positions import until
from tests.test_timing import EVE, announced, small

T0 = datetime(2024, 6, 3, 1, 30, tzinfo=UTC)
EVERY = timedelta(seconds=60)
MATTER = "0103"
"""Thirty plain hours: no test here depends on which day it is run."""
DUE = T0 + timedelta(hours=30)
UPS = [DUE + timedelta(hours=30 * share) for share in (0.1, 0.25, 0.5)]


class Office:
    """A desk on a database of its own, and what was done there."""

    def __init__(self, desk: Desk, reception: Reception, url: str) -> None:
        self.desk, self.reception, self.url = desk, reception, url

    async def opened(self, source: Source = Source.PATROL) -> str:
        draft = Draft(id=uuid4(), lon=120.02, lat=30.05, matter=MATTER, source=source, seen_at=T0)
        return (await self.reception.receive(draft, T0)).case.case_no

    async def do(self, case: str, action: Action, now: datetime, **more: Any) -> CaseRow:
        return await self.desk.act(Order(uuid4(), case, action, "", note="x", **more), now)

    async def case(self, number: str) -> CaseRow:
        async with connect(self.desk.engine) as connection:
            found = await cases.which_case(connection, number)
        assert found is not None
        return found

    async def told(self, number: str) -> list[tuple[str, str]]:
        """Action and rule of each event."""
        async with connect(self.desk.engine) as connection:
            chain = await record.history(connection, number)
        return [(one.event.action, str(one.event.data.get("rule", ""))) for one in chain]


def within(url: str, work: Callable[[Office], Awaitable[None]]) -> None:
    async def run() -> None:
        engine = open_engine(url, 6)
        try:
            await migrate(engine)
            editions = Editions(engine, small())
            await editions.start(T0 - timedelta(days=1))
            fleet = Fleet(editions.current.district, timedelta(minutes=5))
            desk = Desk(engine, editions, fleet)
            await work(Office(desk, Reception(engine, editions, fleet, 400), url))
        finally:
            await engine.dispose()

    anyio.run(run)


def test_a_late_case_goes_up_step_by_step_and_a_case_that_is_not_is_left_alone(database_url: str) -> None:
    async def work(office: Office) -> None:
        late, other = await office.opened(), await office.opened()
        one = Overseer(office.desk, EVERY)
        assert await one.round(DUE) == 0
        assert (await office.case(late)).next_at == UPS[0], "it was looked at, and put off"
        await office.do(other, Action.ACCEPT, DUE)
        for n, at in enumerate(UPS):
            assert await one.round(at - timedelta(seconds=1)) == 0
            assert await one.round(at) == 2
            assert (await office.case(late)).level == n + 1
        assert (await office.case(late)).next_at is None
        assert await one.round(UPS[-1] + timedelta(days=99)) == 0
        rules = ["late:1:team_leader", "late:2:dispatcher", "late:3:district_office"]
        assert await office.told(late) == [("report", ""), *(("escalate", rule) for rule in rules)]
        assert (await office.case(late)).changed_at == T0, "who waits for it to be accepted waits on"

    within(database_url, work)
    assert verified(database_url)[0]


def test_who_was_away_finds_every_step_and_who_was_lifted_by_hand_is_not_lifted_twice(database_url: str) -> None:
    async def work(office: Office) -> None:
        late, lifted = await office.opened(), await office.opened()
        await office.do(lifted, Action.ESCALATE, T0)
        assert await Overseer(office.desk, EVERY).round(UPS[1]) == 3
        assert [(await office.case(one)).level for one in (late, lifted)] == [2, 2]
        assert [rule for _, rule in await office.told(lifted) if rule] == ["late:2:dispatcher"]
        assert await Overseer(office.desk, EVERY).round(UPS[1]) == 0

    within(database_url, work)


def test_a_suspension_moves_the_due_moment_and_ends_on_its_day(database_url: str) -> None:
    async def work(office: Office) -> None:
        case, rules = await office.opened(), small().district.deadlines
        until = (T0 + timedelta(days=5)).date()
        held = await office.do(case, Action.SUSPEND, T0 + timedelta(hours=10), until=until)
        assert (held.due_at, held.next_at) == (DUE, day_begins(until, rules))
        one = Overseer(office.desk, EVERY)
        begins = day_begins(until, rules)
        assert await one.round(begins - timedelta(seconds=1)) == 0
        # an hour late: the day counts, not when somebody saw to it
        assert await one.round(begins + timedelta(hours=1)) == 1
        found = await office.case(case)
        assert (found.state, found.due_at) == (State.ASSIGNED, begins + timedelta(hours=20))
        assert found.unit == "T1-V1", "it was free, and goes again"
        assert (await office.told(case))[-1] == ("resume", f"until:{until}")
        async with connect(office.desk.engine) as connection:
            last = (await record.history(connection, case))[-1].event
        assert last.data["after"]["due_at"] == instant(found.due_at)  # type: ignore[index, arg-type]
        assert last.data["clock"] == found.clock
        assert from_data(found.clock or {}).since == begins

    within(database_url, work)
    assert verified(database_url)[0]


def test_two_overseers_at_once_do_everything_once(database_url: str) -> None:
    async def work(office: Office) -> None:
        late = [await office.opened() for _ in range(8)]
        held = [await office.opened() for _ in range(4)]
        for case in held:
            await office.do(case, Action.SUSPEND, T0, until=(T0 + timedelta(days=1)).date())
        now = UPS[1] + timedelta(days=3)
        overseers = [Overseer(office.desk, EVERY) for _ in range(4)]
        rounds = await asyncio.gather(*(one.round(now) for one in overseers for _ in range(2)))
        told = [await office.told(one) for one in late]
        assert all([action for action, _ in one] == ["report", *["escalate"] * 3] for one in told)
        again = [[action for action, _ in await office.told(one)] for one in held]
        assert all(one[:3] == ["report", "suspend", "resume"] for one in again)
        assert all(one.count("resume") == 1 and one.count("escalate") <= 3 for one in again)
        events = sum(map(len, told)) + sum(map(len, again))
        # who acted and was overtaken counts the answer that he was given, so at least that much
        assert sum(rounds) >= events - len(late) - 2 * len(held)

    within(database_url, work)
    assert verified(database_url)[0]


def test_what_somebody_does_meanwhile_is_not_overwritten(database_url: str) -> None:
    async def work(office: Office) -> None:
        case = await office.opened()
        async with connect(office.desk.engine) as connection:
            (seen,) = await oversight.claim(connection, UPS[0], UPS[0] + LEASE, 9)
            assert await oversight.claim(connection, UPS[0], UPS[0] + LEASE, 9) == [], "it is one's alone"
        for action in (Action.ACCEPT, Action.ARRIVE, Action.HANDLE):
            await office.do(case, action, UPS[0])
        async with connect(office.desk.engine) as connection:
            await oversight.put_off(connection, seen, UPS[2])
        found = await office.case(case)
        assert (found.state, found.next_at) == (State.HANDLED, None), "it moved on: what it says stands"
        assert await keep_time(office.desk, UPS[2]) == 0

    within(database_url, work)


def test_killed_between_deciding_and_writing_nothing_is_lost_and_nothing_comes_twice(database_url: str) -> None:
    """One dies while the database has not taken its order yet, one while the database takes it all the same."""

    async def work(office: Office) -> None:
        case = await office.opened()
        address = office.url.replace("+psycopg", "")
        with psycopg.connect(address) as lock, psycopg.connect(address, autocommit=True) as server:

            def waiting() -> list[int]:
                query = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INTO event%'"
                return [row[0] for row in server.execute(query)]

            async def reached() -> int:
                for _ in range(2000):
                    if found := waiting():
                        return found[0]
                    await asyncio.sleep(0.01)
                raise AssertionError("the order never came to the database")

            now = UPS[0]
            # Whoever would write an event waits; what was claimed is claimed.
            lock.execute("LOCK TABLE event IN SHARE MODE")
            first = asyncio.create_task(keep_time(office.desk, now))
            server.execute("SELECT pg_terminate_backend(%s)", [await reached()])
            with pytest.raises(Exception):  # noqa: B017, PT011 - however it says that its connection is gone
                await first
            lock.commit()
            assert (await office.case(case)).level == 0
            assert await keep_time(office.desk, now) == 0, "the case is the dead one's for a while"
            now += LEASE
            lock.execute("LOCK TABLE event IN SHARE MODE")
            second = asyncio.create_task(keep_time(office.desk, now))
            await reached()
            second.cancel()
            lock.commit()
            await asyncio.gather(second, return_exceptions=True)
        now += LEASE
        await keep_time(office.desk, now)
        assert await office.told(case) == [("report", ""), ("escalate", "late:1:team_leader")]
        found = await office.case(case)
        assert (found.level, found.next_at) == (1, UPS[1])

    within(database_url, work)
    assert verified(database_url)[0]


def test_more_than_one_takes_at_a_time_are_all_seen_to_in_one_round(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overseer, "TOGETHER", 4)

    async def work(office: Office) -> None:
        await asyncio.gather(*(office.opened() for _ in range(10)))
        assert await Overseer(office.desk, EVERY).round(UPS[0]) == 10
        async with connect(office.desk.engine) as connection:
            assert await oversight.claim(connection, UPS[0] + LEASE * 2, UPS[0] + LEASE * 3, 9) == []

    within(database_url, work)


def test_what_the_rules_want_since_another_edition_is_looked_at_anew(database_url: str) -> None:
    async def work(office: Office) -> None:
        case = await office.opened()
        with psycopg.connect(office.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("UPDATE case_file SET next_at = NULL")  # as rules without a step would have left it
        assert await keep_time(office.desk, UPS[0]) == 0
        assert await Overseer(office.desk, EVERY).round(UPS[0]) == 1
        assert (await office.case(case)).level == 1

    within(database_url, work)


def test_when_a_calendar_becomes_known_what_was_assumed_is_counted_anew_once(database_url: str) -> None:
    async def work(office: Office) -> None:
        draft = Draft(id=uuid4(), lon=120.02, lat=30.05, matter="0101", source=Source.PATROL, seen_at=EVE)
        case = (await office.reception.receive(draft, EVE)).case
        assert await Overseer(office.desk, EVERY).round(EVE) == 0
        editions = Editions(office.desk.engine, announced())
        await editions.start(T0)
        desk = Desk(office.desk.engine, editions, Fleet(editions.current.district, EVERY))
        rounds = await asyncio.gather(*(Overseer(desk, EVERY).round(EVE) for _ in range(3)))
        assert 1 <= sum(rounds) <= 3
        assert [action for action, _ in await office.told(case.case_no)] == ["report", "reckon"]
        found = await office.case(case.case_no)
        assert case.due_at is not None
        assert found.due_at is not None
        assert found.due_at > case.due_at
        assert (await Overseer(desk, EVERY).round(EVE)) == 0

    within(database_url, work)
    assert verified(database_url)[0]


@pytest.mark.parametrize("count", [0, 2])
def test_other_duties_are_done_in_their_order_and_tell_when_anything_was_done(database_url: str, count: int) -> None:
    done, told = list[str](), list[int]()

    def duty(name: str, much: int) -> Duty:
        async def do(_: Desk, now: datetime) -> int:
            done.append(f"{name} {now:%H:%M}")
            return much

        return do

    async def work(office: Office) -> None:
        one = Overseer(office.desk, EVERY, lambda: told.append(1), [duty("a", 0), duty("b", count)])
        assert await one.round(T0) == count

    within(database_url, work)
    assert done == ["a 01:30", "b 01:30"]
    assert told == ([1] if count else [])


def test_a_server_escalates_by_itself_and_says_where_a_case_stands(
    postgis: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_small_district(tmp_path / "small")
    matters = folder / "matters.csv"
    matters.write_text(matters.read_text("utf-8").replace(",72,", ",0.0005,"), "utf-8")
    manifest = folder / "district.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("[settings]", '[settings]\ntriage = ["citizen"]'), "utf-8")
    monkeypatch.setenv("ONEGRID_OVERSEE_S", "0.1")
    with (
        small_server(postgis, "overseer", folder) as (url, address),
        httpx.Client(base_url=address, timeout=60) as http,
    ):
        held, late = opened(http, source="citizen"), opened(http)
        until(lambda: whole(http, late)["level"] == 3)
        found = whole(http, late)
        assert (found["standing"], found["step"], found["left_s"] < 0, found["assumed"]) == ("escalated", 3, True, [])
        assert found["limit"] == {"amount": 0.0005, "unit": "h"}
        assert found["warn_at"] < found["due_at"]
        rules = [one["details"].get("rule") for one in found["history"]]
        assert rules == [None, "late:1:team_leader", "late:2:dispatcher", "late:3:district_office"]
        assert found["history"][0]["clock"]["due_at"][:19] == found["due_at"][:19]
        listed = {row["case"]: row for row in http.get("/api/cases").json()["items"]}
        assert listed[late]["standing"] == "escalated"
        nothing = {"due_at": None, "standing": None, "step": 0, "left_s": None, "warn_at": None, "limit": None}
        assert {name: listed[held][name] for name in nothing} == nothing
        assert http.get("/api/health").json()["status"] == "ok"
        handled = walk(http, late, "accept", "arrive", "handle")
        assert (handled["standing"], handled["step"]) == ("escalated", 3), "it stands as it was when it was handled"
    assert verified(url)[0]
