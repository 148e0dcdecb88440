"""Cases that wait for a unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.model import CaseRow, State
from dispatch.store.cases import COLUMNS, WAITING, as_case

NEED_UNIT: Final = frozenset({State.ASSIGNED, State.ACCEPTED})
"""States in which a case without a unit waits for one: `cases.WAITING`."""


@dataclass(frozen=True, slots=True)
class Wanting:
    """A case that waits, and of its decision where units are sent (as `outcomes.towards` takes it)."""

    case: CaseRow
    decision: Mapping[str, Any]


_WAITING: Final = text(
    f"""
    SELECT {COLUMNS}, count(*) OVER () AS waiting,
           (SELECT json_build_object('team', e.data #> '{{decision,team}}',
                                     'target', e.data #> '{{decision,target}}',
                                     'outcomes', coalesce(e.data #> '{{decision,outcomes}}', '[]'))
            FROM event e WHERE e.case_no = c.case_no AND e.action IN ('report', 'relocate')
            ORDER BY e.seq DESC LIMIT 1) AS decision
    FROM case_file c JOIN report r ON r.id = c.report_id
    WHERE {WAITING}
    ORDER BY c.urgency, c.received_at, c.case_no LIMIT :most"""
)


async def who_waits(connection: AsyncConnection, most: int) -> tuple[list[Wanting], int]:
    """The first `most` of those that wait, the most urgent first and of equals who came first; and how many wait."""
    rows = (await connection.execute(_WAITING, {"most": most})).mappings().all()
    return [Wanting(as_case(row), row["decision"]) for row in rows], int(rows[0]["waiting"]) if rows else 0


Turn = tuple[int, datetime, str]
"""Where a case that waits stands in the row: urgency, when it was received, its number."""

_IN_TURN: Final = text(
    f"""
    SELECT {COLUMNS}, (SELECT data -> 'decision' FROM event e
                       WHERE e.case_no = c.case_no AND action IN ('report', 'relocate')
                       ORDER BY e.seq DESC LIMIT 1) AS decision
    FROM (SELECT * FROM case_file WHERE {WAITING} AND team = ANY(CAST(:teams AS text[]))
            AND (urgency, received_at, case_no) > (:urgency, :received_at, :case_no)
          ORDER BY urgency, received_at, case_no LIMIT :limit) c
    JOIN report r ON r.id = c.report_id ORDER BY c.urgency, c.received_at, c.case_no"""
)
_FIRST: Final[Turn] = (0, datetime.min.replace(tzinfo=UTC), "")


async def waiting_cases(
    connection: AsyncConnection, teams: Collection[str], limit: int, after: Turn | None
) -> list[tuple[CaseRow, Mapping[str, Any]]]:
    """Cases of these teams that wait for a unit, each with its last decision (see `which_decision`), in their turn.

    The most urgent come first, then those that were received first.
    """
    urgency, received_at, case_no = after or _FIRST
    values = {"teams": list(teams), "urgency": urgency, "received_at": received_at, "case_no": case_no, "limit": limit}
    return [(as_case(row), row["decision"]) for row in (await connection.execute(_IN_TURN, values)).mappings()]
