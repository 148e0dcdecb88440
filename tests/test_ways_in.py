"""A district with a gap decides nothing: each way in refuses it by the same code, with a place where it is so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from typer.testing import CliRunner

from dispatch import district, duties, editions
from dispatch.bundle import pack
from dispatch.cli import app
from dispatch.errors import BrokenDistrict
from dispatch.ground import Ground, prepare
from dispatch.settings import Settings
from tests.small_district import write_small_district
from web.app import create

WITNESS = re.compile(r"at 120\.\d+, 30\.\d+$")


def hole(folder: Path) -> Path:
    """In the east nobody is responsible for anything."""
    write_small_district(folder)
    rules = folder / "rules.csv"
    rules.write_text(rules.read_text("utf-8").replace("R1,,", "R1,990001001,"), "utf-8")
    return folder


def unmanned(folder: Path) -> Path:
    """In the east somebody is, who has nothing to come with."""
    write_small_district(folder)
    units = folder / "units.csv"
    units.write_text(units.read_text("utf-8").replace(",T2,vehicle", ",T1,vehicle"), "utf-8")
    return folder


GAPS = {"hole": hole, "unmanned": unmanned}


@pytest.fixture(scope="module", params=GAPS)
def gap(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return GAPS[request.param](tmp_path_factory.mktemp(request.param) / "small")


@pytest.fixture
def run(gap: Path, database_url: str) -> Callable[..., Any]:
    names = {"ONEGRID_DATABASE_URL": database_url, "ONEGRID_DATA_DIR": str(gap.parent / "data"), "ONEGRID_PORT": "0"}
    return lambda *arguments: CliRunner().invoke(app, [*map(str, arguments)], env=names)


def is_refused(error: BaseException | None) -> None:
    assert isinstance(error, BrokenDistrict), error
    assert error.code() == "broken_district"
    assert error.findings
    assert all(WITNESS.search(finding.text("en")) for finding in error.findings)


@pytest.mark.parametrize("way", ["serve", "demo", "load", "route"])
def test_no_command_decides_by_it(gap: Path, run: Callable[..., Any], way: str, tmp_path: Path) -> None:
    points, out = tmp_path / "points.csv", tmp_path / "out.csv"
    points.write_text("lon,lat,matter\n120.02,30.05,0101\n", "utf-8")
    commands = {
        "serve": ("serve", "--district", gap),
        "demo": ("demo", "--no-stream", "--district", gap),
        "load": ("grids", "load", gap),
        "route": ("route", points, "-o", out, "--district", gap),
    }
    done = run(*commands[way])
    assert done.exit_code == 1
    is_refused(done.exception)
    assert not out.exists()
    again = run(*commands[way])
    is_refused(again.exception)


def test_no_worker_starts_on_it(gap: Path, database_url: str) -> None:
    """As a worker of uvicorn's own does, which no command has looked at before."""
    made = create(Settings(database_url=database_url, district=gap, data_dir=gap.parent / "data"))

    async def start() -> None:
        async with made.router.lifespan_context(made):
            raise AssertionError("it serves")

    with pytest.raises(BrokenDistrict) as refused:
        anyio.run(start)
    is_refused(refused.value)


def test_none_is_taken_from_the_database(tmp_path: Path) -> None:
    """Whoever put it there: what a worker takes over is read by the same reading."""
    folder = write_small_district(tmp_path / "small")
    whole = dict(district.load(folder).contents)
    whole["rules.csv"] = whole["rules.csv"].replace(b"R1,,", b"R1,990001001,")
    with pytest.raises(BrokenDistrict) as refused:
        editions.read(pack(whole), "990001@1+00000000")
    is_refused(refused.value)


def test_what_is_proved_is_proved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_small_district(tmp_path / "small")
    points = tmp_path / "points.csv"
    points.write_text("lon,lat,matter\n120.02,30.05,0101\n", "utf-8")
    proved: list[str] = []
    prove = duties.refuse_if_unproved

    def counting(ground: Ground) -> None:
        proved.append(ground.district.version)
        prove(ground)

    monkeypatch.setattr(duties, "refuse_if_unproved", counting)

    def routed() -> int:
        arguments = ["route", str(points), "-o", str(tmp_path / "out.csv"), "--district", str(folder), "--json"]
        done = CliRunner().invoke(app, arguments, env={"ONEGRID_DATA_DIR": str(tmp_path / "data")})
        assert done.exit_code == 0, done.exception
        rows: int = json.loads(done.stdout)["figures"]["routed"]
        return rows

    assert (routed(), len(proved)) == (1, 1)
    assert (routed(), len(proved)) == (1, 1), "the mark is there"
    units = folder / "units.csv"
    units.write_text(units.read_text("utf-8").replace("二号车", "三号车"), "utf-8")
    assert (routed(), len(proved)) == (1, 2), "another folder"
    monkeypatch.setattr(duties, "_source", lambda: "another edition of the program")
    assert (routed(), len(proved)) == (1, 3)
    for mark in (tmp_path / "data" / "derived").glob("proved-*"):
        mark.write_bytes(b"proved, believe me")
    assert (routed(), len(proved)) == (1, 4), "a mark that is none"


def test_without_a_place_for_marks_it_is_proved_each_time(tmp_path: Path) -> None:
    ground = prepare(district.load(write_small_district(tmp_path / "small")))
    file = tmp_path / "file"
    file.touch()
    duties.refuse_unless_proved(ground, file / "derived")
