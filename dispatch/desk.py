"""The desk: moves a case on. It gathers, decides (pure), and writes by one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

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

    Teams and units are those of the edition that holds at `now`; a place that is corrected is decided by the one that
    held when it was seen. What rests on an edition is decided again, be it done or refused, if another was enacted
    before it was written. Raises `UnknownCase`, `ActionNotAllowed`, `ActionNeeds`, `UnknownTeam`, `UnknownUnit`,
    `UnitBusy`, `UnknownOutcome`, `UnknownPhoto`, `CaseMovedOn`, `ActionConflicts`, `DatabaseUnavailable`, and of a
    position what `intake.locate` raises.
    """
    for _ in range(moves.TRIES):
        enacted = editions.number
        try:
            return await _acted(engine, editions, fleet, order, now, enacted)
        except (moves.UnitTaken, moves.AlreadyThere, _MovedOn):
            continue
        except moves.AnotherEdition:
            await editions.catch_up(enacted)
        except errors.DatabaseUnavailable:
            raise
        except errors.DomainError:
            # A refusal writes nothing by which it would come out that another edition may allow it.
            if order.action not in lifecycle.RESTS_ON_EDITION or not await editions.superseded(enacted):
                raise
    raise errors.DatabaseUnavailable


class _MovedOn(Exception):
    """Somebody else moved the case a moment before."""


async def _acted(
    engine: AsyncEngine, editions: Editions, fleet: Fleet, order: Order, now: datetime, enacted: int
) -> CaseRow:
    """One try; raises what hinders the write, too."""
    async with connect(engine) as connection:
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
        if not _rests_on_edition(order, facts.case):
            case, entry = decide_step(order, facts.case, now)
            return _written(case, await moves.advance_case(connection, case, entry))
        before = await cases.which_decision(connection, order.case_no)
    # Without a connection: to make a ground ready takes one, which those who wait for it must not keep.
    today = await editions.at(now)
    if order.action is Action.RELOCATE:
        then = await editions.at(seen(facts.case.seen_at, facts.case.received_at))
        case, entry = decide_relocation(then, today, fleet, order, facts.case, before, facts.busy, now)
        write = moves.relocate_case
    else:
        case, entry = decide_sending(today, fleet, order, facts.case, before, facts.busy, now)
        write = moves.send_case
    async with connect(engine) as connection:
        return _written(case, await write(connection, case, entry, enacted))


def _written(case: CaseRow, written: bool) -> CaseRow:
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


def _rests_on_edition(order: Order, case: CaseRow) -> bool:
    """Whether a team is named or a unit chosen; who accepts a case with its unit keeps that, whatever edition holds."""
    keeps = order.action is Action.ACCEPT and case.unit is not None and order.unit in ("", case.unit)
    return order.action in lifecycle.RESTS_ON_EDITION and not keeps


def decide_step(order: Order, case: CaseRow, now: datetime) -> tuple[CaseRow, Entry]:
    """The case after an order that keeps its team and its unit, or sets that free; and the event of it.

    Pure, as the two below; raises what `act` raises of it.
    """
    transition = lifecycle.advance(case.state, order.action, {"note": order.note})
    moved = replace(case, state=transition.target)
    if order.action is Action.RETURN and case.unit:
        moved = replace(moved, unit=None, eta_s=None, mode=None)
    return _done(order, case, moved, {}, now)


def decide_sending(
    today: Ground,
    fleet: Fleet,
    order: Order,
    case: CaseRow,
    before: Mapping[str, Any],
    busy: frozenset[str],
    now: datetime,
) -> tuple[CaseRow, Entry]:
    """As `decide_step`, for an order by which a unit is sent: of the team that it names, or of the case's own.

    today: of the edition that holds, which the event names; before: the case's decision until now; busy: units that
    are on a case. Who accepts a case that waits is given the nearest that is free by now.
    """
    transition = lifecycle.advance(case.state, order.action, {"note": order.note, "team": order.team})
    team = case.team
    if order.action is Action.REASSIGN:
        team = order.team
        if team not in today.district.teams:
            raise errors.UnknownTeam({"field": "team"}, team=team)
        busy = busy - {case.unit} if case.state in lifecycle.HOLDS_UNIT else busy
    to = towards(team, before, (case.lon, case.lat))
    unit, leg = _send(today, fleet, team, order.unit, to, busy, now)
    moved = replace(case, state=transition.target, team=team, unit=unit)
    if (team, unit) != (case.team, case.unit):
        mode = today.district.units[unit].mode if unit else None
        moved = replace(moved, eta_s=round(leg.seconds) if leg else None, mode=mode)
    return _done(order, case, moved, {"version": today.district.version}, now)


def decide_relocation(
    then: Ground,
    today: Ground,
    fleet: Fleet,
    order: Order,
    case: CaseRow,
    before: Mapping[str, Any],
    busy: frozenset[str],
    now: datetime,
) -> tuple[CaseRow, Entry]:
    """As `decide_sending`, for an order that corrects where the case lies; then: of the edition of its report."""
    transition = lifecycle.advance(
        case.state, order.action, {"position": "given" if order.pin or order.settles else ""}
    )
    if order.settles:
        moved, told = settle(then, today, fleet, transition, case, before, order.settles, busy, now)
    else:
        pin = cast("Pin", order.pin)  # without one the table refuses
        moved, told = relocate(then, today, fleet, transition, case, before, pin, busy, now)
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
