"""Travel on small made maps: rivers, bridges, islands, dykes. Lengths in metres on the plane of EPSG:4549."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from dispatch.district import load
from dispatch.ground import terrain as ground_of
from geo.sailing import WALK_LIMIT_M, Water
from geo.search import ashore
from geo.terrain import Terrain
from geo.travel import Leg, Travel
from tests.points import uniform

CRS = "EPSG:4549"
X0, Y0, SIDE = 390_000.0, 3_470_000.0, 6_000.0
SPEEDS = {"main": 50.0, "minor": 30.0, "field": 5.0, "boat": 18.0, "foot": 4.0}
TO_DEGREES = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
ALL = shapely.box(0, 0, SIDE, SIDE)

DISTRICTS = sorted(Path(__file__).parents[1].joinpath("data/grids").iterdir())


def degrees(shape: BaseGeometry) -> BaseGeometry:
    return shapely.transform(shape, lambda x, y: TO_DEGREES.transform(x + X0, y + Y0), interleaved=False)


def at(x: float, y: float) -> tuple[float, float]:
    return TO_DEGREES.transform(X0 + x, Y0 + y)


def travel(
    water: list[Polygon] | None = None,
    roads: list[tuple[LineString, str, bool]] | None = None,
    bases: dict[str, tuple[float, float]] | None = None,
    cell_m: float = 100.0,
    **speeds: float,
) -> Travel:
    return Travel.build(terrain(water, roads, bases, cell_m, **speeds))


def leg_of(travel: Travel, base: str, mode: str, lon: float, lat: float) -> Leg | None:
    return travel.legs_to([(base, mode)], lon, lat)[0]


def from_bases(travel: Travel, mode: str, lon: float, lat: float) -> dict[str, Leg | None]:
    return {base: leg_of(travel, base, mode, lon, lat) for base in travel.bases}


def terrain(
    water: list[Polygon] | None = None,
    roads: list[tuple[LineString, str, bool]] | None = None,
    bases: dict[str, tuple[float, float]] | None = None,
    cell_m: float = 100.0,
    **speeds: float,
) -> Terrain:
    return Terrain(
        degrees(ALL),  # type: ignore[arg-type]
        [degrees(one) for one in water or []],  # type: ignore[misc]
        [(degrees(line), kind, bridge) for line, kind, bridge in roads or []],  # type: ignore[misc]
        {code: at(*xy) for code, xy in (bases or {"A": (500, 500)}).items()},
        CRS,
        cell_m,
        SPEEDS | speeds,
    )


def river(width: float, angle: float, middle: tuple[float, float] = (3000.0, 3000.0)) -> Polygon:
    """A straight river through `middle`, beyond the district at both ends."""
    dx, dy = 10_000 * math.cos(angle), 10_000 * math.sin(angle)
    line = LineString([(middle[0] - dx, middle[1] - dy), (middle[0] + dx, middle[1] + dy)])
    return line.buffer(width / 2, cap_style="flat")


def test_across_fields_it_is_about_the_straight_way() -> None:
    fields = travel(bases={"A": (1050, 1050)})
    for x, y in [(4050.0, 1050.0), (4050.0, 4050.0), (1050.0, 1550.0), (5000.0, 2000.0)]:
        leg = leg_of(fields, "A", "vehicle", *at(x, y))
        straight = math.hypot(x - 1050, y - 1050)
        assert leg is not None
        assert leg.mode == "vehicle"
        assert straight - 150 <= leg.metres <= 1.09 * straight + 150
        assert leg.seconds == pytest.approx(leg.metres / (5 / 3.6), rel=1e-5)
    assert leg_of(fields, "A", "vehicle", *at(1060, 1040)) == Leg(0.0, 0.0, "vehicle")
    assert leg_of(fields, "A", "boat", *at(1060, 1040)) is None


def test_roads_are_fast_and_measured_along() -> None:
    bend = LineString([(500, 500), (5500, 500), (5500, 5500)])
    road = travel(roads=[(bend, "main", False)], bases={"A": (500, 500)})
    leg = leg_of(road, "A", "vehicle", *at(5500, 5500))
    assert leg is not None
    assert leg.metres == pytest.approx(10_000, abs=110)
    assert leg.seconds == pytest.approx(leg.metres / (50 / 3.6), rel=0.01)
    beside = leg_of(road, "A", "vehicle", *at(5500, 3000))
    field = leg_of(road, "A", "vehicle", *at(5100, 3000))
    assert beside is not None
    assert field is not None
    assert field.seconds > beside.seconds + 200


@settings(max_examples=15, deadline=None)
@given(st.floats(4, 300), st.floats(0, math.pi), st.integers(-1000, 1000), st.sampled_from([60.0, 100.0, 250.0]))
def test_a_river_of_any_width_and_direction_parts_the_land_and_carries_boats(
    width: float, angle: float, shift: int, cell_m: float
) -> None:
    middle = (3000.0 + shift, 3000.0 - shift / 2)
    stream = river(width, angle, middle)
    off = np.array([-math.sin(angle), math.cos(angle)]) * (width / 2 + 3 * cell_m)
    bases = {"left": tuple(np.add(middle, off)), "right": tuple(np.subtract(middle, off)), "ship": middle}
    made = travel([stream], bases=bases, cell_m=cell_m)  # type: ignore[arg-type]
    along = np.array([math.cos(angle), math.sin(angle)])
    for far in (-1500.0, -333.0, 0.0, 777.0, 1500.0):
        here = np.array(middle) + far * along
        left, right = here + off, here - off
        assert leg_of(made, "left", "vehicle", *at(*left)) is not None
        assert leg_of(made, "left", "vehicle", *at(*right)) is None
        assert leg_of(made, "right", "vehicle", *at(*right)) is not None
        assert leg_of(made, "right", "vehicle", *at(*left)) is None
        sailed = leg_of(made, "ship", "boat", *at(*here))
        assert sailed is not None
        assert abs(far) - 2 * cell_m <= sailed.metres <= 1.5 * abs(far) + 3 * cell_m
        ashore = leg_of(made, "ship", "boat", *at(*left))
        assert ashore is not None
        assert ashore.seconds > sailed.seconds


@settings(max_examples=10, deadline=None)
@given(st.floats(4, 300), st.floats(0.1, math.pi - 0.1))
def test_a_bridge_joins_what_a_river_parts(width: float, angle: float) -> None:
    stream = river(width, angle)
    road = LineString([(3000, 3000), (3000 - 2000 * math.sin(angle), 3000 + 2000 * math.cos(angle))])
    road = LineString([(2 * 3000 - x, 2 * 3000 - y) for x, y in road.coords[::-1]][:1] + list(road.coords[1:]))
    dry = [(part, "minor", False) for part in shapely.get_parts(road.difference(stream))]
    ends = {"A": road.coords[0], "B": road.coords[-1]}
    without = travel([stream], dry, ends)
    assert leg_of(without, "A", "vehicle", *at(*ends["B"])) is None
    bridged = travel([stream], [*dry, (road.intersection(stream), "minor", True)], ends)
    leg, back = (leg_of(bridged, a, "vehicle", *at(*ends[b])) for a, b in ("AB", "BA"))
    assert leg is not None
    assert leg.metres == pytest.approx(4000, abs=230), "each end is good to a cell"
    assert leg.seconds == pytest.approx(leg.metres / (30 / 3.6), rel=0.05)
    assert back is not None
    assert back.seconds == pytest.approx(leg.seconds, rel=1e-5)


def test_an_island_is_reached_by_boat_alone() -> None:
    lake = shapely.box(1000, 1000, 5000, 5000).difference(shapely.box(2500, 2500, 3500, 3500))
    made = travel([lake], bases={"A": (500, 500), "quay": (950, 3000)})
    island = at(3000, 3000)
    assert leg_of(made, "A", "vehicle", *island) is None
    leg = leg_of(made, "quay", "boat", *island)
    assert leg is not None
    assert leg.metres == pytest.approx(50 + 1550 + 500, abs=250)
    assert leg_of(made, "A", "vehicle", *at(1050, 3000)) is not None, "the shore is within a cell"
    assert leg_of(made, "A", "vehicle", *at(1400, 3000)) is None, "the open lake is not"
    assert leg_of(made, "A", "boat", *island) is not None, "the boat lies 700 m from there"
    assert leg_of(made, "quay", "boat", *at(100, 3000)) is not None, "a kilometre to walk"


def test_a_crew_walks_no_farther_than_the_limit() -> None:
    made = travel([shapely.box(0, 0, 1000, SIDE)], bases={"A": (500, 3000)})
    near, far = leg_of(made, "A", "boat", *at(2300, 3000)), leg_of(made, "A", "boat", *at(2700, 3000))
    assert near is not None
    assert near.metres == pytest.approx(1800, abs=150)
    assert near.seconds == pytest.approx(500 / 5 + 1300 / (4 / 3.6), rel=0.1)
    assert far is None
    inland = travel([shapely.box(0, 0, 1000, SIDE)], bases={"A": (2800, 3000)})
    assert leg_of(inland, "A", "boat", *at(500, 3000)) is None, "no boat lies 1.8 km from its base"


def test_a_dyke_parts_two_waters_within_one_cell() -> None:
    first = LineString([(0, 3000), (3000, 3000), (6000, 100)]).buffer(15)
    second = LineString([(0, 3045), (3000, 3045), (6000, 5900)]).buffer(15)
    made = travel([first, second], bases={"A": (5800, 300), "B": (5800, 5700)})
    for base, own, other in (("A", (5000, 1067), (5000, 4950)), ("B", (5000, 4950), (5000, 1067))):
        assert leg_of(made, base, "boat", *at(500, 3020)) is not None
        assert leg_of(made, base, "boat", *at(*own)) is not None
        assert leg_of(made, base, "boat", *at(*other)) is None


def test_a_boat_follows_the_bends_of_its_river() -> None:
    bend = LineString([(500, 1500), (5500, 1500), (5500, 4500), (500, 4500)]).buffer(10)
    made = travel([bend], bases={"A": (600, 1500)})
    leg = leg_of(made, "A", "boat", *at(600, 4500))
    assert leg is not None
    assert leg.metres == pytest.approx(12_800, rel=0.03)
    assert leg.seconds == pytest.approx(leg.metres / (18 / 3.6), rel=0.02)


coordinate = st.floats(200, SIDE - 200)
spot = st.tuples(coordinate, coordinate)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(spot, spot, st.floats(5, 400)), min_size=1, max_size=6),
    st.lists(st.tuples(spot, spot, st.booleans()), max_size=4),
    st.lists(spot, min_size=2, max_size=6),
)
def test_nobody_gets_where_no_way_leads(
    streams: list[tuple[tuple[float, float], tuple[float, float], float]],
    ways: list[tuple[tuple[float, float], tuple[float, float], bool]],
    spots: list[tuple[float, float]],
) -> None:
    water = [LineString([a, b]).buffer(width / 2 + 3).intersection(ALL) for a, b, width in streams if a != b]
    wet = shapely.union_all(water)
    roads = [(LineString([a, b]), "minor", bridge) for a, b, bridge in ways if a != b]
    bridges = shapely.union_all([line for line, _, bridge in roads if bridge])
    ground = ALL.difference(wet.difference(bridges.buffer(15)))
    sea = shapely.get_parts(wet.buffer(1))
    away = [xy for xy in spots if wet.distance(shapely.Point(xy)) > 150 and bridges.distance(shapely.Point(xy)) > 150]
    afloat = [xy for xy in spots if wet.contains(shapely.Point(xy))]
    made = travel(water, roads, {str(i): xy for i, xy in enumerate(spots)})
    slow = travel(water, roads, {str(i): xy for i, xy in enumerate(spots)}, minor=20.0, field=4.0, boat=11.0, foot=3.0)
    for xy in spots:
        legs = from_bases(made, "vehicle", *at(*xy)), from_bases(made, "boat", *at(*xy))
        late = from_bases(slow, "vehicle", *at(*xy)), from_bases(slow, "boat", *at(*xy))
        for i, start in enumerate(spots):
            drive, sail = legs[0][str(i)], legs[1][str(i)]
            for quick, slower in ((drive, late[0][str(i)]), (sail, late[1][str(i)])):
                assert (quick is None) == (slower is None)
                if quick is not None and slower is not None:
                    assert quick.seconds <= slower.seconds * (1 + 1e-6), "slower is never sooner"
                    assert quick.metres >= math.dist(xy, start) - 450
                    assert quick.seconds >= quick.metres / (30 / 3.6) * (1 - 1e-6)
            if drive is not None and xy in away and start in away:
                joined = [part for part in shapely.get_parts(ground) if part.intersects(shapely.Point(xy))]
                assert any(part.intersects(shapely.Point(start)) for part in joined), "driven through water"
            if drive is not None and xy in away:
                back = leg_of(made, str(spots.index(xy)), "vehicle", *at(*start))
                assert back is not None
                assert back.seconds == pytest.approx(drive.seconds, rel=1e-4, abs=2 * 150 / (5 / 3.6))
            if xy in afloat and start in afloat:
                together = any(part.contains(shapely.multipoints([xy, start])) for part in sea)
                assert sail is not None or not together, "waters are connected, but no boat comes"


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(spot, spot, st.floats(3, 300)), min_size=1, max_size=4))
def test_over_fields_it_is_what_a_slow_model_says(
    streams: list[tuple[tuple[float, float], tuple[float, float], float]],
) -> None:
    """The slow model asks of each of the sixteen moves, cell by cell, whether its straight line meets water."""
    water = [LineString([a, b]).buffer(width / 2 + 3).intersection(ALL) for a, b, width in streams if a != b]
    wet = shapely.union_all(water)
    barrier = shapely.union_all([wet, ALL.buffer(2000).difference(ALL)]).buffer(-1.0)
    shapely.prepare(barrier)
    made = travel(water, bases={"A": (3000, 3000)}, cell_m=300.0)
    centres = made.frame.centres() - (X0, Y0)
    column = np.arange(len(centres)) % made.frame.columns
    dry = ~shapely.intersects_xy(barrier, *centres.T)
    slow = nx.Graph()
    moves = [(1, 0), (0, 1), (1, 1), (-1, 1), (2, 1), (1, 2), (-1, 2), (-2, 1)]
    for cell in np.flatnonzero(dry & shapely.intersects_xy(ALL, *centres.T)).tolist():
        slow.add_node(cell)
        for east, north in moves:
            there = cell + east + north * made.frame.columns
            if there >= len(centres) or abs(column[there] - column[cell]) > 2 or not dry[there]:
                continue
            line = LineString([centres[cell], centres[there]])
            if not barrier.intersects(line):
                slow.add_edge(cell, there, weight=line.length)
    start = int(made.cells(*at(3000, 3000))[0])
    metres = made.surface("vehicle").metres[0]
    if start not in slow:
        return
    known = nx.single_source_dijkstra_path_length(slow, start)
    for cell in slow.nodes:
        if shapely.Point(centres[cell]).distance(shapely.union_all([wet, ALL.exterior])) > 450:
            expected = known.get(cell, math.inf)
            assert metres[cell] == pytest.approx(expected, rel=1e-5, abs=0.01), centres[cell]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(spot, spot, st.floats(5, 400)), min_size=1, max_size=5),
    st.lists(st.tuples(spot, spot, st.booleans()), max_size=3),
    st.lists(spot, min_size=2, max_size=4),
)
@example(  # The crew walks 1500.0 m, which is the limit: in seconds, or summed from the other end, it was a hair more.
    [((200.0, 200.0), (544.0, 2171.0), 223.0), ((3373.0, 3996.0), (3924.0, 208.0), 25.0)],
    [],
    [(2000.0, 2652.0), (2351.0, 200.0)],
)
def test_a_line_to_draw_leads_there_and_not_through_water(
    streams: list[tuple[tuple[float, float], tuple[float, float], float]],
    ways: list[tuple[tuple[float, float], tuple[float, float], bool]],
    spots: list[tuple[float, float]],
) -> None:
    water = [LineString([a, b]).buffer(width / 2 + 3).intersection(ALL) for a, b, width in streams if a != b]
    roads = [(LineString([a, b]), "minor", bridge) for a, b, bridge in ways if a != b]
    bridges = shapely.union_all([line for line, _, bridge in roads if bridge])
    wet = shapely.union_all(water).buffer(-5).difference(bridges.buffer(20))
    made = travel(water, roads, {str(i): xy for i, xy in enumerate(spots)})
    for base, start in enumerate(spots):
        for end in spots:
            for mode in ("vehicle", "boat"):
                known = leg_of(made, str(base), mode, *at(*end))
                way = made.way_from_base(str(base), mode, *at(*end))
                assert (way is None) == (known is None)
                if way is None or known is None:
                    continue
                assert way.leg.seconds == pytest.approx(known.seconds, rel=1e-5, abs=0.01)
                x, y = TO_DEGREES.transform(way.lonlat[:, 0], way.lonlat[:, 1], direction="INVERSE")
                line = LineString(np.stack([x - X0, y - Y0], axis=1))
                assert math.dist(line.coords[0], start) < 0.1
                assert math.dist(line.coords[-1], end) < 0.1
                assert line.length == pytest.approx(way.leg.metres, rel=0.05, abs=450), "good to a cell at each end"
                if mode == "vehicle":
                    # Not the two ends, which may lie across the shore.
                    driven = line.difference(shapely.multipoints([start, end]).buffer(430))
                    assert driven.intersection(wet).length < 4, "drawn through water"


@pytest.mark.parametrize("folder", DISTRICTS, ids=lambda folder: folder.name)
def test_real_districts_can_be_served(folder: Path) -> None:
    district = load(folder)
    layers = district.layers
    bases = {base.code: (base.lon, base.lat) for base in district.bases.values()}
    made = Travel.build(ground_of(district))
    moves = {(unit.base, unit.mode.value) for unit in district.units.values()}
    drivers, sailors = ({base for base, mode in moves if mode == one} for one in ("vehicle", "boat"))
    for base in drivers:
        lon, lat = bases[base]
        assert all(leg_of(made, other, "vehicle", lon, lat) is not None for other in drivers), (
            "bases are joined by roads"
        )
    inland = district.settings.travel_cell_m / 1e5
    rng = np.random.default_rng(5)
    points = uniform(rng, [layers["district"].zones[0].geometry], 20_000)
    wet = shapely.union_all([zone.geometry for zone in layers["water"].zones])
    dry = layers["district"].zones[0].geometry.buffer(-inland).difference(wet.buffer(inland))
    shapely.prepare(dry)
    points = points[shapely.intersects_xy(dry, points[:, 0], points[:, 1])]
    driven = made.many("vehicle", points[:, 0], points[:, 1])
    rows = [driven.bases.index(base) for base in sorted(drivers)]
    assert np.isfinite(driven.seconds[rows]).all(axis=0).mean() > 0.99, "nearly all land is reached from everywhere"
    for base in sailors:
        lon, lat = bases[base]
        assert leg_of(made, base, "boat", lon, lat) is not None
        assert any(leg_of(made, base, "boat", *bases[other]) is not None for other in sailors - {base})


def test_all_ways_of_asking_agree() -> None:
    lake = shapely.box(2000, 2000, 4000, 4000)
    road = LineString([(500, 500), (5500, 700), (5600, 5500)])
    places = {"A": (500.0, 500.0), "B": (5600.0, 5500.0), "C": (1950.0, 3000.0), "D": (2400.0, 2100.0)}
    made = travel([lake], [(road, "main", False)], places)
    rng = np.random.default_rng(4)
    points = np.array([at(*xy) for xy in rng.uniform(-300, SIDE + 300, (400, 2))])
    for mode in ("vehicle", "boat"):
        legs = made.many(mode, points[:, 0], points[:, 1])
        assert legs.bases == made.bases == ("A", "B", "C", "D")
        assert legs.seconds.shape == legs.metres.shape == (4, 400)
        assert 0.1 < np.isfinite(legs.seconds[2]).mean() < 0.95
        for i, (x, y) in enumerate(points.tolist()):
            each = from_bases(made, mode, x, y)
            for row, base in enumerate(legs.bases):
                one = leg_of(made, base, mode, x, y)
                assert each[base] == one
                if one is None:
                    assert math.isinf(legs.seconds[row, i])
                    assert math.isinf(legs.metres[row, i])
                else:
                    assert (one.seconds, one.metres) == (legs.seconds[row, i], legs.metres[row, i])
        for x, y in points[:40].tolist():
            live = made.legs(mode, {code: at(*xy) for code, xy in places.items()} | {"none": (math.nan, 31.0)}, x, y)
            assert live.pop("none") is None
            for base, leg in live.items():
                known = leg_of(made, base, mode, x, y)
                assert (leg is None) == (known is None)
                if leg is not None and known is not None:
                    assert leg.seconds == pytest.approx(known.seconds, rel=0.02, abs=130)
                    assert leg.metres == pytest.approx(known.metres, rel=0.02, abs=150)


@pytest.mark.parametrize("xy", [(math.nan, math.nan), (math.inf, 31.3), (1e300, 31.3), (0.0, 0.0), (118.0, 31.3)])
def test_nowhere_is_not_reached(xy: tuple[float, float]) -> None:
    made = travel([river(50, 1.0)])
    for mode in ("vehicle", "boat"):
        assert leg_of(made, "A", mode, *xy) is None
        assert from_bases(made, mode, *xy) == {"A": None}
        assert made.legs(mode, {"u": at(500, 500)}, *xy) == {"u": None}


def test_a_base_outside_the_district_reaches_nothing() -> None:
    made = travel([river(50, 1.0)], bases={"A": (-4000, 0), "B": (500, 500)})
    assert leg_of(made, "A", "vehicle", *at(500, 500)) is None
    assert leg_of(made, "A", "boat", *at(3000, 3000)) is None
    assert leg_of(made, "B", "vehicle", *at(500, 500)) is not None


def test_what_is_unknown_or_impossible_is_refused() -> None:
    made = travel()
    with pytest.raises(KeyError, match="Z"):
        leg_of(made, "Z", "vehicle", *at(500, 500))
    with pytest.raises(KeyError, match="train"):
        leg_of(made, "A", "train", *at(500, 500))
    with pytest.raises(KeyError, match="lane"):
        travel(roads=[(LineString([(0, 0), (500, 500)]), "lane", False)])
    with pytest.raises(ValueError, match="positive"):
        travel(field=0.0)
    with pytest.raises(ValueError, match="positive"):
        travel(cell_m=-1.0)


def test_nothing_but_water_and_no_base() -> None:
    assert leg_of(travel([ALL]), "A", "vehicle", *at(3000, 3000)) is None
    sailed = leg_of(travel([ALL]), "A", "boat", *at(3000, 3000))
    assert sailed is not None
    empty = Travel.build(replace(terrain(), bases={}))
    assert from_bases(empty, "vehicle", *at(500, 500)) == {}
    assert empty.many("boat", [118.9], [31.3]).seconds.shape == (0, 1)


def sailing(made: Travel) -> Water:
    reach = made.modes["boat"].reach
    assert isinstance(reach, Water)
    return reach


LAKES = [
    shapely.box(1000, 1000, 2500, 5000),
    LineString([(3000, 0), (3000, 3000), (6000, 3050)]).buffer(12),
    LineString([(3060, 0), (3060, 2900), (6000, 2900)]).buffer(12),
]


def test_a_boat_is_at_the_nearest_place_on_water() -> None:
    """Against the distances to all of them: of equals the first, 0 to what lies in its own cell."""
    reach = sailing(travel(LAKES))
    rng = np.random.default_rng(3)
    frame = reach.frame
    around = rng.uniform((X0 - 2500, Y0 - 2500), (X0 + SIDE + 2500, Y0 + SIDE + 2500), (400, 2))
    spots = np.concatenate([around, frame.centres()[::7][:300]])
    for xy in spots:
        metres = reach._off(xy)
        nearest = (int(metres.argmin()), float(metres.min())) if metres.min() <= WALK_LIMIT_M else (-1, 0.0)
        assert reach.start(xy) == nearest
    for nowhere in ((math.nan, 0.0), (math.inf, Y0), (-1e300, 1e300)):
        assert reach.start(np.array(nowhere)) == (-1, 0.0)


def test_who_gets_ashore_is_told_from_the_shore_as_from_the_water() -> None:
    reach = sailing(travel(LAKES))
    graph, afloat = reach.back.seconds, reach.part.size
    ends = range(afloat, len(reach.network.xy), 11)
    assert len(ends) > 50
    from_water = {part: reach._walks(part)[0] for part in np.unique(reach.part).tolist()}
    for end in ends:
        landings = ashore(graph.indptr, graph.indices, graph.data, afloat, end, reach._limit_s)
        assert set(reach.part[landings].tolist()) == {part for part, walk in from_water.items() if walk[end] < math.inf}
