"""The proof, against brute force: every point asked of a slow model, of the decision table, and of the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

from dispatch.competence import PLACE_LAYERS, DecisionTable, Place
from dispatch.model import Rule
from dispatch.place_kinds import PlaceKinds
from dispatch.proof import UNSETTLED, Proof, prove
from geo.grid import Cover, Layer, Metric, Zone
from tests.small_tables import BASE, CLASSES, LAYERS, MATTERS, TEAMS, at, layer, rule, table, zone

METRIC = Metric("EPSG:32631")
ASKED = (*MATTERS, *CLASSES)


def proved(*rules: Rule) -> Proof:
    made = table(*rules)
    assert made.faults == []
    return prove(made, LAYERS, METRIC)


def unsettled(proof: Proof) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.code, one.rules) for one in proof.unsettled]


def looked_up(proof: Proof, layers: Mapping[str, Layer], place: Place, matter: str) -> tuple[int, str | None]:
    """The matrix's answer for a place and matter: the row that wins, and the team. KeyError if it has no such kind."""
    held = tuple(tuple(layers[name].zones.index(z) for z in place[name]) for name in proof.places.layers)
    kind = {one: number for number, kind in enumerate(proof.places.kinds) for one in kind.held}[held]
    group = next(number for number, codes in enumerate(proof.groups) if matter in codes)
    return proof.winners[kind][group], proof.team(kind, group)


# --- ties and holes -----------------------------------------------------------------------------------------------


def test_rows_that_cross_are_a_tie_with_a_witness() -> None:
    tie = next(one for one in proved(*BASE).unsettled if one.rules == ("R2", "R3"))
    assert (tie.code, tie.matters) == ("rule_tie", ("2103",))
    for kind in tie.kinds:
        place = at(*kind.at)
        assert place["water"]
        assert [place[name] for name in PLACE_LAYERS] == [tuple(kind.place[name]) for name in PLACE_LAYERS]


def test_rows_that_never_meet_on_the_ground_are_no_tie() -> None:
    far = proved(rule("R1", "@township"), rule("R2", "@joint", joint="*"), rule("R3", "W", water="R"))
    assert unsettled(far) == []
    near = proved(rule("R1", "@township"), rule("R2", "@dedicated", dedicated="S1|S2"), rule("R3", "W", water="R"))
    assert unsettled(near) == [("rule_tie", ("R2", "R3"))]


def test_overlapping_zones_of_one_layer_tie() -> None:
    found = proved(rule("R1", "@township"), rule("R2", "S", dedicated="~school"), rule("R3", "J", dedicated="M1"))
    assert unsettled(found) == [("rule_tie", ("R2", "R3"))]
    (tie,) = found.unsettled
    assert tie.geometry().equals(box(1.5, 1.5, 2, 2))


def test_a_third_zone_that_covers_the_overlap_settles_the_tie() -> None:
    """Which pairs of zones alone would not show."""
    over = zone("dedicated", "Z", (1.5, 1.5, 2, 2), "S", "both")
    layers = {**LAYERS, "dedicated": layer("dedicated", Cover.OVERLAP, *LAYERS["dedicated"].zones, over)}
    rows = (
        rule("R1", "@township"),
        rule("R2", "S", dedicated="~school|Z"),
        rule("R3", "J", dedicated="M1|Z"),
        rule("R4", "W", dedicated="Z"),
    )
    made = DecisionTable(rows, layers, CLASSES, MATTERS, TEAMS)
    assert made.faults == []
    assert unsettled(prove(made, layers, METRIC)) == []


def test_a_hole_is_named() -> None:
    (hole,) = proved(rule("R1", "T1", township="A"), rule("R2", "T2", township="B", matter="01")).unsettled
    assert (hole.code, hole.rules, hole.matters) == ("rule_hole", (), ("21", "2102", "2103"))
    assert hole.geometry().equals(LAYERS["township"].zones[1].geometry)


def test_a_hole_on_a_border_alone_is_found() -> None:
    """The joint area lies in the eastern township and ends at the border, which is the western one's."""
    layers = {**LAYERS, "joint": layer("joint", Cover.DISJOINT, zone("joint", "J1", (5, 1, 7, 3), "J"))}
    rows = (rule("R1", "T1", township="A", joint="-"), rule("R2", "T2", township="B"))
    made = DecisionTable(rows, layers, CLASSES, MATTERS, TEAMS)
    (hole,) = prove(made, layers, METRIC).unsettled
    (kind,) = hole.kinds
    assert (kind.area_km2, kind.faces, kind.exact) == (0.0, (), True)
    assert kind.at[0] == 5
    assert 1 <= kind.at[1] <= 3
    assert kind.place["township"][0].code == "A"
    assert made.rows_of(kind.place) == 0


def test_kinds_are_as_few_as_the_rules_tell_apart() -> None:
    places = proved(rule("R1", "T1")).places
    assert [kind.name for kind in places.kinds] == ["A、B"]
    places = proved(rule("R1", "@township"), rule("R2", "@water", water="~lake")).places
    assert [kind.name for kind in places.kinds] == ["A", "A · L", "B", "B · L"]
    assert sum_is_whole(places)


def sum_is_whole(places: PlaceKinds) -> bool:
    return abs(places.left_m2) < 1e-3 and places.area_km2 == pytest.approx(places.district_km2, rel=1e-9)


# --- a slow, obvious model ------------------------------------------------------------------------------------------

CELLS: Mapping[str, list[str]] = {
    "township": ["", "", "A", "B", "A|B"],
    "water": ["", "", "*", "-", "L", "~river"],
    "joint": ["", "", "*", "-", "J1"],
    "dedicated": ["", "", "*", "-", "S1", "~school", "M1|S2"],
    "matter": ["", "", "01", "21", "0101", "2103|0107"],
}
POINTS = [at(x / 2, y / 2) for x in range(21) for y in range(21)]
"""A net of points that meets every border and corner."""


@st.composite
def tables(draw: st.DrawFn) -> tuple[Rule, ...]:
    rows = [rule("R0", "T1")] if draw(st.booleans()) else []
    for number in range(draw(st.integers(1, 6))):
        cells = {name: draw(st.sampled_from(choices)) for name, choices in CELLS.items()}
        rows.append(rule(f"R{number + 1}", draw(st.sampled_from(TEAMS)), **cells))
    return tuple(rows)


def holds(cell: str, held: Sequence[Zone]) -> bool:
    if cell in ("", "*", "-"):
        return cell == "" or bool(held) == (cell == "*")
    return any(z.code == name or "~" + z.kind == name for name in cell.split("|") for z in held)


def speaks(row: Rule, place: Place, matter: str) -> bool:
    return all(holds(getattr(row, name), tuple(place[name])) for name in PLACE_LAYERS) and (
        not row.matter or any(matter.startswith(name) for name in row.matter.split("|"))
    )


@given(tables())
@settings(max_examples=60, deadline=None)
def test_every_point_is_in_the_matrix_and_the_matrix_is_the_table(rows: tuple[Rule, ...]) -> None:
    made = table(*rows)
    if made.faults:
        return
    proof = prove(made, LAYERS, METRIC)
    ill = {(kind.code, matter) for one in proof.unsettled for kind in one.kinds for matter in one.matters}
    for place in POINTS:
        for matter in ASKED:
            speaking = [row.code for row in rows if speaks(row, place, matter)]
            winner, team = looked_up(proof, LAYERS, place, matter)
            if winner == UNSETTLED:
                assert team is None
                continue
            ruling = made.decide(place, matter)
            assert [verdict.rule for verdict in ruling.verdicts] == speaking
            assert (ruling.rule.code, ruling.team) == (rows[winner].code, team)
    for kind in proof.places.kinds:
        assert kind.exact
        place = at(*kind.at)
        for matter in ASKED:
            lowest = made.lowest(made.rows_of(place) & made._matter[matter])
            assert (len(lowest) != 1) == ((kind.code, matter) in ill)
            speaking = [row.code for row in rows if speaks(row, place, matter)]
            assert bool(speaking) or (kind.code, matter) in ill
    assert sum_is_whole(proof.places)


# --- made districts -------------------------------------------------------------------------------------------------


def shaped(name: str, cover: Cover, shapes: Sequence[Any], teams: Sequence[str]) -> Layer:
    """A layer of these shapes, with the teams by turns."""
    zones = tuple(
        Zone(
            name, f"{name[0]}{i}", f"{name}{i}", "", "xyz"[i % 3], None, shape, METRIC.area_m2(shape) / 1e6, properties
        )
        for i, shape in enumerate(shapes)
        for properties in [{"team": teams[i % len(teams)]}]
    )
    return Layer(name, name, name, cover, None, False, "made", zones)


def made_layers(seed: int) -> dict[str, Layer]:
    """Townships by Voronoi cells, and random overlapping and disjoint areas over them, on a coarse lattice or not."""
    rng = np.random.default_rng(seed)
    places = 1 if seed % 2 else 12

    def areas(count: int, *, apart: bool) -> list[Any]:
        out: list[Any] = []
        while len(out) < count:
            ring = rng.uniform(0, 1, (3 + len(out) % 4, 2)).round(places) / 3 + rng.uniform(0, 6, 2).round(places) / 9
            shape = shapely.MultiPoint(ring).convex_hull
            shape = shape.difference(shapely.union_all(out)) if apart and out else shape
            if shape.geom_type in {"Polygon", "MultiPolygon"}:
                out.append(shape)
        return out

    whole = box(0, 0, 1, 1)
    seeds = shapely.MultiPoint(rng.uniform(0, 1, (7, 2)).round(places))
    walls = shapely.voronoi_polygons(seeds, only_edges=True, extend_to=whole)
    lines = shapely.union_all([whole.boundary, walls.intersection(whole)])
    faces = [f for f in shapely.get_parts(shapely.polygonize(shapely.get_parts(lines))) if whole.covers(f)]
    district = shapely.union_all(faces)
    water = [shape.intersection(district) for shape in areas(5, apart=True)]
    water = [shape for shape in water if shape.area > 0 and shape.geom_type.endswith("Polygon")]
    return {
        "district": shaped("district", Cover.PARTITION, [district], [""]),
        "township": shaped("township", Cover.PARTITION, faces, ["T0", "T1", "T2"]),
        "dedicated": shaped("dedicated", Cover.OVERLAP, areas(6, apart=False), ["S"]),
        "water": shaped("water", Cover.DISJOINT, water, ["W"]),
        "joint": shaped("joint", Cover.OVERLAP, areas(3, apart=False), ["J", "K"]),
    }


MADE_CELLS: Mapping[str, list[str]] = {
    "township": ["", "", "", "t0", "t1"],
    "water": ["", "", "*", "-", "~x"],
    "joint": ["", "", "*", "-", "~y", "j0"],
    "dedicated": ["", "", "*", "-", "~x", "d1", "~z"],
    "matter": ["", "01", "21", "0101", "2103|0107"],
}


@pytest.mark.parametrize("seed", range(12))
def test_made_districts_against_points(seed: int) -> None:
    layers = made_layers(seed)
    rng = np.random.default_rng(seed)
    pick = {name: [str(rng.choice(choices)) for _ in range(5)] for name, choices in MADE_CELLS.items()}
    rows = [rule("R0", "@township")]
    rows += [
        rule(f"R{i + 1}", "@joint" if cells["joint"] in ("*", "~y", "j0") else "S", **cells)
        for i in range(5)
        for cells in [{name: choices[i] for name, choices in pick.items()}]
    ]
    made = DecisionTable(rows, layers, CLASSES, MATTERS, ("T0", "T1", "T2", "S", "W", "J", "K"))
    assert {fault.code for fault in made.faults} <= {"rule_cell_unknown", "rule_duplicate"}  # neither matters here
    proof = prove(made, layers, METRIC)
    assert abs(proof.places.left_m2) < 1e-3
    assert proof.places.area_km2 == pytest.approx(proof.places.district_km2, rel=1e-4)  # edges bend in the projection
    corners = [xy for one in layers.values() for z in one.zones for xy in shapely.get_coordinates(z.geometry).tolist()]
    points = [*rng.uniform(0, 1, (400, 2)).tolist(), *(rng.integers(0, 11, (200, 2)) / 10).tolist(), *corners]
    whole = layers["district"].zones[0].geometry
    met = 0
    for x, y in points:
        point = Point(x, y)
        if not whole.intersects(point):
            continue
        place = {
            name: held if layers[name].cover is Cover.OVERLAP else held[:1]
            for name in proof.places.layers
            for held in [tuple(z for z in layers[name].zones if z.geometry.intersects(point))]
        }
        for matter in ASKED:
            winner, team = looked_up(proof, layers, place, matter)
            lowest = made.lowest(made.rows_of(place) & made._matter[matter])
            assert (winner == UNSETTLED) == (len(lowest) != 1)
            if winner != UNSETTLED:
                ruling = made.decide(place, matter)
                assert (ruling.rule.code, ruling.team) == (rows[winner].code, team)
            met += 1
    assert met > 1000
