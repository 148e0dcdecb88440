"""Cases that wait are given a unit as soon as one can go: in their turn, once, whoever frees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar
from uuid import uuid4

import anyio
import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import desk, errors, offering
from dispatch.database import DATABASE, Running
from dispatch.district import load
from dispatch.editions import Editions, enact
from dispatch.fleet import Fleet, Known, Position
from dispatch.ground import Ground, prepare
from dispatch.intake import Draft
from dispatch.model import Action, CaseRow
from dispatch.offering import BY, Offering, offer_waiting
from dispatch.orders import Order
from dispatch.reception import Reception
from dispatch.rota import Rota
from dispatch.store import cases
from dispatch.store.engine import connect, migrate, open_engine
from tests.life import EAST, WEST, Json, do, done, opened, refused, verified, walk, whole
from tests.small_district import write_small_district
from tests.test_editions import worker
from tests.test_rota import CALENDAR, here
from web import wording

T = TypeVar("T")

FILES: Final = {
    "matters.csv": "code,name,name_en,department,legal_basis,urgency,limit_h,on_water,skill\n"
    "0101,私搭乱建,Illegal building,D1,,3,72,false,\n0102,路面塌陷,Road collapse,D1,,1,4,false,\n"
    "0103,水下障碍,Under water,D1,,2,24,false,diving\n",
    "teams.csv": "code,name,name_en,kind,base,stand_in\nT1,西队,West,township,B1,T2|-\nT2,东队,East,township,B1,-\n",
    "units.csv": "code,name,name_en,team,mode,base,crew,skills\nT1-V1,一号车,Car 1,T1,vehicle,B1,2,\n"
    "T1-V2,二号车,Car 2,T1,vehicle,B1,2,diving\nT2-V1,三号车,Car 3,T2,vehicle,B1,2,diving\n",
    "shifts.csv": "code,name,name_en,team,units,days,start,end\nA,日班,Day,T1,,working,08:00,18:00\n"
    "B,值班,Round,T2,,working,00:00,24:00\nC,节假日,Off,T2,,off,08:00,20:00\n",
}
UNITS: Final = ("T1-V1", "T1-V2", "T2-V1")
NOON, NIGHT, HOLIDAY = here("03-11 12:00"), here("03-11 22:00"), here("10-04 23:00")


def folder(at: Path, *files: str) -> Path:
    """The small district with these files of `FILES` in place of its own; all of them where none is named."""
    made = write_small_district(at / "small")
    for name in files or FILES:
        (made / name).write_text(FILES[name], encoding="utf-8")
    return made


@cache
def small() -> Ground:
    with TemporaryDirectory() as at:
        return prepare(load(folder(Path(at))))


@cache
def everybody() -> Ground:
    """The same without shifts, for what goes by the clock on the wall."""
    with TemporaryDirectory() as at:
        return prepare(load(folder(Path(at), "matters.csv", "teams.csv", "units.csv")))


@dataclass
class Shop:
    """A worker without its web."""

    engine: AsyncEngine
    editions: Editions
    fleet: Fleet
    reception: Reception

    async def report(self, now: datetime, place: Json = WEST, matter: str = "0101") -> CaseRow:
        draft = Draft(id=uuid4(), accuracy_m=5, matter=matter, **place)
        return (await self.reception.receive(draft, now)).case

    async def do(self, now: datetime, case: str, action: Action, **more: Any) -> CaseRow:
        order = Order(uuid4(), case, action, "", note="测试", **more)
        return await desk.act(self.engine, self.editions, self.fleet, order, now)

    async def offer(self, now: datetime) -> int:
        return await offer_waiting(self.engine, self.editions, self.fleet, now)

    async def case(self, number: str) -> CaseRow:
        async with connect(self.engine) as connection:
            found = await cases.which_case(connection, number)
        assert found
        return found

    async def open(self) -> list[CaseRow]:
        async with connect(self.engine) as connection:
            return await cases.list_cases(connection, cases.CaseFilter(open=True), 1000, None)

    def says(self, now: datetime, unit: str, *, on_shift: bool) -> None:
        said = Position(unit, WEST["lon"], WEST["lat"], now, on_shift=on_shift)
        self.fleet.learn([Known(said, said)], now)


async def shop(engine: AsyncEngine, ground: Ground | None = None) -> Shop:
    made = ground or small()
    editions = Editions(engine, made)
    await editions.start(NOON - timedelta(days=365))
    fleet = Fleet(made.district, timedelta(days=999))
    return Shop(engine, editions, fleet, Reception(engine, editions, fleet, 999))


def run(url: str, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    async def whole_of_it() -> T:
        engine = open_engine(url, 6)
        try:
            await migrate(engine)
            return await work(engine)
        finally:
            await engine.dispose()

    return anyio.run(whole_of_it)


# --- in their turn ---------------------------------------------------------------------------------------------------


def test_the_most_urgent_first_then_who_came_first(database_url: str) -> None:
    async def work(engine: AsyncEngine) -> None:
        here_ = await shop(engine)
        busy = [await here_.report(NOON) for _ in range(2)]
        assert {one.unit for one in busy} == {"T1-V1", "T1-V2"}
        waits = [
            await here_.report(NOON + timedelta(minutes=n), matter=m)
            for n, m in enumerate(["0101", "0101", "0102", "0103"])
        ]
        assert [one.unit for one in waits] == [None] * 4
        assert await here_.offer(NOON) == 0, "nobody is free, and who stands in does so at night"
        later, given = NOON + timedelta(hours=1), []
        for one in busy:
            await here_.do(later, one.case_no, Action.CANCEL)
            assert await here_.offer(later) == 1
            given += [
                row
                for row in [await here_.case(w.case_no) for w in waits]
                if row.unit and row.case_no not in {g.case_no for g in given}
            ]
        # T1-V1 cannot dive: the most urgent, which came third, goes first, then who is to dive.
        assert [(one.case_no, one.unit) for one in given] == [
            (waits[2].case_no, busy[0].unit),
            (waits[3].case_no, "T1-V2"),
        ]
        assert given[0].eta_s is not None
        assert (given[0].state, given[0].team, given[0].changed_at) == ("assigned", "T1", later)
        for one in given:
            await here_.do(later, one.case_no, Action.RETURN)
        assert await here_.offer(later) == 2
        assert all([(await here_.case(one.case_no)).unit for one in waits[:2]])

    run(database_url, work)
    passed, figures = verified(database_url)
    assert passed, figures


def test_the_row_is_read_to_its_end(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By pages: those whom nobody free can help hide none of the others."""
    monkeypatch.setattr(offering, "PAGE", 2)

    async def work(engine: AsyncEngine) -> None:
        here_ = await shop(engine)
        busy = {one.unit: one for one in [await here_.report(NOON), await here_.report(NOON)]}
        matters = ["0101", *["0103"] * 5, "0102", "0101"]
        waits = [
            await here_.report(NOON + timedelta(seconds=n), matter=matter) for n, matter in enumerate(matters, start=1)
        ]
        served = []
        for _ in range(3):
            # Car 1 cannot dive.
            await here_.do(NOON, busy["T1-V1"].case_no, Action.CANCEL)
            assert await here_.offer(NOON) == 1
            busy["T1-V1"] = next(row for row in await here_.open() if row.unit == "T1-V1")
            served.append(busy["T1-V1"].case_no)
        assert served == [waits[n].case_no for n in (6, 0, 7)]

    run(database_url, work)


def test_when_a_shift_begins_and_when_the_stand_in_comes(database_url: str) -> None:
    async def work(engine: AsyncEngine) -> None:
        here_ = await shop(engine)
        first, second = await here_.report(HOLIDAY), await here_.report(HOLIDAY, EAST)
        assert [(one.team, one.unit, one.notes) for one in (first, second)] == [
            ("T1", None, ("off_duty",)),
            ("T2", None, ("off_duty",)),
        ]
        assert await here_.offer(HOLIDAY + timedelta(hours=8, minutes=59)) == 0
        at_eight = here("10-05 08:00")
        assert await here_.offer(at_eight) == 1
        stood_in = await here_.case(first.case_no)
        assert (stood_in.team, stood_in.unit) == ("T1", "T2-V1"), "it came first; the responsible team stays"
        assert (await here_.case(second.case_no)).unit is None
        # The holidays are over: T1 goes itself, and T2-V1 is still on its way for it.
        assert await here_.offer(here("10-08 08:00")) == 0
        third = await here_.report(here("10-08 08:01"))
        assert third.unit == "T1-V1"
        await here_.do(here("10-08 08:02"), first.case_no, Action.SUSPEND, until=here("12-01 00:00").date())
        assert await here_.offer(here("10-08 08:02")) == 1
        assert (await here_.case(second.case_no)).unit == "T2-V1"

    run(database_url, work)


def test_who_says_that_it_is_back_is_sent(database_url: str) -> None:
    async def work(engine: AsyncEngine) -> None:
        here_ = await shop(engine)
        for unit in UNITS:
            here_.says(NOON, unit, on_shift=False)
        case = await here_.report(NOON)
        assert case.notes == ("no_unit_free",)
        taken = await here_.do(NOON, case.case_no, Action.ACCEPT)
        assert (taken.state, taken.unit) == ("accepted", None), "it waits all the same"
        assert await here_.offer(NOON) == 0
        here_.says(NOON + timedelta(seconds=1), "T1-V2", on_shift=True)
        assert await here_.offer(NOON) == 1
        found = await here_.case(case.case_no)
        assert (found.state, found.unit) == ("accepted", "T1-V2")

    run(database_url, work)


def test_a_team_with_too_much_to_do_is_said_to_have(database_url: str) -> None:
    made = small()
    teams = {**made.district.teams, "T1": replace(made.district.teams["T1"], max_open=2)}
    rota = Rota((), teams, made.district.units.values(), CALENDAR, made.zone_info)

    async def work(engine: AsyncEngine) -> None:
        here_ = await shop(engine, replace(made, district=replace(made.district, teams=teams, rota=rota)))
        first = [await here_.report(NOON) for _ in range(3)]
        assert [("over_load" in one.notes) for one in first] == [False] * 3, "nobody has counted"
        await here_.reception.count()
        case = await here_.report(NOON)
        assert (case.team, case.notes) == ("T1", ("over_load", "no_unit_free"))
        async with connect(engine) as connection:
            decision = await cases.which_decision(connection, case.case_no)
        assert decision["facts"] == {"open_cases": 3, "max_open": 2}
        told = wording.why(case, decision, made.district, made.district, "zh")["steps"]
        assert "该队伍在办案件 3 件，已超过上限 2 件。" in told
        assert (await here_.report(NOON, EAST)).notes == ()

    run(database_url, work)


# --- once, whoever does it -------------------------------------------------------------------------------------------


def offers(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        query = "SELECT case_no, data #>> '{after,unit}' FROM event WHERE action = 'offer' ORDER BY id"
        return connection.execute(query).fetchall()


def test_several_workers_do_it_once_beside_reports_and_orders(database_url: str) -> None:
    async def work(engine: AsyncEngine) -> None:
        workers = [await shop(engine) for _ in range(3)]
        taken = [await workers[0].report(NOON) for _ in range(2)]
        waits = [await workers[n % 3].report(NOON, matter=["0101", "0102"][n % 2]) for n in range(12)]
        for number in range(6):
            frees = [one.do(NOON, case.case_no, Action.CANCEL) for one, case in zip(workers, taken, strict=False)]
            more = [one.report(NOON) for one in workers] if number == 3 else []
            rounds = [one.offer(NOON) for one in workers]
            reports = await asyncio.gather(*more, *frees, *rounds, return_exceptions=True)
            assert not [one for one in reports if isinstance(one, Exception)], number
            await workers[1].offer(NOON)
            found = [row for row in await workers[0].open() if row.team == "T1"]
            taken = [row for row in found if row.unit]
            assert {row.unit for row in taken} == {"T1-V1", "T1-V2"}
            assert len(taken) == 2
        assert any(case.unit is None for case in waits)

    run(database_url, work)
    told = offers(database_url)
    assert len(told) >= 6
    assert len(set(told)) == len(told)
    passed, figures = verified(database_url)
    assert passed, figures


def test_an_offer_rests_on_the_edition_that_holds(database_url: str, tmp_path: Path) -> None:
    other = folder(tmp_path)
    text = (other / "district.toml").read_text("utf-8")
    (other / "district.toml").write_text(text.replace('edition = "1"', 'edition = "2"'), "utf-8")
    rows = FILES["units.csv"].replace("T1-V1", "T1-V9")
    (other / "units.csv").write_text(rows, encoding="utf-8")

    async def work(engine: AsyncEngine) -> None:
        here_ = await shop(engine)
        busy = [await here_.report(NOON) for _ in range(2)]
        waits = await here_.report(NOON)
        await here_.do(NOON, busy[0].case_no, Action.CANCEL)
        await enact(engine, load(other), NOON, NOON)
        assert await here_.offer(NOON) == 1, "the worker did not know of it before"
        assert (await here_.case(waits.case_no)).unit == "T1-V9"

    run(database_url, work)


# --- whatever happens ------------------------------------------------------------------------------------------------

TIMES: Final = [NOON, NIGHT, HOLIDAY, here("10-05 09:00"), here("03-14 12:00"), here("03-12 08:00")]
STEPS: Final = [
    Action.ACCEPT,
    Action.RETURN,
    Action.SUSPEND,
    Action.CANCEL,
    Action.REASSIGN,
    Action.RESUME,
    Action.ESCALATE,
]
happening = st.one_of(
    st.tuples(st.just("report"), st.sampled_from([WEST, EAST]), st.sampled_from(["0101", "0102", "0103"])),
    st.tuples(st.just("report"), st.just(WEST), st.sampled_from(["0101", "0102", "0103"])),
    st.tuples(st.just("act"), st.integers(0, 30), st.sampled_from(STEPS)),
    st.tuples(st.just("shift"), st.sampled_from(UNITS), st.booleans()),
    st.tuples(st.just("offer"), st.none(), st.none()),
)


WAITS: Final = ("assigned", "accepted")


def helpless(shop_: Shop, found: list[CaseRow], now: datetime) -> list[str]:
    """The cases that wait though somebody could go, by reading them one by one."""
    district, wrong = shop_.editions.current.district, []
    on_a_case = {
        row.unit for row in found if row.unit and row.state in ("assigned", "accepted", "on_the_way", "on_scene")
    }
    for row in found:
        if row.unit or row.state not in WAITS:
            continue
        own, skill = district.rota.crew(row.team, now), district.matters[row.matter].skill
        others = [] if own else district.teams[row.team].stand_in.replace("-", "").split("|")
        crew = set(own).union(*(district.rota.crew(code, now) for code in others if code))
        able = {code for code in crew if not skill or skill in district.units[code].skills}
        free = {code for code in able if code not in on_a_case and shop_.fleet.on_shift(code)}
        wrong += [f"{row.case_no}: {sorted(free)}"] if free else []
    return wrong


@pytest.fixture(scope="module")
def many(postgis: Running) -> Iterator[str]:
    """A database for all that happens; the row is read by twos."""
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE offering TEMPLATE {DATABASE}")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(offering, "PAGE", 2)
        yield postgis.url_of("offering")


async def happen(here_: Shop, what: tuple[Any, ...], now: datetime, number: int) -> None:
    """One of `happening`."""
    match what:
        case ("report", place, matter):
            await here_.report(now, place, matter)
        case ("shift", unit, on_shift):
            here_.says(here("12-01 00:00") + timedelta(seconds=number), unit, on_shift=on_shift)
        case ("offer", _, _):
            await offered(here_, now)
        case (_, which, action):
            found = await here_.open()
            if not found:
                return
            row, given = found[which % len(found)], dict[str, Any]()
            if action is Action.SUSPEND:
                given = {"until": here("12-30 00:00").date()}
            if action is Action.REASSIGN:
                given = {"team": "T2" if row.team == "T1" else "T1"}
            with suppress(errors.ActionNotAllowed, errors.HighestLevel):
                await here_.do(now, row.case_no, action, **given)


async def offered(here_: Shop, now: datetime) -> None:
    """What was offered was right, and nobody was forgotten."""
    before = {row.case_no: row for row in await here_.open()}
    given = await here_.offer(now)
    after = await here_.open()
    assert helpless(here_, after, now) == []
    assert await here_.offer(now) == 0, "all that could be done was done"
    changed = [row for row in after if row.seq != before[row.case_no].seq]
    assert len(changed) == given
    for row in changed:
        was = before[row.case_no]
        assert (was.unit, row.state, row.team, row.seq) == (None, was.state, was.team, was.seq + 1)
        # Of those who wait for the same, who is before it in the row did not go without.
        assert not [
            one.case_no
            for one in after
            if one.unit is None
            and one.state in WAITS
            and (one.team, one.matter) == (row.team, row.matter)
            and (one.received_at, one.case_no) < (row.received_at, row.case_no)
        ]


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(happening, min_size=3, max_size=20), st.lists(st.sampled_from(TIMES), min_size=2, max_size=3))
def test_no_case_waits_while_somebody_could_go(many: str, happens: list[Any], times: list[datetime]) -> None:
    async def work(engine: AsyncEngine) -> None:
        here_ = await shop(engine)
        now = times[0]
        for row in await here_.open():
            await here_.do(now, row.case_no, Action.CANCEL)
        for number, what in enumerate(happens):
            now = times[number * len(times) // len(happens)] + timedelta(seconds=number)
            await happen(here_, what, now, number)
        for at in (*times, now):
            await offered(here_, at)

    run(many, work)


def test_the_record_of_all_that_holds(many: str) -> None:
    passed, figures = verified(many)
    assert passed, figures


# --- over the interface ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(postgis: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that offers when it is woken, and hardly ever by itself; one unit a team, nobody has shifts."""
    made = folder(tmp_path_factory.mktemp("offering"), "matters.csv", "units.csv")
    listed = FILES["units.csv"].replace("T1-V2", "T2-V2").replace("二号车,Car 2,T1", "二号车,Car 2,T2")
    (made / "units.csv").write_text(listed, encoding="utf-8")
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE offering_served TEMPLATE {DATABASE}")
    with worker(postgis.url_of("offering_served"), made, offer_s=3600) as address:
        yield address


@pytest.fixture
def http(served: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served, timeout=60) as client:
        yield client
        for row in client.get("/api/cases", params={"open": True, "limit": 1000}).json()["items"]:
            do(client, row["case"], "cancel", note="清场")


def soon(http: httpx.Client, case: str) -> Json:
    """The case once it has a unit."""
    limit = time.monotonic() + 30
    while (found := whole(http, case))["unit"] is None:
        assert time.monotonic() < limit
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("how", ["handle", "return", "cancel", "suspend", "merge", "reassign"])
def test_who_frees_a_unit_gives_it_to_who_waits(http: httpx.Client, how: str) -> None:
    first, second = opened(http), opened(http, matter="0102")
    assert whole(http, second)["notes"] == ["no_unit_free"]
    assert http.get("/api/counters").json()["waiting"] == 1
    if how == "handle":
        walk(http, first, "accept", "arrive")
    more = {"suspend": {"until": "2099-01-01"}, "merge": {"into": second}, "reassign": {"team": "T2"}}.get(how, {})
    done(do(http, first, how, note="测试", **more))
    found = soon(http, second)
    assert (found["state"], found["team"], found["unit"]) == ("assigned", "T1", "T1-V1")
    last = found["history"][-1]
    assert (last["action"], last["actor"], last["after"]["unit"]) == ("offer", BY, "T1-V1")
    assert last["details"]["units"][0] == {**last["details"]["units"][0], "unit": "T1-V1", "reason": "nearest"}
    assert http.get("/api/counters").json()["waiting"] == 0
    told = http.get(f"/api/cases/{second}/why").json()
    assert "此后由一号车出动，见处理过程。" in told["zh"]["steps"]
    assert "Since then Car 1 goes; see its history." in told["en"]["steps"]
    assert refused(do(http, second, "accept", seq=1)) == (409, "case_moved_on"), "it looked at a case that waits"
    assert refused(do(http, second, "offer"))[0] == 422, "nobody orders it"


def test_who_comes_back_on_shift_is_given_what_waits(http: httpx.Client) -> None:
    def say(on_shift: bool) -> None:
        done(http.put("/api/units/T1-V1/position", json={**WEST, "on_shift": on_shift}))

    say(False)
    case = opened(http)
    time.sleep(0.3)
    assert whole(http, case)["unit"] is None
    say(True)
    assert soon(http, case)["unit"] == "T1-V1"
    unit = http.get("/api/units/T1-V1").json()
    assert (unit["on_shift"], unit["on_duty"], unit["case"]) == (True, True, case)
    team = http.get("/api/teams").json()["items"][0]
    assert (team["max_open"], team["over_load"], team["stand_in"]) == (None, False, [])


def test_the_task_looks_by_itself_too(database_url: str) -> None:
    """Nobody wakes it: what a shift's beginning brings, it finds."""

    async def work(engine: AsyncEngine) -> None:
        here_, told = await shop(engine, everybody()), asyncio.Event()
        for unit in UNITS:
            here_.says(NOON, unit, on_shift=False)
        case = await here_.report(datetime.now(UTC))
        task = asyncio.create_task(Offering(engine, here_.editions, here_.fleet, 0.05, told.set).run())
        try:
            await asyncio.sleep(0.2)
            assert not told.is_set()
            here_.says(datetime.now(UTC), "T1-V1", on_shift=True)
            async with asyncio.timeout(30):
                await told.wait()
            assert (await here_.case(case.case_no)).unit == "T1-V1"
        finally:
            task.cancel()

    run(database_url, work)
