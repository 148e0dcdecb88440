"""Driving over an OpenStreetMap extract, made here: a town in a grid of streets, a river with one bridge."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

# Both come with the development group: where one is missing, these tests fail rather than be skipped unseen.
import osmium
import pytest
import shapely
import valhalla  # noqa: F401
from osmium.osm.mutable import Node, Way
from shapely import LineString
from typer.testing import CliRunner

from dispatch.cli import app
from geo.terrain import Terrain
from geo.travel import Travel
from geo.travel_cache import prepared
from geo.valhalla import Engine, EngineFailed, Roads, tiles_of
from geo.valhalla import _Actor as Actor
from tests.small_district import TOML, feature, square, write_features, write_small_district
from tests.test_duties import WATER
from tests.test_travel import SIDE, TO_DEGREES, X0, Y0, at, leg_of, terrain

STREETS = [float(x) for x in range(500, 6000, 500)]
RIVER = shapely.box(2700, 0, 2800, SIDE)
BRIDGE_Y = 5500.0
ONE_WAY_Y = 1000.0


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Streets every 500 m; of those across the river only the northernmost has a bridge; one runs east only."""
    path = tmp_path_factory.mktemp("osm") / "town.osm.pbf"
    writer = osmium.SimpleWriter(str(path))
    number = {}
    for y in STREETS:
        for x in STREETS:
            number[x, y] = len(number) + 1
            writer.add_node(Node(id=number[x, y], location=at(x, y), version=1))
    ways = [([number[x, y] for y in STREETS], {}) for x in STREETS]
    west, east = [x for x in STREETS if x < 2700], [x for x in STREETS if x > 2800]
    for y in STREETS:
        tags = {"oneway": "yes"} if y == ONE_WAY_Y else {}
        ways += [([number[x, y] for x in side], tags) for side in (west, east)]
    ways.append(([number[west[-1], BRIDGE_Y], number[east[0], BRIDGE_Y]], {"bridge": "yes"}))
    for i, (nodes, tags) in enumerate(ways, 1):
        writer.add_way(Way(id=i, nodes=nodes, tags={"highway": "residential", **tags}, version=1))
    writer.close()
    return path


@pytest.fixture(scope="module")
def town(extract: Path) -> Terrain:
    lies = {"A": (550.0, 550.0), "B": (5450.0, 550.0), "quay": (2750.0, 3000.0)}
    return replace(terrain([RIVER], bases=lies), osm=extract)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("derived")


@pytest.fixture(scope="module")
def made(town: Terrain, folder: Path) -> Travel:
    return prepared(town, folder)


def test_it_goes_over_the_streets_and_the_one_bridge(made: Travel) -> None:
    straight = leg_of(made, "A", "vehicle", *at(2450, 550))
    assert straight is not None
    assert straight.metres == pytest.approx(1900, abs=350)
    across = leg_of(made, "A", "vehicle", *at(5450, 550))
    assert across is not None
    assert across.metres == pytest.approx(4900 + 2 * 4950, abs=350), "by the bridge in the north"
    assert across.seconds < across.metres / (10 / 3.6), "on roads, not over fields"


def test_fields_lead_on_from_the_nearest_road_and_never_through_water(made: Travel) -> None:
    street, field = (leg_of(made, "A", "vehicle", *at(2250, y)) for y in (2500, 2250))
    assert street is not None
    assert field is not None
    assert field.seconds - street.seconds == pytest.approx(250 / (5 / 3.6), abs=90)
    near, beyond = (leg_of(made, "A", "vehicle", *at(x, 3250)) for x in (2650, 2850))
    assert near is not None
    assert beyond is not None
    assert beyond.metres > near.metres + 2500, "the far bank is reached over the bridge"


def test_an_island_without_a_road_is_not_reached(extract: Path) -> None:
    lake = shapely.box(1100, 1100, 1400, 1400).difference(shapely.box(1200, 1200, 1300, 1300))
    around = replace(terrain([lake, RIVER], bases={"A": (550.0, 550.0)}), osm=extract)
    found = prepared(around, None)
    assert leg_of(found, "A", "vehicle", *at(1450, 1250)) is not None
    assert found.legs("vehicle", {"u": at(550, 550)}, *at(1250, 1250)) == {"u": None}
    assert leg_of(found, "A", "vehicle", *at(1250, 1250)) is None


def test_a_one_way_street_is_minded(made: Travel) -> None:
    there = made.legs("vehicle", {"u": at(3000, ONE_WAY_Y)}, *at(5500, ONE_WAY_Y))["u"]
    back = made.legs("vehicle", {"u": at(5500, ONE_WAY_Y)}, *at(3000, ONE_WAY_Y))["u"]
    assert there is not None
    assert back is not None
    assert there.metres == pytest.approx(2500, abs=200)
    assert back.metres > there.metres + 700


def test_all_ways_of_asking_agree(made: Travel) -> None:
    rng = np.random.default_rng(6)
    for x, y in rng.uniform(200, SIDE - 200, (40, 2)):
        for base, position in made.positions.items():
            known = leg_of(made, base, "vehicle", *at(x, y))
            live = made.legs("vehicle", {"u": position}, *at(x, y))["u"]
            assert (known is None) == (live is None)
            if known is not None and live is not None:
                assert live.seconds == pytest.approx(known.seconds, abs=1.5)
                assert live.metres == pytest.approx(known.metres, abs=2)


def test_its_line_follows_the_roads(made: Travel) -> None:
    way = made.way("vehicle", at(550, 550), *at(5450, 550))
    assert way is not None
    x, y = TO_DEGREES.transform(way.lonlat[:, 0], way.lonlat[:, 1], direction="INVERSE")
    plain = LineString(np.stack([x - X0, y - Y0], axis=1))
    assert plain.length == pytest.approx(way.leg.metres, rel=0.03)
    assert plain.distance(shapely.Point(2750, BRIDGE_Y)) < 20
    wet = plain.intersection(RIVER)
    assert wet.centroid.y == pytest.approx(BRIDGE_Y, abs=20)


def test_only_what_is_drawn_asks_for_a_line(made: Travel, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answer = Actor.ask

    def seen(actor: Actor, what: str, given: dict[str, Any]) -> Any:
        asked.append(what)
        return answer(actor, what, given)

    monkeypatch.setattr(Actor, "ask", seen)
    starts = {f"u{number}": at(600 + 300 * number, 700) for number in range(12)}
    legs = made.legs("vehicle", starts, *at(5450, 2550))
    assert (len(legs), None in legs.values(), asked) == (12, False, ["matrix"])
    assert made.way("vehicle", starts["u0"], *at(5450, 2550)) is not None
    assert asked == ["matrix", "matrix", "route"]


def test_drawing_keeps_nobody_waiting(made: Travel) -> None:
    """Whoever holds the actor that draws, ways are told all the same."""
    reach = made.modes["vehicle"].reach
    assert isinstance(reach, Roads)
    with reach.engine._lines._lock:
        assert made.legs("vehicle", {"u": at(600, 700)}, *at(5450, 2550))["u"] is not None


def test_no_way_is_told_from_a_fault(
    made: Travel, extract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    apart = tmp_path / "apart.osm.pbf"
    with osmium.SimpleWriter(str(apart)) as writer:
        for number, xy in enumerate([(0, 0), (900, 0), (4000, 0), (4900, 0)], 1):
            writer.add_node(Node(id=number, location=at(*xy), version=1))
        for number in (1, 2):
            nodes = [2 * number - 1, 2 * number]
            writer.add_way(Way(id=number, nodes=nodes, tags={"highway": "residential"}, version=1))
    tiles_of(apart, tmp_path / "tiles")
    engine = Engine(tmp_path / "tiles")
    west, east = np.array([at(100, 0)]), np.array([at(4100, 0)])
    assert np.isinf(engine.matrix(west, east)[0]).all()
    assert np.array_equal(engine.line(west[0], east[0]), np.concatenate([west, east]))
    assert not caplog.records, "that no way leads there is no fault"
    with pytest.raises(EngineFailed, match="matrix"):
        engine.matrix(west, np.full((1, 2), np.nan))
    assert len(engine.line(west[0], np.full(2, np.nan))) == 2
    assert "drawn straight" in caplog.text

    starts, end = {"u": at(550, 550)}, at(2250, 2600)
    by_road = made.legs("vehicle", starts, *end)["u"]

    def broken(_: Actor, what: str, __: dict[str, Any]) -> Any:
        raise EngineFailed(what)

    monkeypatch.setattr(Actor, "ask", broken)
    over_fields = made.legs("vehicle", starts, *end)["u"]
    assert by_road is not None
    assert over_fields is not None
    assert over_fields.seconds > 2 * by_road.seconds
    assert "over fields alone" in caplog.text


def test_the_proof_is_of_the_roads_that_a_server_drives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A river parts the district; its own roads have a bridge over it, the extract has none."""
    folder = write_small_district(tmp_path / "small")
    (folder / "district.toml").write_text(TOML + WATER, encoding="utf-8")
    river = feature(square(120.06, 30, 120.062, 30.1), code="W1", name="东河", name_en="East River", kind="river")
    write_features(folder / "water.geojson", river)
    road: dict[str, object] = {"type": "LineString", "coordinates": [[120.02, 30.05], [120.09, 30.05]]}
    write_features(folder / "roads.geojson", feature(road, **{"class": "main", "bridge": True}))

    def proved() -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(app, ["grids", "prove", str(folder), "--json"])
        return done.exit_code, json.loads(done.stdout)["figures"]

    assert proved()[0] == 0
    extract = tmp_path / "west.osm.pbf"
    with osmium.SimpleWriter(str(extract)) as writer:
        for number, location in enumerate([(120.01, 30.05), (120.05, 30.05)], 1):
            writer.add_node(Node(id=number, location=location, version=1))
        writer.add_way(Way(id=1, nodes=[1, 2], tags={"highway": "residential"}, version=1))
    monkeypatch.setenv("ONEGRID_OSM_EXTRACT", str(extract))
    code, figures = proved()
    assert code == 1
    assert [(one["code"], one["team"]) for one in figures["failures"]] == [("out_of_reach", "T2")]


def test_boats_are_as_they_were(made: Travel, town: Terrain) -> None:
    plain = Travel.build(replace(town, osm=None))
    ours, theirs = made.surface("boat"), plain.surface("boat")
    assert np.isfinite(ours.seconds).any()
    assert np.array_equal(ours.seconds, theirs.seconds)


def test_it_is_kept_and_opened_with_its_tiles(made: Travel, town: Terrain, folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    again = prepared(town, folder)
    assert sorted(path.name for path in folder.iterdir()) == before
    assert np.array_equal(again.surface("vehicle").seconds, made.surface("vehicle").seconds)
    there = at(4321, 1234)
    assert again.legs("vehicle", {"u": at(700, 800)}, *there) == made.legs("vehicle", {"u": at(700, 800)}, *there)
    assert math.isfinite(leg_of(again, "A", "vehicle", *there).seconds)  # type: ignore[union-attr]
