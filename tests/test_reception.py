"""Reports that come together: written together, each with its own answer, nothing half."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import anyio
import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import district, errors
from dispatch.editions import Editions
from dispatch.fleet import Fleet, Known, Position
from dispatch.ground import prepare
from dispatch.intake import Draft
from dispatch.reception import TOGETHER, Received, Reception
from dispatch.store import moves
from dispatch.store.engine import migrate, open_engine
from tests.sample import ground
from tests.small_district import write_small_district

T = TypeVar("T")


def made(work: Callable[[AsyncEngine], Awaitable[T]], url: str) -> T:
    """`work` with an engine on the migrated database."""

    async def run() -> T:
        engine = open_engine(url, 4)
        try:
            await migrate(engine)
            return await work(engine)
        finally:
            await engine.dispose()

    return anyio.run(run)


def drafts(count: int, **more: Any) -> list[Draft]:
    zones = ground().locator.layers["grid"].zones
    places = [zones[number % len(zones)].geometry.representative_point() for number in range(count)]
    codes = list(ground().district.matters)
    return [
        Draft(**{"id": uuid4(), "lon": at.x, "lat": at.y, "matter": codes[n % len(codes)], "text": f"第 {n} 件"} | more)
        for n, at in enumerate(places)
    ]


async def all_of(reception: Reception, sent: list[Draft]) -> list[Received | BaseException]:
    now = datetime.now(UTC)
    return await asyncio.gather(*(reception.receive(one, now) for one in sent), return_exceptions=True)


async def desk(engine: AsyncEngine) -> Reception:
    """Of a worker of its own."""
    now = datetime.now(UTC)
    editions = Editions(engine, ground())
    await editions.start(now)
    return Reception(engine, editions, Fleet(ground().district, timedelta(minutes=2)), 30)


async def all_at(engine: AsyncEngine, sent: list[Draft]) -> list[Received | BaseException]:
    return await all_of(await desk(engine), sent)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(query).fetchall()


COUNTS = "SELECT (SELECT count(*) FROM report), (SELECT count(*) FROM case_file), (SELECT count(*) FROM event)"


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many reports each statement was given."""
    seen: list[int] = []
    real = moves.open_cases

    async def counted(connection: Any, openings: Any, assumed: Any) -> Any:
        seen.append(len(openings))
        return await real(connection, openings, assumed)

    with monkeypatch.context() as patched:
        patched.setattr(moves, "open_cases", counted)
        yield seen


def test_a_crowd_is_written_in_groups_in_its_order(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = drafts(2 * TOGETHER + 10)
    with statements(monkeypatch) as seen:
        answers = made(lambda engine: all_at(engine, sent), database_url)
    assert seen == [TOGETHER, TOGETHER, 10]
    numbers = [answer.case.case_no for answer in answers if isinstance(answer, Received)]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == len(sent)
    assert rows(database_url, COUNTS) == [(len(sent),) * 3]
    found = dict(rows(database_url, "SELECT report_id, case_no FROM case_file"))
    assert [found[one.id] for one in sent] == numbers


def test_one_alone_waits_for_nobody(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def one_by_one(engine: AsyncEngine) -> None:
        reception = await desk(engine)
        for draft in drafts(3):
            await reception.receive(draft, datetime.now(UTC))

    with statements(monkeypatch) as seen:
        made(one_by_one, database_url)
    assert seen == [1, 1, 1]


def test_each_of_a_group_has_its_own_answer(database_url: str) -> None:
    """Among good ones: known, in conflict, the same twice, an id that is an action's, outside, a photo not here."""
    first = drafts(4)
    action = uuid4()
    good = drafts(12)
    known, clash = first[0], first[1].model_copy(update={"text": "别的"})
    taken = drafts(1, id=action)[0]
    outside = drafts(1)[0].model_copy(update={"lon": 1.0})
    photo = drafts(1, photos=["0" * 64])[0]
    sent = [*good[:4], known, clash, *good[4:8], good[0], taken, outside, photo, *good[8:]]

    async def both(engine: AsyncEngine) -> list[Received | BaseException]:
        reception = await desk(engine)
        opened = await all_of(reception, first)
        assert isinstance(opened[2], Received)
        _act(database_url, opened[2].case.case_no, action)
        return await all_of(reception, sent)

    answers = dict(zip((id(one) for one in sent), made(both, database_url), strict=False))
    by_place = [answers[id(one)] for one in sent]
    for place, answer in enumerate(by_place):
        if sent[place] in good and place != 10:
            assert isinstance(answer, Received), place
    assert isinstance(by_place[4], Received)
    assert by_place[4].known
    assert [type(by_place[place]) for place in (5, 11, 12, 13)] == [
        errors.ReportConflicts,
        errors.ReportConflicts,
        errors.OutsideDistrict,
        errors.UnknownPhoto,
    ]
    assert rows(database_url, COUNTS) == [(16, 16, 17)]


def _act(url: str, case: str, action: UUID) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(
            "INSERT INTO event (action_id, case_no, seq, at, action, actor, data, prev, sealed) "
            "VALUES (%s, %s, 2, now(), 'accept', 'x', '{}', 'x', 'x')",
            (action, case),
        )


def test_the_same_report_many_times_is_one_case(database_url: str) -> None:
    sent = drafts(1) * 20
    answers = made(lambda engine: all_at(engine, sent), database_url)
    received = [answer for answer in answers if isinstance(answer, Received)]
    assert len(received) == 20
    assert sum(not answer.known for answer in received) == 1
    assert len({answer.case.case_no for answer in received}) == 1


def test_workers_that_write_at_once_neither_wait_in_a_ring_nor_share_a_unit(database_url: str) -> None:
    """Both get the same reports, in opposite orders, and want the same units."""
    rounds = [drafts(TOGETHER) for _ in range(6)]

    async def both_at_once(engine: AsyncEngine) -> list[list[Received | BaseException]]:
        one, other = await desk(engine), await desk(engine)
        found: list[list[Received | BaseException]] = []
        for sent in rounds:
            with _locked(database_url):
                writing = asyncio.gather(all_of(one, sent), all_of(other, sent[::-1]))
                await asyncio.sleep(0.3)  # until both statements stand at the gate
            found += await writing
        return found

    for answers in made(both_at_once, database_url):
        assert [answer for answer in answers if not isinstance(answer, Received)] == []
    assert rows(database_url, COUNTS) == [(6 * TOGETHER,) * 3]
    units = [row[0] for row in rows(database_url, "SELECT unit FROM case_file WHERE unit IS NOT NULL")]
    assert len(units) == len(set(units)) > 5
    deadlocks = rows(database_url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert deadlocks == [(0,)]


def test_what_was_believed_of_the_units_is_corrected(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second worker knows of no unit that is on a case: it is told, decides again, and then it knows."""

    async def one_after_the_other(engine: AsyncEngine) -> list[Received | BaseException]:
        await all_of(await desk(engine), drafts(TOGETHER))
        late = await desk(engine)
        return [*await all_of(late, drafts(TOGETHER)), *await all_of(late, drafts(TOGETHER))]

    with statements(monkeypatch) as seen:
        answers = made(one_after_the_other, database_url)
    assert seen == [TOGETHER] * 4  # one of them in vain
    assert all(isinstance(answer, Received) for answer in answers)


def test_what_goes_wrong_for_one_is_not_the_others_answer(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that no table can keep, which no client should get this far."""
    sent = drafts(9)
    sent[4] = sent[4].model_copy(update={"text": "\x00"})
    answers = made(lambda engine: all_at(engine, sent), database_url)
    assert isinstance(answers[4], psycopg.DataError)
    assert [place for place, answer in enumerate(answers) if not isinstance(answer, Received)] == [4]
    assert rows(database_url, COUNTS) == [(8, 8, 8)]


def test_a_broken_connection_is_told_to_all_and_their_retry_makes_one_case(database_url: str) -> None:
    sent = drafts(20)

    async def broken(engine: AsyncEngine) -> tuple[list[Received | BaseException], list[Received | BaseException]]:
        reception = await desk(engine)
        await all_of(reception, drafts(3))
        asyncio.get_running_loop().call_later(0.05, _end_all, database_url)
        with _locked(database_url):
            lost = await all_of(reception, sent)
        return lost, await all_of(reception, sent)

    lost, again = made(broken, database_url)
    assert {type(answer) for answer in lost} == {errors.DatabaseUnavailable}
    assert all(isinstance(answer, Received) and not answer.known for answer in again)
    assert rows(database_url, COUNTS) == [(23, 23, 23)]


@contextmanager
def _locked(url: str) -> Iterator[None]:
    """Nobody writes reports meanwhile."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SET application_name = 'holder'")
        connection.execute("LOCK TABLE report IN EXCLUSIVE MODE")
        yield


def _end_all(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND application_name <> 'holder'"
        )


@pytest.mark.parametrize("seed", range(3))
def test_of_a_large_team_the_nearest_who_is_truly_free_is_sent(database_url: str, tmp_path: Path, seed: int) -> None:
    """Against the obvious: of those who are on no case, whoever is quickest. Meanwhile cases are returned, and nobody
    tells this worker."""
    folder = write_small_district(tmp_path / "large")
    header, row, *others = (folder / "units.csv").read_text("utf-8").splitlines()
    codes = [f"T1-V{n:02d}" for n in range(60)]
    (folder / "units.csv").write_text(
        "\n".join([header, *(row.replace("T1-V1", one) for one in codes), *others]), "utf-8"
    )
    large = prepare(district.load(folder))
    chance = random.Random(seed)
    now = datetime.now(UTC)
    places = {code: (chance.uniform(120.001, 120.049), chance.uniform(30.001, 30.099)) for code in codes}
    fleet = Fleet(large.district, timedelta(minutes=10))
    fleet.learn((Known(at, at) for at in (Position(code, *xy, now) for code, xy in places.items())), now)

    def quickest(lon: float, lat: float, free: Collection[str]) -> str | None:
        legs = large.travel.legs("vehicle", {code: places[code] for code in free}, lon, lat)
        return min(((leg.seconds, code) for code, leg in legs.items() if leg), default=(0.0, None))[1]

    async def day(engine: AsyncEngine) -> None:
        editions = Editions(engine, large)
        await editions.start(now)
        reception = Reception(engine, editions, fleet, 30)
        on_case: dict[str, str] = {}
        for _ in range(40):
            spot = chance.uniform(120.005, 120.045), chance.uniform(30.005, 30.095)
            sent = [Draft(id=uuid4(), lon=spot[0], lat=spot[1], matter="0101") for _ in range(chance.randint(1, 9))]
            answers = [one for one in await all_of(reception, sent) if isinstance(one, Received)]
            assert len(answers) == len(sent)
            for one in sorted(answers, key=lambda one: one.case.case_no):
                assert one.case.unit == quickest(*spot, [code for code in codes if code not in on_case.values()])
                if one.case.unit:
                    on_case[one.case.case_no] = one.case.unit
            back = chance.sample(sorted(on_case), min(len(on_case), chance.randint(0, 8)))
            with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
                connection.execute("UPDATE case_file SET state = 'returned' WHERE case_no = ANY(%s)", (back,))
            on_case = {case: unit for case, unit in on_case.items() if case not in back}

    made(day, database_url)
