"""A made record in a database of its own: cases of four steps, two checkpoints, one case since; and its files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import anyio
import psycopg
from typer.testing import CliRunner

from dispatch.bench import verify as making
from dispatch.cli import app
from dispatch.store.engine import migrate_at
from tests.sample import ground

CASES = 9
LATER = 4


def environment(url: str, folder: Path) -> dict[str, str]:
    return {**os.environ, "ONEGRID_DATABASE_URL": url, "ONEGRID_DATA_DIR": str(folder)}


def command(url: str, folder: Path, *arguments: object):
    return CliRunner().invoke(app, [str(one) for one in arguments], env=environment(url, folder))


def driver(url: str) -> str:
    return url.replace("+psycopg", "")


def record(url: str, folder: Path) -> None:
    """Checkpoint 1 over `CASES`, 2 over `LATER` more; exported as `one` and `two` into the folder, with the key."""
    anyio.run(migrate_at, url)
    templates = making.openings(ground(), 20)
    with psycopg.connect(driver(url)) as connection:
        made = making.made(templates, 0, CASES + LATER + 1)
        for count, file in ((CASES, "one"), (LATER, "two"), (1, "")):
            making.write(connection, iter([next(made) for _ in range(count)]))
            if file:
                assert command(url, folder, "audit", "checkpoint", "-o", folder / file).exit_code == 0


def numbers(url: str) -> Iterator[str]:
    with psycopg.connect(driver(url)) as connection:
        for row in connection.execute("SELECT case_no FROM case_file ORDER BY case_no"):
            yield row[0]
