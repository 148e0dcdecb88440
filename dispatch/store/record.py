"""The record as it is read: one case's history, what happened since, every chain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.audit import Event, Recorded
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
    ) AS told ON true"""  # noqa: S608
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


_CHAINS: Final = text(
    """
    SELECT c.case_no, c.seq AS head_seq, c.state, c.sealed AS head_sealed, c.team, c.unit, c.due_at,
           c.level, c.stage, c.merged_into, c.suspended_until, c.suspended_from,
           c.received_at AS opened_at, c.matter AS case_matter, c.urgency AS case_urgency, c.township AS case_township,
           c.grid AS case_grid, ST_X(c.geom) AS case_lon, ST_Y(c.geom) AS case_lat,
           c.accuracy_m AS case_accuracy_m, c.notes AS case_notes, r.id, r.given_lon, r.given_lat,
           r.datum, r.accuracy_m, r.seen_at, r.received_at, r.source, r.matter, r.text, r.contact, r.photos,
           ST_X(r.geom) AS lon, ST_Y(r.geom) AS lat
    FROM case_file c JOIN report r ON r.id = c.report_id WHERE c.case_no > :after ORDER BY c.case_no LIMIT :limit"""
)
_CHAIN_EVENTS: Final = text(
    """
    SELECT action_id, case_no, seq, at, action, actor, data, prev, sealed FROM event
    WHERE case_no > :after AND case_no <= :last ORDER BY case_no, seq"""
)


async def chains(connection: AsyncConnection, batch: int = 2000) -> AsyncIterator[tuple[RowMapping, list[Recorded]]]:
    """Every case's head (with its report's columns) and its chain, by case number."""
    after = ""
    while True:
        heads = (await connection.execute(_CHAINS, {"after": after, "limit": batch})).mappings().all()
        if not heads:
            return
        last = heads[-1]["case_no"]
        found: dict[str, list[Recorded]] = {}
        for row in (await connection.execute(_CHAIN_EVENTS, {"after": after, "last": last})).mappings():
            found.setdefault(row["case_no"], []).append(as_recorded(row))
        for head in heads:
            yield head, found.get(head["case_no"], [])
        after = last


async def altered_photos(connection: AsyncConnection) -> list[str]:
    """Photos whose bytes are not those that their digest names."""
    query = text("SELECT sha256 FROM photo WHERE sha256 <> encode(sha256(jpeg), 'hex') ORDER BY sha256")
    return [str(digest) for digest in (await connection.execute(query)).scalars()]
