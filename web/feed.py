"""Positions of units: in from their devices, to the database, to the other workers, to everyone who listens.

Positions that come at the same time are written together. Other workers are woken by NOTIFY and read what was written
since they last read. Listeners are told where units are now, not each step of the way: what moved since they were last
told goes in one frame, and it has no id, for it is never replayed. A newcomer is told where all are.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch.errors import DatabaseUnavailable, PartStopped
from dispatch.fleet import Fate, Fleet, Known, Position
from dispatch.store import positions
from dispatch.store.engine import connect
from web.live import POSITIONS, Frame, Hub
from web.views import stand_view

log = logging.getLogger(__name__)

NAME: Final = "positions"
"""Of this part, in messages."""
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
        self._stopped = False
        hub.greeting = self._everyone

    async def start(self) -> None:
        """Read where everyone was last. Raises `DatabaseUnavailable`."""
        await self._read()

    async def take(self, given: Sequence[Position]) -> Sequence[Fate]:
        """Write positions, and say of each what became of it; committed when this returns.

        Raises `DatabaseUnavailable`, and `PartStopped` while nobody writes: nobody waits for what does not come.
        """
        if not given:
            return ()
        if self._stopped:
            raise PartStopped(part=NAME)
        waiting = _Waiting(given, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._came.set()
        return await waiting.answer

    async def run(self) -> None:
        """Until cancelled, or one of its tasks fails; then those who wait are refused. It may be run again."""
        if self._stopped:
            # Whatever was under way then is read again.
            self._stopped, self._since = False, 0
            self._hub.positions_moved.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in (self._keep_writing, self._keep_reading, self._keep_telling, self._keep_fresh):
                    tasks.create_task(work())
        finally:
            self._stopped = True
            left, self._waiting = self._waiting, []
            _refuse(left, PartStopped(part=NAME))

    async def _keep_writing(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            batch, self._waiting = self._waiting, []
            try:
                fates = await self._write([position for one in batch for position in one.positions])
            except asyncio.CancelledError:
                _refuse(batch, PartStopped(part=NAME))
                raise
            except Exception as error:
                if not isinstance(error, DatabaseUnavailable):
                    log.exception("positions could not be written")
                _refuse(batch, error)
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
        self._learn(self.fleet.learn(_confirmed(sifted.known, written), now))
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
                # Not `wait_for`: that loses a cancellation that comes in the same moment (bpo-37658).
                async with asyncio.timeout(PATIENCE_S):
                    await moved.wait()
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
            rows, since = await positions.positions_since(connection, self._since)
        self._learn(self.fleet.learn(rows, datetime.now(UTC)))
        self._since = since

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
                        await positions.forget_positions(connection, now - self._track, self.fleet.units)
            await asyncio.sleep(EXPIRE_EVERY_S)

    def _everyone(self) -> Frame | None:
        """Where all are that are not at their base."""
        return self._frame(self.fleet.live) if self.fleet.live else None

    def _frame(self, codes: Iterable[str]) -> Frame:
        """Of those that there are: an edition that took force meanwhile may have dropped some."""
        there = sorted(code for code in codes if code in self.fleet.units)
        said = {"positions": [stand_view(self.fleet.stand(code)) for code in there]}
        return Frame("positions", "", orjson.dumps(said).decode())


def _confirmed(known: Iterable[Known], written: Mapping[str, bool]) -> Iterator[Known]:
    """What was written, as the database has it: it may know of another worker whether a unit is on shift."""
    for row in known:
        if (on_shift := written.get(row.position.unit)) is not None:
            yield Known(replace(row.position, on_shift=on_shift), row.kept)


def _refuse(waiting: Iterable[_Waiting], error: Exception) -> None:
    for one in waiting:
        if not one.answer.done():
            one.answer.set_exception(error)
