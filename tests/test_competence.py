"""The decision table, against a slow model that reads the rows again for every question."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from dispatch.competence import PLACE_LAYERS, DecisionTable, Place
from dispatch.model import Matter, MatterClass, Rule
from geo.grid import Cover, Layer, Zone

TEAMS = ("T1", "T2", "W", "J", "S")
CLASSES = {code: MatterClass(code, code, code) for code in ("01", "21")}
MATTERS = {
    code: Matter(code, code, code, "D", "", 3, 24, on_water=code == "2103") for code in ("0101", "0107", "2102", "2103")
}


def zone(layer: str, code: str, shape: tuple[float, float, float, float], team: str | None, kind: str = "") -> Zone:
    properties = {"team": team} if team else {}
    return Zone(layer, code, code, code, kind, None, box(*shape), 1.0, properties)


def layer(name: str, cover: Cover, *zones: Zone) -> Layer:
    return Layer(name, name, name, cover, None, False, "made", zones)


LAYERS = {
    "township": layer(
        "township",
        Cover.PARTITION,
        zone("township", "A", (0, 0, 5, 10), "T1"),
        zone("township", "B", (5, 0, 10, 10), "T2"),
    ),
    "water": layer(
        "water",
        Cover.DISJOINT,
        zone("water", "L", (4, 4, 6, 6), "W", "lake"),
        zone("water", "R", (0, 8, 10, 9), "W", "river"),
    ),
    "joint": layer("joint", Cover.DISJOINT, zone("joint", "J1", (1, 1, 3, 3), "J")),
    "dedicated": layer(
        "dedicated",
        Cover.OVERLAP,
        zone("dedicated", "S1", (1, 1, 2, 2), "S", "school"),
        zone("dedicated", "S2", (7, 7, 8, 9), "S", "school"),
        zone("dedicated", "M1", (1.5, 1.5, 4.5, 4.5), None, "market"),
    ),
}


def rule(code: str, team: str, **cells: str) -> Rule:
    row = dict.fromkeys((*PLACE_LAYERS, "matter"), "") | cells
    return Rule(code=code, team=team, note="", note_en="", **row)


BASE = (
    rule("R1", "@township"),
    rule("R2", "@water", water="*"),
    rule("R3", "W", matter="2103"),
    rule("R4", "@joint", joint="*", matter="21"),
)


def table(*rules: Rule) -> DecisionTable:
    return DecisionTable(rules, LAYERS, CLASSES, MATTERS, TEAMS)


def at(lon: float, lat: float) -> Place:
    """The zones that hold a point, by asking shapely of each."""
    point = box(lon, lat, lon, lat).centroid
    place = {}
    for name, one in LAYERS.items():
        held = tuple(z for z in one.zones if z.geometry.intersects(point))
        place[name] = held if one.cover is Cover.OVERLAP else held[:1]
    return place


def codes(found: DecisionTable) -> list[tuple[str, tuple[str, ...]]]:
    return [(fault.code, fault.rules) for fault in found.faults]


def test_the_most_specific_row_wins() -> None:
    made = table(*BASE, rule("R5", "S", water="*", matter="2103"), rule("R6", "W", joint="*", matter="2103"))
    assert codes(made) == []
    assert made.team(at(0.5, 0.5), "0101") == "T1"
    assert made.team(at(9, 1), "0101") == "T2"
    assert made.team(at(5, 5), "0101") == "W"
    assert made.team(at(5, 5), "2103") == "S"
    assert made.team(at(2, 2), "2102") == "J"
    ruling = made.decide(at(5, 5), "2103")
    assert [(v.rule, v.chosen) for v in ruling.verdicts] == [("R1", False), ("R2", False), ("R3", False), ("R5", True)]


def test_a_class_alone_is_decided_too() -> None:
    assert table(*BASE, rule("R5", "W", joint="*", matter="2103"), rule("R6", "W", water="*", matter="2103")).team(
        at(2, 2), "21"
    ) == ("J")


def test_rows_that_cross_are_a_tie_with_a_witness() -> None:
    found = table(*BASE)
    assert ("rule_tie", ("R2", "R3")) in codes(found)
    tie = next(fault for fault in found.faults if fault.rules == ("R2", "R3"))
    assert tie.matter == "2103"
    assert tie.region is not None
    assert tie.region.intersects(LAYERS["water"].zones[0].geometry)


def test_rows_that_never_meet_on_the_ground_are_no_tie() -> None:
    far = table(rule("R1", "@township"), rule("R2", "@joint", joint="*"), rule("R3", "W", water="R"))
    assert codes(far) == []
    near = table(rule("R1", "@township"), rule("R2", "@dedicated", dedicated="S1|S2"), rule("R3", "W", water="R"))
    assert codes(near) == [("rule_tie", ("R2", "R3"))]


def test_overlapping_zones_of_one_layer_tie() -> None:
    found = table(rule("R1", "@township"), rule("R2", "S", dedicated="~school"), rule("R3", "J", dedicated="M1"))
    assert codes(found) == [("rule_tie", ("R2", "R3"))]


def test_a_hole_is_named() -> None:
    found = table(rule("R1", "T1", township="A"), rule("R2", "T2", township="B", matter="01"))
    assert codes(found) == [("rule_hole", ())]
    assert found.faults[0].matter in {"2102", "2103", "21"}
    assert found.faults[0].region is not None
    assert found.faults[0].region.equals(LAYERS["township"].zones[1].geometry)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (rule("X", "T9"), "rule_team_unknown"),
        (rule("X", "@community"), "rule_team_unknown"),
        (rule("X", "@water"), "rule_zone_without_team"),
        (rule("X", "@dedicated", dedicated="M1"), "rule_zone_without_team"),
        (rule("X", "T1", water="nowhere"), "rule_cell_unknown"),
        (rule("X", "T1", water="~sea"), "rule_cell_unknown"),
        (rule("X", "T1", matter="9999"), "rule_cell_unknown"),
        (rule("X", "T1"), "rule_duplicate"),
    ],
)
def test_what_a_row_gets_wrong_is_named(row: Rule, code: str) -> None:
    assert code in {fault.code for fault in table(BASE[0], row).faults}


# --- a slow, obvious model --------------------------------------------------------------------------------------

CELLS: Mapping[str, list[str]] = {
    "township": ["", "", "A", "B", "A|B"],
    "water": ["", "", "*", "-", "L", "~river"],
    "joint": ["", "", "*", "-", "J1"],
    "dedicated": ["", "", "*", "-", "S1", "~school", "M1|S2"],
    "matter": ["", "", "01", "21", "0101", "2103|0107"],
}
POINTS = list(
    {
        tuple(sorted(z.code for held in place.values() for z in held)): place
        for place in (at(x / 2, y / 2) for x in range(21) for y in range(21))
    }.values()
)
"""One place of each kind that a fine net of points meets."""


@st.composite
def tables(draw: st.DrawFn) -> tuple[Rule, ...]:
    rows = [rule("R0", "T1")]
    for number in range(draw(st.integers(0, 6))):
        cells = {name: draw(st.sampled_from(choices)) for name, choices in CELLS.items()}
        rows.append(rule(f"R{number + 1}", draw(st.sampled_from(TEAMS)), **cells))
    return tuple(rows)


def holds(cell: str, held: tuple[Zone, ...]) -> bool:
    if cell in ("", "*", "-"):
        return cell == "" or bool(held) == (cell == "*")
    return any(z.code == name or "~" + z.kind == name for name in cell.split("|") for z in held)


def speaks(row: Rule, place: Place, matter: str) -> bool:
    return all(holds(getattr(row, name), tuple(place[name])) for name in PLACE_LAYERS) and (
        not row.matter or any(matter.startswith(name) for name in row.matter.split("|"))
    )


@given(tables())
@settings(max_examples=150, deadline=None)
def test_a_table_without_faults_answers_every_point_as_the_model_does(rows: tuple[Rule, ...]) -> None:
    made = table(*rows)
    if made.faults:
        return
    asked = [(place, matter) for place in POINTS for matter in ("0101", "0107", "2102", "2103", "21")]
    where = {row.code: {i for i, (place, matter) in enumerate(asked) if speaks(row, place, matter)} for row in rows}
    for i, (place, matter) in enumerate(asked):
        ruling = made.decide(place, matter)
        speaking = [row.code for row in rows if i in where[row.code]]
        assert [verdict.rule for verdict in ruling.verdicts] == speaking
        # The winner speaks only where each of the others speaks too.
        assert all(where[ruling.rule.code] <= where[other] for other in speaking)


@given(tables())
@settings(max_examples=150, deadline=None)
def test_every_tie_that_a_point_shows_is_found(rows: tuple[Rule, ...]) -> None:
    made = table(*rows)
    if any(fault.code != "rule_tie" for fault in made.faults):
        return
    tied = {fault.rules for fault in made.faults}
    for place in POINTS:
        for matter in ("0101", "2103"):
            mask = made._speaking(place, matter)
            lowest = [i for i in range(len(rows)) if mask >> i & 1 and not made._below[i] & mask]
            if len(lowest) > 1:
                assert tied, f"{[rows[i].code for i in lowest]} tie unseen"
