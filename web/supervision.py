"""A worker's tasks in the background: none ends unnoticed, and one that ends is started again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

log = logging.getLogger(__name__)

PAUSE_S: Final = 1.0
STEADY_S: Final = 1.0
"""A part that was started again counts as down until it has run for so long."""


class Supervision:
    """One per worker: `keep` what must run for as long as it serves, `stop` it all in the end."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._down: set[str] = set()

    @property
    def down(self) -> list[str]:
        """The parts that do not run, by name."""
        return sorted(self._down)

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` until `stop`; when it ends before that, whyever, log it as critical and run it anew."""
        self._tasks.append(asyncio.create_task(self._keep(name, work), name=name))

    def once(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Run `work`, which may end; that it failed is logged, and nothing is down for it."""
        self._tasks.append(asyncio.create_task(_once(name, work), name=name))

    async def stop(self) -> None:
        """Cancel everything and wait for it; raises nothing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            steady = loop.call_later(STEADY_S, self._down.discard, name)
            try:
                await work()
                log.critical("%s ended though it should not; it is started again", name)
            except Exception:
                log.critical("%s ended by an error; it is started again", name, exc_info=True)
            finally:
                steady.cancel()
            self._down.add(name)
            await asyncio.sleep(PAUSE_S)


async def _once(name: str, work: Callable[[], Awaitable[object]]) -> None:
    try:
        await work()
    except Exception:
        log.exception("%s failed", name)
