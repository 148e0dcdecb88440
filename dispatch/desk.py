"""The desk: moves a case on. It gathers, decides (pure: `dispatch.steps`), and writes by one statement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dispatch import errors, lifecycle
from dispatch.audit import Head
from dispatch.discretion import by_list
from dispatch.editions import Editions
from dispatch.enactment import seen
from dispatch.fleet import Fleet
from dispatch.intake import digest_fields
from dispatch.model import Action, CaseRow
from dispatch.opening import after, timing_of
from dispatch.orders import Order
from dispatch.steps import decide_merger, decide_parting, decide_relocation, decide_sending, decide_step
from dispatch.store import cases, moves
from dispatch.store import evidence as kept
from dispatch.store.engine import connect

__all__ = ["Order", "act", "moved_on", "stands"]


def stands(row: Any) -> Head:
    """What a case's row and its report's say, to be held against the moves. A row of `record.chains`.

    As it stands there, whatever it is: what is no state, source or datum at all is for the record to tell.
    """
    return Head(
        case=row.case_no,
        seq=row.head_seq,
        sealed=row.head_sealed,
        opened_at=row.opened_at,
        report=digest_fields(row),
        opening={"place": {"lon": row.lon, "lat": row.lat, "accuracy_m": row.accuracy_m}},
        placed={
            "place": {"lon": row.case_lon, "lat": row.case_lat, "accuracy_m": row.case_accuracy_m},
            "case": {
                "matter": row.case_matter,
                "urgency": row.case_urgency,
                "township": row.case_township,
                "grid": row.case_grid,
            },
        },
        # What a case of an earlier release notes of its clock, its decision never did.
        notes=tuple(note for note in row.case_notes if note != "calendar_assumed"),
        after=after(
            row.state,
            row.team,
            row.unit,
            row.due_at,
            row.level,
            row.stage,
            row.merged_into,
            row.suspended_until,
            row.suspended_from,
        ),
        clock=row.clock,
    )


async def act(
    engine: AsyncEngine,
    editions: Editions,
    fleet: Fleet,
    order: Order,
    now: datetime,
) -> CaseRow:
    """Move a case on, once per order id.

    Teams and units are those of the edition that holds at `now`; a place that is corrected is decided by the one that
    held when it was seen. What rests on an edition is decided again, be it done or refused, if another was enacted
    before it was written. A penalty is held against the power list of the edition that holds. Raises `UnknownCase`,
    `ActionNotAllowed`, `RoleMayNot`, `ActionNeeds`, `UnknownTeam`, `UnknownUnit`, `UnitBusy`, `UnknownOutcome`,
    `UnknownPhoto`, `UnknownEvidence`, `CaseMovedOn`, `ActionConflicts`, `SameTeamVerifies`, `UntilPast`,
    `HighestLevel`, `NotASide`, `CannotMerge`, `ProcedureOpen`, `DatabaseUnavailable`, of a position what
    `intake.locate` raises, and of a procedure what `enforcement.proceed` and `discretion.by_list` raise.
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
            names = order.papers.power or (order.action is Action.RETURN and order.team)
            asks = order.action in lifecycle.RESTS_ON_EDITION or names
            if not asks or not await editions.superseded(enacted):
                raise
    raise errors.DatabaseUnavailable


class _MovedOn(Exception):
    """Somebody else moved the case a moment before."""


async def _acted(
    engine: AsyncEngine,
    editions: Editions,
    fleet: Fleet,
    order: Order,
    now: datetime,
    enacted: int,
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
        if order.seq is not None and not facts.history.acted <= order.seq <= facts.case.seq:
            raise moved_on(facts)
        if order.photos:
            await moves.photos_are_here(connection, order.photos)
        if not _rests_on_edition(order, facts.case):
            return await _stepped(connection, editions, order, facts.case, facts, now)
        before = await cases.which_decision(connection, order.case_no)
        into = await cases.which_case(connection, facts.case.merged_into) if facts.case.merged_into else None
    # Without a connection: to make a ground ready takes one, which those who wait for it must not keep.
    today = await editions.at(now)
    if order.action is Action.RELOCATE:
        then = await editions.at(seen(facts.case.seen_at, facts.case.received_at))
        case, entry = decide_relocation(then, today, fleet, order, facts.case, before, facts.busy, now)
        write = moves.relocate_case
    else:
        case, entry = decide_sending(today, fleet, order, facts.case, facts.history, before, facts.busy, now)
        write = moves.send_case
    async with connect(engine) as connection:
        if into:
            other, told = decide_parting(order, facts.case, into, now)
            return _written(case, await moves.part_case(connection, case, entry, other, told, enacted))
        return _written(case, await write(connection, case, entry, enacted))


async def _stepped(
    connection: AsyncConnection,
    editions: Editions,
    order: Order,
    case: CaseRow,
    facts: moves.ActionFacts,
    now: datetime,
) -> CaseRow:
    """What keeps the case's team and unit, or sets that free."""
    district = editions.current.district
    timing = timing_of(district, case.matter)
    if order.action is Action.MERGE and order.into:
        into = await cases.which_case(connection, order.into)
        if into is None:
            raise errors.UnknownCase({"field": "into"}, case=order.into)
        moved, entry, joined, told = decide_merger(order, case, into, timing, now)
        return _written(moved, await moves.merge_case(connection, moved, entry, joined, told))
    if order.action is Action.RETURN and order.team and order.team not in district.teams:
        raise errors.UnknownTeam({"field": "team"}, team=order.team)
    kinds = await kept.kinds_of(connection, [one.sha256 for one in order.evidence]) if order.evidence else {}
    moved, entry = decide_step(order, case, facts.history, kinds, timing, now, by_list(district.powers))
    return _written(moved, await moves.advance_case(connection, moved, entry))


def _written(case: CaseRow, written: bool) -> CaseRow:
    if not written:
        raise _MovedOn
    return case


def moved_on(facts: moves.ActionFacts) -> errors.CaseMovedOn:
    """The refusal that tells what happened meanwhile."""
    last = facts.history.last
    return errors.CaseMovedOn(
        {"seq": facts.case.seq if facts.case else None},
        case=facts.case.case_no if facts.case else "",
        actor=last.actor or "—",
        action=lifecycle.name(last.action, "en"),
        action_zh=lifecycle.name(last.action, "zh"),
    )


def _rests_on_edition(order: Order, case: CaseRow) -> bool:
    """Whether a team is named or a unit chosen; who accepts a case with its unit keeps that, whatever edition holds."""
    keeps = order.action is Action.ACCEPT and case.unit is not None and order.unit in ("", case.unit)
    return order.action in lifecycle.RESTS_ON_EDITION and not keeps
