"""Makes a checkpoint whenever one is due, for as long as the server runs; of several workers one does."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import psycopg

from dispatch.checkpoints import Checkpoint, Signer
from dispatch.store import checkpoints

log = logging.getLogger(__name__)


class Notary:
    """One per worker: `run` it as a task."""

    def __init__(self, conninfo: str, signer: Signer, every: timedelta) -> None:
        self._conninfo, self._signer, self._every = conninfo, signer, every
        self.refused: str | None = None
        """The case for which no checkpoint is made: it was removed or cut since the last one."""

    async def run(self) -> None:
        """Until cancelled. What hinders one is logged, and tried again soon."""
        while True:
            try:
                # In a thread, with a loop of its own: a million cases are seconds of work.
                await asyncio.to_thread(asyncio.run, self.make(datetime.now(UTC)))
            except psycopg.Error as error:
                log.warning("no checkpoint was made: %s", error)
            await asyncio.sleep(self._every.total_seconds() / 4)

    async def make(self, now: datetime) -> Checkpoint | None:
        """One, if it is due and anything happened. Raises psycopg's errors."""
        try:
            made = await checkpoints.make(
                self._conninfo, self._signer.signed, now, lambda last: self._is_due(last, now)
            )
        except checkpoints.Rewound as rewound:
            self.refused = rewound.case
            log.critical("case %s is not what the last checkpoint says: no further one is made", rewound.case)
            return None
        self.refused = None
        return made

    def _is_due(self, last: Checkpoint | None, now: datetime) -> bool:
        return last is None or now >= last.at + self._every
