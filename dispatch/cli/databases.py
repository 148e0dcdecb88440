"""The database a command works on, and `onegrid migrate`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from dispatch.cli.options import DataOption, settings_from, told
from dispatch.settings import Settings


@contextmanager
def with_database(settings: Settings) -> Iterator[Settings]:
    """Settings whose database answers: the one that is named, or the private one, started and stopped."""
    if settings.database_url is not None:
        yield settings
        return
    from dispatch.database import PrivatePostgis

    # uvicorn raises the signal that ended it once more: the database must be left in order even so.
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _end)
    private = PrivatePostgis(settings.data_dir)
    with told.status("正在启动数据库 / starting the database …"):
        running = private.start()
    try:
        told.print(f"数据库 / database: {settings.data_dir}")
        yield settings.model_copy(update={"database_url": running.url})
    finally:
        private.stop()


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def migrate(data_dir: DataOption = None) -> None:
    """Bring the database's schema to the newest revision."""
    with with_database(settings_from(data_dir=data_dir)) as ready:
        anyio.run(_migrate, ready)


async def _migrate(settings: Settings) -> None:
    from dispatch.store import engine as engines

    engine = engines.open_engine(settings.database_url or "", 1)
    try:
        await engines.migrate(engine)
    finally:
        await engine.dispose()
