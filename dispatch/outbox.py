"""Tells subscribers of every event by webhook: at least once, of each case in order, whatever is killed meanwhile.

What is to be sent is in the database before it is sent, and leaves it when it was taken (any 2xx answer). Of several
workers one delivers. A case whose event is not taken waits by itself, each time longer; a receiver that cannot be
reached at all is asked one by one until it answers again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import psycopg

from dispatch import signing
from dispatch.store import outbox
from dispatch.store.outbox import Driver, Parcel
from dispatch.store.record import Told

log = logging.getLogger(__name__)

AT_ONCE: Final = 8
"""Cases that are told to one subscriber at the same time."""
TIMEOUT_S: Final = 15.0
"""For an answer; what is answered later counts as not taken."""
LONGEST_S: Final = 3600.0
"""Between two tries of what was refused."""
UNREACHED_S: Final = 300.0
"""Between two tries of what nobody answered: the network is back, or it is not."""
PATIENCE_S: Final = 2.0
"""How long an event may wait whose wake-up was lost, and how long until a worker takes over from one that stopped."""
USER_AGENT: Final = "OneGrid"
_EVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who is told: an address that the operator named, and the keys that sign what is sent there."""

    name: str
    url: str
    keys: Sequence[bytes] = field(repr=False)


def pause(tries: int, first_s: float, longest_s: float, spread: float) -> float:
    """Seconds until something that failed so often (from 1) is tried again: twice as long each time, up to the longest.

    spread: 0 to 1, drawn anew each time, so that many do not come back in one moment; the longest is meant without it.
    """
    return float(min(longest_s, first_s * 2 ** min(tries - 1, 30)) * (0.75 + spread / 2))


@dataclass(frozen=True, slots=True)
class _Outcome:
    parcel: Parcel
    problem: str | None
    """None: it was taken."""
    asked_s: float | None = 0.0
    """The seconds that the receiver asked for; None: nobody answered at all."""


@dataclass(slots=True, eq=False)
class _Line:
    """The way to one subscriber."""

    to: Subscriber
    under_way: set[asyncio.Task[_Outcome]] = field(default_factory=set)
    cases: set[str] = field(default_factory=set)
    """Of which something is under way."""
    unreached: int = 0
    """How often in a row nobody answered at all."""
    not_before: datetime = _EVER

    def room(self, now: datetime) -> int:
        """How many more may be sent now: while nobody answers one at a time, to find out."""
        return 0 if now < self.not_before else (1 if self.unreached else AT_ONCE) - len(self.under_way)


class Courier:
    """One per worker: `run` it as a task."""

    def __init__(
        self,
        conninfo: str,
        subscribers: Sequence[Subscriber],
        write: Callable[[Told], bytes],
        happened: asyncio.Event,
        first_pause_s: float = 5.0,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """write: an event as it is sent; happened: set whenever something may have been committed."""
        self._conninfo, self._subscribers, self._write = conninfo, subscribers, write
        self._happened, self._first_s, self._patience_s = happened, first_pause_s, patience_s

    async def run(self) -> None:
        """Until cancelled. What hinders it is logged, and tried again soon."""
        while True:
            try:
                async with await outbox.opened(self._conninfo) as connection:
                    while not await outbox.alone(connection):  # noqa: ASYNC110  (the lock is the database's)
                        await asyncio.sleep(self._patience_s)
                    await self._deliver(connection)
            except psycopg.Error as error:
                log.warning("webhooks cannot be delivered: %s", error)
            await asyncio.sleep(self._patience_s)

    async def _deliver(self, connection: Driver) -> None:
        """For as long as the connection holds: only who has it delivers. Raises psycopg's errors."""
        lines = [_Line(one) for one in self._subscribers]
        async with httpx.AsyncClient(timeout=TIMEOUT_S, headers={"user-agent": USER_AGENT}) as client:
            try:
                while True:
                    self._happened.clear()
                    if not any(line.under_way for line in lines):  # at first; and whom somebody made us forget
                        names = [one.name for one in self._subscribers]
                        await outbox.subscribe(connection, names, datetime.now(UTC))
                    for line in lines:
                        await self._settle(connection, line)
                        await self._send_due(connection, client, line)
                    await self._wait(lines)
            finally:
                tasks = [task for line in lines for task in line.under_way]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _settle(self, connection: Driver, line: _Line) -> None:
        """Write what became of what was sent. Until it is written, nothing more of its case is sent."""
        for task in [task for task in line.under_way if task.done()]:
            done, now = task.result(), datetime.now(UTC)
            if done.problem is None:
                await outbox.taken(connection, done.parcel)
            else:
                longest = UNREACHED_S if done.asked_s is None else LONGEST_S
                seconds = pause(done.parcel.tries + 1, self._first_s, longest, _spread())
                again_at = now + timedelta(seconds=max(seconds, done.asked_s or 0.0))
                await outbox.failed(connection, done.parcel, done.problem, again_at)
                where = (line.to.name, done.parcel.seq, done.parcel.case, done.problem)
                log.warning("%s did not take step %d of case %s: %s", *where)
            if done.asked_s is not None:
                line.unreached = 0
            elif now >= line.not_before:  # of those that were sent together the first counts
                line.unreached += 1
                seconds = pause(line.unreached, self._first_s / 4, UNREACHED_S / 5, _spread())
                line.not_before = now + timedelta(seconds=seconds)
            line.under_way.discard(task)
            line.cases.discard(done.parcel.case)

    async def _send_due(self, connection: Driver, client: httpx.AsyncClient, line: _Line) -> None:
        """Put what happened into the outbox, and send what is due, as far as there is room."""
        while await outbox.put(connection, line.to.name, self._write, datetime.now(UTC)):
            pass
        now = datetime.now(UTC)
        if (room := line.room(now)) <= 0:
            return
        for parcel in await outbox.due(connection, line.to.name, line.cases, now, room):
            line.cases.add(parcel.case)
            line.under_way.add(asyncio.create_task(_sent(client, line.to, parcel)))

    async def _wait(self, lines: Sequence[_Line]) -> None:
        """Until something was committed or answered, or it is time to look again."""
        happened = asyncio.create_task(self._happened.wait())
        tasks = (task for line in lines for task in line.under_way)
        try:
            await asyncio.wait([happened, *tasks], timeout=self._patience_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            happened.cancel()


def _spread() -> float:
    return random.random()  # noqa: S311  (that many do not come back in one moment)


async def _sent(client: httpx.AsyncClient, to: Subscriber, parcel: Parcel) -> _Outcome:
    body = parcel.body.encode()
    signed = signing.headers(to.keys, str(parcel.id), datetime.now(UTC), body)
    return _Outcome(parcel, *await post(client, to.url, body, signed))


async def post(
    client: httpx.AsyncClient, url: str, body: bytes, signed: dict[str, str]
) -> tuple[str | None, float | None]:
    """Send it: what was wrong (None: it was taken), and the seconds that were asked for (None: nobody answered).

    A redirection is not followed: what is told goes to the address that was named and nowhere else.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            answer = await client.post(url, content=body, headers={"content-type": "application/json", **signed})
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        return f"{type(error).__name__}: {error}"[:300], None
    if answer.is_success:
        return None, 0.0
    asked = answer.headers.get("retry-after", "")
    return f"HTTP {answer.status_code}", min(float(asked), LONGEST_S) if asked.isascii() and asked.isdigit() else 0.0
