"""Positions of units: in from their devices, to the database, to the other workers, to everyone who listens.

Positions that come at the same time are written together. Other workers are woken by NOTIFY and read what was written
since they last read. Listeners are told where units are now, not each step of the way: what moved since they were last
told goes in one frame, and it has no id, for it is never replayed. A newcomer is told where all are.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch.errors import DatabaseUnavailable
from dispatch.fleet import Fate, Fleet, Position
from dispatch.store import positions
from dispatch.store.engine import connect
from web.live import POSITIONS, Frame, Hub
from web.views import stand_view

log = logging.getLogger(__name__)

WRITE_PACE_S: Final = 0.05
READ_PACE_S: Final = 0.1
TELL_PACE_S: Final = 0.25
"""Between one time and the next under load. The first one never waits."""
PATIENCE_S: Final = 5.0
"""What a lost wake-up costs."""
EXPIRE_EVERY_S: Final = 1.0
FORGET_EVERY: Final = timedelta(hours=1)
_CALL: Final = text("SELECT pg_notify(:channel, :worker)")


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    positions: Sequence[Position]
    answer: asyncio.Future[Sequence[Fate]]


class Feed:
    """One per worker: `start` it, `run` it as a task, `take` what comes."""

    def __init__(self, engine: AsyncEngine, fleet: Fleet, hub: Hub, track_days: int) -> None:
        self.fleet = fleet
        self._engine, self._hub, self._track = engine, hub, timedelta(days=track_days)
        self._waiting: list[_Waiting] = []
        self._came = asyncio.Event()
        self._moved: set[str] = set()
        self._tell = asyncio.Event()
        self._since = 0
        hub.greeting = self._everyone

    async def start(self) -> None:
        """Read where everyone was last. Raises `DatabaseUnavailable`."""
        await self._read()

    async def take(self, given: Sequence[Position]) -> Sequence[Fate]:
        """Write positions, and say of each what became of it; committed when this returns. `DatabaseUnavailable`."""
        if not given:
            return ()
        waiting = _Waiting(given, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._came.set()
        return await waiting.answer

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for work in (self._keep_writing, self._keep_reading, self._keep_telling, self._keep_fresh):
                tasks.create_task(work())

    async def _keep_writing(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            batch, self._waiting = self._waiting, []
            try:
                fates = await self._write([position for one in batch for position in one.positions])
            except Exception as error:
                if not isinstance(error, DatabaseUnavailable):
                    log.exception("positions could not be written")
                for one in batch:
                    if not one.answer.done():
                        one.answer.set_exception(error)
            else:
                begin = 0
                for one in batch:
                    end = begin + len(one.positions)
                    if not one.answer.done():
                        one.answer.set_result(fates[begin:end])
                    begin = end
            await asyncio.sleep(WRITE_PACE_S)

    async def _write(self, given: Sequence[Position]) -> Sequence[Fate]:
        now = datetime.now(UTC)
        sifted = self.fleet.sift(given)
        if not sifted.known:
            return sifted.fates
        async with connect(self._engine) as connection:
            written = await positions.put_positions(connection, sifted.known, sifted.track, now)
            if written:
                await connection.execute(_CALL, {"channel": POSITIONS, "worker": self._hub.name})
        self._learn(self.fleet.learn((row for row in sifted.known if row.position.unit in written), now))
        if len(written) == len(sifted.known):
            return sifted.fates
        # Another worker knows a later one, of which this one has not read yet.
        self._hub.positions_moved.set()
        return [
            Fate.OLDER if fate is Fate.TAKEN and position.unit not in written else fate
            for position, fate in zip(given, sifted.fates, strict=True)
        ]

    async def _keep_reading(self) -> None:
        moved = self._hub.positions_moved
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(moved.wait(), PATIENCE_S)
            moved.clear()
            try:
                await self._read()
            except (DatabaseUnavailable, SQLAlchemyError) as error:
                log.warning("positions could not be read: %s", error)
                await asyncio.sleep(1)
                moved.set()
            await asyncio.sleep(READ_PACE_S)

    async def _read(self) -> None:
        async with connect(self._engine) as connection:
            rows, self._since = await positions.positions_since(connection, self._since)
        self._learn(self.fleet.learn(rows, datetime.now(UTC)))

    def _learn(self, moved: Iterable[str]) -> None:
        self._moved.update(moved)
        if self._moved:
            self._tell.set()

    async def _keep_telling(self) -> None:
        while True:
            await self._tell.wait()
            self._tell.clear()
            moved, self._moved = self._moved, set()
            if self._hub.is_heard:
                self._hub.tell_lightly(self._frame(moved))
            await asyncio.sleep(TELL_PACE_S)

    async def _keep_fresh(self) -> None:
        forget_at = datetime.now(UTC)
        while True:
            now = datetime.now(UTC)
            self._learn(self.fleet.expire(now))
            if now >= forget_at:
                forget_at = now + FORGET_EVERY
                with suppress(DatabaseUnavailable, SQLAlchemyError):
                    async with connect(self._engine) as connection:
                        await positions.forget_tracks(connection, now - self._track)
            await asyncio.sleep(EXPIRE_EVERY_S)

    def _everyone(self) -> Frame | None:
        """Where all are that are not at their base."""
        return self._frame(self.fleet.live) if self.fleet.live else None

    def _frame(self, codes: Iterable[str]) -> Frame:
        said = {"positions": [stand_view(self.fleet.stand(code)) for code in sorted(codes)]}
        return Frame("positions", "", orjson.dumps(said).decode())
