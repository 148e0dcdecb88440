"""A worker that has not noticed a new edition yet: what it decides, and what it refuses, is decided by the new one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import httpx
import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import desk, district, editions, lifecycle
from dispatch.editions import Editions
from dispatch.fleet import Fleet
from dispatch.ground import Ground, prepare
from dispatch.intake import Draft
from dispatch.model import Action, State
from dispatch.reception import Reception
from dispatch.relocation import Pin
from dispatch.store.engine import migrate, open_engine
from tests.small_district import feature, square, write_features
from tests.test_editions import CUT, body, edition, worker

Json = dict[str, Any]
WEST, EAST = {"lon": 120.02, "lat": 30.05}, {"lon": 120.09, "lat": 30.05}


def alter(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return edition(tmp_path_factory.mktemp("editions") / "before", "before", CUT["west"])


@pytest.fixture(scope="module")
def ground(before: Path) -> Ground:
    return prepare(district.load(before))


def changed(folder: Path) -> Path:
    """The team of the east is another one, with another car; the west has changed its car."""
    edition(folder, "after", CUT["west"])
    for file in ("teams.csv", "units.csv", "townships.geojson"):
        alter(folder, file, "T2", "T3")
    alter(folder, "units.csv", "T1-V1", "T1-V9")
    return folder


@pytest.fixture(scope="module")
def after(before: Path) -> Path:
    return changed(before.with_name("after"))


@pytest.fixture
def http(database_url: str, before: Path, ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """Of a worker on the edition before that no call reaches."""
    monkeypatch.setattr("web.live.ENACTED", "onegrid_nobody_calls")
    with worker(database_url, before, ground) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def enact(url: str, folder: Path, since: timedelta = timedelta(days=-2)) -> str:
    """As `grids load` does in a process of its own; its version."""
    given, now = district.load(folder), datetime.now(UTC)

    async def run() -> None:
        engine = open_engine(url, 1)
        try:
            assert await editions.enact(engine, given, now + since, now)
        finally:
            await engine.dispose()

    anyio.run(run)
    return given.version


def opened(http: httpx.Client, **more: object) -> Json:
    answer = http.post("/api/reports", json=body(**more))
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


def do(http: httpx.Client, case: str, action: str, **more: object) -> httpx.Response:
    return http.post(f"/api/cases/{case}/actions", json={"id": str(uuid4()), "action": action, "note": "测试", **more})


def done(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def known_editions(http: httpx.Client) -> int:
    return len(http.get("/api/editions").json()["items"])


def last_event(url: str, case: str) -> Json:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        query = "SELECT data FROM event WHERE case_no = %s ORDER BY seq DESC LIMIT 1"
        row = connection.execute(query, [case]).fetchone()
    assert row is not None
    found: Json = row[0]
    return found


def test_no_case_goes_to_a_team_that_is_no_more(http: httpx.Client, database_url: str, after: Path) -> None:
    case = opened(http, **WEST)["case"]
    enact(database_url, after)
    refused = do(http, case, "reassign", team="T2")
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_team")
    assert http.get(f"/api/cases/{case}").json()["seq"] == 1, "nothing was written"


def test_a_team_that_is_new_is_not_refused(http: httpx.Client, database_url: str, after: Path) -> None:
    case = opened(http, **WEST)["case"]
    version = enact(database_url, after)
    moved = done(do(http, case, "reassign", team="T3"))
    assert (moved["team"], moved["unit"]) == ("T3", "T3-V1")
    assert last_event(database_url, case)["version"] == version, "the event names the edition that it rests on"


def test_the_nearest_of_a_team_is_of_today(http: httpx.Client, database_url: str, after: Path) -> None:
    case = opened(http, **EAST)["case"]
    enact(database_url, after)
    assert done(do(http, case, "reassign", team="T1"))["unit"] == "T1-V9"


def test_who_is_named_is_of_today(http: httpx.Client, database_url: str, after: Path) -> None:
    case = opened(http, **EAST)["case"]
    enact(database_url, after)
    refused = do(http, case, "reassign", team="T1", unit="T1-V1")
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_unit")
    assert done(do(http, case, "reassign", team="T1", unit="T1-V9"))["unit"] == "T1-V9"


@pytest.mark.parametrize("unit", ["", "T1-V9"])
def test_who_accepts_a_case_that_waits_is_of_today(
    http: httpx.Client, database_url: str, after: Path, unit: str
) -> None:
    first, waits = opened(http, **WEST), opened(http, **WEST)
    assert (first["unit"]["code"], waits["unit"]) == ("T1-V1", None)
    done(do(http, first["case"], "return"))
    enact(database_url, after)
    assert done(do(http, waits["case"], "accept", unit=unit))["unit"] == "T1-V9"


def test_who_is_no_more_does_not_accept(http: httpx.Client, database_url: str, after: Path) -> None:
    first, waits = opened(http, **WEST), opened(http, **WEST)
    done(do(http, first["case"], "return"))
    enact(database_url, after)
    refused = do(http, waits["case"], "accept", unit="T1-V1")
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_unit")


def test_a_corrected_place_is_decided_as_it_was_seen_and_sent_a_unit_of_today(
    http: httpx.Client, database_url: str, before: Path, after: Path
) -> None:
    """As a report that comes late: the team of its time, in which the units are that it has now."""
    case = opened(http, **EAST)["case"]
    enact(database_url, after, timedelta(seconds=0))
    moved = done(do(http, case, "relocate", **WEST))
    assert (moved["team"], moved["unit"], moved["mode"]) == ("T1", "T1-V9", "vehicle")
    decision = http.get(f"/api/cases/{case}").json()["decision"]
    assert decision["version"] == district.load(before).version


def test_a_place_that_only_the_new_edition_has_is_not_refused(
    http: httpx.Client, database_url: str, tmp_path: Path
) -> None:
    after = changed(tmp_path / "after")
    write_features(after / "district.geojson", feature(square(120, 30, 120.2, 30.1), code="990001", name="小区"))
    write_features(
        after / "townships.geojson",
        feature(square(120, 30, 120.05, 30.1), code="990001001", name="西镇", team="T1"),
        feature(square(120.05, 30, 120.2, 30.1), code="990001002", name="东镇", team="T3"),
    )
    case = opened(http, **EAST)["case"]
    version = enact(database_url, after)
    assert done(do(http, case, "relocate", lon=120.15, lat=30.05))["team"] == "T3"
    assert http.get(f"/api/cases/{case}").json()["decision"]["version"] == version


def test_what_any_edition_would_do_is_done_without_looking(http: httpx.Client, database_url: str, after: Path) -> None:
    """They keep what the case has, or set it free: nothing of it is asked of an edition."""
    case = opened(http, **WEST)["case"]
    enact(database_url, after)
    for action, unit in (("accept", "T1-V1"), ("arrive", "T1-V1"), ("handle", "T1-V1"), ("close", "T1-V1")):
        moved = done(do(http, case, action))
        assert (moved["team"], moved["unit"], moved["mode"]) == ("T1", unit, "vehicle")
        assert "version" not in last_event(database_url, case)
    assert known_editions(http) == 1, "it still knows of nothing"
    refused = do(http, case, "arrive")
    assert refused.status_code == 409
    assert known_editions(http) == 1


def test_every_action_is_told_apart() -> None:
    """A new action is put to one side or the other, by whoever adds it."""
    assert {*lifecycle.RESTS_ON_EDITION, *lifecycle.OF_ANY_EDITION} == set(Action)
    assert not lifecycle.RESTS_ON_EDITION & lifecycle.OF_ANY_EDITION
    led = [t for t in lifecycle.TRANSITIONS if t.source is not t.target]
    targets = {t.target for t in led if t.action in lifecycle.OF_ANY_EDITION}
    assert State.ASSIGNED not in targets


def slow(monkeypatch: pytest.MonkeyPatch, ready: threading.Event) -> None:
    """Grounds are made no sooner than `ready` is set."""

    def waits(*given: Any) -> Ground:
        assert ready.wait(30)
        return prepare(*given)

    monkeypatch.setattr("dispatch.editions.prepare", waits)


def test_an_edition_that_begins_before_it_is_ready_is_waited_for(
    database_url: str, before: Path, after: Path, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker knows that it holds: to go on by the one before because that is at hand would be wrong."""
    ready = threading.Event()
    with worker(database_url, before, ground) as address, httpx.Client(base_url=address, timeout=60) as http:
        case = opened(http, **WEST)["case"]
        slow(monkeypatch, ready)
        enact(database_url, after, timedelta(seconds=2))
        time.sleep(2.5)
        later = threading.Timer(0.5, ready.set)
        later.start()
        assert done(do(http, case, "reassign", team="T3"))["team"] == "T3"
        later.join()


def test_a_report_of_a_matter_that_only_the_new_edition_has(
    http: httpx.Client, database_url: str, tmp_path: Path
) -> None:
    version = enact(database_url, with_a_matter_more(tmp_path / "after"))
    assert opened(http, **WEST, matter="0102")["decision"]["version"] == version


def test_a_row_of_a_matter_that_only_the_new_edition_has(http: httpx.Client, database_url: str, tmp_path: Path) -> None:
    enact(database_url, with_a_matter_more(tmp_path / "after"))
    sheet = f"lon,lat,matter\n{WEST['lon']},{WEST['lat']},0102\n"
    answer = http.post("/api/reports/batch", content=sheet, headers={"Content-Type": "text/csv"}).json()
    assert (answer["accepted"], answer["rejected"]) == (1, [])


def with_a_matter_more(folder: Path) -> Path:
    matters = changed(folder) / "matters.csv"
    matters.write_text(matters.read_text("utf-8") + "0102,占道,Obstruction,D1,,3,72,false\n", "utf-8")
    return folder


def test_a_report_is_sent_a_unit_of_an_edition_that_begins_before_it_is_ready(
    database_url: str, before: Path, after: Path, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = threading.Event()
    with worker(database_url, before, ground) as address, httpx.Client(base_url=address, timeout=60) as http:
        early = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        slow(monkeypatch, ready)
        enact(database_url, after, timedelta(seconds=2))
        time.sleep(2.5)
        later = threading.Timer(0.5, ready.set)
        later.start()
        assert opened(http, **WEST, seen_at=early)["unit"]["code"] == "T1-V9"
        later.join()


def test_nobody_who_waits_for_an_edition_keeps_a_connection(database_url: str, after: Path, ground: Ground) -> None:
    """To make its ground ready takes one: were they all kept by those who wait for it, all would fail."""

    async def run() -> None:
        engine = open_engine(database_url, 2)
        try:
            await migrate(engine)
            now = datetime.now(UTC)
            old = await started(engine, ground, now - timedelta(hours=2))
            reception = Reception(engine, old, fleet_of(old), 30)
            drafts = [Draft(id=uuid4(), matter="0101", **WEST) for _ in range(4)]
            cases = [(await reception.receive(one, now)).case.case_no for one in drafts]
            await editions.enact(engine, district.load(after), datetime.now(UTC), now)
            new = await started(engine, prepare(district.load(after)), now)
            orders = [
                desk.Order(uuid4(), case, Action.RELOCATE, "", pin=Pin(EAST["lon"], EAST["lat"])) for case in cases
            ]
            moved = await asyncio.gather(*(desk.act(engine, new, fleet_of(new), one, now) for one in orders))
            assert {one.team for one in moved} == {"T2"}
        finally:
            await engine.dispose()

    anyio.run(run)


async def started(engine: AsyncEngine, ground: Ground, now: datetime) -> Editions:
    made = Editions(engine, ground)
    await made.start(now)
    return made


def fleet_of(made: Editions) -> Fleet:
    return Fleet(made.current.district, timedelta(minutes=2))
