"""The record as it is read: one case's history, what happened since, every chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

import orjson
import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row
from psycopg.types.json import set_json_loads
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.audit import Event, Recorded, Stored
from dispatch.model import CaseRow
from dispatch.store.cases import COLUMNS, as_case


async def history(connection: AsyncConnection, case_no: str) -> list[Recorded]:
    """The case's chain, oldest first."""
    query = text(
        "SELECT action_id, case_no, seq, at, action, actor, data, prev, sealed FROM event "
        "WHERE case_no = :case_no ORDER BY seq"
    )
    return [as_recorded(row) for row in (await connection.execute(query, {"case_no": case_no})).mappings()]


def as_recorded(row: RowMapping) -> Recorded:
    """A row of the event table."""
    event = Event(
        id=str(row["action_id"]),
        case=row["case_no"],
        seq=row["seq"],
        at=row["at"],
        action=row["action"],
        actor=row["actor"],
        data=row["data"],
        prev=bytes(row["prev"]),
    )
    return Recorded(event, bytes(row["sealed"]))


@dataclass(frozen=True, slots=True)
class Told:
    """An event with the case as it stands, for the live stream."""

    event_id: int
    seq: int
    action: str
    at: datetime
    actor: str
    note: str
    case: CaseRow


# The newest of them: those told before lie in front of what is new. Transactions that this cluster has not begun yet
# come from another's dump; a first event is long, and its note is empty.
_SINCE: Final = text(
    f"""
    SELECT (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint AS horizon, told.*
    FROM (SELECT 1) AS one LEFT JOIN (
        SELECT e.id AS event_id, e.seq AS event_seq, e.action, e.at, e.actor,
               CASE WHEN e.seq > 1 THEN e.data END AS data, {COLUMNS}
        FROM event e JOIN case_file c USING (case_no) JOIN report r ON r.id = c.report_id
        WHERE e.xact >= :since AND e.xact < (pg_snapshot_xmax(pg_current_snapshot())::text)::bigint
        ORDER BY e.id DESC LIMIT :limit
    ) AS told ON true"""
)


async def events_since(connection: AsyncConnection, since: int, limit: int) -> tuple[list[Told], int]:
    """The newest `limit` events from transaction `since` on, oldest first, and the transaction to ask from next.

    Event ids are given before commit, so they do not come in order; transactions below the snapshot's `xmin` are all
    over, so nothing below it can still appear. What lies above is told again next time: tell it apart by event id.
    Both answers come from one snapshot.
    """
    rows = (await connection.execute(_SINCE, {"since": since, "limit": limit})).mappings().all()
    told = [
        Told(
            row["event_id"],
            row["event_seq"],
            row["action"],
            row["at"],
            row["actor"],
            (row["data"] or {}).get("note", ""),
            as_case(row),
        )
        for row in reversed(rows)
        if row["event_id"] is not None
    ]
    return told, int(rows[0]["horizon"])


_RANGE: Final = "{0} > %(after)s AND (%(last)s::text IS NULL OR {0} <= %(last)s)"
# Moments without their zone, which is UTC: they are only written, and so are ids. A case's report by its key, however
# many there are: to read them all for each range, as the planner may think cheaper, takes longer with every range.
_CHAINS: Final = f"""
    SELECT c.case_no, c.seq AS head_seq, c.state, c.sealed AS head_sealed, c.team, c.unit,
           c.due_at AT TIME ZONE 'UTC' AS due_at, c.level, c.stage, c.merged_into, c.suspended_until, c.suspended_from,
           c.clock,
           c.received_at AT TIME ZONE 'UTC' AS opened_at, c.matter AS case_matter, c.urgency AS case_urgency,
           c.township AS case_township, c.grid AS case_grid, ST_X(c.geom) AS case_lon, ST_Y(c.geom) AS case_lat,
           c.accuracy_m AS case_accuracy_m, c.notes AS case_notes, r.*
    FROM case_file c CROSS JOIN LATERAL (
        SELECT id::text, given_lon, given_lat, datum, accuracy_m, seen_at AT TIME ZONE 'UTC' AS seen_at, source, matter,
               text, contact, photos, source_ref, ST_X(geom) AS lon, ST_Y(geom) AS lat
        FROM report WHERE id = c.report_id OFFSET 0
    ) AS r
    WHERE {_RANGE.format("c.case_no")} ORDER BY c.case_no"""
# The data as bytes: it is hashed as it stands.
_CHAIN_EVENTS: Final = f"""
    SELECT action_id::text, case_no, seq, at AT TIME ZONE 'UTC', action, actor, convert_to(data::text, 'UTF8'), prev,
           sealed
    FROM event WHERE {_RANGE.format("case_no")}"""
_RANGES: Final = text(
    """
    SELECT case_no FROM (SELECT case_no, row_number() OVER (ORDER BY case_no) AS place FROM case_file) AS each
    WHERE place % :size = 0 ORDER BY case_no"""
)

Range = tuple[str, str | None]
"""Case numbers above the first, up to the second (None: to the end)."""


async def ranges(connection: AsyncConnection, size: int) -> list[Range]:
    """All case numbers, so many cases at a time."""
    ends = [str(end) for end in (await connection.execute(_RANGES, {"size": size})).scalars()]
    return list(zip(["", *ends], [*ends, None], strict=True))


@dataclass(frozen=True, slots=True)
class Chains:
    """Some cases: what each says of itself (with its report's columns), and the chains there are."""

    heads: Sequence[Any]
    """Rows with their columns as attributes."""
    events: dict[str, list[Stored]]
    """By case number, in order; also of cases that are not there."""


def chains(connection: psycopg.Connection[Any], cases: Range) -> Chains:
    """The cases of a range, on a connection of the driver, and without a loop: of a million events both cost most."""
    values = {"after": cases[0], "last": cases[1]}
    with connection.cursor(binary=True, row_factory=namedtuple_row) as cursor:
        set_json_loads(orjson.loads, cursor)
        heads = cursor.execute(_CHAINS, values).fetchall()
    found: dict[str, list[Stored]] = {}
    with connection.cursor(binary=True, row_factory=lambda _: Stored._make) as cursor:
        for event in cursor.execute(_CHAIN_EVENTS, values).fetchall():
            found.setdefault(event.case, []).append(event)
    for chain in found.values():
        chain.sort(key=_SEQ)
    return Chains(heads, found)


_SEQ: Final = attrgetter("seq")


@contextmanager
def in_snapshot(conninfo: str, name: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of its own that sees what the transaction sees that exported the snapshot."""
    with psycopg.connect(conninfo) as connection:
        connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(name))
        connection.execute("SET LOCAL statement_timeout = 0")
        yield connection


async def export_snapshot(connection: AsyncConnection) -> str:
    """The name by which others can see what this transaction sees, for as long as it goes on."""
    await connection.execute(text("SET LOCAL statement_timeout = 0"))
    return str((await connection.execute(text("SELECT pg_export_snapshot()"))).scalar_one())


async def count_events(connection: AsyncConnection) -> int:
    """How many events there are."""
    return int((await connection.execute(text("SELECT count(*) FROM event"))).scalar_one())


async def altered_photos(connection: AsyncConnection) -> list[str]:
    """Photos whose bytes are not those that their digest names."""
    query = text("SELECT sha256 FROM photo WHERE sha256 <> encode(sha256(jpeg), 'hex') ORDER BY sha256")
    return [str(digest) for digest in (await connection.execute(query)).scalars()]
