"""Rows of the decision table that could be left out or written as one: named, because each hides what is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dispatch.competence import PLACE_LAYERS, DecisionTable
from dispatch.model import Rule
from dispatch.proof import UNSETTLED, Proof, prove_on

_COLUMNS: Final = (*PLACE_LAYERS, "matter")
Compile = Callable[[Sequence[Rule]], DecisionTable]
"""Makes a table of these rows, on the layers, matters and teams at hand."""


@dataclass(frozen=True, slots=True)
class Spare:
    """Rows that say nothing of their own.

    `code` is `never_speaks` (no place of the district is such), `always_beaten` (wherever it speaks, one of `others` is
    more specific), `changes_nothing` (wherever it wins, one of `others` would name the same team without it),
    `mergeable` (rows of one team that differ in one column only, and decide the same when written as one row).
    """

    code: str
    rules: tuple[str, ...]
    others: tuple[str, ...] = ()
    column: str = ""
    """In which the mergeable rows differ."""


def spare_rows(proof: Proof, compiled: Compile) -> list[Spare]:
    """All of them, each judged by itself, with all other rows in place."""
    rules = proof.table.rules
    spoke, wins = _said(proof)
    found: list[Spare] = []
    for row, rule in enumerate(rules):
        if not spoke[row]:
            found.append(Spare("never_speaks", (rule.code,)))
        elif not wins[row]:
            beaten_by = tuple(rules[i].code for i in sorted(spoke[row]) if i != UNSETTLED)
            if beaten_by:  # rows that only ever tie win nothing either, but are no spare ones
                found.append(Spare("always_beaten", (rule.code,), beaten_by))
        else:
            heirs = _heirs(proof, row, wins[row])
            if heirs:
                found.append(Spare("changes_nothing", (rule.code,), tuple(rules[i].code for i in sorted(heirs))))
    return [*found, *_mergeable(proof, compiled)]


def _said(proof: Proof) -> tuple[list[set[int]], list[list[tuple[int, int]]]]:
    """For each row the winners where it speaks; and where it wins: the kind, and the rows that speak there."""
    masks = [proof.table.rows_of(kind.place) for kind in proof.places.kinds]
    alike = list(proof.table.matters_by_rows())
    spoke: list[set[int]] = [set() for _ in proof.table.rules]
    wins: list[list[tuple[int, int]]] = [[] for _ in proof.table.rules]
    for kind, line in enumerate(proof.winners):
        for group, winner in enumerate(line):
            speaking = masks[kind] & alike[group]
            for row, winners in enumerate(spoke):
                if speaking >> row & 1:
                    winners.add(winner)
            if winner != UNSETTLED:
                wins[winner].append((kind, speaking))
    return spoke, wins


def _heirs(proof: Proof, row: int, wins: Sequence[tuple[int, int]]) -> set[int]:
    """The rows that would win in its stead, if they name the same team everywhere; else none."""
    heirs: set[int] = set()
    for kind, speaking in wins:
        place = proof.places.kinds[kind].place
        lowest = proof.table.lowest(speaking & ~(1 << row))
        if len(lowest) != 1 or proof.table.team_of(lowest[0], place) != proof.table.team_of(row, place):
            return set()
        heirs.add(lowest[0])
    return heirs


def _mergeable(proof: Proof, compiled: Compile) -> Iterator[Spare]:
    rules = proof.table.rules
    for column in _COLUMNS:
        groups: dict[tuple[str, ...], list[Rule]] = {}
        for rule in rules:
            if getattr(rule, column) not in {"", "*", "-"}:
                rest = tuple(getattr(rule, other) for other in _COLUMNS if other != column)
                groups.setdefault((rule.team, *rest), []).append(rule)
        for same in groups.values():
            if len(same) > 1:
                merged = replace(same[0], **{column: "|".join(getattr(rule, column) for rule in same)})
                gone = {rule.code for rule in same[1:]}
                others = [merged if rule is same[0] else rule for rule in rules if rule.code not in gone]
                if _decides_alike(proof, compiled(others)):
                    yield Spare("mergeable", tuple(rule.code for rule in same), column=column)


def _decides_alike(proof: Proof, other: DecisionTable) -> bool:
    if other.faults:
        return False
    again = prove_on(other, proof.places)
    group_of = {matter: number for number, group in enumerate(again.groups) for matter in group}
    return all(
        proof.team(kind, group) == again.team(kind, group_of[matters[0]])
        for kind in range(len(proof.places.kinds))
        for group, matters in enumerate(proof.groups)
    )
