"""Cases whose next moment is past: taken by one overseer at a time, and put off where nothing is to be done yet."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.model import CaseRow
from dispatch.store.cases import COLUMNS, HOLDING, UNFINISHED, as_case

_RUNNING: Final = f"({HOLDING} OR state IN ('returned', 'disputed'))"
_CLAIM: Final = text(
    f"""
    WITH due AS MATERIALIZED (
        SELECT case_no FROM case_file WHERE next_at <= :now ORDER BY next_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE case_file c SET next_at = :until FROM due, report r
    WHERE c.case_no = due.case_no AND r.id = c.report_id RETURNING {COLUMNS}"""
)
_PUT_OFF: Final = text("UPDATE case_file SET next_at = :at WHERE case_no = :case_no AND seq = :seq")
_LOOK_AGAIN: Final = text(
    f"""
    UPDATE case_file SET next_at = CASE state WHEN 'suspended' THEN CAST(:now AS timestamptz) ELSE due_at END
    WHERE {UNFINISHED} AND (next_at IS NULL OR next_at > :now)
      AND (state = 'suspended' OR ({_RUNNING} AND level < :most AND due_at <= :now))"""
)

_ASSUMED: Final = text(
    f"SELECT {COLUMNS} FROM case_file c JOIN report r ON r.id = c.report_id "
    f"WHERE c.{UNFINISHED} AND jsonb_array_length(c.clock -> 'assumed') > 0 ORDER BY c.case_no"
)


async def claim(connection: AsyncConnection, now: datetime, until: datetime, most: int) -> list[CaseRow]:
    """Cases whose moment is past, those that wait longest, for whoever asks first.

    Nobody else is given them before `until`; whoever has them is done by then, or died, and another takes them.
    """
    rows = (await connection.execute(_CLAIM, {"now": now, "until": until, "most": most})).mappings()
    return sorted((as_case(row) for row in rows), key=lambda case: case.case_no)


async def put_off(connection: AsyncConnection, case: CaseRow, at: datetime | None) -> None:
    """Say when to look at a case next, unless it moved on; None: never, as it stands."""
    await connection.execute(_PUT_OFF, {"case_no": case.case_no, "seq": case.seq, "at": at})


async def look_again(connection: AsyncConnection, now: datetime, most: int) -> None:
    """Have all looked at anew that another edition's rules may want something of now; most: levels that there are."""
    await connection.execute(_LOOK_AGAIN, {"now": now, "most": most})


async def assumed(connection: AsyncConnection) -> list[CaseRow]:
    """Cases that are not over and whose clock goes by a year that nobody had announced when it was counted."""
    return [as_case(row) for row in (await connection.execute(_ASSUMED)).mappings()]
