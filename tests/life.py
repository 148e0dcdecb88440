"""What the tests of a case's life share: a server on the small district with a database for the module, and orders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from typer.testing import CliRunner

from dispatch import district
from dispatch.cli import app
from dispatch.database import DATABASE, Running
from dispatch.ground import Ground, prepare
from tests.test_editions import worker

Json = dict[str, Any]
WEST, EAST = {"lon": 120.02, "lat": 30.05}, {"lon": 120.09, "lat": 30.05}


@contextmanager
def small_server(postgis: Running, name: str, folder: Path, ground: Ground | None = None) -> Iterator[tuple[str, str]]:
    """(database's address, server's address)."""
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {DATABASE}")
    url = postgis.url_of(name)
    with worker(url, folder, ground or prepare(district.load(folder))) as address:
        yield url, address


def opened(http: httpx.Client, place: Json = WEST, **more: object) -> str:
    """The number of a new case."""
    sent = {"id": str(uuid4()), "accuracy_m": 5, "matter": "0101", **place, **more}
    answer = http.post("/api/reports", json=sent)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case"])


def do(http: httpx.Client, case: str, action: str, **more: object) -> httpx.Response:
    """Order something."""
    return http.post(f"/api/cases/{case}/actions", json={"id": str(uuid4()), "action": action, **more})


def done(answer: httpx.Response) -> Json:
    """What was done."""
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.json().get("code", "")


def walk(http: httpx.Client, case: str, *actions: str) -> Json:
    """One after the other, each with what it may need; the case at the end."""
    found: Json = {}
    for action in actions:
        found = done(do(http, case, action, note="测试", until="2099-01-01"))
    return found


def whole(http: httpx.Client, case: str) -> Json:
    """A case with its history."""
    return done(http.get(f"/api/cases/{case}"))


def verified(url: str) -> tuple[bool, Json]:
    """What `audit verify` says."""
    result = CliRunner().invoke(app, ["audit", "verify", "--json"], env={"ONEGRID_DATABASE_URL": url})
    said: Json = json.loads(result.stdout)
    return bool(said["passed"]), said["figures"]


def tamper(url: str, table: str, statement: str) -> None:
    """What somebody does who gets past the trigger."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")
        connection.execute(statement)
        connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER append_only")
