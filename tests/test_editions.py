"""Boundaries change while reports come: nothing is lost, refused, or decided by the wrong edition or by half of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
import uvicorn
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from typer.testing import CliRunner

from dispatch import district
from dispatch.cli import app
from dispatch.duties import refuse_if_unproved
from dispatch.errors import BrokenDistrict
from dispatch.ground import Ground, prepare
from dispatch.settings import Settings
from dispatch.store.engine import MIGRATIONS
from tests.small_district import feature, square, write_features, write_small_district
from web.app import create

CUT = {"west": 120.05, "east": 120.08}
"""Where the border between the two townships runs, before and after."""


def edition(folder: Path, name: str, cut: float) -> Path:
    write_small_district(folder)
    manifest = folder / "district.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('edition = "1"', f'edition = "{name}"'), "utf-8")
    write_features(
        folder / "townships.geojson",
        feature(square(120, 30, cut, 30.1), code="990001001", name="西镇", team="T1"),
        feature(square(cut, 30, 120.1, 30.1), code="990001002", name="东镇", team="T2"),
    )
    return folder


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return edition(tmp_path / "before", "before", CUT["west"])


@pytest.fixture
def after(tmp_path: Path) -> Path:
    return edition(tmp_path / "after", "after", CUT["east"])


@contextmanager
def worker(url: str, folder: Path, ground: Ground | None = None, offer_s: float = 0) -> Iterator[str]:
    """A server of its own on the folder, or on what was made of it; with `offer_s` it gives units to who waits."""
    settings = Settings(database_url=url, district=folder, data_dir=folder.parent / "data", offer_s=offer_s)
    made = create(settings, ground or prepare(district.load(folder)))
    server = uvicorn.Server(uvicorn.Config(made, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    limit = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < limit
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def environment(url: str, folder: Path) -> dict[str, str]:
    return {"ONEGRID_DATABASE_URL": url, "ONEGRID_DATA_DIR": str(folder.parent / "data")}


def grids(url: str, *arguments: object) -> dict[str, Any]:
    folder = next((one for one in arguments if isinstance(one, Path)), Path(tempfile.gettempdir(), "none"))
    done = CliRunner().invoke(app, ["grids", *map(str, arguments), "--json"], env=environment(url, folder))
    assert done.exit_code == 0, (done.output, done.exception)
    figures: dict[str, Any] = json.loads(done.stdout)["figures"]
    return figures


def body(**more: object) -> dict[str, object]:
    """A report in the strip that goes from one township to the other."""
    return {"id": str(uuid4()), "lon": 120.065, "lat": 30.05, "accuracy_m": 5, "matter": "0101", **more}


def decided(url: str) -> list[tuple[str, str, datetime]]:
    """Version, team and the moment that chose the edition, of each case."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        rows = connection.execute(
            """SELECT e.data->'decision'->>'version', e.data->'decision'->>'team', least(r.seen_at, r.received_at)
               FROM event e JOIN case_file c USING (case_no) JOIN report r ON r.id = c.report_id WHERE e.seq = 1"""
        )
        return [(version, team, at) for version, team, at in rows]


def test_an_edition_is_taken_over_under_load_by_all_workers(database_url: str, before: Path, after: Path) -> None:
    versions = {"T1": district.load(after).version, "T2": district.load(before).version}
    sent: Counter[int] = Counter()
    stop = threading.Event()

    slowest = [0.0]

    def send(address: str) -> None:
        with httpx.Client(base_url=address, timeout=60) as client:
            while not stop.is_set():
                began = time.monotonic()
                sent[client.post("/api/reports", json=body()).status_code] += 1
                slowest.append(time.monotonic() - began)

    with worker(database_url, before) as one, worker(database_url, before) as two:
        senders = [threading.Thread(target=send, args=(address,)) for address in (one, two, one, two)]
        for sender in senders:
            sender.start()
        time.sleep(1)
        holds_from = datetime.now(UTC) + timedelta(seconds=15)  # of which proving it takes a third where it is slow
        told = grids(database_url, "load", after, "--from", holds_from.isoformat())
        left = (holds_from - datetime.now(UTC)).total_seconds()
        assert left > 0, "it is proved and enacted before it holds"
        time.sleep(left + 2)
        stop.set()
        for sender in senders:
            sender.join()
        for address in (one, two):
            found = httpx.get(f"{address}/api/editions", timeout=60).json()["items"]
            assert [item["in_force"] for item in found] == [False, True]
            assert httpx.get(f"{address}/api/district", timeout=60).json()["version"] == told["version"]
    rows = decided(database_url)
    assert set(sent) == {201}
    assert len(rows) == sent[201] > 50
    for version, team, at in rows:
        assert version == (versions["T1"] if at >= holds_from else versions["T2"])
        assert versions[team] == version
    assert len({version for version, _, _ in rows}) == 2
    print(
        f"{len(rows)} reports over the change, none lost, refused or decided by the other edition; "
        f"the slowest took {max(slowest):.2f} s"
    )


def test_a_worker_that_was_not_told_notices_by_the_first_report(
    database_url: str, before: Path, after: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.live.ENACTED", "onegrid_nobody_calls")  # as if the call were lost
    with worker(database_url, before) as address, httpx.Client(base_url=address, timeout=60) as client:
        assert client.post("/api/reports", json=body()).json()["team"]["code"] == "T2"
        grids(database_url, "load", after, "--from", (datetime.now(UTC) - timedelta(minutes=5)).isoformat())
        answer = client.post("/api/reports", json=body()).json()
        assert (answer["team"]["code"], answer["decision"]["version"]) == ("T1", district.load(after).version)


def test_what_was_seen_before_the_change_is_decided_as_it_was_then(
    database_url: str, before: Path, after: Path
) -> None:
    with worker(database_url, before):
        grids(database_url, "load", after, "--from", (datetime.now(UTC) - timedelta(hours=1)).isoformat())
    # A worker that starts on the new folder has the old one from the database.
    with worker(database_url, after) as address, httpx.Client(base_url=address, timeout=60) as client:
        early = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
        old = client.post("/api/reports", json=body(seen_at=early)).json()
        assert (old["team"]["code"], old["decision"]["version"]) == ("T2", district.load(before).version)
        assert client.post("/api/reports", json=body()).json()["team"]["code"] == "T1"
        assert "T2" in json.dumps(client.get(f"/api/cases/{old['case']}/why").json())


def test_a_late_report_goes_to_who_was_responsible_then_and_by_a_unit_of_today(
    database_url: str, before: Path, after: Path
) -> None:
    units = after / "units.csv"
    units.write_text(units.read_text("utf-8").replace("T2-V1", "T2-V9"), "utf-8")
    with worker(database_url, before) as address, httpx.Client(base_url=address, timeout=60) as client:
        grids(database_url, "load", after, "--from", (datetime.now(UTC) - timedelta(hours=1)).isoformat())
        early = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
        answer = client.post("/api/reports", json=body(seen_at=early)).json()
        assert answer["decision"]["version"] == district.load(before).version
        assert (answer["team"]["code"], answer["unit"]["code"]) == ("T2", "T2-V9")


def test_why_speaks_the_words_of_the_edition_that_decided(database_url: str, before: Path, after: Path) -> None:
    rules = after / "rules.csv"
    rules.write_text(rules.read_text("utf-8").replace("默认", "另有规定"), "utf-8")
    teams = after / "teams.csv"
    teams.write_text(teams.read_text("utf-8").replace("东队", "东区大队"), "utf-8")
    with worker(database_url, before) as address, httpx.Client(base_url=address, timeout=60) as client:
        case = client.post("/api/reports", json=body()).json()["case"]
        grids(database_url, "load", after, "--from", datetime.now(UTC).isoformat())
        assert client.post("/api/reports", json=body()).json()["decision"]["version"] == district.load(after).version
        said = json.dumps(client.get(f"/api/cases/{case}/why").json()["zh"], ensure_ascii=False)
        assert "默认" in said
        assert "另有规定" not in said
        assert "东队" in said
        assert district.load(before).version in said
    # The same from a worker that never had the old one.
    with worker(database_url, after) as address:
        assert (
            json.dumps(httpx.get(f"{address}/api/cases/{case}/why", timeout=60).json()["zh"], ensure_ascii=False)
            == said
        )


def test_an_edition_that_cannot_be_made_ready_refuses_nothing(
    database_url: str, before: Path, after: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with worker(database_url, before) as address:

        def full(*_: object) -> None:
            raise OSError("no space left on device")

        monkeypatch.setattr("dispatch.editions.prepare", full)
        grids(database_url, "load", after, "--from", datetime.now(UTC).isoformat())
        for _ in range(3):
            answer = httpx.post(f"{address}/api/reports", json=body(), timeout=60)
            assert answer.status_code == 201
            assert answer.json()["decision"]["version"] == district.load(before).version
        monkeypatch.undo()
        grids(database_url, "load", before, "--from", datetime.now(UTC).isoformat())
        grids(database_url, "load", after, "--from", datetime.now(UTC).isoformat())
        answer = httpx.post(f"{address}/api/reports", json=body(), timeout=60)
        assert answer.json()["decision"]["version"] == district.load(after).version


def test_a_server_on_a_superseded_folder_decides_by_what_is_in_force(
    database_url: str, before: Path, after: Path
) -> None:
    with worker(database_url, before):
        grids(database_url, "load", after, "--from", datetime.now(UTC).isoformat())
    with worker(database_url, before) as address:
        assert httpx.post(f"{address}/api/reports", json=body(), timeout=60).json()["team"]["code"] == "T1"
        assert grids(database_url, "load", after)["enacted"] is False
        assert grids(database_url, "load", before, "--from", datetime.now(UTC).isoformat())["enacted"] is True
        assert httpx.post(f"{address}/api/reports", json=body(), timeout=60).json()["team"]["code"] == "T2"
    assert [item["in_force"] for item in grids(database_url, "editions")["items"]] == [False, False, True]


def test_a_broken_edition_is_refused_whole_and_what_holds_stays(database_url: str, before: Path, after: Path) -> None:
    with worker(database_url, before) as address:
        (after / "rules.csv").write_text("code\n", encoding="utf-8")
        done = CliRunner().invoke(app, ["grids", "load", str(after)], env=environment(database_url, after))
        assert done.exit_code == 1
        assert len(httpx.get(f"{address}/api/editions", timeout=60).json()["items"]) == 1


def test_an_edition_that_nobody_can_carry_out_is_refused(database_url: str, before: Path, after: Path) -> None:
    """Every place and matter has one team, but that of the east has nothing to come with."""
    units = after / "units.csv"
    units.write_text(units.read_text("utf-8").replace(",T2,vehicle", ",T1,vehicle"), "utf-8")
    assert district.check(after) == []
    with worker(database_url, before) as address:
        done = CliRunner().invoke(app, ["grids", "load", str(after)], env=environment(database_url, after))
        assert (done.exit_code, type(done.exception)) == (1, BrokenDistrict)
        assert isinstance(done.exception, BrokenDistrict)
        (failure,) = done.exception.findings
        assert failure.text("en").startswith("东镇: 01, 0101 by row R1 fall to T2 East, which has no unit at all")
        assert len(httpx.get(f"{address}/api/editions", timeout=60).json()["items"]) == 1


def test_a_server_does_not_start_on_an_edition_that_nobody_can_carry_out(
    database_url: str, before: Path, tmp_path: Path
) -> None:
    units = before / "units.csv"
    whole = units.read_text("utf-8")
    units.write_text(whole.replace(",T2,vehicle", ",T1,vehicle"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "from dispatch.cli import main; main()", "serve", "--port", "0", "--district", before],
        env={**os.environ, **environment(database_url, tmp_path / "x")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "T2 东队 负责，但该队没有任何单元" in done.stderr
    assert "[broken_district]" in done.stderr
    assert "Traceback" not in done.stderr
    units.write_text(whole, "utf-8")
    with worker(database_url, before) as address:
        items = httpx.get(f"{address}/api/editions", timeout=60).json()["items"]
        assert [item["version"] for item in items] == [district.load(before).version]


def test_what_was_enacted_by_an_earlier_release_is_not_proved_again(database_url: str, before: Path) -> None:
    """A server goes on with the edition that holds, whatever a newer proof may think of it."""
    with worker(database_url, before):
        pass
    ground = prepare(district.load(before))
    unmanned = replace(ground, units_of={})
    with pytest.raises(BrokenDistrict):
        refuse_if_unproved(unmanned)
    with worker(database_url, before, unmanned) as address:
        assert len(httpx.get(f"{address}/api/editions", timeout=60).json()["items"]) == 1


def test_a_database_is_one_districts(database_url: str, before: Path, after: Path) -> None:
    with worker(database_url, before):
        for file in ("district.toml", "district.geojson"):
            path = after / file
            path.write_text(path.read_text("utf-8").replace('"990001"', '"990002"'), "utf-8")
        done = CliRunner().invoke(app, ["grids", "load", str(after)], env=environment(database_url, after))
    assert type(done.exception).__name__ == "AnotherDistrict"


def test_a_database_of_the_release_before_keeps_its_edition(database_url: str, before: Path) -> None:
    version = district.load(before).version
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(database_url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql(
            "INSERT INTO edition (version, code, name, loaded_at) VALUES "
            f"('990001@0+00000000', '990001', '小区', now() - interval '1 day'), ('{version}', '990001', '小区', now())"
        )
        connection.exec_driver_sql(
            "INSERT INTO zone (layer, code, name, name_en, kind, area_km2, geom) VALUES "
            "('township', 'X', 'x', 'x', '', 1, 'SRID=4326;MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))')"
        )
    engine.dispose()
    with worker(database_url, before) as address:
        found = httpx.get(f"{address}/api/editions", timeout=60).json()["items"]
        assert [(item["version"], item["in_force"]) for item in found] == [
            ("990001@0+00000000", False),
            (version, True),
        ]
        early = (datetime.now(UTC) - timedelta(hours=30)).isoformat()
        # The folder of the edition that held then is lost; the one in force decides, and says so.
        answer = httpx.post(f"{address}/api/reports", json=body(seen_at=early), timeout=60).json()
        assert answer["decision"]["version"] == version
