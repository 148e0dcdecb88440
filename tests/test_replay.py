"""Past cases decided once more: against single decisions, and through the database and the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest
import shapely
from typer.testing import CliRunner, Result

from dispatch.cli import app
from dispatch.comparison import compare
from dispatch.competence import PLACE_LAYERS
from dispatch.district import District
from dispatch.errors import NotOneDistrict, UnknownEdition
from dispatch.handover import table_of
from dispatch.model import Past
from dispatch.replay import OUTSIDE, UNLISTED, Answer, Replay
from geo.circle import Circles
from geo.grid import Metric
from geo.locate import Locator
from tests.sample import ground, sample
from tests.test_editions import edition, worker

Json = dict[str, Any]


def altered() -> District:
    """The sample: a joint area moved, a lake smaller, a matter no more listed, another row for one."""
    layers = dict(sample().layers)
    for name, change in (
        ("joint", lambda g: shapely.transform(g, lambda xy: xy + np.array([0.01, 0.003]))),
        ("water", lambda g: shapely.buffer(g, -0.002)),
    ):
        first, *rest = layers[name].zones
        layers[name] = replace(layers[name], zones=(replace(first, geometry=change(first.geometry)), *rest))
    rules = tuple(replace(rule, team="D01") if rule.code == "R060" else rule for rule in sample().rules)
    matters = {code: one for code, one in sample().matters.items() if code != "0503"}
    return replace(sample(), layers=layers, rules=rules, matters=matters, version="altered")


def some(count: int) -> list[Past]:
    """Cases anywhere, on the border of what changed, and outside; of any matter; circles from none to large."""
    rng = np.random.default_rng(7)
    layers = sample().layers
    west, south, east, north = layers["district"].zones[0].geometry.bounds
    lines = [layers[name].zones[0].geometry.boundary for name in ("joint", "water")]
    along = [line.interpolate(share, normalized=True) for line in lines for share in rng.uniform(0, 1, count // 4)]
    xy = [(point.x + rng.normal(0, 0.001), point.y + rng.normal(0, 0.001)) for point in along]
    xy += rng.uniform((west, south), (east, north), (count - len(xy), 2)).tolist()
    codes = [*sample().matters, *sample().classes, "9999"]
    radii = (None, 0.0, 5.0, 30.0, 400.0)
    return [
        Past(f"{n:06d}", x, y, codes[rng.integers(len(codes))], radii[n % 5], "T01", sample().version)
        for n, (x, y) in enumerate(xy)
    ]


def test_as_each_would_be_decided_alone() -> None:
    cases = some(1000)
    new = altered()
    replay = Replay(compare(sample(), new))
    for start in range(0, len(cases), 400):
        replay.take(cases[start : start + 400])
    locator = Locator(new.layers)
    circles = Circles(locator, Metric(new.metric_crs), PLACE_LAYERS)
    grounds = (ground(), replace(ground(), district=new, locator=locator, circles=circles, table=table_of(new)))

    def alone(which: int, case: Past) -> Answer:
        place = grounds[which].locator.at(case.lon, case.lat)
        if not grounds[which].table.knows(case.matter):
            return Answer(None, UNLISTED if place["district"] else OUTSIDE)
        if not place["district"]:
            return Answer(None, OUTSIDE)
        if case.radius_m is None:
            return Answer(grounds[which].table.team(place, case.matter))
        weighed = grounds[which].weigh(case.lon, case.lat, case.radius_m, place, case.matter)
        return Answer(weighed.ruling.team)

    single = [(case, alone(0, case), alone(1, case)) for case in cases]
    assert [(one.case, one.old, one.new) for one in replay.rerouted] == [one for one in single if one[1] != one[2]]
    assert [(one.case, one.old) for one in replay.unlike] == [(c, old) for c, old, _ in single if old.team != c.team]
    assert replay.cases == len(cases)
    assert sum(replay.pairs().values()) == len(replay.rerouted) > 60
    assert {Answer(None, UNLISTED)} < {one.new for one in replay.rerouted}


# --- through the database --------------------------------------------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return edition(tmp_path / "old", "old", 120.05)


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return edition(tmp_path / "new", "new", 120.06)


def run(url: str, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["grids", *map(str, arguments)], env={"ONEGRID_DATABASE_URL": url})


def answer(result: Result) -> Json:
    assert result.exit_code == 0, result.output
    said: Json = json.loads(result.stdout)
    assert (said["name"], said["passed"]) == ("grids diff", True)
    figures: Json = said["figures"]
    return figures


def test_the_cases_of_a_database(database_url: str, old: Path, new: Path, tmp_path: Path) -> None:
    """What was reassigned by hand stays out of it; what was corrected counts where it lies now."""
    places = {"strip": 120.055, "reassigned": 120.056, "moved in": 120.02, "west": 120.03, "east": 120.09}
    cases: dict[str, str] = {}
    with worker(database_url, old) as server, httpx.Client(base_url=server, timeout=30) as http:

        def do(which: str, action: str, **more: object) -> None:
            order = {"id": str(uuid4()), "action": action, "actor": "测试", **more}
            done = http.post(f"/api/cases/{cases[which]}/actions", json=order)
            assert done.status_code == 200, done.text

        for which, lon in places.items():
            sent = http.post("/api/reports", json={"lon": lon, "lat": 30.05, "matter": "0101", "accuracy_m": 10})
            assert sent.status_code == 201, sent.text
            cases[which] = sent.json()["case"]
        do("reassigned", "reassign", team="T1", note="协商")
        do("moved in", "relocate", lon=120.058, lat=30.05, accuracy_m=10)

    drawing = tmp_path / "d.geojson"
    found = answer(run(database_url, "diff", "in-force", new, "--replay", "--json", "--geojson", drawing))
    replay = found["replay"]
    assert replay["cases"] == len(places)
    assert {item["case"] for item in replay["items"]} == {cases[w] for w in ("strip", "reassigned", "moved in")}
    assert replay["pairs"] == [{"from": "T2", "to": "T1", "cases": 3}]
    assert replay["decided_otherwise"]["items"] == []
    drawn = json.loads(drawing.read_text("utf-8"))["features"]
    kinds = [feature["properties"]["what"] for feature in drawn]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "zone_gained": 1,
        "zone_lost": 1,
        "responsibility": 1,
        "case": 3,
    }
    text = run(database_url, "diff", old, new, "--replay").stdout
    assert "T2 东队 → T1 西队: 3 件" in text
    assert cases["strip"] in text

    # The new edition against the old one: what was decided then is not what the new one says.
    assert run(database_url, "load", new).exit_code == 0
    back = answer(run(database_url, "diff", found["new"], found["old"], "--replay", "--json"))["replay"]
    assert back["decided_otherwise"]["by_another_edition"] == 3
    assert back["decided_otherwise"]["by_the_old_edition"] == 0
    assert {item["decided"] for item in back["decided_otherwise"]["items"]} == {"T2"}


def test_folders_need_no_database(old: Path, new: Path) -> None:
    figures = answer(run("postgresql://nobody@127.0.0.1:1/none", "diff", old, new, "--json"))
    assert "replay" not in figures
    assert figures["responsibility"]["pairs"][0]["from"] == "T2"
    assert answer(run("", "diff", old, old, "--json"))["nothing"] is True


def test_an_edition_that_nobody_knows(database_url: str, old: Path) -> None:
    assert run(database_url, "load", old).exit_code == 0
    refused = run(database_url, "diff", "in-force", "990001@elsewhere+00000000")
    error = refused.exception
    assert isinstance(error, UnknownEdition)
    assert "990001@elsewhere+00000000" in error.text("en")
    assert "990001@old+" in (error.hint("en") or "")


def test_a_broken_folder_is_refused_with_its_findings(old: Path, new: Path) -> None:
    (new / "units.csv").write_text(
        "code,name,name_en,team,mode,base,crew\nU,车,Car,T9,vehicle,B1,2\n", encoding="utf-8"
    )
    refused = run("", "diff", old, new, "--json")
    assert refused.exit_code == 1
    said = json.loads(refused.stdout)
    assert said["passed"] is False
    (findings,) = said["figures"]["findings"].values()
    assert "T9" in findings[0]
    told = run("", "diff", old, new)
    assert (told.exit_code, "T9" in told.output) == (1, True)


def test_another_district_is_not_compared(old: Path, new: Path) -> None:
    manifest = new / "district.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('code = "990001"', 'code = "990002"'), "utf-8")
    refused = run("", "diff", old, new)
    assert isinstance(refused.exception, NotOneDistrict)
