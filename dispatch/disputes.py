"""Disputes: who the sides are, and the row of the decision table that a ruling comes to. Pure.

A case that is returned a second time is in dispute. Both sides state their ground, the coordination office rules. So
that the same dispute does not come twice, the ruling is offered as a row for `rules.csv`: for such a place and this
matter, that team. It is offered only where the whole table, with it, still names exactly one team everywhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from dispatch.competence import PLACE_LAYERS, DecisionTable, Place
from dispatch.district import District
from dispatch.errors import NotASide
from dispatch.history import History
from dispatch.model import CaseRow, Rule
from dispatch.proof import prove
from geo.grid import Metric

COLUMNS: Final = ("code", *PLACE_LAYERS, "matter", "team", "note", "note_en")
"""Of `rules.csv`."""


def sides(case: CaseRow, history: History, whose: str) -> tuple[str, ...]:
    """The teams of a dispute that a return opens: the one that returns, and whose it is said to be instead.

    Where nobody says whose, the one that returned it before.
    """
    before = (step.team for step in history.returns)
    said = (str(step.told.get("whose") or "") for step in history.returns)
    others = (team for team in (whose, *before, *said) if team and team != case.team)
    return (case.team, *list(others)[:1])


def is_side(case: CaseRow, history: History, team: str) -> None:
    """Raises `NotASide` unless the team is one of those that the dispute is between."""
    found = history.returns[-1].told.get("sides") if history.returns else None
    known = [str(one) for one in found] if isinstance(found, list | tuple) else []
    if team not in known:
        raise NotASide({"field": "team"}, case=case.case_no, team=team, sides=", ".join(known) or "—")


@dataclass(frozen=True, slots=True)
class Ruling:
    """What was ruled."""

    dispute: str
    """Its id."""
    case: str
    matter: str
    team: str
    day: str
    """Of the ruling, as the note of the row says it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a ruling comes to as a row.

    `status` is `new` (to be added), `replaces` (a row of the same cells names another team: it is to be changed),
    `covered` (the table says so already), `unknown` (the edition has no such team, matter or place), or `tie` (no
    row of one place and this matter can be added without a tie; `against` has the rows).
    """

    dispute: str
    status: str
    row: Rule | None = None
    against: tuple[str, ...] = ()


def draft(district: District, table: DecisionTable, place: Place, ruling: Ruling) -> Draft:
    """The row for a ruling, proved on the whole district; table: compiled from `district`; place: of the case."""
    if not table.knows(ruling.matter) or ruling.team not in district.teams or not place.get("township"):
        return Draft(ruling.dispute, "unknown")
    now = table.decide(place, ruling.matter)
    if now.team == ruling.team:
        return Draft(ruling.dispute, "covered", against=(now.rule.code,))
    against: tuple[str, ...] = ()
    for row in _candidates(place, district, ruling):
        same = [one for one in district.rules if _cells(one) == _cells(row)]
        if same:
            changed = [row if one in same else one for one in district.rules]
            found = _unsettled(district, changed)
            if found is None:
                return Draft(ruling.dispute, "replaces", row, tuple(one.code for one in same))
        else:
            grown = [*district.rules, row]
            found = _unsettled(district, grown)
            if found is None and _table(district, grown).team(place, ruling.matter) == ruling.team:
                return Draft(ruling.dispute, "new", row)
        against = against or tuple(code for code in found or () if code != row.code)
    return Draft(ruling.dispute, "tie", against=against)


def _candidates(place: Place, district: District, ruling: Ruling) -> Iterator[Rule]:
    """Rows for the place and the matter: for each layer one of the zones that hold it, or outside all of them."""
    cells = [
        tuple(zone.code for zone in place.get(layer, ())) or (("-",) if layer in district.layers else ("",))
        for layer in PLACE_LAYERS
    ]
    for chosen in product(*cells):
        by_layer = dict(zip(PLACE_LAYERS, chosen, strict=True))
        yield Rule(
            code=f"Z{ruling.dispute.replace('-', '')[:8].upper()}",
            **by_layer,
            matter=ruling.matter,
            team=ruling.team,
            note=f"协调裁定 {ruling.day}（案件 {ruling.case}）",
            note_en=f"Ruled {ruling.day} (case {ruling.case})",
        )


def _cells(row: Rule) -> tuple[str, ...]:
    return (row.township, row.dedicated, row.water, row.joint, row.matter)


def _table(district: District, rules: Sequence[Rule]) -> DecisionTable:
    return DecisionTable(rules, district.layers, district.classes, district.matters, district.teams)


def _unsettled(district: District, rules: Sequence[Rule]) -> tuple[str, ...] | None:
    """The rows of the first fault, tie or hole of a table; None when it is right everywhere."""
    table = _table(district, rules)
    if table.faults:
        return table.faults[0].rules
    proof = prove(table, district.layers, Metric(district.metric_crs))
    return proof.unsettled[0].rules if proof.unsettled else None


def as_csv(rows: Sequence[Rule]) -> str:
    """Rows in the format of `rules.csv`, to be added to it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([getattr(row, column) for column in COLUMNS] for row in rows)
    return out.getvalue()


def as_row(row: Rule) -> Mapping[str, str]:
    """A row as plain values."""
    return {column: getattr(row, column) for column in COLUMNS}
