"""Responsibility, proved: a faulty district for each kind of failure, its witness checked; the list on paper."""

from __future__ import annotations

import csv
import io
import json
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import sync_playwright
from typer.testing import CliRunner

from dispatch import district as districts
from dispatch.cli.grids import app
from dispatch.competence import DecisionTable
from dispatch.duties import Duties, Failure, _area, prove_duties, refuse_if_unproved
from dispatch.errors import BrokenDistrict
from dispatch.ground import Ground, prepare
from tests.sample import ground, sample
from tests.small_district import TABLES, TOML, feature, square, write_features, write_small_district
from web import powers

SAMPLE = Path(__file__).parents[1] / "data" / "grids" / "gaochun"
WATER = """
[[layers]]
name = "water"
file = "water.geojson"
label = "水域"
label_en = "Waters"
cover = "disjoint"
parent = ""
real = false
source = "tests"
"""
RULES = "code,township,dedicated,water,joint,matter,team,note,note_en\n"
WEST = TABLES["units.csv"].partition("T2-V1")[0]
"""The team of the east has no unit."""
BOAT = "T2-B1,一号艇,Boat 1,T2,boat,P1,2\n"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A district in which nothing is wrong: two townships, and a lake of 4 km in the east with a boat on it."""
    folder = write_small_district(tmp_path / "small")
    (folder / "district.toml").write_text(TOML + WATER, encoding="utf-8")
    lake = feature(square(120.055, 30.03, 120.095, 30.07), code="W1", name="东湖", name_en="East Lake", kind="lake")
    write_features(folder / "water.geojson", lake)
    bases = [("B1", 120.02, 30.05), ("P1", 120.056, 30.05)]
    points = [({"type": "Point", "coordinates": [x, y]}, code) for code, x, y in bases]
    write_features(folder / "bases.geojson", *(feature(p, code=c, name=c, name_en=c) for p, c in points))
    (folder / "units.csv").write_text(TABLES["units.csv"] + BOAT, encoding="utf-8")
    return folder


def rules(folder: Path, *rows: str) -> None:
    (folder / "rules.csv").write_text(RULES + "".join(f"{row},,\n" for row in rows), encoding="utf-8")


def proved(folder: Path) -> tuple[Ground, Duties]:
    district, _ = districts.read(folder)
    assert district is not None
    made = prepare(district)
    return made, prove_duties(made)


def ways(made: Ground, team: str, lon: float, lat: float) -> list[object]:
    """How each unit of a team gets to a point from its base; None where it does not."""
    return list(made.travel.legs_to([(unit.base, unit.mode.value) for unit in made.units_of[team]], lon, lat))


def only(duties: Duties) -> Failure:
    assert not duties.passed
    assert len(duties.failures) == 1, [failure.text("en") for failure in duties.failures]
    return duties.failures[0]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["prove", *arguments])
    return result.exit_code, result.stdout


# --- each kind of failure -----------------------------------------------------------------------------------------


def test_a_small_district_is_proved(small: Path) -> None:
    _, duties = proved(small)
    assert [failure.text("en") for failure in duties.failures] == []
    assert [kind.name for kind in duties.proof.places.kinds] == ["西镇", "东镇"]
    code, out = run(str(small), "--json")
    told = json.loads(out)
    assert (code, told["name"], told["passed"]) == (0, "grids prove", True)
    assert told["figures"]["pairs"] == 2 * 2  # two kinds; one matter and its class
    assert abs(told["figures"]["left_m2"]) < 1e-3


def test_a_hole_has_the_matter_the_absence_and_a_point(small: Path) -> None:
    rules(small, "R1,990001001,,,,,@township", "R2,990001002,,-,,,T2")
    made, duties = proved(small)
    failure = only(duties)
    assert (failure.code, failure.matters, failure.rules) == ("rule_hole", ("01", "0101"), ())
    assert failure.at is not None
    place = made.locator.at(*failure.at)
    assert (place["township"][0].name, place["water"][0].name) == ("东镇", "东湖")
    assert made.table.rows_of(place) == 0
    with pytest.raises(BrokenDistrict):
        districts.load(small)
    code, out = run(str(small), "--json")
    told = json.loads(out)
    assert (code, told["passed"]) == (1, False)
    assert told["figures"]["failures"][0]["at"] == list(failure.at)
    assert run(str(small))[0] == 1


def test_a_tie_has_its_rows_and_a_point(small: Path) -> None:
    rules(small, "R1,,,,,,@township", "R2,,,*,,,T2", "R3,990001002,,,,0101,T1")
    made, duties = proved(small)
    failure = next(one for one in duties.failures if one.code == "rule_tie")
    assert (failure.matters, failure.rules) == (("0101",), ("R2", "R3"))
    assert failure.at is not None
    place = made.locator.at(*failure.at)
    assert len(made.table.lowest(made.table.rows_of(place))) == 2


def test_a_team_without_a_unit_is_named(small: Path) -> None:
    (small / "units.csv").write_text(WEST, encoding="utf-8")
    made, duties = proved(small)
    failure = only(duties)
    assert (failure.code, failure.team, failure.rules) == ("no_unit", "T2", ("R1",))
    assert failure.at is not None
    assert made.locator.at(*failure.at)["township"][0].name == "东镇"
    assert "没有任何单元" in failure.text("zh")


def test_where_no_unit_gets_is_measured(small: Path) -> None:
    """Without the boat nobody gets to the middle of the lake; cars answer for what is within 400 m of the bank."""
    (small / "units.csv").write_text(TABLES["units.csv"], encoding="utf-8")
    base = {"type": "Point", "coordinates": [120.02, 30.05]}
    write_features(small / "bases.geojson", feature(base, code="B1", name="驻地", name_en="Base"))
    rules(small, "R1,,,,,,@township", "R2,,,*,,0101,T2", "R3,990001001,,*,,,T1")
    made, duties = proved(small)
    failure = next(one for one in duties.failures if "0101" in one.matters)
    assert (failure.code, failure.team) == ("out_of_reach", "T2")
    assert "R2" in failure.rules
    assert failure.at is not None
    assert made.locator.at(*failure.at)["water"][0].name == "东湖"
    assert not any(ways(made, "T2", *failure.at))
    number = next(n for n, kind in enumerate(duties.proof.places.kinds) if kind.code == failure.kinds[0])
    way = duties.reach["T2", number]
    rng = np.random.default_rng(5)
    asked = zip(rng.uniform(120.055, 120.095, 2000).tolist(), rng.uniform(30.03, 30.07, 2000).tolist(), strict=True)
    missed = sum(not any(ways(made, "T2", lon, lat)) for lon, lat in asked) / 2000
    assert way.share == pytest.approx(1 - missed, abs=0.03)
    side_km = math.sqrt(missed * made.district.layers["water"].zones[0].area_km2)  # what is missed is nearly a square
    assert way.out_km2 == pytest.approx((side_km - 2 * duties.within_m / 1000) ** 2, rel=0.1)
    assert [spare.code for spare in duties.spare if spare.rules == ("R3",)] == ["never_speaks"]


def test_areas_that_do_not_add_up_are_a_failure(small: Path) -> None:
    _, duties = proved(small)
    assert _area(duties.proof) == []
    lost = replace(duties.proof, places=replace(duties.proof.places, left_m2=7.0))
    assert [failure.code for failure in _area(lost)] == ["area_left"]


def test_what_else_is_wrong_comes_first(small: Path) -> None:
    (small / "teams.csv").write_text(TABLES["teams.csv"].replace("B1", "B9"), encoding="utf-8")
    code, out = run(str(small), "--json")
    told = json.loads(out)
    assert (code, told["passed"]) == (1, False)
    assert any("B9" in text for text in told["figures"]["findings"])


def test_a_ground_that_is_not_proved_is_refused_with_its_failures(small: Path) -> None:
    made, _ = proved(small)
    refuse_if_unproved(made)
    (small / "units.csv").write_text(WEST, encoding="utf-8")
    made, duties = proved(small)
    with pytest.raises(BrokenDistrict) as refused:
        refuse_if_unproved(made)
    assert refused.value.findings == duties.failures


def test_the_proof_that_loading_waits_for_takes_less_than_two_seconds() -> None:
    made = ground()
    refuse_if_unproved(made)  # the compiled look-up is loaded once
    began = time.process_time()
    refuse_if_unproved(made)
    assert time.process_time() - began < 2


# --- rows that say nothing of their own ---------------------------------------------------------------------------


def test_spare_rows_are_named(small: Path) -> None:
    (small / "classes.csv").write_text(TABLES["classes.csv"] + "02,广告,Advertising\n", encoding="utf-8")
    rules(
        small,
        "R1,,,,,,@township",
        "R2,990001001,,*,,,T2",  # there is no water in the west
        "R3,,,*,,,T2",
        "R4,990001002,,*,,01,T2",  # and these say it again, for each class
        "R5,990001002,,*,,02,T2",
        "R6,990001002,,-,,0101,T2",  # what the default says
        "R7,990001001,,-,,02,T2",
        "R8,990001002,,-,,02,T1",
        "R9,990001001,,-,,01,T2",
    )
    made, duties = proved(small)
    assert made.table.faults == []
    assert {(one.code, one.rules) for one in duties.spare} == {
        ("never_speaks", ("R2",)),
        ("always_beaten", ("R3",)),
        ("changes_nothing", ("R4",)),
        ("changes_nothing", ("R5",)),
        ("changes_nothing", ("R6",)),
        ("mergeable", ("R4", "R5")),
        ("mergeable", ("R7", "R9")),
    }
    assert {one.rules: one.others for one in duties.spare}["R3",] == ("R4", "R5")


# --- a real size ---------------------------------------------------------------------------------------------------


def many_matters(count: int) -> Ground:
    """The sample with a list of as many items as the merged powers have, over its 22 departments."""
    base = sample()
    classes = dict(base.classes)
    matters = dict(base.matters)
    first, departments = next(iter(base.matters.values())), list(base.departments)
    for kind in range(30, 99):
        code = f"{kind:02d}"
        if len(matters) < count:
            classes[code] = replace(next(iter(base.classes.values())), code=code)
        for item in range(1, 100):
            if len(matters) < count:
                matters[f"{code}{item:02d}"] = replace(
                    first, code=f"{code}{item:02d}", department=departments[len(matters) % len(departments)]
                )
    district = replace(base, classes=dict(sorted(classes.items())), matters=dict(sorted(matters.items())))
    table = DecisionTable(district.rules, district.layers, district.classes, district.matters, district.teams)
    return replace(ground(), district=district, table=table)


def test_3882_matters_take_less_than_a_minute() -> None:
    began = time.process_time()
    made = many_matters(3882)
    duties = prove_duties(made)
    page, table = powers.page(duties), powers.table(duties)
    seconds = time.process_time() - began
    assert len(made.district.matters) == 3882
    assert {matter.department for matter in made.district.matters.values()} == set(made.district.departments)
    assert [failure.text("en") for failure in duties.failures] == []
    places = duties.proof.places
    assert places.area_km2 == pytest.approx(made.district.layers["district"].zones[0].area_km2, abs=1e-6)
    assert abs(places.left_m2) < 1e-3
    rows = list(csv.reader(io.StringIO(table)))
    assert len(rows) == 1 + 3882 + len(made.district.classes)
    assert {len(row) for row in rows} == {4 + len(places.kinds)}
    assert "http" not in page.replace("http-equiv", "")
    assert all(code in page for code in made.district.matters)
    assert seconds < 60

    # Every cell of the published table, against the decision table at the kind's own point.
    rng = np.random.default_rng(3)
    for number in rng.choice(len(places.kinds), 8, replace=False).tolist():
        place = made.locator.at(*places.kinds[number].at)
        for row in rows[1::37]:
            ruling = made.table.decide(place, row[0])
            assert row[4 + number].startswith(f"{ruling.team} ")
            assert row[4 + number].endswith(f"({ruling.rule.code})")


def test_random_points_of_the_sample_are_in_the_matrix_and_reached() -> None:
    made = ground()
    duties = prove_duties(made)
    proof = duties.proof
    kinds = {held: number for number, kind in enumerate(proof.places.kinds) for held in kind.held}
    group_of = {code: number for number, codes in enumerate(proof.groups) for code in codes}
    rng = np.random.default_rng(18)
    west, south, east, north = made.district.layers["district"].zones[0].geometry.bounds
    lon, lat = rng.uniform(west, east, 3000), rng.uniform(south, north, 3000)
    unreached = seen = 0
    for x, y in zip(lon.tolist(), lat.tolist(), strict=True):
        place = made.locator.at(x, y)
        if not place["district"]:
            continue
        layers = made.locator.layers
        held = tuple(tuple(layers[n].zones.index(z) for z in place[n]) for n in proof.places.layers)
        for matter in ("0101", "0105", "0501", "2103", "0305"):
            ruling = made.table.decide(place, matter)
            kind, group = kinds[held], group_of[matter]
            assert proof.team(kind, group) == ruling.team
            assert made.table.rules[proof.winners[kind][group]].code == ruling.rule.code
            seen += 1
            unreached += not any(ways(made, ruling.team, x, y))
    assert seen > 5000
    assert unreached / seen < 0.005  # only within a cell of what is reached


# --- on paper and on screens ---------------------------------------------------------------------------------------


def test_the_page_asks_nobody_and_fits_a_wall_a_phone_and_paper(
    tmp_path: Path, small: Path, chromium: str | None
) -> None:
    html, table = tmp_path / "list.html", tmp_path / "list.csv"
    (small / "units.csv").write_text(WEST, encoding="utf-8")
    assert run(str(small), "--html", str(html), "--csv", str(table))[0] == 1
    assert table.read_bytes().startswith(b"\xef\xbb\xbf")
    assert table.read_text("utf-8-sig").splitlines()[0].startswith("事项编码")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium)
        asked: list[str] = []
        for width, height in ((1920, 1080), (390, 844)):
            page = browser.new_page(viewport={"width": width, "height": height})
            page.on("request", lambda request: asked.append(request.url))
            page.goto(html.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.locator(".failures li").count() == 1
            assert page.locator(".map circle").count() == 1
            assert page.locator("h1").inner_text().startswith("小区执法权责清单")
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
        assert set(asked) == {html.as_uri()}
        browser.close()
