"""Past cases with the decisions that sent them, for `dispatch.replay`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.model import Past

_PAST: Final = text(
    """
    SELECT c.case_no, ST_X(c.geom) AS lon, ST_Y(c.geom) AS lat, c.matter,
           CASE WHEN CAST(decision -> 'notes' AS jsonb) ? 'settled_by_choice' THEN NULL
                ELSE CAST(decision ->> 'radius_m' AS float8) END AS radius_m, decision ->> 'team' AS team,
           decision ->> 'version' AS version
    FROM (SELECT case_no, geom, matter FROM case_file WHERE case_no > :after ORDER BY case_no LIMIT :limit) AS c
    CROSS JOIN LATERAL (
        SELECT data -> 'decision' AS decision FROM event
        WHERE case_no = c.case_no AND action IN ('report', 'relocate') ORDER BY seq DESC LIMIT 1
    ) AS last
    ORDER BY c.case_no"""
)


async def past_cases(connection: AsyncConnection, batch: int = 10_000) -> AsyncIterator[list[Past]]:
    """Every case by its number, so many at a time: where it is, and what was decided of it last, there."""
    after = ""
    while True:
        rows = (await connection.execute(_PAST, {"after": after, "limit": batch})).all()
        if not rows:
            return
        after = rows[-1].case_no
        yield [Past(*row) for row in rows]
