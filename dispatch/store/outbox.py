"""What is to be told by webhook: put there from the record, taken away when it was taken. For one connection at a time.

All of it works on a connection of the driver that holds the lock: when it breaks, another's turn may begin, and nothing
of this one is written any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.store.cases import COLUMNS, as_case
from dispatch.store.record import Told

Driver = psycopg.AsyncConnection[Any]

_LOCK: Final = 7269364
AT_ONCE: Final = 500
"""Events that are put into the outbox together."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One event that is to be sent to one subscriber."""

    subscription: str
    case: str
    seq: int
    id: UUID
    """Of the event: the same each time it is sent."""
    body: str
    tries: int
    """How often it was sent in vain."""


async def opened(conninfo: str) -> Driver:
    """A connection of its own. Raises psycopg's errors."""
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True, connect_timeout=3)


async def alone(connection: Driver) -> bool:
    """Whether this connection, for as long as it holds, is the one that delivers."""
    got = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])).fetchone()
    return bool(got and got[0])


# A place beyond the horizon is another cluster's, whose dump this is: its transactions are not this one's.
_SUBSCRIBE: Final = """
    INSERT INTO subscription (name, since, xact, event_id)
    SELECT name, %(now)s, (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint, 0
    FROM unnest(%(names)s::text[]) AS name
    ON CONFLICT (name) DO UPDATE SET xact = excluded.xact, event_id = 0 WHERE subscription.xact > excluded.xact"""


async def subscribe(connection: Driver, names: Collection[str], now: datetime) -> None:
    """Who is new is told what happens from now on; the others go on from where they were."""
    await connection.execute(_SUBSCRIBE, {"names": list(names), "now": now})


# Transactions below the horizon are over: nothing can appear among them any more, so that none is left out.
_NEXT: Final = f"""
    SELECT e.xact, e.id AS event_id, e.action_id, e.seq AS event_seq, e.action, e.at, e.actor,
           CASE WHEN e.seq > 1 THEN e.data ->> 'note' END AS note, {COLUMNS}
    FROM subscription s JOIN event e ON e.xact >= s.xact AND (e.xact, e.id) > (s.xact, s.event_id)
    JOIN case_file c USING (case_no) JOIN report r ON r.id = c.report_id
    WHERE s.name = %(name)s AND e.xact < (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint
    ORDER BY e.xact, e.id LIMIT {AT_ONCE}"""
_PUT: Final = """
    WITH moved AS (UPDATE subscription SET xact = %(xact)s, event_id = %(event)s WHERE name = %(name)s)
    INSERT INTO outbox (subscription, case_no, seq, action_id, body, put_at, due_at)
    SELECT %(name)s, case_no, seq, action_id, body, %(now)s, %(now)s
    FROM unnest(%(cases)s::text[], %(seqs)s::int[], %(ids)s::uuid[], %(bodies)s::text[])
        AS one (case_no, seq, action_id, body)"""


async def put(connection: Driver, name: str, write: Callable[[Told], bytes], now: datetime) -> bool:
    """Put what happened next into a subscriber's outbox; whether there may be more. All or nothing of it is written."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        rows = await (await cursor.execute(_NEXT, {"name": name})).fetchall()
    if not rows:
        return False
    values = {
        "name": name,
        "now": now,
        "xact": rows[-1]["xact"],
        "event": rows[-1]["event_id"],
        "cases": [row["case_no"] for row in rows],
        "seqs": [row["event_seq"] for row in rows],
        "ids": [row["action_id"] for row in rows],
        "bodies": [write(_told(row)).decode() for row in rows],
    }
    await connection.execute(_PUT, values)
    return len(rows) == AT_ONCE


def _told(row: Mapping[str, Any]) -> Told:
    return Told(
        row["event_id"], row["event_seq"], row["action"], row["at"], row["actor"], row["note"] or "", as_case(row)
    )


# Of each case the first that was not taken: the next one waits for it.
_DUE: Final = """
    SELECT subscription, case_no, seq, action_id, body, tries FROM outbox o
    WHERE subscription = %(name)s AND due_at <= %(now)s AND NOT case_no = ANY(%(under_way)s::text[])
        AND NOT EXISTS (SELECT FROM outbox b WHERE b.subscription = o.subscription AND b.case_no = o.case_no
                        AND b.seq < o.seq)
    ORDER BY due_at, put_at, case_no LIMIT %(limit)s"""
_TAKEN: Final = "DELETE FROM outbox WHERE (subscription, case_no, seq) = (%s, %s, %s)"
_FAILED: Final = """
    UPDATE outbox SET tries = tries + 1, due_at = %s, problem = %s WHERE (subscription, case_no, seq) = (%s, %s, %s)"""


async def due(connection: Driver, name: str, under_way: Collection[str], now: datetime, limit: int) -> Sequence[Parcel]:
    """What may be sent to a subscriber now, of cases of which nothing is under way; the longest due first."""
    values = {"name": name, "under_way": list(under_way), "now": now, "limit": limit}
    rows = await (await connection.execute(_DUE, values)).fetchall()
    return [Parcel(*row) for row in rows]


async def taken(connection: Driver, parcel: Parcel) -> None:
    """It was taken: the next one of its case may be sent."""
    await connection.execute(_TAKEN, (parcel.subscription, parcel.case, parcel.seq))


async def failed(connection: Driver, parcel: Parcel, problem: str, again_at: datetime) -> None:
    """It was not taken; it is sent again then."""
    await connection.execute(_FAILED, (again_at, problem, parcel.subscription, parcel.case, parcel.seq))


@dataclass(frozen=True, slots=True)
class Standing:
    """How one subscriber stands."""

    name: str
    since: datetime
    waiting: int
    """Events in the outbox."""
    oldest: datetime | None
    """When the first of them was put there."""
    failing: int
    """Cases of which one was sent in vain."""
    problem: str | None
    """Of the one that was tried most often."""


_STANDING: Final = text(
    """
    SELECT s.name, s.since, count(o.seq) AS waiting, min(o.put_at) AS oldest,
           count(o.seq) FILTER (WHERE o.tries > 0) AS failing,
           (SELECT problem FROM outbox f WHERE f.subscription = s.name AND f.tries > 0
            ORDER BY f.tries DESC, f.put_at LIMIT 1) AS problem
    FROM subscription s LEFT JOIN outbox o ON o.subscription = s.name GROUP BY s.name, s.since ORDER BY s.name"""
)


async def standing(connection: AsyncConnection) -> list[Standing]:
    """Every subscriber that was ever told anything and not forgotten, by name."""
    return [Standing(*row) for row in await connection.execute(_STANDING)]


async def forget(connection: AsyncConnection, name: str) -> bool:
    """Drop a subscriber with all that was not sent to it; False when there is none."""
    query = text("DELETE FROM subscription WHERE name = :name RETURNING name")
    return (await connection.execute(query, {"name": name})).first() is not None
