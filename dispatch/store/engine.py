"""The way to the database, and its schema."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from dispatch.errors import DatabaseUnavailable
from dispatch.store import roles
from dispatch.store.roles import Guard

MIGRATIONS: Final = Path(__file__).resolve().parent.parent / "migrations"
GONE: Final = ("57P01", "57P02", "57P03", "53300", "08")
"""SQLSTATEs (or classes of them) that say: not your fault, come back later."""


def open_engine(url: str, pool_size: int, role: str = "") -> AsyncEngine:
    """An engine whose connections commit each statement by itself, put into a role where one is named.

    A report or an action is written by one statement, and one statement is one transaction: no BEGIN and COMMIT to
    wait for. Whoever needs several statements as one asks for `transaction`.
    """
    options = "-c statement_timeout=30000 -c timezone=UTC" + (f" -c role={role}" if role else "")
    return create_async_engine(
        # In the address, so that whoever opens a connection of its own by it (`conninfo`) has them too.
        make_url(as_psycopg(url)).update_query_dict({"options": options}),
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        connect_args={"connect_timeout": 3},
    )


async def open_to_serve(url: str, owner_url: str | None, pool_size: int) -> tuple[AsyncEngine, Guard]:
    """Migrate as the owner, then open an engine that serves requests, and what keeps the record from it.

    owner_url: of the schema's owner; None: `url` is. Where it is, its connections are put into the serving role.
    """
    if owner_url is not None:
        await migrate_at(owner_url)
    asking = open_engine(url, 1)
    try:
        await migrate(asking)
        async with connect(asking) as connection:
            guard = await roles.guard(connection)
    finally:
        await asking.dispose()
    return open_engine(url, pool_size, roles.ROLE if guard is Guard.SET_ROLE else ""), guard


def conninfo(engine: AsyncEngine) -> str:
    """For psycopg, to open a connection as the engine's beside its pool."""
    _, parts = engine.dialect.create_connect_args(engine.url)
    return make_conninfo(**{name: value for name, value in parts.items() if name != "context"})


def as_psycopg(url: str) -> str:
    """The URL with SQLAlchemy's name of the driver, whichever way PostgreSQL was spelt."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql", "postgresql+psycopg") else url


@asynccontextmanager
async def connect(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for one request. Raises `DatabaseUnavailable` when the database is gone, before or meanwhile."""
    try:
        async with engine.connect() as connection:
            yield connection
    except PoolTimeout as error:
        raise DatabaseUnavailable from error
    except DBAPIError as error:
        if is_gone(error):
            raise DatabaseUnavailable from error
        raise
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable from error


def for_driver(statement: str) -> str:
    """A statement with `:names` as psycopg wants them, for `write`."""
    return re.sub(r"(?<![:\w]):([a-z_]\w*)", r"%(\1)s", statement.replace("%", "%%"))


async def write(connection: AsyncConnection, statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Run one writing statement on the driver's own cursor; its first row.

    The writes have some fifty parameters, and SQLAlchemy's way with so many costs more than PostgreSQL's with the rows.
    Raises psycopg's errors; of a connection that broke, the pool is told.
    """
    pooled = await connection.get_raw_connection()
    driver = pooled.driver_connection
    assert driver is not None  # noqa: S101  (only of a connection that was given back)
    try:
        async with driver.cursor() as cursor:
            await cursor.execute(statement, values)
            row: tuple[Any, ...] | None = await cursor.fetchone()
            return row
    except psycopg.OperationalError:
        await connection.invalidate()
        raise


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose reads all see the database as it is now, whatever is written meanwhile."""
    async with engine.execution_options(isolation_level="REPEATABLE READ").connect() as connection:
        yield connection


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose statements are one transaction, committed at the end."""
    async with engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        yield connection


def is_gone(error: DBAPIError) -> bool:
    """Whether the database could not be reached or was going away, rather than refusing what was asked."""
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError) and (state is None or state.startswith(GONE))


async def migrate_at(url: str) -> None:
    """Bring the schema of a database to the newest revision, as its owner."""
    engine = open_engine(url, 1)
    try:
        await migrate(engine)
    finally:
        await engine.dispose()


async def migrate(engine: AsyncEngine) -> None:
    """Bring the schema to the newest revision, and say what the serving role may; several servers may ask at once."""
    async with transaction(engine) as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(7269361)"))
        is_new = await _revision(connection) == newest_revision()
        if not is_new:
            await connection.run_sync(_upgrade)
        if not is_new or not await roles.is_granted(connection):
            await roles.grant(connection)


def newest_revision() -> str:
    """The last of the migrations, which are numbered in their files' names."""
    return max(file.name for file in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


async def _revision(connection: AsyncConnection) -> str | None:
    """What the schema stands at; None in an empty database."""
    if (await connection.execute(text("SELECT to_regclass('alembic_version')"))).scalar() is None:
        return None
    found: str | None = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    return found


def _upgrade(connection: Connection) -> None:
    # Alembic costs a second to import, and most starts have nothing to migrate.
    import alembic.command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


async def versions(connection: AsyncConnection) -> tuple[str, str]:
    """Of the database server and of PostGIS."""
    row = (await connection.execute(text("SELECT current_setting('server_version'), postgis_lib_version()"))).one()
    return str(row[0]), str(row[1])
