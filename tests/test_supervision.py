"""What runs in the background of a worker: over a change of edition, when it fails, and when the server stops."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch.fleet import Fleet
from dispatch.store import positions
from tests.test_editions import CUT, edition, grids, worker
from tests.test_positions import Following, until
from web.supervision import PAUSE_S, STEADY_S, Supervision

HERE = {"lon": 120.03, "lat": 30.04}


def with_units(folder: Path, *codes: str) -> Path:
    """Cars of T1."""
    table = folder / "units.csv"
    header, row, *others = table.read_text("utf-8").splitlines()
    table.write_text("\n".join([header, *(row.replace("T1-V1", code) for code in codes), *others]), "utf-8")
    return folder


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return with_units(edition(tmp_path / "before", "before", CUT["west"]), "T1-V1", "T1-V2", "T1-V3")


@pytest.fixture
def after(tmp_path: Path) -> Path:
    return with_units(edition(tmp_path / "after", "after", CUT["east"]), "T1-V1")


@contextmanager
def streaming(address: str, codes: list[str]) -> Iterator[Counter[str]]:
    """Positions of the units without a pause, and meanwhile all that asks where units are; how each was answered."""
    told: Counter[str] = Counter()
    stop = threading.Event()

    def send(code: str) -> None:
        n = 0
        with httpx.Client(base_url=address, timeout=60) as client:
            while not stop.is_set():
                n += 1
                answer = client.put(f"/api/units/{code}/position", json={**HERE, "lon": 120.03 + n % 50 / 5000})
                told[f"put {code} {answer.json().get('code') or answer.status_code}"] += 1
                for path in (f"/api/units/{code}", "/api/units"):
                    found = client.get(path)
                    told[f"get {found.json().get('code') if found.is_error else found.status_code}"] += found.is_error

    senders = [threading.Thread(target=send, args=(code,)) for code in codes]
    for sender in senders:
        sender.start()
    try:
        yield told
    finally:
        stop.set()
        for sender in senders:
            sender.join()


def test_an_edition_that_drops_units_does_not_stop_the_positions(
    database_url: str, before: Path, after: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with worker(database_url, before) as address, httpx.Client(base_url=address, timeout=60) as client:
        ear = Following(address)
        for _ in range(2):
            with streaming(address, ["T1-V1", "T1-V2", "T1-V3"]) as told:
                time.sleep(0.7)
                assert ear.where("T1-V2")
                version = grids(database_url, "load", after, "--from", datetime.now(UTC).isoformat())["version"]
                until(lambda: client.get("/api/district").json()["version"] == version)  # noqa: B023
                until(lambda: client.get("/api/units/T1-V2").status_code == 404)
                time.sleep(0.7)
            assert set(told) <= {
                *(f"put {code} 200" for code in ("T1-V1", "T1-V2", "T1-V3")),
                *(f"put {code} unit_not_listed" for code in ("T1-V2", "T1-V3")),
                "get 200",
                "get unit_not_listed",
            }
            assert told["put T1-V2 unit_not_listed"] > 0
            assert client.put("/api/units/T1-V1/position", json={**HERE, "lon": 120.021}).json()["fate"] == "taken"
            until(lambda: ear.where("T1-V1")[-1]["lon"] == 120.021)
            assert client.get("/api/health").json()["status"] == "ok"
            grids(database_url, "load", before, "--from", datetime.now(UTC).isoformat())
            until(lambda: client.get("/api/units/T1-V2").status_code == 200)
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []


def test_a_part_that_fails_is_told_and_started_again(
    database_url: str, before: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = positions.put_positions

    async def slow(*given: Any) -> Any:
        await asyncio.sleep(60)
        return await written(*given)

    def broken(*_: object) -> list[str]:
        raise RuntimeError("broken")

    with worker(database_url, before) as address, httpx.Client(base_url=address, timeout=60) as client:

        def put(lon: float) -> tuple[int, Any]:
            answer = client.put("/api/units/T1-V1/position", json={**HERE, "lon": lon})
            return answer.status_code, answer.json().get("code")

        assert put(120.02) == (200, None)
        with monkeypatch.context() as patched:
            patched.setattr(positions, "put_positions", slow)
            waiting: list[tuple[int, Any]] = []
            sender = threading.Thread(target=lambda: waiting.append(put(120.03)))
            sender.start()
            time.sleep(0.3)
            patched.setattr(Fleet, "expire", broken)
            until(lambda: client.get("/api/health").status_code == 503)
            sender.join(60)
            assert waiting == [(503, "part_stopped")]
            for _ in range(10):  # it fails again and again, and at no time is that called well
                health = client.get("/api/health")
                assert (health.json()["code"], health.json()["where"]) == ("part_stopped", {"parts": ["positions"]})
                assert health.headers["Retry-After"]
                assert put(120.03) == (503, "part_stopped")
                time.sleep(0.15)
        until(lambda: client.get("/api/health").status_code == 200)
        assert put(120.04) == (200, None)
        assert client.get("/api/units/T1-V1").json()["lon"] == 120.04
    critical = [one for one in caplog.records if one.levelno == logging.CRITICAL]
    assert critical
    assert {one.name for one in critical} == {"web.supervision"}
    assert all(one.exc_info for one in critical)


def test_a_server_that_stops_ends_the_live_streams_and_leaves_no_traceback(
    database_url: str, before: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    disposed: list[bool] = []
    dispose = AsyncEngine.dispose

    async def counted(engine: AsyncEngine, close: bool = True) -> None:
        disposed.append(close)
        await dispose(engine, close)

    monkeypatch.setattr(AsyncEngine, "dispose", counted)
    with worker(database_url, before) as address:
        ears = [Following(address), Following(address)]
        assert all(ear.frames for ear in ears)
        disposed.clear()  # the engine that migrated
    assert disposed == [True]
    said = capsys.readouterr().err
    assert "Cancel 2 running task(s)" in said
    assert "Traceback" not in said


async def come(true: Callable[[], bool]) -> None:
    for _ in range(6000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


def test_what_ends_is_run_anew_until_it_is_stopped(caplog: pytest.LogCaptureFixture) -> None:
    async def day() -> None:
        parts, runs, ended = Supervision(), Counter[str](), []

        async def once() -> None:
            runs["once"] += 1
            raise ValueError

        async def ends() -> None:
            runs["ends"] += 1

        async def breaks() -> None:
            runs["breaks"] += 1
            if runs["breaks"] == 1:
                raise ExceptionGroup("several", [KeyError("gone")])
            await asyncio.sleep(60)

        async def lasts() -> None:
            runs["lasts"] += 1
            try:
                await asyncio.sleep(60)
            finally:
                ended.append("lasts")

        parts.once("once", once)
        for name, work in {"ends": ends, "breaks": breaks, "lasts": lasts}.items():
            parts.keep(name, work)
        await come(lambda: parts.down == ["breaks", "ends"])
        await come(lambda: parts.down == ["ends"] and runs["ends"] >= 3)
        await parts.stop()
        assert ended == ["lasts"]
        ran.update(runs)

    ran: Counter[str] = Counter()
    began = time.monotonic()
    anyio.run(day)
    took = time.monotonic() - began
    assert took >= PAUSE_S + STEADY_S
    assert ran["ends"] <= 1 + took / PAUSE_S, "each time after a pause"
    assert ran == {"once": 1, "ends": ran["ends"], "breaks": 2, "lasts": 1}
    levels = Counter(
        (one.levelname, one.getMessage().split()[0]) for one in caplog.records if one.name == "web.supervision"
    )
    assert levels == {("CRITICAL", "ends"): ran["ends"], ("CRITICAL", "breaks"): 1, ("ERROR", "once"): 1}
