"""Incidents as they stand, found once for all who ask at the same time: every console asks as cases come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import anyio.to_thread
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import incidents
from dispatch.district import District
from dispatch.incidents import Incident
from dispatch.store import duplicates as store
from dispatch.store.engine import connect

FRESH_S: Final = 5.0
"""An answer serves the next who ask for so long, while no event came: one may be written late under an older number."""


class BurstWatch:
    """One per worker."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._found: Sequence[Incident] = ()
        self._of: tuple[str, int] = ("", -1)
        """The edition and the last event that it was found of."""
        self._at = 0.0

    async def found(self, engine: AsyncEngine, district: District) -> Sequence[Incident]:
        """Newest first. Raises `DatabaseUnavailable`."""
        async with self._lock:
            now = time.monotonic()
            async with connect(engine) as connection:
                of = (district.version, await store.last_event(connection))
                if of == self._of and now - self._at <= FRESH_S:
                    return self._found
                members = await store.came_lately(connection, datetime.now(UTC) - incidents.LOOK_BACK)
            self._found = await anyio.to_thread.run_sync(incidents.find, members, district.bursts)
            self._of, self._at = of, now
            return self._found
