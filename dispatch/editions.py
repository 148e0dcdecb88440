"""The editions of the district's data that a worker decides by. One per worker; all of it can be read again.

What is enacted is in the database, with the folder it was loaded from, so that every worker decides by the same ones.
A ground (`dispatch.ground`) is made whole before it is used and never changed after: no report meets half of one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dispatch import district
from dispatch.bundle import unpacked
from dispatch.district import District
from dispatch.duties import refuse_if_unproved
from dispatch.enactment import Enactment, in_force, next_change
from dispatch.errors import AnotherDistrict, BrokenDistrict, DatabaseUnavailable
from dispatch.ground import Ground, prepare
from dispatch.store import editions
from dispatch.store.engine import connect, transaction

log = logging.getLogger(__name__)

PATIENCE_S: Final = 30.0
"""How long an enactment can stay unnoticed when its call was lost; a report that it decides notices it at once."""
FORMER: Final = 3
"""So many grounds are kept that hold no more: what was seen before and arrives late is decided by them."""


class Editions:
    """Grounds by the moment whose edition is asked for."""

    def __init__(self, engine: AsyncEngine, ground: Ground, cache: Path | None = None, osm: Path | None = None) -> None:
        """ground: of the folder that the server was started with; cache: where prepared grounds are kept on disk.

        `osm`: as of `prepare`.
        """
        self._engine, self._cache, self._osm = engine, cache, osm
        self._enactments: tuple[Enactment, ...] = ()
        self._grounds: dict[str, Ground] = {ground.district.version: ground}
        self._districts: dict[str, District] = {}
        self._unready: set[str] = set()
        """Editions that could not be loaded when they were last tried."""
        self._current = ground
        self._changes_at: datetime | None = None
        self._loading, self._catching_up = asyncio.Lock(), asyncio.Lock()
        self.enacted = asyncio.Event()
        """Set it to have the enactments read again."""

    @property
    def current(self) -> Ground:
        """Of the edition that holds now."""
        if self._changes_at is not None and datetime.now(UTC) >= self._changes_at:
            self._settle()
        return self._current

    @property
    def number(self) -> int:
        """Of the last enactment that is known here: what a decision rests on."""
        return self._enactments[-1].number if self._enactments else 0

    @property
    def enactments(self) -> tuple[Enactment, ...]:
        """All that are known here, in order."""
        return self._enactments

    async def start(self, now: datetime) -> None:
        """Enact the folder's edition if it never was; be ready for those that hold.

        Raises `BrokenDistrict` where a new edition's duties are not proved, `AnotherDistrict`, `DatabaseUnavailable`.
        """
        ours = self._current.district
        async with transaction(self._engine) as connection:
            if not await _keep(connection, ours, now):
                await anyio.to_thread.run_sync(refuse_if_unproved, self._current)
                await editions.enact(connection, ours.version, ours.holds_from or now, now)
        await self.refresh()
        if self.current.district.version != ours.version:
            log.warning(
                "%s is in force; the folder's edition %s was enacted before or holds later (onegrid grids editions)",
                self.current.district.version,
                ours.version,
            )

    async def refresh(self) -> None:
        """Read the enactments, and make the ground of the one that holds ready. Raises `DatabaseUnavailable`."""
        async with connect(self._engine) as connection:
            found = await editions.all_enactments(connection)
        self._unready.clear()
        await self._ground_of(in_force(found, datetime.now(UTC)).version)
        self._enactments = found
        self._settle()

    async def make_ready(self) -> None:
        """The grounds of the editions that will hold: no report waits for them before they do."""
        for version in {one.version for one in self._enactments if one.holds_from > datetime.now(UTC)}:
            await self._ground_of(version)

    async def catch_up(self, number: int) -> None:
        """As `refresh`, unless more than the enactment `number` is known by now. Raises `DatabaseUnavailable`."""
        async with self._catching_up:
            if self.number <= number:
                await self.refresh()

    async def superseded(self, number: int) -> bool:
        """Whether an edition was enacted after the enactment `number`; it is known here then.

        What was refused by those known before is to be decided again. Raises `DatabaseUnavailable`.
        """
        async with connect(self._engine) as connection:
            last = await editions.last_number(connection)
        if last <= number:
            return False
        await self.catch_up(number)
        return True

    async def at(self, moment: datetime) -> Ground:
        """Of the edition that held at a moment; of the one in force when this database does not have that one."""
        current = self.current
        version = in_force(self._enactments, moment).version if self._enactments else current.district.version
        return await self._ground_of(version) or current

    async def district_of(self, version: str) -> District | None:
        """An edition's district, whether it holds or not: what a decision of its time speaks of; None if it is lost."""
        if version in self._grounds:
            return self._grounds[version].district
        if version not in self._districts:
            async with connect(self._engine) as connection:
                bundle = await editions.bundle_of(connection, version)
            if bundle is None:
                return None
            try:
                found = await anyio.to_thread.run_sync(read, bundle, version)
            except BrokenDistrict:
                log.exception("the edition %s cannot be loaded by this release", version)
                return None
            self._districts = dict([*self._districts.items(), (version, found)][-FORMER:])
        return self._districts[version]

    async def run(self, changed: Callable[[Ground], Awaitable[None]]) -> None:
        """Until cancelled: notice what is enacted and what begins to hold; `changed` is called with what then holds."""
        told = self.current.district.version
        while True:
            await self._wait()
            try:
                await self.refresh()
                await self.make_ready()
            except (DatabaseUnavailable, SQLAlchemyError) as error:
                log.warning("the enactments could not be read: %s", error)
                await asyncio.sleep(1)
                continue
            if self.current.district.version != told:
                told = self.current.district.version
                log.warning("%s is in force", told)
                await changed(self.current)

    async def _wait(self) -> None:
        change = next_change(self._enactments, datetime.now(UTC))
        left = PATIENCE_S if change is None else (change - datetime.now(UTC)).total_seconds()
        try:
            # Not `wait_for`: that loses a cancellation that comes in the same moment (bpo-37658).
            async with asyncio.timeout(min(max(left, 0.01), PATIENCE_S)):
                await self.enacted.wait()
        except TimeoutError:
            return
        self.enacted.clear()

    async def _ground_of(self, version: str) -> Ground | None:
        if version in self._grounds:
            return self._grounds[version]
        async with self._loading:
            if version in self._grounds or version in self._unready:
                return self._grounds.get(version)
            async with connect(self._engine) as connection:
                bundle = await editions.bundle_of(connection, version)
            if bundle is None:
                log.error("this database does not hold the edition %s: it was enacted by an earlier release", version)
                return None
            try:
                ground = await anyio.to_thread.run_sync(lambda: prepare(read(bundle, version), self._cache, self._osm))
            except Exception:
                # Whatever it is (a release that reads it otherwise, a disk that is full): reports are decided all the
                # same, by the edition at hand, and their decisions name it.
                log.exception("the edition %s cannot be made ready", version)
                self._unready.add(version)
                return None
            self._grounds[version] = ground
            self._settle()  # it may hold already
            return ground

    def _settle(self) -> None:
        """What holds now; which grounds need not be kept."""
        now = datetime.now(UTC)
        if self._enactments:
            self._current = self._grounds.get(in_force(self._enactments, now).version, self._current)
        self._changes_at = next_change(self._enactments, now)
        needed = {self._current.district.version, *(e.version for e in self._enactments if e.holds_from > now)}
        for version in [one for one in self._grounds if one not in needed][:-FORMER]:
            del self._grounds[version]


async def enact(engine: AsyncEngine, given: District, holds_from: datetime, now: datetime) -> Enactment | None:
    """Let an edition hold from a moment on, whatever servers are at work; None when it does so already.

    Raises `AnotherDistrict`, `DatabaseUnavailable`.
    """
    async with transaction(engine) as connection:
        await _keep(connection, given, now)
        enacted = await editions.all_enactments(connection)
        if enacted and in_force(enacted, holds_from).version == given.version:
            return None
        return await editions.enact(connection, given.version, holds_from, now)


async def _keep(connection: AsyncConnection, given: District, now: datetime) -> bool:
    """Keep an edition; whether it was ever enacted. One caller after the other. Raises `AnotherDistrict`."""
    await editions.lock(connection)
    kept = await editions.district_code(connection)
    if kept not in (None, given.code):
        raise AnotherDistrict(kept=kept, given=given.code)
    known = await editions.is_known(connection, given.version)
    await editions.keep(connection, given, now)
    return known


def read(bundle: bytes, version: str) -> District:
    """The district of a bundle. Raises `BrokenDistrict` when it is not the edition that it is kept as."""
    with unpacked(bundle, version.partition("@")[0]) as folder:
        found = district.load(folder)
    if found.version != version:
        raise BrokenDistrict(version, [])
    return found
