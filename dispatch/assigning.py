"""Many waiting cases given their units at once: what is proposed now, and what a dispatcher accepts of it.

Nothing is kept of a proposal. What is accepted is ordered case by case, as if the dispatcher had reassigned each, and
only while the case still waits at the step that the plan saw and the unit may still go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid5

import anyio.to_thread
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import desk, errors
from dispatch.assignment import Proposal, Waiting, propose, token, worth_waiting
from dispatch.editions import Editions
from dispatch.fleet import Fleet
from dispatch.ground import Ground
from dispatch.model import Action, CaseRow
from dispatch.names import Role
from dispatch.offering import AT_ONCE, served
from dispatch.orders import Order
from dispatch.outcomes import towards
from dispatch.routing import Candidate, hindrance
from dispatch.store import cases, moves, waiting
from dispatch.store.engine import connect

MOST: Final = 500
"""So many cases are planned for at once: the most urgent, and of equals those that came first."""
_SEVERAL: Final = 2
_BREATH: Final = 8
"""After the ways to so many cases were asked for, others have their turn."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal with what it is about."""

    ground: Ground
    cases: Mapping[str, CaseRow]
    waited_s: Mapping[str, float]
    seen_s: Mapping[tuple[str, str], int | None]
    """(case, unit) -> as `routing.Candidate.seen_s`."""
    proposal: Proposal
    token: str
    waiting: int
    """How many cases wait, more than `MOST` included."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A pair of a plan that is accepted."""

    case: str
    unit: str
    seq: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A plan, or a part of it, that a dispatcher accepts."""

    id: UUID
    """The same id with the same pairs is the same acceptance."""
    token: str
    choices: tuple[Choice, ...]
    actor: str
    note: str


@dataclass(frozen=True, slots=True)
class Became:
    """What became of one pair: the case as it then stands, or why not."""

    choice: Choice
    outcome: CaseRow | errors.DomainError


async def plan(engine: AsyncEngine, editions: Editions, fleet: Fleet, now: datetime) -> Proposed:
    """What is best for all who wait, as things are. Raises `DatabaseUnavailable`."""
    async with connect(engine) as connection:
        wanting, count = await waiting.who_waits(connection, MOST)
        busy = frozenset(await cases.case_by_unit(connection))
        by_team = await cases.open_cases_by_team(connection)
    ground = await editions.at(now)
    found: list[Waiting] = []
    for number, one in enumerate(wanting):
        if number % _BREATH == _BREATH - 1:
            await asyncio.sleep(0)
        waited_s = max(0.0, (now - one.case.received_at).total_seconds())
        candidates = tuple(_candidates(ground, fleet, one.case, one.decision, now, busy))
        found.append(Waiting(one.case.case_no, one.case.seq, one.case.urgency, waited_s, candidates))
    district, load = ground.district, loads(ground, by_team)
    work = partial(propose, found, busy, load, district.settings.weights)
    return Proposed(
        ground=ground,
        cases={one.case.case_no: one.case for one in wanting},
        waited_s={one.case: one.waited_s for one in found},
        seen_s={(one.case, c.unit.code): c.seen_s for one in found for c in one.candidates},
        proposal=await anyio.to_thread.run_sync(work),
        token=token(district.version, found, busy, load),
        waiting=count,
    )


async def worth_holding(engine: AsyncEngine, editions: Editions, fleet: Fleet, wait_s: float, now: datetime) -> bool:
    """Whether a plan for all who wait is so much better than one by one that a dispatcher should have `wait_s` for it.

    With one free unit it never is. Raises `DatabaseUnavailable`.
    """
    today = await editions.at(now)
    async with connect(engine) as connection:
        busy = frozenset(await cases.case_by_unit(connection))
    free = frozenset[str]().union(*served(today, fleet, busy, now).values()) - busy
    if len(free) < _SEVERAL:
        return False
    proposed = await plan(engine, editions, fleet, now)
    return worth_waiting(proposed.proposal, proposed.ground.district.settings.weights, wait_s, AT_ONCE)


def loads(ground: Ground, by_team: Mapping[str, int]) -> dict[str, float]:
    """Team code -> its open cases as a share of what it should have at most, where there is such a limit."""
    teams = ground.district.teams.values()
    return {team.code: by_team.get(team.code, 0) / team.max_open for team in teams if team.max_open}


async def accept(
    engine: AsyncEngine, editions: Editions, fleet: Fleet, acceptance: Acceptance, clock: Callable[[], datetime]
) -> list[Became]:
    """Order each accepted pair, in the order in which they come; what one comes to changes no other.

    clock: says what time it is; many pairs take a while.

    Refused are, each by itself: `UnknownCase`, `CaseMovedOn` (somebody moved it, or it has a unit by now), `UnitBusy`,
    `UnitCannotGo`, `UnknownUnit`, and what else `desk.act` raises. Raises `DatabaseUnavailable`: what was done by then
    is answered as done when the same comes again.
    """
    became = []
    for choice, order in orders(acceptance):
        try:
            outcome: CaseRow | errors.DomainError = await _ordered(engine, editions, fleet, order, clock())
        except errors.DatabaseUnavailable:
            raise
        except errors.DomainError as error:
            outcome = error
        became.append(Became(choice, outcome))
    return became


def orders(acceptance: Acceptance) -> Iterator[tuple[Choice, Order]]:
    """Each accepted pair as an order, without the team, which is the case's own."""
    said = f"统筹派遣（方案 {acceptance.token[:8]}） / Assigned all at once (plan {acceptance.token[:8]})"
    note = f"{said}：{acceptance.note}" if acceptance.note else said
    for choice in acceptance.choices:
        yield (
            choice,
            Order(
                id=uuid5(acceptance.id, f"{choice.case} {choice.unit} {choice.seq}"),
                case_no=choice.case,
                action=Action.REASSIGN,
                actor=acceptance.actor,
                note=note,
                unit=choice.unit,
                seq=choice.seq,
                role=Role.DISPATCHER,
            ),
        )


async def _ordered(engine: AsyncEngine, editions: Editions, fleet: Fleet, order: Order, now: datetime) -> CaseRow:
    async with connect(engine) as connection:
        facts = await moves.gather_for_action(connection, order.case_no, order.id)
        if facts.case is None:
            raise errors.UnknownCase(case=order.case_no)
        if facts.done:
            return facts.case
        if facts.case.unit is not None or facts.case.state not in waiting.NEED_UNIT:
            raise desk.moved_on(facts)
        decision = await cases.which_decision(connection, order.case_no)
        on = await cases.case_by_unit(connection) if order.unit in facts.busy else {}
    ground = await editions.at(now)
    candidates = _candidates(ground, fleet, facts.case, decision, now, facts.busy, order.unit)
    _may_go(candidates, facts.busy, order, on)
    # Of the team that has it: who goes is all that is changed.
    return await desk.act(engine, editions, fleet, replace(order, team=facts.case.team), now)


def _candidates(
    ground: Ground,
    fleet: Fleet,
    case: CaseRow,
    decision: Mapping[str, Any],
    now: datetime,
    busy: frozenset[str],
    also: str = "",
) -> list[Candidate]:
    to = towards(case.team, decision, (case.lon, case.lat))
    return ground.candidates(case.team, *to, fleet, now, busy, also, case.matter)


def _may_go(candidates: Sequence[Candidate], busy: frozenset[str], order: Order, on: Mapping[str, str]) -> None:
    """Raises `UnitBusy`, `UnitCannotGo`; a unit that is no candidate at all is left to the desk to refuse."""
    unit = order.unit
    why = next((hindrance(one, busy) for one in candidates if one.unit.code == unit), "")
    if why == "busy":
        raise errors.UnitBusy({"field": "unit"}, unit=unit, case=on.get(unit, "—"))
    if why:
        zh, en = _WHY.get(why, ("不可派", "it may not be sent"))
        raise errors.UnitCannotGo({"field": "unit", "reason": why}, unit=unit, case=order.case_no, why=en, why_zh=zh)


_WHY: Final = {
    "off_shift": ("已自报下班", "it said that it is off shift"),
    "off_duty": ("此时不当班", "it is not on duty"),
    "unskilled": ("不具备所需技能", "it does not have the skill"),
    "unreachable": ("到不了", "no way leads there"),
}
