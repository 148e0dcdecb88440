"""Disputes, read from the record alone: a return that left its case in dispute opened one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.audit import Event
from dispatch.store.record import as_recorded


@dataclass(frozen=True, slots=True)
class Opened:
    """Where the return is that opened a dispute."""

    number: int
    """Of the event, newest last."""
    id: str
    case: str
    matter: str
    """Of the case."""


_COLUMNS: Final = "e.id AS number, e.action_id, e.case_no, c.matter"
_OPENED: Final = "e.action = 'return' AND e.data #>> '{after,state}' = 'disputed'"
_LIST: Final = text(
    f"""
    SELECT {_COLUMNS} FROM event e JOIN case_file c USING (case_no)
    WHERE {_OPENED} AND (CAST(:before AS bigint) IS NULL OR e.id < :before)
      AND (CAST(:open AS boolean) IS NULL OR :open = (c.state = 'disputed' AND NOT EXISTS (
          SELECT FROM event later WHERE later.case_no = e.case_no AND later.seq > e.seq AND later.action = 'return')))
    ORDER BY e.id DESC LIMIT :limit"""
)
_ONE: Final = text(
    f"SELECT {_COLUMNS} FROM event e JOIN case_file c USING (case_no) WHERE e.action_id = :id AND {_OPENED}"
)


async def list_disputes(
    connection: AsyncConnection, is_open: bool | None, limit: int, before: int | None
) -> list[Opened]:
    """Newest first; before: the number of the last one of the page before."""
    values = {"open": is_open, "limit": limit, "before": before}
    return [
        Opened(row.number, str(row.action_id), row.case_no, row.matter)
        for row in await connection.execute(_LIST, values)
    ]


async def which_dispute(connection: AsyncConnection, dispute: UUID) -> Opened | None:
    """The dispute of this id."""
    row = (await connection.execute(_ONE, {"id": dispute})).one_or_none()
    return Opened(row.number, str(row.action_id), row.case_no, row.matter) if row else None


_CHAINS: Final = text(
    """
    SELECT action_id, case_no, seq, at, action, actor, data, prev, sealed FROM event
    WHERE case_no = ANY(CAST(:cases AS text[])) ORDER BY case_no, seq"""
)


async def chains_of(connection: AsyncConnection, cases: Sequence[str]) -> dict[str, list[Event]]:
    """The whole record of each of these cases."""
    found: dict[str, list[Event]] = {}
    for row in (await connection.execute(_CHAINS, {"cases": list(cases)})).mappings():
        found.setdefault(row["case_no"], []).append(as_recorded(row).event)
    return found
