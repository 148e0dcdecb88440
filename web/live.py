"""The live stream: each worker is woken once for whatever happened, reads it once, and tells all of its listeners.

NOTIFY only wakes. It is sent after the commit and not within it, because a NOTIFY inside would make all commits of
the cluster wait for each other; what was missed by a lost wake-up is read with the next one, or after `PATIENCE_S`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch.editions import Editions
from dispatch.errors import DatabaseUnavailable
from dispatch.store import record
from dispatch.store.editions import CHANNEL as ENACTED
from dispatch.store.engine import connect, conninfo
from web.views import told_view

log = logging.getLogger(__name__)

CHANNEL: Final = "onegrid_event"
POSITIONS: Final = "onegrid_position"
PATIENCE_S: Final = 5.0
PACE_S: Final = 0.02
"""Between one reading and the next under load: many events are then read at once. The first one never waits."""
REPLAY_LIMIT: Final = 2000
"""More events than this are not replayed: the client is told to load its lists again."""
QUEUE_LIMIT: Final = 5000
LIGHT_LIMIT: Final = 100
"""A listener with so many frames to go is told of no more positions until it has caught up."""
REMEMBERED: Final = 20_000
_CALL: Final = text("SELECT pg_notify(:channel, :worker)")


@dataclass(frozen=True, slots=True)
class Frame:
    """One server-sent event."""

    kind: str
    id: str
    """Where to come back to; empty: this frame is never told again."""
    data: str
    event: int = 0


@dataclass(slots=True, eq=False)
class _Listener:
    queue: asyncio.Queue[Frame] = field(default_factory=lambda: asyncio.Queue(QUEUE_LIMIT))
    behind: bool = False
    """It was not told of all that moved."""

    def tell(self, frames: list[Frame]) -> None:
        if self.queue.qsize() + len(frames) > QUEUE_LIMIT:
            # A listener that slow is told to start over, rather than be told late or only in part.
            while not self.queue.empty():
                self.queue.get_nowait()
            frames = [Frame("reset", frames[-1].id, "{}")]
        for frame in frames:
            self.queue.put_nowait(frame)

    def tell_lightly(self, frame: Frame) -> None:
        if self.queue.qsize() < LIGHT_LIMIT:
            self.queue.put_nowait(frame)
        else:
            self.behind = True


class Hub:
    """One per worker: `run` it as a task, `nudge` it after each write, `listen` for each client."""

    def __init__(self, engine: AsyncEngine, editions: Editions) -> None:
        self._engine, self._editions = engine, editions
        self._listeners: set[_Listener] = set()
        self._joining = asyncio.Lock()
        self._wake = asyncio.Event()
        self._tell_others = asyncio.Event()
        self._cursor = 0
        self._told: deque[int] = deque(maxlen=REMEMBERED)
        self._told_set: set[int] = set()
        self.name = uuid4().hex
        """Of this worker in its calls, so that it is not woken by its own."""
        self.positions_moved = asyncio.Event()
        """Set when another worker wrote positions."""
        self.happened = asyncio.Event()
        """Set whenever something may have been committed, here or elsewhere."""
        self.greeting: Callable[[], Frame | None] = lambda: None
        """What every newcomer is told after its `hello`, and a listener that had fallen behind."""

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def tell_lightly(self, frame: Frame) -> None:
        """Tell all listeners what is soon out of date; who is slow is told the greeting once it has caught up."""
        for listener in self._listeners:
            listener.tell_lightly(frame)

    def tell_edition(self) -> None:
        """Tell all listeners which edition of the district's data holds from now on."""
        for listener in self._listeners:
            listener.tell([Frame("edition", "", self._edition())])

    def _edition(self) -> str:
        return json.dumps({"version": self._editions.current.district.version})

    def nudge(self) -> None:
        """Something was committed here."""
        self._wake.set()
        self._tell_others.set()

    async def start(self) -> None:
        """Set the cursor to now. Raises `DatabaseUnavailable`."""
        async with connect(self._engine) as connection:
            _, self._cursor = await record.events_since(connection, 2**62, 1)

    async def run(self) -> None:
        """Until cancelled: read what happened whenever woken, and wake the other workers."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear())
            tasks.create_task(self._call())
            tasks.create_task(self._read())

    async def _hear(self) -> None:
        """Be woken by other workers; outside the pool, reconnecting for ever."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    conninfo(self._engine), autocommit=True, connect_timeout=3
                ) as listening:
                    await listening.execute(f"LISTEN {CHANNEL}")
                    await listening.execute(f"LISTEN {POSITIONS}")
                    await listening.execute(f"LISTEN {ENACTED}")
                    self._wake.set()
                    self.positions_moved.set()
                    self._editions.enacted.set()
                    called = {CHANNEL: self._wake, POSITIONS: self.positions_moved, ENACTED: self._editions.enacted}
                    async for call in listening.notifies():
                        if call.payload != self.name:
                            called[call.channel].set()
            except psycopg.Error as error:
                log.warning("listening for events was interrupted: %s", error)
                await asyncio.sleep(1)

    async def _call(self) -> None:
        """Wake the other workers, once for everything that was committed meanwhile."""
        while True:
            await self._tell_others.wait()
            self._tell_others.clear()
            with suppress(DatabaseUnavailable, SQLAlchemyError):
                async with connect(self._engine) as connection:
                    await connection.execute(_CALL, {"channel": CHANNEL, "worker": self.name})
            await asyncio.sleep(PACE_S)

    async def _read(self) -> None:
        while True:
            with suppress(TimeoutError):
                # Not `wait_for`: that loses a cancellation that comes in the same moment (bpo-37658).
                async with asyncio.timeout(PATIENCE_S):
                    await self._wake.wait()
            self._wake.clear()
            self.happened.set()
            try:
                await self._tell()
            except (DatabaseUnavailable, SQLAlchemyError) as error:
                log.warning("events could not be read: %s", error)
                await asyncio.sleep(1)
                self._wake.set()
            except Exception:
                # One event that cannot be told must not end the stream for everybody.
                log.exception("events could not be told")
                await asyncio.sleep(1)
                self._wake.set()
            await asyncio.sleep(PACE_S)

    async def _tell(self) -> None:
        """Read from the cursor on and tell every listener what it was not told yet; with none, nothing is read."""
        if not self._listeners:
            return
        async with connect(self._engine) as connection:
            told, horizon = await record.events_since(connection, self._cursor, REPLAY_LIMIT)
        fresh = [one for one in told if one.event_id not in self._told_set]
        if len(fresh) == REPLAY_LIMIT:
            frames = [Frame("reset", str(horizon), "{}")]
        else:
            frames = self._frames(fresh, self._cursor, horizon)
        self._remember([one.event_id for one in told])
        self._cursor = horizon
        if frames:
            for listener in self._listeners:
                listener.tell(frames)

    def _frames(self, told: list[record.Told], before: int, horizon: int) -> list[Frame]:
        """Only the last frame moves the client's cursor on: one cut off in the middle is told all of it again."""
        last = len(told) - 1
        return [
            Frame(
                "case",
                str(horizon if i == last else before),
                json.dumps(told_view(one, self._editions.current.district), ensure_ascii=False, separators=(",", ":")),
                one.event_id,
            )
            for i, one in enumerate(told)
        ]

    def _remember(self, ids: list[int]) -> None:
        for one in ids:
            if one in self._told_set:
                continue
            if len(self._told) == REMEMBERED:
                self._told_set.discard(self._told[0])
            self._told.append(one)
            self._told_set.add(one)

    async def listen(self, after: str | None) -> AsyncIterator[Frame]:
        """What happened since `after` (an id given before), then everything as it happens.

        The first frame is a `hello` (or a `reset`) whose id is the place to come back to.
        """
        listener = _Listener()
        async with self._joining:
            if not self._listeners:
                await self.start()
            self._listeners.add(listener)
        try:
            replayed: set[int] = set()
            if after is not None and after.isdigit() and len(after) < 19:
                async with connect(self._engine) as connection:
                    told, horizon = await record.events_since(connection, int(after), REPLAY_LIMIT)
                if len(told) == REPLAY_LIMIT or int(after) > horizon:
                    # Too much was missed, or the id is another database's.
                    yield Frame("reset", str(horizon), self._edition())
                else:
                    yield Frame("hello", after, self._edition())
                    for frame in self._frames(told, int(after), horizon):
                        yield frame
                replayed = {one.event_id for one in told}
            else:
                yield Frame("hello" if after is None else "reset", str(self._cursor), self._edition())
            if greeting := self.greeting():
                yield greeting
            while True:
                frame = await listener.queue.get()
                if frame.event not in replayed:
                    yield frame
                if listener.behind and listener.queue.empty():
                    listener.behind = False
                    if greeting := self.greeting():
                        yield greeting
        finally:
            self._listeners.discard(listener)
