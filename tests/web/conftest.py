"""What the browser tests share: a browser, and a folder for the pictures that somebody looks at afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from psycopg import sql

from dispatch.database import DATABASE, Running
from dispatch.settings import Settings
from tests.serving import serving

# Long enough for a machine that is busy or slow: where all is well, nobody waits.
expect.set_options(timeout=45_000)


@pytest.fixture(scope="module")
def browser(chromium: str | None) -> Iterator[Browser]:
    """A browser for the tests of one file: Playwright allows one at a time, and others start their own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def server(postgis: Running, request: pytest.FixtureRequest) -> Iterator[str]:
    """Base URL of a server for one file, on a database of its own: what is seen there is what that file did."""
    name = f"pages_{request.module.__name__.rpartition('.')[2]}"
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(DATABASE))
        connection.execute(copy)
    with serving(Settings(database_url=postgis.url_of(name))) as url:
        yield url


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots are kept."""
    folder = Path(__file__).parents[1] / "artefacts"
    folder.mkdir(exist_ok=True)
    return folder
