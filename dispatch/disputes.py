"""Disputes: who the sides are, and the row of the decision table that a ruling comes to. Pure.

A case that is returned a second time is in dispute. Both sides state their ground, the coordination office rules. So
that the same dispute does not come twice, the ruling is offered as a row for `rules.csv`: for such a place and this
matter, that team. It is offered only where the whole table, with it, still names exactly one team everywhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Final

from dispatch.audit import Event
from dispatch.competence import PLACE_LAYERS, DecisionTable, Place
from dispatch.district import District
from dispatch.errors import NotASide
from dispatch.history import History
from dispatch.model import Action, CaseRow, Rule, State
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
class Said:
    """What was said of a dispute in one step of its case."""

    at: datetime
    action: Action
    actor: str
    team: str
    """That returned the case, stated its ground, or was ruled."""
    note: str
    details: Mapping[str, object]
    """Of a return: `reason`, `whose`."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute as the record of its case tells it."""

    id: str
    """Of the return that opened it."""
    case: str
    seq: int
    opened_at: datetime
    sides: tuple[str, ...]
    at: tuple[float, float]
    """Where the case lay then (WGS 84 degrees)."""
    returns: tuple[Said, ...]
    """All up to the one that opened it."""
    grounds: tuple[Said, ...]
    end: Said | None
    """What ended it: the ruling, or something that made it idle; None: it is open."""

    @property
    def ruling(self) -> Said | None:
        """What was ruled, if that is how it ended."""
        return self.end if self.end and self.end.action is Action.RULE else None


def read(chain: Sequence[Event]) -> list[Dispute]:
    """The disputes of one case, oldest first; chain: its whole record."""
    found: list[Dispute] = []
    returns: list[Said] = []
    at = (0.0, 0.0)
    for event in chain:
        data, action = event.data, Action(event.action)
        after, place = _mapping(data.get("after")), _mapping(data.get("place"))
        said = _said(event, action, data, after)
        last = found[-1] if found else None
        if place:
            at = (float(str(place["lon"])), float(str(place["lat"])))
        if last and last.end is None and action is Action.STATE_GROUND:
            found[-1] = replace(last, grounds=(*last.grounds, said))
        elif last and last.end is None and after.get("state") != State.DISPUTED:
            found[-1] = replace(last, end=said)
        if action is Action.RETURN:
            returns.append(said)
            if after.get("state") == State.DISPUTED:
                told = data.get("sides")
                sides = tuple(str(one) for one in told) if isinstance(told, list | tuple) else ()
                found.append(Dispute(event.id, event.case, event.seq, event.at, sides, at, tuple(returns), (), None))
    return found


def _said(event: Event, action: Action, data: Mapping[str, object], after: Mapping[str, object]) -> Said:
    team = data.get("side") or after.get("team") or ""
    details = {name: data[name] for name in ("reason", "whose", "role") if name in data}
    return Said(event.at, action, event.actor, str(team), str(data.get("note", "")), details)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


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


def draft(district: District, place: Place, ruling: Ruling) -> Draft:
    """The row for a ruling, proved on the whole district; place: the zones that held the case."""
    table = _table(district, district.rules)
    if not table.knows(ruling.matter) or ruling.team not in district.teams or not place.get("township"):
        return Draft(ruling.dispute, "unknown")
    now = table.decide(place, ruling.matter)
    if now.team == ruling.team:
        return Draft(ruling.dispute, "covered", against=(now.rule.code,))
    against: tuple[str, ...] = ()
    for given in _candidates(place, district, ruling):
        row = given
        same = [one for one in district.rules if _cells(one) == _cells(row)]
        if same:
            row = replace(row, code=same[0].code)
            found = _unsettled(district, [row if one in same else one for one in district.rules])
            if found is None:
                return Draft(ruling.dispute, "replaces", row, tuple(one.code for one in same))
        else:
            more = [*district.rules, row]
            found = _unsettled(district, more)
            if found is None and _table(district, more).team(place, ruling.matter) == ruling.team:
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


def grown(district: District, drafted: Draft) -> District:
    """The district with a drafted row, for the next draft to be held against."""
    if drafted.row is None:
        return district
    others = [one for one in district.rules if one.code != drafted.row.code]
    return replace(district, rules=(*others, drafted.row))


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
