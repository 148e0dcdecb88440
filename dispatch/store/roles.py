"""The role that serves requests: it can do what the product does, and cannot change what was recorded.

The owner of the schema makes it and says what it may, after every migration, so that a new table is never forgotten:
a table that `refuse_change` watches over may be read and added to, whatever it is called.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

ROLE: Final = "onegrid_serve"


class Guard(StrEnum):
    """How the record is kept from whoever serves."""

    LOGIN = "login"
    """The connection is of a role that cannot change the record, and cannot become one that can."""
    SET_ROLE = "set_role"
    """It is the owner's, put into the serving role: SQL that asks for the owner's role back gets it."""
    NONE = "none"
    """It is the owner's: the trigger alone stands before the record, and the owner can take it away."""


_GRANT: Final = text(
    f"""
    DO $$
    DECLARE one record;
    BEGIN
        BEGIN
            IF to_regrole('{ROLE}') IS NULL THEN
                CREATE ROLE {ROLE} LOGIN;
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of the cluster was first
            WHEN insufficient_privilege THEN RETURN;
        END;
        BEGIN
            IF NOT pg_has_role('{ROLE}', 'MEMBER') THEN
                EXECUTE format('GRANT {ROLE} TO %I', current_user);
            END IF;
        EXCEPTION WHEN insufficient_privilege THEN NULL;
        END;
        FOR one IN
            SELECT c.oid::regclass AS name, c.relkind AS kind, CASE
                WHEN EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid = 'refuse_change'::regproc)
                    OR c.relname IN ('report', 'photo', 'enactment') THEN 'SELECT, INSERT'
                WHEN c.relname = 'case_file' THEN 'SELECT, INSERT, UPDATE'
                WHEN c.relkind IN ('v', 'm') OR c.relname = 'alembic_version' THEN 'SELECT'
                WHEN c.relkind = 'S' THEN 'USAGE'
                ELSE 'SELECT, INSERT, UPDATE, DELETE' END AS may
            FROM pg_class c
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relowner = current_user::regrole
                AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
        LOOP
            EXECUTE format('REVOKE ALL ON %s FROM {ROLE}', one.name);
            EXECUTE format('GRANT %s ON %s TO {ROLE}', one.may, one.name);
        END LOOP;
    END $$"""
)
_GRANTED: Final = text(
    f"SELECT to_regrole('{ROLE}') IS NOT NULL AND has_table_privilege(to_regrole('{ROLE}'), 'event', 'INSERT')"
)
_GUARD: Final = text(
    f"""
    SELECT rolsuper OR rolcreaterole OR pg_has_role(c.relowner, 'MEMBER') OR has_table_privilege(c.oid, 'UPDATE')
               OR has_table_privilege(c.oid, 'DELETE') OR has_table_privilege(c.oid, 'TRUNCATE') AS can_change,
           to_regrole('{ROLE}') IS NOT NULL AND pg_has_role(to_regrole('{ROLE}'), 'MEMBER') AS can_serve,
           coalesce((SELECT s.rolsuper FROM pg_roles s WHERE s.rolname = '{ROLE}'), true) AS in_vain
    FROM pg_roles, pg_class c WHERE rolname = current_user AND c.oid = 'event'::regclass"""
)


async def grant(connection: AsyncConnection) -> None:
    """As the owner: make the role where there is none, and say what it may.

    An owner that may make no roles leaves it undone; `guard` then says so.
    """
    await connection.execute(_GRANT)


async def is_granted(connection: AsyncConnection) -> bool:
    """Whether that was done here; after a dump was loaded into another cluster it was not."""
    return bool((await connection.execute(_GRANTED)).scalar())


async def guard(connection: AsyncConnection) -> Guard:
    """What keeps the record from the role of this connection, or would if it were put into the serving role."""
    can_change, can_serve, in_vain = (await connection.execute(_GUARD)).one()
    if not can_change:
        return Guard.LOGIN
    return Guard.SET_ROLE if can_serve and not in_vain else Guard.NONE
