"""The desk: moves a case on. It gathers, decides (pure), and writes by one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dispatch import errors, lifecycle, routing
from dispatch.audit import Entry, Event, Head, enter
from dispatch.editions import Editions
from dispatch.enactment import seen
from dispatch.fleet import Fleet
from dispatch.ground import Ground
from dispatch.model import Action, CaseRow, State
from dispatch.opening import after, report_digest
from dispatch.outcomes import towards
from dispatch.relocation import Pin, relocate, settle
from dispatch.store import cases, moves
from dispatch.store.engine import connect
from geo.travel import Leg

PLACE: Final = ("lon", "lat", "accuracy_m")


def stands(row: RowMapping) -> Head:
    """What a case's row and its report's say, to be held against the moves. A row of `record.chains`."""
    return Head(
        case=row["case_no"],
        seq=row["head_seq"],
        sealed=bytes(row["head_sealed"]),
        opened_at=row["opened_at"],
        report_digest=report_digest(cases.as_report(row)),
        opening={"place": {name: row[name] for name in PLACE}},
        placed={
            "place": {name: row["case_" + name] for name in PLACE},
            "case": {name: row["case_" + name] for name in ("matter", "urgency", "township", "grid")},
        },
        notes=tuple(row["case_notes"]),
        after=after(State(row["state"]), row["team"], row["unit"], row["due_at"]),
    )


@dataclass(frozen=True, slots=True)
class Order:
    """Something that somebody does to a case."""

    id: UUID
    case_no: str
    action: Action
    actor: str
    note: str = ""
    team: str = ""
    unit: str = ""
    photos: tuple[str, ...] = ()
    pin: Pin | None = None
    settles: str = ""
    """Of a place to be confirmed: the team whose part of the circle is meant, where nobody says where exactly."""
    seq: int | None = None
    """The step that the actor was looking at; None: whatever it is."""


async def act(engine: AsyncEngine, editions: Editions, fleet: Fleet, order: Order, now: datetime) -> CaseRow:
    """Move a case on, once per order id.

    A place that is corrected is decided by the edition that held when it was seen, and again if another was enacted
    before that was written. Raises `UnknownCase`, `ActionNotAllowed`, `ActionNeeds`, `UnknownTeam`, `UnknownUnit`,
    `UnitBusy`, `UnknownOutcome`, `UnknownPhoto`, `CaseMovedOn`, `ActionConflicts`, and of a position what
    `intake.locate` raises.
    """
    for _ in range(moves.TRIES):
        enacted = editions.number
        try:
            async with connect(engine) as connection:
                return await _acted(connection, editions, fleet, order, now, enacted)
        except (moves.UnitTaken, moves.AlreadyThere, _MovedOn):
            continue
        except moves.AnotherEdition:
            await editions.catch_up(enacted)
    raise errors.DatabaseUnavailable


class _MovedOn(Exception):
    """Somebody else moved the case a moment before."""


async def _acted(
    connection: AsyncConnection, editions: Editions, fleet: Fleet, order: Order, now: datetime, enacted: int
) -> CaseRow:
    """One try; raises what hinders the write, too."""
    facts = await moves.gather_for_action(connection, order.case_no, order.id)
    if facts.case is None:
        raise errors.UnknownCase(case=order.case_no)
    if facts.done:
        if facts.done != (order.case_no, order.action.value):
            raise errors.ActionConflicts(id=str(order.id), case=facts.done[0])
        return facts.case
    if order.seq is not None and order.seq != facts.case.seq:
        raise _moved_on(facts)
    if order.photos:
        await moves.photos_are_here(connection, order.photos)
    if order.action is Action.RELOCATE:
        ground = await editions.at(seen(facts.case.seen_at, facts.case.received_at))
        before = await cases.which_decision(connection, order.case_no)
        case, entry = decide_relocation(ground, fleet, order, facts.case, before, facts.busy, now)
        written = await moves.relocate_case(connection, case, entry, enacted)
    else:
        to = await _destination(connection, order, facts.case) if _sends(order, facts.case) else None
        case, entry = decide_action(editions.current, fleet, order, facts.case, facts.busy, now, to)
        written = await moves.advance_case(connection, case, entry)
    if not written:
        raise _MovedOn
    return case


def _moved_on(facts: moves.ActionFacts) -> errors.CaseMovedOn:
    action, actor = facts.last
    return errors.CaseMovedOn(
        {"seq": facts.case.seq if facts.case else None},
        case=facts.case.case_no if facts.case else "",
        actor=actor or "—",
        action=lifecycle.name(Action(action), "en"),
        action_zh=lifecycle.name(Action(action), "zh"),
    )


def _sends(order: Order, case: CaseRow) -> bool:
    """Whether an order has a unit chosen; who accepts a case that waits is given the nearest that is free by now."""
    accepts = order.action is Action.ACCEPT and (case.unit is None or order.unit not in ("", case.unit))
    return accepts or order.action is Action.REASSIGN


async def _destination(connection: AsyncConnection, order: Order, case: CaseRow) -> tuple[float, float]:
    team = order.team if order.action is Action.REASSIGN else case.team
    decision = await cases.which_decision(connection, case.case_no)
    return towards(team, decision, (case.lon, case.lat))


def decide_action(
    ground: Ground,
    fleet: Fleet,
    order: Order,
    case: CaseRow,
    busy: frozenset[str],
    now: datetime,
    to: tuple[float, float] | None = None,
) -> tuple[CaseRow, Entry]:
    """The case after the order, and its event; `to`: where its unit is sent, if not to its place (degrees).

    Pure; raises what `act` raises of it.
    """
    transition = lifecycle.advance(case.state, order.action, {"note": order.note, "team": order.team})
    team, unit, leg = case.team, case.unit, None
    to = to or (case.lon, case.lat)
    match order.action:
        case Action.REASSIGN:
            if order.team not in ground.district.teams:
                raise errors.UnknownTeam({"field": "team"}, team=order.team)
            others = busy - {case.unit} if case.state in lifecycle.HOLDS_UNIT else busy
            team, (unit, leg) = order.team, _send(ground, fleet, order.team, order.unit, to, others, now)
        case Action.ACCEPT if _sends(order, case):
            unit, leg = _send(ground, fleet, case.team, order.unit, to, busy, now)
        case Action.RETURN:
            unit = None
    changed = (team, unit) != (case.team, case.unit)
    moved = replace(
        case,
        state=transition.target,
        team=team,
        unit=unit,
        eta_s=(round(leg.seconds) if leg else None) if changed else case.eta_s,
        mode=(ground.district.units[unit].mode if unit else None) if changed else case.mode,
    )
    return _done(order, case, moved, {}, now)


def decide_relocation(
    ground: Ground,
    fleet: Fleet,
    order: Order,
    case: CaseRow,
    before: Mapping[str, Any],
    busy: frozenset[str],
    now: datetime,
) -> tuple[CaseRow, Entry]:
    """As `decide_action`, for an order that corrects where the case lies; `before`: its decision until now."""
    transition = lifecycle.advance(
        case.state, order.action, {"position": "given" if order.pin or order.settles else ""}
    )
    if order.settles:
        moved, told = settle(ground, fleet, transition, case, before, order.settles, busy, now)
    else:
        pin = cast("Pin", order.pin)  # without one the table refuses
        moved, told = relocate(ground, fleet, transition, case, before, pin, busy, now)
    return _done(order, case, moved, told, now)


def _done(
    order: Order, case: CaseRow, moved: CaseRow, told: Mapping[str, object], now: datetime
) -> tuple[CaseRow, Entry]:
    """The case as `moved`, a step on, and the event of that step, which tells `told` beside what every one tells."""
    after_it = after(moved.state, moved.team, moved.unit, moved.due_at)
    data: dict[str, object] = {"after": after_it, "note": order.note, **told}
    if order.photos:
        data["photos"] = list(order.photos)
    entry = enter(
        Event(
            id=str(order.id),
            case=case.case_no,
            seq=case.seq + 1,
            at=now,
            action=order.action.value,
            actor=order.actor,
            data=data,
            prev=case.sealed,
        )
    )
    return replace(moved, seq=case.seq + 1, changed_at=now, sealed=entry.sealed), entry


def _send(
    ground: Ground,
    fleet: Fleet,
    team: str,
    unit: str,
    to: tuple[float, float],
    busy: frozenset[str],
    now: datetime,
) -> tuple[str | None, Leg | None]:
    """The unit that was asked for, or the team's nearest free one, with its way there."""
    candidates = ground.candidates(team, *to, fleet, now, busy, unit)
    if not unit:
        ranked = routing.rank(candidates, busy)
        unit = ranked[0].unit if ranked and ranked[0].chosen else ""
        if not unit:
            return None, None
    legs: Mapping[str, Leg | None] = {c.unit.code: c.leg for c in candidates}
    if unit not in legs:
        raise errors.UnknownUnit({"field": "unit"}, unit=unit, team=team)
    if unit in busy:
        raise errors.UnitBusy({"field": "unit"}, unit=unit, case="—")
    return unit, legs[unit]
