"""Webhooks: every event arrives, of each case in order, signed; whoever delivers may be killed at any moment."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import httpx
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner, Result

from dispatch import district, signing
from dispatch.cli import app
from dispatch.database import DATABASE, Running
from dispatch.errors import SignatureMissing, SignatureStale, SignatureWrong, UnknownWebhook
from dispatch.ground import prepare
from dispatch.outbox import LONGEST_S, pause
from dispatch.settings import Settings
from dispatch.store import outbox
from dispatch.store.engine import connect, migrate_at, open_engine
from tests.life import do, done, opened, walk
from tests.receiver import Receipt, Receiver, moody, receiving
from tests.serving import serving_on
from tests.small_district import write_small_district

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 200
"""On a machine where much else runs; on a quiet one all of it takes seconds."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_district(tmp_path_factory.mktemp("webhooks") / "small")


@contextmanager
def served(postgis: Running, name: str, folder: Path, **more: object) -> Iterator[tuple[str, httpx.Client]]:
    """(database's address, a client of a server on it)."""
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {DATABASE}")
    settings = Settings(database_url=postgis.url_of(name), district=folder, **more)  # type: ignore[arg-type]
    ground = prepare(district.load(folder))
    with serving_on(settings, ground) as address, httpx.Client(base_url=address, timeout=30) as http:
        yield postgis.url_of(name), http


def independent(receipt: Receipt) -> bool:
    """Whether the message is signed, by the description alone."""
    said = receipt.headers
    signed = f"{said['webhook-id']}.{said['webhook-timestamp']}.".encode() + receipt.body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in said["webhook-signature"].split(" ")


def events(url: str) -> dict[tuple[str, int], str]:
    """Every step of the record, and its id."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT case_no, seq, action_id::text FROM event").fetchall()
    return {(case, seq): id_ for case, seq, id_ in rows}


def arrived(receiver: Receiver, expected: dict[tuple[str, int], str]) -> None:
    """Everything came, signed, of each case in its order, the same bytes each time."""
    assert receiver.taken == set(expected)
    assert receiver.skipped == []
    assert all(independent(one) for one in receiver.came)
    assert {one.step: one.headers["webhook-id"] for one in receiver.came} == expected
    bodies: dict[str, bytes] = {}
    for one in receiver.came:
        assert bodies.setdefault(one.headers["webhook-id"], one.body) == one.body


def waiting(url: str) -> list[outbox.Standing]:
    async def ask() -> list[outbox.Standing]:
        engine = open_engine(url, 1)
        try:
            async with connect(engine) as connection:
                return await outbox.standing(connection)
        finally:
            await engine.dispose()

    return anyio.run(ask)


def holder(url: str) -> str | None:
    """Name of the process that delivers."""
    query = """SELECT application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
               WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()
                   AND application_name LIKE 'courier-%'"""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def test_nothing_is_lost_when_whoever_delivers_is_killed(postgis: Running, small: Path) -> None:
    couriers: dict[str, subprocess.Popen[str]] = {}
    with receiving(moody(1)) as receiver, served(postgis, "killed", small) as (url, http):
        first = opened(http)  # before anybody subscribed: it is not told
        before = events(url)
        try:
            for name in ("courier-1", "courier-2", "courier-3"):
                conninfo = f"{url.replace('+psycopg', '')}&application_name={name}"
                command = [sys.executable, "-m", "tests.courier", conninfo, receiver.url, KEY.hex()]
                couriers[name] = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            deadline = time.monotonic() + PATIENCE_S
            while not waiting(url):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            cases, killed = [first], []
            for _ in range(3):
                cases += [opened(http) for _ in range(5)]
                seen = len(receiver.came)
                for case in cases[-5:]:
                    walk(http, case, "accept", "arrive", "handle", "close")
                if len(killed) == 2:
                    break
                # In the midst of it: some came of these, and some did not.
                assert receiver.wait(lambda seen=seen: len(receiver.came) > seen + 3)
                deadline = time.monotonic() + PATIENCE_S
                while (name := holder(url)) is None or name in killed:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                couriers[name].kill()
                killed.append(name)
            done(do(http, first, "accept"))
            expected = {step: id_ for step, id_ in events(url).items() if step not in before}
            receiver.taken |= set(before)
            assert receiver.wait(lambda: receiver.taken >= set(expected))
            deadline = time.monotonic() + PATIENCE_S
            while (left := waiting(url)[0]).waiting:
                assert time.monotonic() < deadline, left
                time.sleep(0.05)
            assert len(killed) == 2
            assert all(couriers[name].wait(10) == -9 for name in killed)
            receiver.taken -= set(before)
            arrived(receiver, expected)
            assert left.failing == 0
        finally:
            for process in couriers.values():
                process.kill()
                process.wait(10)


def test_a_case_that_is_refused_holds_up_no_other(postgis: Running, small: Path) -> None:
    stuck: list[str] = []

    def answer(receipt: Receipt) -> str:
        return "refuse" if receipt.step[0] in stuck else "take"

    with receiving(answer) as receiver:
        hook = {"name": "city", "url": receiver.url, "secret": SECRET}
        with served(postgis, "stuck", small, webhooks=[hook]) as (url, http):
            bad = opened(http)
            assert receiver.wait(lambda: (bad, 1) in receiver.taken)
            stuck.append(bad)
            done(do(http, bad, "accept"))
            done(do(http, bad, "arrive"))
            good = opened(http)
            walk(http, good, "accept", "arrive", "handle", "close")
            assert receiver.wait(lambda: (good, 5) in receiver.taken)
            deadline = time.monotonic() + PATIENCE_S
            while (left := waiting(url)[0]).waiting != 2 or not left.failing:
                assert time.monotonic() < deadline, left
                time.sleep(0.05)
            assert (left.name, left.failing, left.problem) == ("city", 1, "HTTP 500")
            told = done(http.get("/api/webhooks"))["items"]
            assert [(one["name"], one["waiting"], one["problem"]) for one in told] == [("city", 2, "HTTP 500")]
            assert SECRET not in str(told)
            # As on the live stream: what is public, and nothing else.
            body = next(one for one in receiver.came if one.step == (good, 1)).body
            assert b'"contact"' not in body
            stuck.clear()
            assert receiver.wait(lambda: (bad, 3) in receiver.taken)
            arrived(receiver, events(url))


def test_a_place_of_another_cluster_is_given_up_and_one_of_ours_is_kept(database_url: str) -> None:
    plain = database_url.replace("+psycopg", "")
    anyio.run(migrate_at, database_url)

    async def subscribe(*names: str) -> None:
        async with await outbox.opened(plain) as connection:
            assert await outbox.alone(connection)
            async with await outbox.opened(plain) as other:
                assert not await outbox.alone(other)
            await outbox.subscribe(connection, names, datetime.now(UTC))

    def places() -> dict[str, tuple[int, int]]:
        with psycopg.connect(plain, autocommit=True) as connection:
            rows = connection.execute("SELECT name, xact, event_id FROM subscription").fetchall()
        return {name: (xact, event) for name, xact, event in rows}

    anyio.run(subscribe, "a", "b")
    before = places()
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("UPDATE subscription SET xact = 1 << 60, event_id = 7 WHERE name = 'a'")
        connection.execute("UPDATE subscription SET event_id = 7 WHERE name = 'b'")
    anyio.run(subscribe, "a", "b", "c")
    after = places()
    assert before["a"][0] <= after["a"][0] < 1 << 60
    assert after["a"][1] == 0
    assert after["b"] == (before["b"][0], 7)
    assert after["c"][0] >= after["a"][0]


def test_the_commands_tell_how_webhooks_stand(postgis: Running, small: Path, tmp_path: Path) -> None:
    def command(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["webhooks", *arguments], env=environment)

    with receiving(lambda _: "take") as receiver, served(postgis, "commands", small, webhooks=[]) as (url, http):
        hooks = [
            {"name": "city", "url": f"{receiver.url}?token=1", "secret": SECRET},
            {"name": "down", "url": "http://127.0.0.1:9/hook", "secret": [SECRET, SECRET]},
        ]
        environment = {
            "ONEGRID_DATABASE_URL": url,
            "ONEGRID_DATA_DIR": str(tmp_path),
            "ONEGRID_WEBHOOKS": json.dumps(hooks),
        }
        listed = command("list", "--json")
        items = json.loads(listed.stdout)["items"]
        assert [(one["name"], one["secrets"]) for one in items] == [("city", 1), ("down", 2)]
        assert SECRET not in listed.stdout
        assert "token" not in listed.stdout
        assert command("test", "city").exit_code == 0
        assert command("test", "down").exit_code == 1
        assert isinstance(command("test", "nobody").exception, UnknownWebhook)
        assert isinstance(command("forget", "nobody").exception, UnknownWebhook)

        async def put() -> None:
            async with await outbox.opened(url.replace("+psycopg", "")) as connection:
                await outbox.subscribe(connection, ["down"], datetime.now(UTC))
                await anyio.to_thread.run_sync(opened, http)
                while not waiting_now:
                    await outbox.put(connection, "down", lambda told: b"{}", datetime.now(UTC))
                    waiting_now.extend(await outbox.due(connection, "down", [], datetime.now(UTC), 9))
                await outbox.failed(connection, waiting_now[0], "HTTP 503", datetime.now(UTC) + timedelta(hours=1))

        waiting_now: list[outbox.Parcel] = []
        anyio.run(put)
        status = command("status", "--json")
        assert status.exit_code == 1
        [one] = json.loads(status.stdout)["figures"]["items"]
        assert (one["name"], one["waiting"], one["failing"], one["problem"]) == ("down", 1, 1, "HTTP 503")
        assert command("forget", "down").exit_code == 0
        assert command("status").exit_code == 0
        assert waiting(url) == []


# --- the pieces -----------------------------------------------------------------------------------------------------


@given(st.integers(1, 10_000), st.floats(0.01, 60), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_up_to_the_longest(tries: int, first: float, spread: float) -> None:
    one, after = (pause(n, first, LONGEST_S, spread) for n in (tries, tries + 1))
    assert 0 < one <= after <= LONGEST_S * 1.25
    assert after == pytest.approx(min(2 * one, LONGEST_S * (0.75 + spread / 2)))


@given(
    st.binary(max_size=200), st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=50)
)
def test_what_is_signed_is_known_and_nothing_else(body: bytes, message: str) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    other = bytes(reversed(KEY))
    signed = signing.headers([other, KEY], message, now, body)
    assert signing.check([KEY], signed, body, now + timedelta(seconds=signing.WINDOW_S)) == message
    with pytest.raises(SignatureWrong):
        signing.check([KEY], signed, body + b".", now)
    with pytest.raises(SignatureWrong):
        signing.check([bytes(32)], signed, body, now)
    with pytest.raises(SignatureStale):
        signing.check([KEY], signed, body, now + timedelta(seconds=signing.WINDOW_S + 1))
    for name in signed:
        with pytest.raises(SignatureMissing):
            signing.check([KEY], {**signed, name: ""}, body, now)


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of the specification of Standard Webhooks, computed here by its rule."""
    secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    key = base64.b64decode("C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    body, message, seconds = (
        b'{"email":"test@example.com","username":"test_user"}',
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        1649367553,
    )
    assert signing.key_of(secret) == key
    expected = hmac.new(key, f"{message}.{seconds}.".encode() + body, "sha256").digest()
    assert signing.signature(key, message, seconds, body) == f"v1,{base64.b64encode(expected).decode()}"


@pytest.mark.parametrize("secret", ["", "abc", "whsec_", "whsec_%%%", "whsec_" + base64.b64encode(b"short").decode()])
def test_settings_refuse_what_is_no_secret_and_do_not_tell_it(secret: str) -> None:
    with pytest.raises(ValidationError) as told:
        Settings(source_secrets={"12345": [secret]})  # type: ignore[arg-type]
    assert not secret or secret == "abc" or secret not in str(told.value)
    for hook in (
        {"name": "a", "url": "ftp://example.org", "secret": SECRET},
        {"name": "A b", "url": "https://example.org", "secret": SECRET},
        {"name": "a", "url": "https://example.org", "secret": secret},
    ):
        with pytest.raises(ValidationError):
            Settings(webhooks=[hook])  # type: ignore[arg-type]
    twice = {"name": "a", "url": "https://example.org", "secret": SECRET}
    with pytest.raises(ValidationError):
        Settings(webhooks=[twice, twice])  # type: ignore[arg-type]
