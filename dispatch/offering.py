"""Cases that wait for a unit are given one as soon as one can go: the most urgent first, then who waits longest.

Where all at once would be better (`dispatch.assigning`), it is left to the command centre for a while, but for the most
urgent cases. Each time it is an event of the case, whose id follows from the case and its step: of several workers that
do it at once, one does it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch.audit import Entry
from dispatch.editions import Editions
from dispatch.errors import DatabaseUnavailable
from dispatch.fleet import Fleet
from dispatch.ground import Ground
from dispatch.model import Action, CaseRow
from dispatch.orders import Order
from dispatch.steps import decide_offer
from dispatch.store import cases, moves
from dispatch.store.engine import connect

log = logging.getLogger(__name__)

BY: Final = "rule:offer"
"""Who does it, as the record names him."""
FREES: Final = frozenset(
    {
        Action.HANDLE,
        Action.RETURN,
        Action.REASSIGN,
        Action.RELOCATE,
        Action.SUSPEND,
        Action.MERGE,
        Action.CANCEL,
    }
)
"""Actions after which a unit may be free that was not before; so may one be for which another is named."""
AT_ONCE: Final = 1
"""Cases of this urgency are never held."""
PAGE: Final = 100
PACE_S: Final = 0.2
"""Between one time and the next: units that become free together are seen together. The first one never waits."""
_IDS: Final = UUID("5b0c8a52-8f0e-4c55-9d0a-0f5f1f6f7a31")


async def offer_waiting(
    engine: AsyncEngine, editions: Editions, fleet: Fleet, now: datetime, *, urgent_only: bool = False
) -> int:
    """Give the cases that wait (those `AT_ONCE` alone, with `urgent_only`) the units that can go now; how many got one.

    What waits after it waits because nobody who goes for its team is free, on duty, able and can get there. Raises
    `DatabaseUnavailable`.
    """
    given = 0
    for _ in range(moves.TRIES):
        enacted = editions.number
        today = await editions.at(now)
        try:
            async for _ in _offers(engine, today, fleet, enacted, now, urgent_only):
                given += 1
        except moves.UnitTaken:
            continue
        except moves.AnotherEdition:
            await editions.catch_up(enacted)
            continue
        break
    return given


async def _offers(
    engine: AsyncEngine, today: Ground, fleet: Fleet, enacted: int, now: datetime, urgent_only: bool
) -> AsyncIterator[CaseRow]:
    """Once through the row of those who wait, while anybody is free for them: each case as it was given a unit.

    Raises `UnitTaken`, `AnotherEdition`: look again who is free.
    """
    async with connect(engine) as connection:
        busy = frozenset(await cases.case_by_unit(connection))
    turn: cases.Turn | None = None
    while teams := served(today, fleet, busy, now):
        async with connect(engine) as connection:
            page = await cases.waiting_cases(connection, teams, PAGE, turn)
        for case, before in page:
            if urgent_only and case.urgency > AT_ONCE:
                return
            turn = (case.urgency, case.received_at, case.case_no)
            if not teams[case.team] - busy:
                continue
            offered = decide_offer(today, fleet, order(case), case, before, busy, now)
            if offered and await _written(engine, *offered, enacted):
                busy |= {offered[0].unit or ""}
                yield offered[0]
        if len(page) < PAGE:
            return


async def _written(engine: AsyncEngine, case: CaseRow, entry: Entry, enacted: int) -> bool:
    """False: who was first did the same, or something else; the case is looked at again the next time."""
    async with connect(engine) as connection:
        try:
            return await moves.send_case(connection, case, entry, enacted)
        except moves.AlreadyThere:
            return False


def served(today: Ground, fleet: Fleet, busy: frozenset[str], now: datetime) -> Mapping[str, frozenset[str]]:
    """The teams for which somebody can go now: by team, the units that are on duty, on shift and on no case. Pure."""
    found = {}
    for team in today.district.teams:
        on_duty = today.district.rota.watch(team, now).on_duty
        free = frozenset(code for code in on_duty if code not in busy and fleet.on_shift(code))
        if free:
            found[team] = free
    return found


def order(case: CaseRow) -> Order:
    """What is done to a case that waits: its id follows from the case and the step that it stands at."""
    return Order(uuid5(_IDS, f"{case.case_no} {case.seq}"), case.case_no, Action.OFFER, BY)


class Hold:
    """Leaves who waits to the command centre for a while, where that is worth it; then it is over, worth it or not."""

    def __init__(self, worth: Callable[[datetime], Awaitable[bool]], for_s: float) -> None:
        """worth: whether all at once is so much better at a time that it is worth `for_s` seconds; 0: never."""
        self._worth, self._for = worth, timedelta(seconds=for_s)
        self._until: datetime | None = None

    async def holds(self, now: datetime) -> bool:
        """Whether it does. Raises what `worth` raises."""
        if self._until is not None:
            if now < self._until:
                return True
            self._until = None
            return False
        if self._for and await self._worth(now):
            self._until = now + self._for
        return self._until is not None


class Offering:
    """One per worker: `run` it as a task, `wake` it when a unit may have become free."""

    def __init__(
        self,
        engine: AsyncEngine,
        editions: Editions,
        fleet: Fleet,
        every_s: float,
        told: Callable[[], None],
        hold: Hold | None = None,
    ) -> None:
        """every_s: it looks by itself so often, for shifts that begin; told: called when cases were given a unit."""
        self._hold = hold
        self._engine, self._editions, self._fleet = engine, editions, fleet
        self._every_s, self._told = every_s, told
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Look soon."""
        self._awake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._awake.clear()
            try:
                now = datetime.now(UTC)
                held = self._hold is not None and await self._hold.holds(now)
                if await offer_waiting(self._engine, self._editions, self._fleet, now, urgent_only=held):
                    self._told()
            except (DatabaseUnavailable, SQLAlchemyError) as error:
                log.warning("waiting cases could not be looked at: %s", error)
            await asyncio.sleep(PACE_S)
            with suppress(TimeoutError):
                # Not `wait_for`: that loses a cancellation that comes in the same moment (bpo-37658).
                async with asyncio.timeout(self._every_s):
                    await self._awake.wait()
