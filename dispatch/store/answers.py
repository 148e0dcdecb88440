"""What became of the reports that other systems sent, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.errors import InvalidCursor
from dispatch.model import Source, State

TOLD: Final = ("handle", "rework", "close", "cancel", "merge", "reopen")
"""Actions of which a source is told: what is over, and what is not over after all. So it is of a `reassign` of what was
handled, of no other."""

Mark = tuple[int, int, str]
"""Transaction, event and the source's number: what was told last."""
BEGINNING: Final[Mark] = (0, 0, "")


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that a source is told of one of its reports."""

    mark: Mark
    ref: str
    case: str
    """Of the report."""
    at: datetime
    action: str
    state: State
    note: str
    into: str | None
    """The case whose event it is, where the report's own was merged into it; of a merger, that case."""


# Transactions below the horizon are over, so nothing can still appear among them. Of a case that others were merged
# into, theirs are told too, from their merger on.
_ANSWERS: Final = text(
    """
    SELECT e.xact, e.id, t.source_ref, t.case_no, e.at, e.action, e.data #>> '{after,state}' AS state,
           coalesce(e.data ->> 'note', '') AS note,
           CASE WHEN e.action = 'merge' THEN e.data #>> '{after,merged_into}'
                WHEN t.case_no <> e.case_no THEN e.case_no END AS into
    FROM event e JOIN LATERAL (
        WITH RECURSIVE family AS (
            SELECT e.case_no
            UNION
            SELECT c.case_no FROM family f JOIN case_file c ON c.merged_into = f.case_no
            WHERE EXISTS (SELECT FROM event m WHERE m.case_no = c.case_no AND m.action = 'merge' AND m.id < e.id)
        )
        SELECT r.source_ref, c.case_no FROM family JOIN case_file c USING (case_no) JOIN report r ON r.id = c.report_id
        WHERE r.source = :source AND r.source_ref IS NOT NULL
    ) AS t ON true
    WHERE (e.action = ANY(CAST(:told AS text[])) OR e.action = 'reassign' AND 'handled' = (
            SELECT p.data #>> '{after,state}' FROM event p WHERE p.case_no = e.case_no AND p.seq = e.seq - 1))
        AND e.xact >= :xact AND e.xact < (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint
        AND (e.xact, e.id, t.source_ref) > (:xact, :event, CAST(:ref AS text))
    ORDER BY e.xact, e.id, t.source_ref LIMIT :limit"""
)
_HORIZON: Final = text("SELECT (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint")


async def answers(
    connection: AsyncConnection, source: Source, after: Mark, limit: int
) -> tuple[Sequence[Answer], Mark]:
    """The next `limit` at most, and from where to ask again; so that nothing is missed or told twice.

    Raises `InvalidCursor` for a mark that lies before us: it is of another cluster, whose dump this is.
    """
    horizon = int((await connection.execute(_HORIZON)).scalar_one())
    if after[0] > horizon:
        raise InvalidCursor({"field": "since"})
    values = {
        "source": source.value,
        "told": list(TOLD),
        "xact": after[0],
        "event": after[1],
        "ref": after[2],
        "limit": limit,
    }
    rows = await connection.execute(_ANSWERS, values)
    found = [
        Answer((row.xact, row.id, row.source_ref), row.source_ref, row.case_no, row.at, row.action, State(row.state),
               row.note, row.into)
        for row in rows
    ]  # fmt: skip
    if len(found) == limit:
        return found, found[-1].mark
    # The horizon was read first: whatever came below it since was told.
    return found, max((horizon, 0, ""), after, *(one.mark for one in found))
