"""The proof that each place kind and each matter has exactly one responsible team, or where it has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from dispatch.competence import DecisionTable, Fault
from dispatch.place_kinds import PlaceKind, PlaceKinds, place_kinds
from geo.findings import Finding
from geo.grid import Layer, Metric

UNSETTLED: Final = -1
"""Stands for the row where none wins alone."""
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Matters that the table treats alike, and kinds of place, where it does not say who is responsible.

    `code` is `rule_hole` (no row speaks) or `rule_tie` (`rules` speak, none more specific than the others).
    """

    code: str
    rules: tuple[str, ...]
    matters: tuple[str, ...]
    kinds: tuple[PlaceKind, ...]

    def geometry(self) -> BaseGeometry:
        """Everywhere that it is so (EPSG:4326)."""
        return shapely.union_all([kind.geometry() for kind in self.kinds])


@dataclass(frozen=True, slots=True)
class Proof:
    """Who is responsible for every matter at every kind of place."""

    table: DecisionTable
    places: PlaceKinds
    groups: tuple[tuple[str, ...], ...]
    """The matters, and the classes (for reports that know no more), that the table treats alike."""
    winners: tuple[tuple[int, ...], ...]
    """For each kind and each group the row that wins, or `UNSETTLED`."""
    unsettled: tuple[Unsettled, ...]

    def team(self, kind: int, group: int) -> str | None:
        """The responsible team; None where that is unsettled."""
        row = self.winners[kind][group]
        return None if row == UNSETTLED else self.table.team_of(row, self.places.kinds[kind].place)


def prove(table: DecisionTable, layers: Mapping[str, Layer], metric: Metric) -> Proof:
    """Every kind against every matter. `table` must have no fault of its own."""
    return prove_on(table, place_kinds(table, layers, metric))


def prove_on(table: DecisionTable, places: PlaceKinds) -> Proof:
    """The same for kinds of place that are known."""
    alike = table.matters_by_rows()
    kinds = places.kinds
    speaking = [table.rows_of(kind.place) for kind in kinds]
    lowest: dict[int, tuple[int, ...]] = {}
    winners: list[tuple[int, ...]] = []
    wrong: dict[tuple[tuple[int, ...], tuple[str, ...]], list[PlaceKind]] = {}
    for kind, here in zip(kinds, speaking, strict=True):
        line: list[int] = []
        for mask, matters in alike.items():
            both = here & mask
            rows = lowest.get(both)
            if rows is None:
                rows = lowest[both] = table.lowest(both)
            line.append(rows[0] if len(rows) == 1 else UNSETTLED)
            if len(rows) != 1:
                wrong.setdefault((rows, matters), []).append(kind)
        winners.append(tuple(line))
    unsettled = tuple(
        Unsettled("rule_tie" if rows else "rule_hole", tuple(table.rules[i].code for i in rows), matters, tuple(where))
        for (rows, matters), where in wrong.items()
    )
    return Proof(table, places, tuple(alike.values()), tuple(winners), unsettled)


def findings(faults: Sequence[Fault], proof: Proof | None) -> list[Finding]:
    """What is wrong with the table, as findings of the district folder: first as it is written, then what it leaves."""
    found = [
        Finding(fault.code, "rules.csv", fault.rules, {"rules": ", ".join(fault.rules), "detail": fault.detail})
        for fault in faults
    ]
    for one in proof.unsettled if proof else ():
        facts = {"rules": ", ".join(one.rules), "matter": shortened(one.matters)}
        area = sum(kind.area_km2 for kind in one.kinds)
        found.append(Finding(one.code, "rules.csv", one.rules, facts, area, one.geometry()))
    return found


def shortened(codes: Sequence[str]) -> str:
    """The first codes, and how many more there are."""
    more = f" (+{len(codes) - _SHOWN})" if len(codes) > _SHOWN else ""
    return ", ".join(codes[:_SHOWN]) + more
