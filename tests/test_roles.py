"""Who serves cannot change what was recorded: asked in SQL, as that role."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import anyio
import httpx
import psycopg
import pytest
from psycopg import errors, sql

from dispatch.database import Running
from dispatch.settings import Settings
from dispatch.store.engine import migrate_at, open_to_serve
from dispatch.store.roles import ROLE, Guard
from tests.recorded import driver
from tests.sample import sample
from tests.serving import serving

KEPT = {"event": "actor", "checkpoint": "at", "checkpoint_leaf": "sealed", "evidence": "kind"}
"""Tables, and a column of each."""


@pytest.fixture
def migrated(database_url: str) -> str:
    anyio.run(migrate_at, database_url)
    return database_url


@pytest.fixture
def served(migrated: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection as the serving role, by login."""
    with psycopg.connect(driver(as_role(migrated, ROLE)), autocommit=True) as connection:
        yield connection


def as_role(url: str, role: str) -> str:
    return url.replace("://onegrid@", f"://{role}@")


def guarded(url: str, owner_url: str | None = None) -> Guard:
    async def asked() -> Guard:
        engine, guard = await open_to_serve(url, owner_url, 1)
        await engine.dispose()
        return guard

    return asyncio.run(asked())


REFUSED = [
    "UPDATE {table} SET {column} = {column}",
    "UPDATE {table} SET {column} = {column} WHERE false",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "TRUNCATE {table} CASCADE",
    "MERGE INTO {table} USING (SELECT 1) AS one ON false WHEN MATCHED THEN DELETE",
    "SELECT * FROM {table} FOR UPDATE",
    "ALTER TABLE {table} DISABLE TRIGGER append_only",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} ADD COLUMN more int",
    "ALTER TABLE {table} OWNER TO " + ROLE,
    "ALTER TABLE {table} RENAME TO other",
    "DROP TRIGGER append_only ON {table}",
    "CREATE TRIGGER mine BEFORE INSERT ON {table} EXECUTE FUNCTION refuse_change()",
    "CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "CREATE POLICY mine ON {table}",
    "DROP TABLE {table} CASCADE",
]
OF_ALL = [
    "SET session_replication_role = replica",
    "ALTER ROLE " + ROLE + " SUPERUSER",
    "SET ROLE onegrid",
    "SET SESSION AUTHORIZATION onegrid",
    "GRANT onegrid TO " + ROLE,
    "CREATE ROLE another",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "DROP FUNCTION refuse_change() CASCADE",
    "DROP SCHEMA public CASCADE",
    "CREATE TABLE public.event2 (id int)",
    "ALTER DATABASE template1 OWNER TO " + ROLE,
    "COPY event TO PROGRAM 'true'",
    "SELECT pg_read_file('PG_VERSION')",
    "UPDATE pg_trigger SET tgenabled = 'D'",
    "ALTER SYSTEM SET fsync = off",
    "UPDATE report SET text = ''",
    "DELETE FROM report",
    "DELETE FROM photo",
    "DELETE FROM case_file",
    "UPDATE alembic_version SET version_num = ''",
]


def test_who_serves_cannot_change_the_record(served: psycopg.Connection[tuple[object, ...]]) -> None:
    there = {row[0] for row in served.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    for table, column in KEPT.items():
        assert table in there
        for statement in REFUSED:
            text = statement.format(table=table, column=column)
            # What refuses is the role's lack of rights, not the trigger, which answers with a message of its own.
            with pytest.raises(errors.InsufficientPrivilege) as refused:
                served.execute(text)
            assert "append-only" not in str(refused.value), text
    for text in OF_ALL:
        with pytest.raises((errors.InsufficientPrivilege, errors.InvalidGrantOperation)):
            served.execute(text)


def test_every_table_has_its_rights(served: psycopg.Connection[tuple[object, ...]]) -> None:
    rows = served.execute(
        """
        SELECT c.relname,
               EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid = 'refuse_change'::regproc),
               has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT'),
               has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER, REFERENCES'),
               has_any_column_privilege(c.oid, 'UPDATE, REFERENCES')
        FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"""
    ).fetchall()
    assert {name for name, kept, *_ in rows if kept} >= {"event", "checkpoint", "checkpoint_leaf"}
    for name, kept, reads, adds, changes, changes_part in rows:
        assert reads, name
        assert adds or name == "alembic_version"
        if kept:
            assert (changes, changes_part) == (False, False), name


def test_the_trigger_stands_before_the_owner_too(migrated: str) -> None:
    with psycopg.connect(driver(migrated), autocommit=True) as connection:
        for table in ("event", "checkpoint", "checkpoint_leaf"):
            for text in ("DELETE FROM {}", "TRUNCATE {} CASCADE"):
                with pytest.raises(errors.InsufficientPrivilege, match="append-only"):
                    connection.execute(sql.SQL(text).format(sql.Identifier(table)))


def test_a_server_that_logs_in_as_it_does_all_its_work(migrated: str) -> None:
    settings = Settings(database_url=as_role(migrated, ROLE), owner_url=migrated)
    with serving(settings) as url, httpx.Client(base_url=url, timeout=30) as client:
        assert client.get("/api/health").json()["record"]["guard"] == "login"
        point = sample().layers["township"].zones[0].geometry.representative_point()
        sent = {"lon": point.x, "lat": point.y, "matter": "0101", "contact": {"phone": "000"}}
        answer = client.post("/api/reports", json=sent).json()
        case, unit = answer["case"], answer["unit"]["code"]
        path = f"/api/cases/{case}/actions"
        assert client.post(path, json={"id": str(uuid4()), "action": "accept"}).status_code == 200
        moved = client.put(f"/api/units/{unit}/position", json={"lon": point.x, "lat": point.y})
        assert moved.status_code == 200
        asked = client.post(f"/api/cases/{case}/contact", json={"actor": "值班", "reason": "回访"})
        assert asked.json()["contact"] == {"phone": "000"}


def test_the_owners_address_alone_is_put_into_the_role(migrated: str) -> None:
    assert guarded(migrated) is Guard.SET_ROLE

    async def who() -> str:
        engine, _ = await open_to_serve(migrated, None, 1)
        async with engine.connect() as connection:
            found = (await connection.exec_driver_sql("SELECT current_user")).scalar_one()
        await engine.dispose()
        return str(found)

    assert asyncio.run(who()) == ROLE


def test_where_no_role_can_be_made_it_is_said(postgis: Running) -> None:
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN")
        connection.execute("CREATE DATABASE plain TEMPLATE onegrid OWNER plain")
    url = postgis.url_of("plain", "plain")
    # Another database of the cluster has made the role; this owner is no member of it, and cannot become one.
    anyio.run(migrate_at, url)
    assert guarded(url) is Guard.NONE
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"GRANT {ROLE} TO plain")
    assert guarded(url) is Guard.SET_ROLE
    assert guarded(postgis.url_of("plain", ROLE), url) is Guard.LOGIN


def test_rights_are_given_again_where_a_dump_was_loaded_without_them(migrated: str) -> None:
    with psycopg.connect(driver(migrated), autocommit=True) as connection:
        connection.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {ROLE}")
    assert guarded(as_role(migrated, ROLE), migrated) is Guard.LOGIN
    with psycopg.connect(driver(as_role(migrated, ROLE))) as connection:
        connection.execute("SELECT count(*) FROM event")
