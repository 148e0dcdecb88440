"""The overseer (督办): what time alone asks to be done to cases is done when its moment comes, as anybody's order is.

Every worker has one. A case is taken by one of them at a time (`store.oversight.claim`), and what it orders goes by the
desk, sealed like all else, under an id that follows from the case and the step: two overseers, or one that was killed
after it wrote and before it knew, do it once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import desk
from dispatch.deadlines import WHOM
from dispatch.district import District
from dispatch.editions import Editions
from dispatch.errors import ActionNotAllowed, CaseMovedOn, DatabaseUnavailable, DomainError
from dispatch.fleet import Fleet
from dispatch.lifecycle import MOST_LEVELS, RUNNING
from dispatch.model import Action, CaseRow, State
from dispatch.opening import timing_of
from dispatch.orders import Order
from dispatch.store import oversight
from dispatch.store.engine import connect
from dispatch.timing import clock_of, next_at

log = logging.getLogger(__name__)

ACTOR: Final = "督办 overseer"
_OURS: Final = UUID("0d9c6a52-5b1e-4c1f-9a57-7f5a1d3e8b40")
"""For the ids of what the overseer orders."""
TOGETHER: Final = 100
"""Cases that one takes at a time."""
LEASE: Final = timedelta(seconds=60)
"""For so long they are its alone."""


@dataclass(frozen=True, slots=True)
class Desk:
    """With what a duty is done."""

    engine: AsyncEngine
    editions: Editions
    fleet: Fleet

    async def act(self, order: Order, now: datetime) -> CaseRow:
        """As `desk.act`."""
        return await desk.act(self.engine, self.editions, self.fleet, order, now)


Duty = Callable[[Desk, datetime], Awaitable[int]]
"""Does what is due by a moment, and says how much it did. It may be cut off anywhere, and run beside its like."""


async def keep_time(at: Desk, now: datetime) -> int:
    """Late cases go a level up by the district's rules; suspended ones are resumed on their day."""
    done = 0
    while True:
        async with connect(at.engine) as connection:
            claimed = await oversight.claim(connection, now, now + LEASE, TOGETHER)
        for case in claimed:
            done += await _see_to(at, case, now)
        if len(claimed) < TOGETHER:
            return done


async def begin_anew(at: Desk, now: datetime) -> int:
    """What another edition, or another calendar, asks for: its rules count, and years that it knows are not assumed."""
    done = 0
    async with connect(at.engine) as connection:
        await oversight.look_again(connection, now, MOST_LEVELS)
        assumed = await oversight.assumed(connection)
    for case in assumed:
        if (order := recounted(case, at.editions.current.district)) is not None:
            try:
                await at.act(order, now)
            except (CaseMovedOn, ActionNotAllowed):
                continue  # whoever was there before counted by the same calendar, or ended it
            done += 1
    return done


async def _see_to(at: Desk, case: CaseRow, now: datetime) -> int:
    """All that is due of one case, step by step."""
    done = 0
    while True:
        district = at.editions.current.district
        order = ordered(case, district, now)
        if order is None:
            async with connect(at.engine) as connection:
                await oversight.put_off(connection, case, next_at(case, timing_of(district, case.matter)))
            return done
        try:
            case = await at.act(order, now)
        except (CaseMovedOn, ActionNotAllowed):
            return done  # somebody was there before: what is due then, is due at the moment that his step left
        except DatabaseUnavailable:
            raise
        except DomainError as error:
            log.warning("%s of case %s was refused; tried again soon: %s", order.action, case.case_no, error)
            return done
        done += 1


def ordered(case: CaseRow, district: District, now: datetime) -> Order | None:
    """What is to be done to a case by that moment, one step of it; None: nothing yet. Pure."""
    timing = timing_of(district, case.matter)
    due = next_at(case, timing)
    if due is None or due > now:
        return None
    if case.state is State.SUSPENDED:
        rule = f"until:{case.suspended_until}"
        note = f"挂起至 {case.suspended_until}，到期恢复。Suspended until {case.suspended_until}: the day has come."
        return _order(case, Action.RESUME, rule, note, f"{rule}:{(case.clock or {}).get('suspended_at')}")
    level = case.level + 1
    to = timing.rules.steps[level - 1].to
    rule, (zh, en) = f"late:{level}:{to}", WHOM[to]
    note = f"已超时，按规则升级（第 {level} 级）：{zh}。Late: up to level {level} by the rules, to {en}."
    return _order(case, Action.ESCALATE, rule, note, f"level:{level}")


def recounted(case: CaseRow, district: District) -> Order | None:
    """To count the limit of a case anew, where that comes to another clock than it has; None: it does not. Pure."""
    timing = timing_of(district, case.matter)
    clock = clock_of(case, timing)
    if clock is None or case.state not in RUNNING | {State.SUSPENDED} or clock.recounted(timing.rules) == clock:
        return None
    years = "、".join(map(str, clock.assumed))
    note = f"{years} 年的放假安排已公布，时限重新计算。The holidays of {years} are known by now: counted anew."
    step = f"reckon:{clock.started_at.isoformat()}:{clock.due_at.isoformat()}:{district.version}"
    return _order(case, Action.RECKON, f"calendar:{years}", note, step)


def _order(case: CaseRow, action: Action, rule: str, note: str, step: str) -> Order:
    # Of the step that was looked at: what somebody did meanwhile may have changed what is due.
    id_ = uuid5(_OURS, f"{case.case_no} {step}")
    return Order(id_, case.case_no, action, ACTOR, note=note, seq=case.seq, rule=rule)


DUTIES: Final[tuple[Duty, ...]] = (keep_time,)


class Overseer:
    """One per worker: `run` it as a task."""

    def __init__(
        self,
        at: Desk,
        every: timedelta,
        acted: Callable[[], None] = lambda: None,
        duties: Sequence[Duty] = DUTIES,
    ) -> None:
        """acted: called after a round in which anything was done."""
        self._at, self._every, self._acted, self._duties = at, every, acted, duties
        self._version = ""

    async def run(self) -> None:
        """Until cancelled. What hinders a round is logged, and the next one is not kept from coming."""
        while True:
            try:
                await self.round(datetime.now(UTC))
            except (DatabaseUnavailable, SQLAlchemyError, psycopg.Error) as error:
                log.warning("a round of the overseer was cut short: %s", error)
            await asyncio.sleep(self._every.total_seconds())

    async def round(self, now: datetime) -> int:
        """Every duty once; how much was done."""
        done = 0
        version = self._at.editions.current.district.version
        if version != self._version:
            done += await begin_anew(self._at, now)
            self._version = version
        for duty in self._duties:
            done += await duty(self._at, now)
        if done:
            self._acted()
        return done
