"""Telling who reported a case: one statement writes that it was asked, and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.audit import Entry
from dispatch.store.engine import for_driver, write
from dispatch.store.moves import AlreadyThere


@dataclass(frozen=True, slots=True)
class Done:
    """An event that has the id already."""

    case: str
    action: str
    actor: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """The case's last event, and the event of this id, if there is one."""

    seq: int
    sealed: bytes
    after: Mapping[str, Any]
    done: Done | None


_GATHER: Final = text(
    """
    SELECT c.seq, c.sealed, e.data -> 'after' AS after, d.case_no AS done, d.action, d.actor, d.at,
           coalesce(d.data ->> 'note', '') AS note
    FROM case_file c JOIN event e ON e.case_no = c.case_no AND e.seq = c.seq
    LEFT JOIN event d ON d.action_id = :id WHERE c.case_no = :case_no"""
)
_DISCLOSE: Final = for_driver(
    """
    WITH moved AS (
        UPDATE case_file SET seq = :seq, sealed = :sealed WHERE case_no = :case_no AND seq = :seq - 1
        RETURNING case_no, report_id
    ), told AS (
        INSERT INTO event (action_id, case_no, seq, at, action, actor, data, prev, sealed)
        SELECT :id, case_no, :seq, :at, :action, :actor, CAST(:data AS json), :prev, :sealed FROM moved
        RETURNING case_no
    )
    SELECT r.contact FROM told JOIN moved USING (case_no) JOIN report r ON r.id = moved.report_id"""
)


async def gather(connection: AsyncConnection, case_no: str, asking: UUID) -> Facts | None:
    """What the event rests on; None when there is no such case."""
    row = (await connection.execute(_GATHER, {"case_no": case_no, "id": asking})).first()
    if row is None:
        return None
    done = Done(row.done, row.action, row.actor, row.note, row.at) if row.done else None
    return Facts(row.seq, bytes(row.sealed), row.after, done)


async def disclose(connection: AsyncConnection, entry: Entry) -> Mapping[str, str] | None:
    """Write the event, and the contact of the case's reporter; None, and nothing written, when the case moved on.

    Raises `AlreadyThere` when the event's id is known.
    """
    event = entry.event
    values = {
        "id": event.id,
        "case_no": event.case,
        "seq": event.seq,
        "at": event.at,
        "action": event.action,
        "actor": event.actor,
        "data": entry.text,
        "prev": event.prev,
        "sealed": entry.sealed,
    }
    try:
        row = await write(connection, _DISCLOSE, values)
    except psycopg.errors.UniqueViolation as error:
        raise AlreadyThere from error
    return None if row is None else row[0]


async def contact(connection: AsyncConnection, case_no: str) -> Mapping[str, str]:
    """What was answered before. NoResultFound when there is no such case."""
    query = text("SELECT r.contact FROM case_file c JOIN report r ON r.id = c.report_id WHERE c.case_no = :case_no")
    found: Mapping[str, str] = (await connection.execute(query, {"case_no": case_no})).scalar_one()
    return found
