"""What becomes of a case by an order: the case as it then stands, and the event of it, sealed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, cast
from uuid import UUID, uuid5

from dispatch import disputes, enforcement, errors, evidence, lifecycle, routing
from dispatch.audit import Entry, Event, enter
from dispatch.enforcement import PROCEDURE
from dispatch.fleet import Fleet
from dispatch.ground import Ground
from dispatch.history import History
from dispatch.lifecycle import BESIDE, HOLDS_UNIT, MOST_LEVELS
from dispatch.model import Action, CaseRow, State
from dispatch.names import Role
from dispatch.opening import after, timing_of
from dispatch.orders import Order
from dispatch.outcomes import towards
from dispatch.relocation import relocate, settle
from dispatch.timing import Timing, wind

_JOINED: Final = UUID("6c1d3f0e-5d0a-4b7e-9b53-3d1f8f0a2c11")
"""For the id of the event that a merger, or its undoing, leaves with the other case: it follows from the order's."""
_FREES: Final = frozenset({Action.RETURN, Action.MERGE, Action.CANCEL})
"""Actions after which the case has no unit."""
_OF_THE_FIELD: Final = frozenset({Role.TEAM, Role.GRID_WORKER})
"""Who does not send units out of their turn."""
_THERE: Final = frozenset({State.ON_THE_WAY, State.ON_SCENE})
"""States that only the unit is in that set out."""


def decide_step(
    order: Order,
    case: CaseRow,
    history: History,
    kinds: Mapping[str, evidence.Kind],
    timing: Timing,
    now: datetime,
    discretion: enforcement.Discretion = enforcement.unlisted,
) -> tuple[CaseRow, Entry]:
    """The case after an order that keeps its team and its unit, or sets that free; and the event of it.

    kinds: of the evidence that comes with it; timing: of the edition that holds. Pure, as all below; raises what
    `desk.act` raises of it.
    """
    enforcement.bar(case, order.action)
    if order.action in PROCEDURE:
        stage, told = enforcement.proceed(case, order.action, order.papers, order.given(), order.role, discretion)
        return _done(order, case, replace(case, stage=stage), {"procedure": told}, kinds, now)
    given = order.given() | {"when": "again" if history.returns else "first"}
    transition = lifecycle.advance(case.state, order.action, given, order.role)
    if order.action is Action.VERIFY and order.actor and order.actor == history.handled_by():
        raise errors.SameTeamVerifies({"field": "actor"}, actor=order.actor)
    moved, said = replace(case, state=transition.target), dict[str, object]()
    if order.action in _FREES:
        moved = replace(moved, unit=None, eta_s=None, mode=None, suspended_until=None, suspended_from=None)
    match order.action:
        case Action.RETURN:
            said = _returned(order, case, history, moved.state)
        case Action.STATE_GROUND:
            disputes.is_side(case, history, order.team)
            said = {"side": order.team}
        case Action.SUSPEND:
            moved = _suspended(moved, order, case, timing.rules.working_time.day_of(now))
        case Action.ESCALATE:
            if case.level >= MOST_LEVELS:
                raise errors.HighestLevel(case=case.case_no, level=case.level)
            moved = replace(moved, level=case.level + 1)
    return _done(order, case, wind(case, moved, transition.clock, timing, now), said, kinds, now)


def _suspended(moved: CaseRow, order: Order, case: CaseRow, today: date) -> CaseRow:
    until = cast("date", order.until)  # without one the table refuses
    if until <= today:
        raise errors.UntilPast({"field": "until"}, until=until.isoformat())
    return replace(moved, suspended_until=until, suspended_from=case.state)


def _returned(order: Order, case: CaseRow, history: History, state: State) -> dict[str, object]:
    said: dict[str, object] = {}
    if order.reason:
        said["reason"] = order.reason.value
    if order.team:
        said["whose"] = order.team
    if state is State.DISPUTED:
        said["sides"] = list(disputes.sides(case, history, order.team))
    return said


def decide_merger(
    order: Order, case: CaseRow, into: CaseRow, timing: Timing, now: datetime
) -> tuple[CaseRow, Entry, CaseRow, Entry]:
    """As `decide_step`, for a case that turns out to be the same as another: both, each with its event."""
    if into.case_no == case.case_no or into.state not in lifecycle.OPEN:
        raise errors.CannotMerge({"field": "into"}, case=case.case_no, into=into.case_no)
    enforcement.bar(case, order.action)
    transition = lifecycle.advance(case.state, order.action, order.given(), order.role)
    moved = replace(
        case,
        state=transition.target,
        unit=None,
        eta_s=None,
        mode=None,
        merged_into=into.case_no,
        suspended_until=None,
        suspended_from=None,
    )
    moved = wind(case, moved, transition.clock, timing, now)
    return (
        *_done(order, case, moved, {"into": into.case_no}, {}, now),
        *_told_there(order, Action.JOINED, into, {"joined": case.case_no}, now),
    )


def decide_parting(order: Order, case: CaseRow, into: CaseRow, now: datetime) -> tuple[CaseRow, Entry]:
    """What a case learns, and its event, when one that was merged into it is opened again by itself."""
    return _told_there(order, Action.PARTED, into, {"parted": case.case_no}, now)


def _told_there(
    order: Order, action: Action, into: CaseRow, told: Mapping[str, object], now: datetime
) -> tuple[CaseRow, Entry]:
    lifecycle.advance(into.state, action, {})
    there = replace(order, id=uuid5(_JOINED, str(order.id)), case_no=into.case_no, action=action, photos=())
    return _done(there, into, into, told, {}, now)


def decide_sending(
    today: Ground,
    fleet: Fleet,
    order: Order,
    case: CaseRow,
    history: History,
    before: Mapping[str, Any],
    busy: frozenset[str],
    now: datetime,
) -> tuple[CaseRow, Entry]:
    """As `decide_step`, for an order by which a unit is sent: of the team that it names, or of the case's own.

    today: of the edition that holds, which the event names; before: the case's decision until now; busy: units that
    are on a case. Who accepts a case that waits is given the nearest that is free by now; a case that was suspended
    gets its unit back if that is free.
    """
    resumes = case.suspended_from if order.action is Action.RESUME else None
    given = order.given() | {"when": resumes.value if resumes else ""}
    transition = lifecycle.advance(case.state, order.action, given, order.role)
    team = case.team
    if order.action not in (Action.ACCEPT, Action.RESUME):
        team = order.team or case.team
        if team not in today.district.teams:
            raise errors.UnknownTeam({"field": "team"}, team=team)
    if order.action is not Action.ACCEPT and case.state in HOLDS_UNIT:
        busy = busy - {case.unit}
    to = towards(team, before, (case.lon, case.lat))
    back = case.unit if resumes and not order.unit and case.unit not in busy else None
    sent, unfit = _send(today, fleet, order, team, case.matter, to, busy, now, back or "")
    unit, leg = (sent.unit.code, sent.leg) if sent else (None, None)
    moved = replace(
        case,
        state=transition.target,
        team=team,
        unit=unit,
        merged_into=None,
        suspended_until=None,
        suspended_from=None,
    )
    if resumes in _THERE and unit != case.unit:
        moved = replace(moved, state=State.ACCEPTED)
    if (team, unit) != (case.team, case.unit):
        moved = replace(moved, eta_s=round(leg.seconds) if leg else None, mode=sent.unit.mode if sent else None)
    moved = wind(case, moved, transition.clock, timing_of(today.district, case.matter), now)
    said: dict[str, object] = {"version": today.district.version}
    if unfit:
        said["despite"] = unfit
    if order.action is Action.RULE:
        said["ruling"] = {"dispute": history.returns[-1].id, "matter": case.matter, "team": team}
    return _done(order, case, moved, said, {}, now)


def decide_offer(
    today: Ground,
    fleet: Fleet,
    order: Order,
    case: CaseRow,
    before: Mapping[str, Any],
    busy: frozenset[str],
    now: datetime,
) -> tuple[CaseRow, Entry] | None:
    """As `decide_sending`, for a case that waits: it goes to the nearest unit that is free by now; None: there is none.

    The event says who was weighed.
    """
    transition = lifecycle.advance(case.state, order.action, {})
    to = towards(case.team, before, (case.lon, case.lat))
    units = routing.rank(today.candidates(case.team, *to, fleet, now, busy, matter=case.matter), busy)
    if not units or not units[0].chosen:
        return None
    sent = units[0]
    eta_s = None if sent.eta_s is None else int(sent.eta_s)
    moved = replace(case, state=transition.target, unit=sent.unit, eta_s=eta_s, mode=sent.mode)
    told = {"version": today.district.version, "units": routing.units_as_json(units)}
    return _done(order, case, moved, told, {}, now)


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
    transition = lifecycle.advance(case.state, order.action, order.given(), order.role)
    pin = order.pin
    if order.settles or pin is None:  # without either the table refuses
        moved, told = settle(then, today, fleet, transition, case, before, order.settles, busy, now)
    else:
        moved, told = relocate(then, today, fleet, transition, case, before, pin, busy, now)
    moved = wind(case, moved, transition.clock, timing_of(today.district, case.matter), now)
    return _done(order, case, moved, told, {}, now)


def _done(
    order: Order,
    case: CaseRow,
    moved: CaseRow,
    told: Mapping[str, object],
    kinds: Mapping[str, evidence.Kind],
    now: datetime,
) -> tuple[CaseRow, Entry]:
    """The case as `moved`, a step on, and the event of that step, which tells `told` beside what every one tells."""
    data: dict[str, object] = {"after": after_of(moved), "note": order.note, **told}
    if order.role:
        data["role"] = order.role.value
    if order.rule:
        data["rule"] = order.rule
    if moved.clock != case.clock:
        data["clock"] = moved.clock
    if order.photos:
        data["photos"] = list(order.photos)
    if kinds:
        data["evidence"] = [evidence.sealed(one, kinds[one.sha256]) for one in order.evidence]
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
    stays = order.action in BESIDE or order.action in PROCEDURE
    changed_at = case.changed_at if stays else now
    return replace(moved, seq=case.seq + 1, changed_at=changed_at, sealed=entry.sealed), entry


def after_of(case: CaseRow) -> dict[str, object]:
    """What an event says of the case it leaves behind."""
    return after(
        case.state,
        case.team,
        case.unit,
        case.due_at,
        case.level,
        case.stage,
        case.merged_into,
        case.suspended_until,
        case.suspended_from,
    )


def _send(
    ground: Ground,
    fleet: Fleet,
    order: Order,
    team: str,
    matter: str,
    to: tuple[float, float],
    busy: frozenset[str],
    now: datetime,
    back: str,
) -> tuple[routing.Candidate | None, str]:
    """The unit that the order names, or `back` if it may still go, or the nearest that is free.

    A unit that is named may be off duty or without the skill: the second is what it was sent despite of (`off_duty`,
    `off_shift`, `unskilled`), or empty. Whoever says that he is not of the command centre is refused then.
    """
    candidates = ground.candidates(team, *to, fleet, now, busy, order.unit or back, matter)
    found = {one.unit.code: one for one in candidates}
    if not order.unit:
        watch = ground.district.rota.watch(team, now)
        going = [one for one in candidates if one.unit.team in watch.teams]
        if back in found and found[back] in going and not found[back].unfit:
            return found[back], ""
        ranked = routing.rank(going, busy)
        return (found[ranked[0].unit] if ranked and ranked[0].chosen else None), ""
    unit = order.unit
    if unit not in found:
        raise errors.UnknownUnit({"field": "unit"}, unit=unit, team=team)
    if unit in busy:
        raise errors.UnitBusy({"field": "unit"}, unit=unit, case="—")
    unfit = found[unit].unfit
    if unfit and order.role in _OF_THE_FIELD:
        if unfit == "unskilled":
            raise errors.UnitUnskilled({"field": "unit"}, unit=unit, skill=ground.district.matters[matter].skill)
        raise errors.UnitOffDuty({"field": "unit"}, unit=unit)
    return found[unit], unfit
