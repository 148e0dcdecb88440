"""The desk: takes a report in, moves a case on. Each gathers, decides (pure), and writes by one statement."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, lifecycle, routing
from dispatch.audit import GENESIS, Entry, Event, Head, canonical_json, enter, instant
from dispatch.district import District
from dispatch.ground import Ground
from dispatch.intake import Draft, Placed, digest_fields, place, same_content
from dispatch.model import Action, Decision, Matter, MatterClass, Report, State
from dispatch.store import cases, editions, moves
from dispatch.store.cases import CaseRow
from geo.travel import Leg

TRIES: Final = 8
"""How often a decision is made again because another case got the unit meanwhile."""

NUMBERS_AT_ONCE: Final = 32
"""Case numbers that a worker sets aside; those left when it stops are never used."""

CLASS_URGENCY: Final = 3
CLASS_LIMIT_H: Final = 72.0
"""For a report of which only the class is known: ordinary, three days."""


@dataclass(frozen=True, slots=True)
class Received:
    """What the client is told of its report."""

    case: CaseRow
    decision: Mapping[str, Any]
    known: bool
    """The report had come before; nothing was written."""
    filled: tuple[str, ...] = ()


@dataclass(slots=True)
class Memory:
    """What a worker remembers from one report to the next, to save a read: it is believed, and checked by the write."""

    numbers: deque[int] = field(default_factory=deque)
    busy: frozenset[str] = frozenset()

    async def number(self, connection: AsyncConnection) -> int:
        """A number for a new case."""
        while not self.numbers:
            self.numbers.extend(await moves.take_numbers(connection, NUMBERS_AT_ONCE))
        return self.numbers.popleft()


async def receive(
    connection: AsyncConnection, ground: Ground, memory: Memory, draft: Draft, now: datetime, max_age_days: int
) -> Received:
    """A report becomes a case, once. Raises the refusals of `intake.place`, `UnknownPhoto`, `ReportConflicts`."""
    report_id = draft.id or uuid4()
    try:
        placed = place(ground, draft, report_id, now, max_age_days)
    except errors.DomainError:
        if draft.id and await moves.is_known(connection, report_id):
            return await _known(connection, report_id, draft)
        raise
    await _photos_are_here(connection, draft.photos)
    ruling = ground.table.decide(placed.place, draft.matter)
    candidates = ground.candidates(ruling.team, placed.report.lon, placed.report.lat)
    units = tuple(sorted(candidate.unit.code for candidate in candidates))
    number = await memory.number(connection)
    for _ in range(TRIES):
        busy = memory.busy & frozenset(units)
        decision = routing.decide(
            version=ground.district.version,
            ruling=ruling,
            place=placed.place,
            candidates=candidates,
            busy=busy,
            notes=placed.notes,
            facts=placed.facts,
        )
        decided = routing.as_json(decision)
        case, entry = _opening(ground, placed, decision, decided, number)
        try:
            truth = await moves.open_case(connection, placed.report, case, entry, moves.Assumed(units, busy))
        except moves.UnitTaken:
            continue
        except moves.AlreadyThere as there:
            if not await moves.is_known(connection, report_id):
                # The id is an action's.
                raise errors.ReportConflicts({"field": "id"}, report=str(report_id), case="—") from there
            return await _known(connection, report_id, draft)
        if truth is None:
            memory.busy |= {decision.unit} if decision.unit else frozenset()
            return Received(case, decided, known=False, filled=placed.filled)
        memory.busy = memory.busy - frozenset(units) | truth
    raise errors.DatabaseUnavailable


async def _photos_are_here(connection: AsyncConnection, photos: Sequence[str]) -> None:
    if photos and (missing := await moves.missing_photos(connection, photos)):
        raise errors.UnknownPhoto({"field": "photos"}, sha256=missing[0])


async def _known(connection: AsyncConnection, report_id: UUID, draft: Draft) -> Received:
    stored = await cases.which_report(connection, report_id)
    case = await cases.case_of_report(connection, report_id)
    if not same_content(draft, stored):
        raise errors.ReportConflicts({"field": "id"}, report=str(report_id), case=case.case_no)
    return Received(case, await cases.which_decision(connection, case.case_no), known=True)


def _opening(
    ground: Ground, placed: Placed, decision: Decision, decided: Mapping[str, Any], number: int
) -> tuple[CaseRow, Entry]:
    """The case as it is opened, and the event that opens it."""
    report, zones = placed.report, placed.place
    urgency, limit_h = limits(ground.matter(report.matter))
    day = report.received_at.astimezone(ground.zone_info).strftime("%Y%m%d")
    case_no = f"{ground.district.code}{day}{number:06d}"
    due_at = report.received_at + timedelta(hours=limit_h)
    township, grid = _lowest(zones.get("township", ())), _lowest(zones.get("grid", ()))
    entry = enter(
        Event(
            id=str(report.id),
            case=case_no,
            seq=1,
            at=report.received_at,
            action=Action.REPORT.value,
            actor=report.source.value,
            data={
                "report_digest": report_digest(report),
                "place": {"lon": report.lon, "lat": report.lat, "accuracy_m": report.accuracy_m},
                "decision": decided,
                "case": {"matter": report.matter, "urgency": urgency, "township": township, "grid": grid},
                "after": _after(State.ASSIGNED, decision.team, decision.unit, due_at),
            },
            prev=GENESIS,
        )
    )
    case = CaseRow(
        case_no=case_no,
        report_id=report.id,
        state=State.ASSIGNED,
        seq=1,
        sealed=entry.sealed,
        matter=report.matter,
        urgency=urgency,
        team=decision.team,
        unit=decision.unit,
        eta_s=None if decision.eta_s is None else int(decision.eta_s),
        mode=decision.mode,
        lon=report.lon,
        lat=report.lat,
        township=township,
        grid=grid,
        zones={layer: [zone.code for zone in held] for layer, held in zones.items() if held and layer != "district"},
        seen_at=report.seen_at,
        received_at=report.received_at,
        changed_at=report.received_at,
        due_at=due_at,
        notes=decision.notes,
        accuracy_m=report.accuracy_m,
        source=report.source,
        text=report.text,
        photos=report.photos,
    )
    return case, entry


def report_digest(report: Report) -> str:
    """SHA-256 over the canonical form of the report as it came, hexadecimal."""
    return sha256(canonical_json(digest_fields(report))).hexdigest()


def limits(matter: Matter | MatterClass) -> tuple[int, float]:
    """Urgency, and the hours from assignment to handled."""
    if isinstance(matter, Matter):
        return matter.urgency, matter.limit_h
    return CLASS_URGENCY, CLASS_LIMIT_H


def _lowest(zones: Sequence[Any]) -> str | None:
    return zones[0].code if zones else None


def stands(row: RowMapping) -> Head:
    """What a case's row and its report's say, to be held against the moves. A row of `record.chains`."""
    return Head(
        case=row["case_no"],
        seq=row["head_seq"],
        sealed=bytes(row["head_sealed"]),
        opened_at=row["opened_at"],
        report_digest=report_digest(cases.as_report(row)),
        opening={
            "place": {"lon": row["lon"], "lat": row["lat"], "accuracy_m": row["accuracy_m"]},
            "case": {name: row["case_" + name] for name in ("matter", "urgency", "township", "grid")},
        },
        same_place=(row["case_lon"], row["case_lat"]) == (row["lon"], row["lat"]),
        after=_after(State(row["state"]), row["team"], row["unit"], row["due_at"]),
    )


def _after(state: State, team: str, unit: str | None, due_at: datetime) -> dict[str, object]:
    """What every event says of the case it leaves behind."""
    return {"state": state.value, "team": team, "unit": unit, "due_at": instant(due_at)}


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
    seq: int | None = None
    """The step that the actor was looking at; None: whatever it is."""


async def act(connection: AsyncConnection, ground: Ground, order: Order, now: datetime) -> CaseRow:
    """Move a case on, once per order id.

    Raises `UnknownCase`, `ActionNotAllowed`, `ActionNeeds`, `UnknownTeam`, `UnknownUnit`, `UnitBusy`, `UnknownPhoto`,
    `CaseMovedOn`, `ActionConflicts`.
    """
    for _ in range(TRIES):
        facts = await moves.gather_for_action(connection, order.case_no, order.id)
        if facts.case is None:
            raise errors.UnknownCase(case=order.case_no)
        if facts.done:
            if facts.done != (order.case_no, order.action.value):
                raise errors.ActionConflicts(id=str(order.id), case=facts.done[0])
            return facts.case
        if order.seq is not None and order.seq != facts.case.seq:
            raise _moved_on(facts)
        await _photos_are_here(connection, order.photos)
        case, entry = decide_action(ground, order, facts.case, facts.busy, now)
        try:
            if await moves.advance_case(connection, case, entry):
                return case
        except (moves.UnitTaken, moves.AlreadyThere):
            continue
    raise errors.DatabaseUnavailable


def _moved_on(facts: moves.ActionFacts) -> errors.CaseMovedOn:
    action, actor = facts.last
    return errors.CaseMovedOn(
        {"seq": facts.case.seq if facts.case else None},
        case=facts.case.case_no if facts.case else "",
        actor=actor or "—",
        action=lifecycle.name(Action(action), "en"),
        action_zh=lifecycle.name(Action(action), "zh"),
    )


def decide_action(
    ground: Ground, order: Order, case: CaseRow, busy: frozenset[str], now: datetime
) -> tuple[CaseRow, Entry]:
    """The case after the order, and its event. Pure; raises what `act` raises of it."""
    transition = lifecycle.advance(case.state, order.action, {"note": order.note, "team": order.team})
    team, unit, leg = case.team, case.unit, None
    match order.action:
        case Action.REASSIGN:
            if order.team not in ground.district.teams:
                raise errors.UnknownTeam({"field": "team"}, team=order.team)
            others = busy - {case.unit} if case.state in lifecycle.HOLDS_UNIT else busy
            team, (unit, leg) = order.team, _send(ground, order.team, order.unit, case, others)
        case Action.ACCEPT if case.unit is None or order.unit not in ("", case.unit):
            # Who accepts a case that waits is given the nearest unit that is free by now.
            unit, leg = _send(ground, case.team, order.unit, case, busy)
        case Action.RETURN:
            unit = None
    changed = (team, unit) != (case.team, case.unit)
    moved = replace(
        case,
        state=transition.target,
        seq=case.seq + 1,
        team=team,
        unit=unit,
        eta_s=(round(leg.seconds) if leg else None) if changed else case.eta_s,
        mode=(ground.district.units[unit].mode if unit else None) if changed else case.mode,
        changed_at=now,
    )
    data: dict[str, object] = {"after": _after(moved.state, team, unit, case.due_at), "note": order.note}
    if order.photos:
        data["photos"] = list(order.photos)
    entry = enter(
        Event(
            id=str(order.id),
            case=case.case_no,
            seq=moved.seq,
            at=now,
            action=order.action.value,
            actor=order.actor,
            data=data,
            prev=case.sealed,
        )
    )
    return replace(moved, sealed=entry.sealed), entry


def _send(ground: Ground, team: str, unit: str, case: CaseRow, busy: frozenset[str]) -> tuple[str | None, Leg | None]:
    """The unit that was asked for, or the team's nearest free one, with its way there."""
    candidates = ground.candidates(team, case.lon, case.lat)
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


async def install(connection: AsyncConnection, district: District, now: datetime) -> bool:
    """Make a district's zones the ones in force, in the caller's transaction; False when they were already."""
    zones = [zone for layer in district.layers.values() for zone in layer.zones]
    return await editions.put_edition(connection, (district.version, district.code, district.name), zones, now)
