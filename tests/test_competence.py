"""The decision table: what its rows say, and what is wrong with a row by itself. The proof: `test_proof`."""

from __future__ import annotations

import pytest

from dispatch.competence import DecisionTable
from dispatch.model import Rule
from tests.small_tables import BASE, at, rule, table


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


def test_where_zones_overlap_the_row_takes_the_team_of_a_zone_that_it_names() -> None:
    made = table(BASE[0], rule("R2", "@dedicated", dedicated="~school"))
    place = at(1.75, 1.75)
    assert [zone.code for zone in place["dedicated"]] == ["M1", "S1"]  # the market names no team
    assert made.faults == []
    assert made.team(place, "0101") == "S"


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
