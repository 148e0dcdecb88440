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
    """Settings whose database answers: the one that is named, or the private one, started and stopped.

    Where its owner is not who works on it, the schema is the newest.
    """
    if settings.database_url is not None:
        if settings.owner_url is not None:
            anyio.run(_migrate, settings.owner_url)
        yield settings
        return
    from dispatch.database import DATABASE, PrivatePostgis
    from dispatch.store.roles import ROLE

    # uvicorn raises the signal that ended it once more: the database must be left in order even so.
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _end)
    private = PrivatePostgis(settings.data_dir)
    with told.status("正在启动数据库 / starting the database …"):
        running = private.start()
    try:
        told.print(f"数据库 / database: {settings.data_dir}")
        anyio.run(_migrate, running.url)
        serving = running.url_of(DATABASE, ROLE)
        yield settings.model_copy(update={"database_url": serving, "owner_url": running.url})
    finally:
        private.stop()


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def migrate(data_dir: DataOption = None) -> None:
    """Bring the database's schema to the newest revision."""
    with with_database(settings_from(data_dir=data_dir)) as ready:
        anyio.run(_migrate, ready.owner_url or ready.database_url or "")


async def _migrate(url: str) -> None:
    from dispatch.store.engine import migrate_at

    await migrate_at(url)
