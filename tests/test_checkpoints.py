"""Whoever can rewrite the database as its superuser is convicted, by us and by a program that knows nothing of us."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import psycopg
import pytest

from dispatch import keys
from dispatch.audit import Event, seal
from dispatch.checkpoints import Checkpoint, Leaf, Signer
from dispatch.checkpoints import read as read_checkpoint
from dispatch.errors import KeyUnusable
from dispatch.merkle import leaf_hash, root, root_of_path
from dispatch.notary import Notary
from dispatch.settings import Settings
from dispatch.store.checkpoints import COLUMNS, as_checkpoint
from dispatch.store.engine import conninfo, open_engine
from tests.recorded import CASES, LATER, command, driver, numbers, record
from tests.sample import sample
from tests.serving import serving

INDEPENDENT = Path(__file__).resolve().parents[1] / "docs" / "verify_independent.py"


@dataclass(frozen=True)
class Recorded:
    database: str
    folder: Path
    cases: list[str]


@pytest.fixture(scope="module")
def recorded(postgis: Any, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("record")
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE recorded TEMPLATE onegrid")
    url = postgis.url_of("recorded")
    record(url, folder)
    return Recorded("recorded", folder, list(numbers(url)))


@pytest.fixture
def template_database(recorded: Recorded) -> str:
    """Each test's database is a copy of the recorded one."""
    return recorded.database


Found = set[tuple[str, str, int, int]]
"""(problem, case, seq, checkpoint)"""


def verified(url: str, folder: Path, *arguments: object) -> Found:
    """By `audit verify`."""
    done = command(url, folder, "audit", "verify", "--json", *arguments)
    said = json.loads(done.stdout)
    assert said["passed"] == (done.exit_code == 0) == (said["figures"]["breaks_in_all"] == 0)
    return {(b["problem"], b["case"], b["seq"], b.get("checkpoint", 0)) for b in said["figures"]["breaks"]}


def checked(url: str, folder: Path, *arguments: object) -> Found:
    """By the independent verifier, of an export, with the standard library alone."""
    file = folder / "export.ndjson"
    assert command(url, folder, "audit", "export", file).exit_code == 0
    key = keys.signer(folder / "checkpoint.key").public.hex()
    asked = [sys.executable, "-I", "-S", INDEPENDENT, file, "--key", key, *arguments]
    done = subprocess.run([str(one) for one in asked], capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    said = json.loads(done.stdout)
    assert said["passed"] == (done.returncode == 0)
    return {(b["problem"], b["case"], b["seq"], b["checkpoint"]) for b in said["breaks"]}


Tamper = Callable[[psycopg.Connection[Any], Recorded], None]


def by(*statements: str) -> Tamper:
    def tamper(connection: psycopg.Connection[Any], recorded: Recorded) -> None:
        for statement in statements:
            connection.execute(statement.format(case=f"'{recorded.cases[2]}'"))

    return tamper


def rewritten(connection: psycopg.Connection[Any], recorded: Recorded) -> Leaf:
    """A whole chain anew, every hash right: somebody else did it."""
    case = recorded.cases[2]
    columns = "action_id::text, case_no, seq, at, action, actor, data, prev"
    rows = connection.execute(f"SELECT {columns} FROM event WHERE case_no = %s ORDER BY seq", [case]).fetchall()
    before = bytes(32)
    for row in rows:
        event = replace(Event(*row[:7], before), actor="他人" if row[2] == 2 else row[5])
        new = seal(event)
        connection.execute(
            "UPDATE event SET actor = %s, prev = %s, sealed = %s WHERE action_id = %s",
            [event.actor, before, new, row[0]],
        )
        before = new
    connection.execute("UPDATE case_file SET sealed = %s WHERE case_no = %s", [before, case])
    return Leaf(case, len(rows), before)


def covered(key: Callable[[Recorded], Signer]) -> Tamper:
    """As `rewritten`, and every checkpoint of the database anew, signed by a key."""

    def tamper(connection: psycopg.Connection[Any], recorded: Recorded) -> None:
        leaf = rewritten(connection, recorded)
        connection.execute("UPDATE checkpoint_leaf SET sealed = %s WHERE case_no = %s", [leaf.sealed, leaf.case])
        last: Checkpoint | None = None
        for row in connection.execute(f"SELECT {COLUMNS} FROM checkpoint ORDER BY number").fetchall():
            old = as_checkpoint(row)
            leaves = connection.execute(
                "SELECT case_no, seq, sealed FROM checkpoint_leaf WHERE number <= %s ORDER BY case_no", [old.number]
            ).fetchall()
            top = root(Leaf(case, seq, bytes(sealed)).hashed() for case, seq, sealed in leaves)
            new = key(recorded).signed(replace(old, root=top, prev=last.digest if last else bytes(32)))
            connection.execute(
                "UPDATE checkpoint SET root = %s, prev = %s, key = %s, digest = %s, signature = %s WHERE number = %s",
                [new.root, new.prev, new.key, new.digest, new.signature, new.number],
            )
            last = new

    return tamper


def stolen(recorded: Recorded) -> Signer:
    return keys.signer(recorded.folder / "checkpoint.key")


def own(recorded: Recorded) -> Signer:
    return keys.signer(recorded.folder / "own.key")


CASE = "the case"
TAMPERING: dict[str, tuple[Tamper, Found, Found]] = {
    # What is done, what the database alone shows, what the exported checkpoints show besides.
    "nothing": (by(), set(), set()),
    "a changed field": (
        by("UPDATE event SET actor = '他人' WHERE case_no = {case} AND seq = 2"),
        {("seal", CASE, 2, 0)},
        set(),
    ),
    "changed data": (
        by("UPDATE event SET data = jsonb_set(data::jsonb, '{{note}}', '\"x\"') WHERE case_no = {case} AND seq = 3"),
        {("seal", CASE, 3, 0)},
        set(),
    ),
    "no JSON that we would write": (
        by('UPDATE event SET data = \'{{"a": 1e999, "\\u0070lace": [1,1]}}\' WHERE case_no = {case} AND seq = 3'),
        {("seal", CASE, 3, 0)},
        set(),
    ),
    "evidence that is no list": (
        by('UPDATE event SET data = \'{{"evidence": 5, "after": {{}}}}\' WHERE case_no = {case} AND seq = 4'),
        {("seal", CASE, 4, 0)},
        set(),
    ),
    "the same, with other white space": (
        by("UPDATE event SET data = (data::jsonb)::json WHERE case_no = {case}"),
        set(),
        set(),
    ),
    "a removed event": (by("DELETE FROM event WHERE case_no = {case} AND seq = 2"), {("sequence", CASE, 2, 0)}, set()),
    "a removed last event": (
        by(
            "DELETE FROM event WHERE case_no = {case} AND seq = 4",
            "UPDATE case_file c SET seq = 3, sealed = e.sealed, state = 'on_scene' FROM event e "
            "WHERE c.case_no = {case} AND e.case_no = c.case_no AND e.seq = 3",
        ),
        {("cut", CASE, 4, 1)},
        {("cut", CASE, 4, 2)},
    ),
    "a removed case": (
        by(
            "DELETE FROM event WHERE case_no = {case}",
            "WITH gone AS (DELETE FROM case_file WHERE case_no = {case} RETURNING report_id) "
            "DELETE FROM report WHERE id IN (SELECT report_id FROM gone)",
        ),
        {("removed", CASE, 4, 1)},
        {("removed", CASE, 4, 2)},
    ),
    "a case without its events": (
        by("DELETE FROM event WHERE case_no = {case}"),
        {("empty", CASE, 0, 0), ("cut", CASE, 4, 1)},
        {("cut", CASE, 4, 2)},
    ),
    "events without their case": (by("DELETE FROM case_file WHERE case_no = {case}"), {("orphan", CASE, 1, 0)}, set()),
    "a reordered pair": (
        by(
            "UPDATE event SET seq = -2 WHERE case_no = {case} AND seq = 2",
            "UPDATE event SET seq = 2 WHERE case_no = {case} AND seq = 3",
            "UPDATE event SET seq = 3 WHERE case_no = {case} AND seq = -2",
        ),
        {("link", CASE, 2, 0)},
        set(),
    ),
    "another state": (
        by("UPDATE case_file SET state = 'closed' WHERE case_no = {case}"),
        {("projection", CASE, 4, 0)},
        set(),
    ),
    "another head": (
        by("UPDATE case_file SET sealed = sha256('x') WHERE case_no = {case}"),
        {("head", CASE, 4, 0)},
        set(),
    ),
    "a chain written anew": (
        lambda connection, recorded: rewritten(connection, recorded) and None,
        {("rewritten", CASE, 4, 1)},
        {("rewritten", CASE, 4, 2)},
    ),
    "a chain written anew, and all checkpoints by another key": (
        covered(own),
        {("key", "", 0, 1), ("key", "", 0, 2)},
        {("replaced", "", 0, 1), ("replaced", "", 0, 2), ("rewritten", CASE, 4, 1), ("rewritten", CASE, 4, 2)},
    ),
    "a chain written anew, and all checkpoints by the stolen key": (
        covered(stolen),
        set(),
        {("replaced", "", 0, 1), ("replaced", "", 0, 2), ("rewritten", CASE, 4, 1), ("rewritten", CASE, 4, 2)},
    ),
    "a changed checkpoint": (
        by("UPDATE checkpoint SET events = events + 1 WHERE number = 1"),
        {("checkpoint", "", 0, 1), ("tree", "", 0, 1)},
        set(),
    ),
    "a wrong signature": (
        by("UPDATE checkpoint SET signature = set_byte(signature, 3, get_byte(signature, 3) # 1) WHERE number = 2"),
        {("signature", "", 0, 2)},
        set(),
    ),
    "no signature": (
        by("UPDATE checkpoint SET signature = ''"),
        {("signature", "", 0, 1), ("signature", "", 0, 2)},
        set(),
    ),
    "a changed leaf": (
        by("UPDATE checkpoint_leaf SET sealed = sha256('x') WHERE case_no = {case}"),
        {("tree", "", 0, 1), ("tree", "", 0, 2), ("rewritten", CASE, 4, 1)},
        set(),
    ),
    "the first checkpoint removed": (
        by("DELETE FROM checkpoint_leaf WHERE number = 1", "DELETE FROM checkpoint WHERE number = 1"),
        {("chain", "", 0, 2), ("tree", "", 0, 2)},
        {("lost", "", 0, 1)},
    ),
    "the last checkpoint removed": (
        by("DELETE FROM checkpoint_leaf WHERE number = 2", "DELETE FROM checkpoint WHERE number = 2"),
        set(),
        {("lost", "", 0, 2)},
    ),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_what_a_superuser_does_is_found_where_it_was_done(database_url: str, recorded: Recorded, name: str) -> None:
    tamper, shown, convicted = TAMPERING[name]
    with psycopg.connect(driver(database_url)) as connection:
        connection.execute("SET session_replication_role = replica")
        tamper(connection, recorded)
    case = recorded.cases[2]
    expected = [{(problem, case if of else "", *rest) for problem, of, *rest in found} for found in (shown, convicted)]
    files = [part for file in ("one", "two") for part in ("--checkpoint", recorded.folder / file)]
    for found in (verified, checked):
        assert found(database_url, recorded.folder) == expected[0], found
        assert found(database_url, recorded.folder, *files) == expected[0] | expected[1], found


def test_an_exported_file_that_was_altered_convicts_nobody_but_itself(database_url: str, recorded: Recorded) -> None:
    lines = (recorded.folder / "two").read_text().splitlines()
    fewer = recorded.folder / "fewer"
    fewer.write_text("\n".join(lines[:-1]) + "\n")
    other = recorded.folder / "other"
    said = json.loads(lines[0])
    other.write_text(json.dumps({"checkpoint": {**said["checkpoint"], "cases": 99}}) + "\n")
    alone = recorded.folder / "alone"
    alone.write_text(lines[0] + "\n")
    for found in (verified, checked):
        assert found(database_url, recorded.folder, "--checkpoint", fewer) == {("file", "", 0, 2)}
        assert found(database_url, recorded.folder, "--checkpoint", other) == {("file", "", 0, 2)}
        assert found(database_url, recorded.folder, "--checkpoint", alone) == set()
    nothing = recorded.folder / "nothing"
    for content in ("", "{", '{"checkpoint": {}}', "[]\n"):
        nothing.write_text(content)
        done = command(database_url, recorded.folder, "audit", "verify", "--checkpoint", nothing)
        assert done.exit_code == 1
        assert "unreadable_record" in type(done.exception).code()  # type: ignore[union-attr]


def test_what_is_done_after_a_checkpoint_is_no_contradiction_of_it(database_url: str, recorded: Recorded) -> None:
    """A case goes on, a checkpoint follows: the old one still holds, and the new one names what changed alone."""
    case = recorded.cases[0]
    with psycopg.connect(driver(database_url)) as connection:
        row = connection.execute("SELECT sealed, data FROM event WHERE case_no = %s AND seq = 4", [case]).fetchone()
        assert row is not None
        event = Event("6f0f8f9e-7a3c-4f6f-9a57-000000000001", case, 5, datetime.now(UTC), "close", "", row[1], row[0])
        connection.execute(
            "INSERT INTO event (action_id, case_no, seq, at, action, actor, data, prev, sealed) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [*(event.id, case, 5, event.at, "close", "", json.dumps(dict(event.data)), row[0], seal(event))],
        )
        connection.execute("UPDATE case_file SET seq = 5, sealed = %s WHERE case_no = %s", [seal(event), case])
    three = recorded.folder / "three"
    assert command(database_url, recorded.folder, "audit", "checkpoint", "-o", three).exit_code == 0
    files = [part for file in ("one", "two", "three") for part in ("--checkpoint", recorded.folder / file)]
    for found in (verified, checked):
        assert found(database_url, recorded.folder, *files) == set()
    with psycopg.connect(driver(database_url)) as connection:
        changed = connection.execute("SELECT case_no, seq FROM checkpoint_leaf WHERE number = 3 ORDER BY 1").fetchall()
    assert changed == sorted([(case, 5), (recorded.cases[-1], 4)])


def test_many_processes_find_what_one_finds(
    database_url: str, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatch.auditing.WORTH_PROCESSES", 0)
    monkeypatch.setattr("dispatch.auditing.CASES_AT_ONCE", 3)
    monkeypatch.setattr("dispatch.auditing._processors", lambda: 2)
    assert verified(database_url, recorded.folder) == set()
    with psycopg.connect(driver(database_url)) as connection:
        connection.execute("SET session_replication_role = replica")
        by("UPDATE event SET actor = '他人' WHERE seq = 2")(connection, recorded)
    assert verified(database_url, recorded.folder) == {("seal", case, 2, 0) for case in recorded.cases}


def test_the_export_holds_nobodys_contact(database_url: str, recorded: Recorded) -> None:
    file = recorded.folder / "personal"
    command(database_url, recorded.folder, "audit", "export", file)
    with psycopg.connect(driver(database_url)) as connection:
        names = [row[0] for row in connection.execute("SELECT contact ->> 'name' FROM report")]
    assert len(names) == CASES + LATER + 1
    assert all(names)
    assert not [name for name in names if name in file.read_text("utf-8")]


def test_the_independent_verifier_is_short_and_alone() -> None:
    text = INDEPENDENT.read_text("utf-8")
    assert len(text.splitlines()) < 150
    imported = {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= set(sys.stdlib_module_names)


def test_plain_python_checks_signatures_as_the_library_does(tmp_path: Path) -> None:
    signer = keys.signer(tmp_path / "key")
    spec: dict[str, Any] = {}
    exec(compile(INDEPENDENT.read_text("utf-8"), str(INDEPENDENT), "exec"), spec)
    signed = spec["signed"]
    made = signer.signed(Checkpoint(1, datetime.now(UTC), 1, 1, bytes(32), bytes(32), b""))
    said = spec["canonical"](made.said())
    assert signed(made.key, said, made.signature)
    order = spec["ORDER"]
    longer = made.signature[:32] + (int.from_bytes(made.signature[32:], "little") + order).to_bytes(32, "little")
    for key, message, signature in (
        (made.key, said + b" ", made.signature),
        (made.key, said, longer),  # the same point, another number: refused by both
        (made.key, said, made.signature[:63]),
        (made.key, said, b""),
        (bytes(32), said, made.signature),
        (b"\xff" * 32, said, made.signature),
    ):
        assert not signed(key, message, signature)


def notary(url: str, folder: Path, every: float = 0) -> Notary:
    engine = open_engine(url, 1)
    return Notary(conninfo(engine), keys.signer(folder / "checkpoint.key"), timedelta(minutes=every))


def test_one_is_made_when_it_is_due_and_something_happened(database_url: str, recorded: Recorded) -> None:
    now = datetime.now(UTC)
    assert anyio.run(notary(database_url, recorded.folder, every=60).make, now) is None
    made = anyio.run(notary(database_url, recorded.folder).make, now)
    assert made is not None
    assert (made.number, made.cases, made.events) == (3, CASES + LATER + 1, 4 * (CASES + LATER + 1))
    assert anyio.run(notary(database_url, recorded.folder).make, now + timedelta(hours=2)) is None


def test_of_many_workers_one_makes_it(database_url: str, recorded: Recorded) -> None:
    async def at_once() -> list[Checkpoint | None]:
        made = [notary(database_url, recorded.folder).make(datetime.now(UTC)) for _ in range(6)]
        return await asyncio.gather(*made)

    made = [one for one in anyio.run(at_once) if one]
    assert [one.number for one in made] == [3]
    assert verified(database_url, recorded.folder) == set()


def test_of_a_record_that_was_cut_none_is_made(database_url: str, recorded: Recorded) -> None:
    with psycopg.connect(driver(database_url)) as connection:
        connection.execute("SET session_replication_role = replica")
        TAMPERING["a removed last event"][0](connection, recorded)
    one = notary(database_url, recorded.folder)
    assert anyio.run(one.make, datetime.now(UTC)) is None
    assert one.refused == recorded.cases[2]


def test_a_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "new" / "key"
    with ThreadPoolExecutor(8) as pool:
        assert len({signer.public for signer in pool.map(lambda _: keys.signer(file), range(8))}) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["key"]
    public = tmp_path / "public"
    public.write_text(keys.public_pem(keys.signer(file).public))
    assert keys.read_public(public) == keys.signer(file).public
    public.write_text(keys.signer(file).public.hex())
    assert keys.read_public(public) == keys.signer(file).public
    for content in ("", "no key", "00"):
        public.write_text(content)
        with pytest.raises(KeyUnusable):
            keys.read_public(public)
        with pytest.raises(KeyUnusable):
            keys.signer(public)


def test_an_append_waits_for_no_other_case_and_for_no_checkpoint(database_url: str, recorded: Recorded) -> None:
    append = (
        "WITH moved AS (UPDATE case_file SET seq = seq + 1 WHERE case_no = %s RETURNING case_no, seq) "
        "INSERT INTO event (action_id, case_no, seq, at, action, actor, data, prev, sealed) "
        "SELECT gen_random_uuid(), case_no, seq, now(), 'x', '', '{}', '', '' FROM moved"
    )
    with psycopg.connect(driver(database_url)) as one, psycopg.connect(driver(database_url)) as other:
        one.execute(append, [recorded.cases[0]])
        assert anyio.run(notary(database_url, recorded.folder).make, datetime.now(UTC)) is not None
        other.execute("SET lock_timeout = '2s'")
        other.execute(append, [recorded.cases[1]])
        other.rollback()
        one.rollback()


def test_over_http(server_folder: Path, database_url: str) -> None:
    settings = Settings(
        database_url=database_url,
        checkpoint_minutes=0.005,
        checkpoint_key=server_folder / "key",
        data_dir=server_folder,
    )
    with serving(settings) as url, httpx.Client(base_url=url, timeout=30) as client:
        _until(client, "/api/checkpoints/latest")  # of an empty record, so that there are two
        point = sample().layers["township"].zones[0].geometry.representative_point()
        case = client.post("/api/reports", json={"lon": point.x, "lat": point.y, "matter": "0101"}).json()["case"]
        proof = _until(client, f"/api/cases/{case}/proof")
        checkpoint = read_checkpoint(proof["checkpoint"])
        leaf = Leaf(case, proof["seq"], bytes.fromhex(proof["seal"]))
        path = [bytes.fromhex(beside) for beside in proof["path"]]
        assert root_of_path(leaf.hashed(), proof["place"], proof["size"], path) == checkpoint.root
        assert leaf.hashed() == leaf_hash(f'["{case}",{proof["seq"]},"{proof["seal"]}"]'.encode())
        assert client.get(f"/api/cases/{case}").json()["history"][-1]["sealed"] == proof["seal"]
        assert client.get("/api/cases/0/proof").json()["code"] == "unknown_case"
        latest = client.get("/api/checkpoints/latest").json()
        assert latest == proof["checkpoint"]
        page = client.get("/api/checkpoints?limit=2").json()
        assert [item["number"] for item in page["items"]] == [latest["number"], latest["number"] - 1]
        rest = client.get("/api/checkpoints", params={"cursor": page["next"]}).json()
        assert [item["number"] for item in rest["items"]] == list(range(latest["number"] - 2, 0, -1))
        assert client.get("/api/checkpoints?cursor=x").json()["code"] == "invalid_cursor"
        health = client.get("/api/health").json()["record"]
        assert health["checkpoint"]["number"] == latest["number"]
        assert health["refused"] is None


def _until(client: httpx.Client, path: str) -> dict[str, Any]:
    for _ in range(1200):
        answer = client.get(path)
        if answer.status_code == 200:
            return dict(answer.json())
        assert answer.json()["code"] in {"no_checkpoint", "not_in_checkpoint"}
        time.sleep(0.05)
    raise AssertionError(path)
