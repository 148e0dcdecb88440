"""What the tests share: a private PostGIS for the session, a fresh database for each test that asks, a browser."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from dispatch.database import DATABASE, PrivatePostgis, Running
from dispatch.settings import Settings

_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_numbers = count(1)


@contextmanager
def _passable() -> Iterator[Path]:
    """A new folder that the server's user can pass through, which pytest's own folders do not let them."""
    folder = Path(tempfile.mkdtemp(prefix="onegrid-tests-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """An empty folder for a private PostGIS of one's own."""
    with _passable() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgis() -> Iterator[Running]:
    """A private PostGIS of this test session."""
    with _passable() as folder, PrivatePostgis(folder, _NOT_DURABLE) as running:
        yield running


@pytest.fixture(scope="session")
def template_database(postgis: Running) -> str:
    """Name of the database that each test's own is a copy of. Nobody may be connected to it."""
    assert postgis.socket.is_dir()
    return DATABASE


@pytest.fixture
def database_url(postgis: Running, template_database: str) -> Iterator[str]:
    """SQLAlchemy address of a fresh database, dropped after the test."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template_database))
        connection.execute(copy)
        yield postgis.url_of(name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def chromium() -> str | None:
    """Path of the browser, for Playwright's `executable_path`; None leaves Playwright its own."""
    named = os.environ.get("ONEGRID_CHROMIUM")
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return named or next((path for path in found if path), None)


@pytest.fixture(scope="session")
def server_database(postgis: Running) -> Iterator[str]:
    """SQLAlchemy address of the database behind the session's server."""
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE served TEMPLATE {}").format(sql.Identifier(DATABASE)))
        yield postgis.url_of("served")


@pytest.fixture(scope="session")
def server(server_database: str) -> Iterator[str]:
    """Base URL of a real server with the sample district, one for the session: tests share its cases."""
    from tests.serving import serving  # only those who ask pay for it

    with serving(Settings(database_url=server_database)) as url:
        yield url


@pytest.fixture
def client(server: str) -> Iterator[httpx.Client]:
    """A client of the session's server."""
    with httpx.Client(base_url=server, timeout=30) as made:
        yield made
