"""Opening a case and moving it on: each one read to gather, one statement to write. And the record that comes of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.audit import Entry, Event, Recorded
from dispatch.model import Report
from dispatch.store.cases import COLUMNS, CaseRow, as_case
from dispatch.store.engine import for_driver, write


class AlreadyThere(Exception):
    """Another request wrote the same report or action a moment before."""


class UnitTaken(Exception):
    """Another case got the unit a moment before."""


ON_A_CASE: Final = "unit IS NOT NULL AND state IN ('assigned', 'accepted', 'on_scene')"

_NUMBERS: Final = text("SELECT nextval('case_number') FROM generate_series(1, :count)")


async def take_numbers(connection: AsyncConnection, count: int) -> list[int]:
    """Numbers for new cases that nobody else will have; those that are not used leave a gap."""
    return [int(number) for number in (await connection.execute(_NUMBERS, {"count": count})).scalars()]


async def is_known(connection: AsyncConnection, report_id: UUID) -> bool:
    """Whether this report came before."""
    query = text("SELECT EXISTS (SELECT FROM report WHERE id = :id)")
    return bool((await connection.execute(query, {"id": report_id})).scalar())


async def missing_photos(connection: AsyncConnection, photos: Sequence[str]) -> list[str]:
    """Those of the digests of which there is no photo."""
    query = text(
        "SELECT asked FROM unnest(CAST(:photos AS text[])) AS asked WHERE asked NOT IN (SELECT sha256 FROM photo)"
    )
    return [str(row) for row in (await connection.execute(query, {"photos": list(photos)})).scalars()]


_POINT: Final = "ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)"

_OPEN: Final = for_driver(
    f"""
    WITH actual AS MATERIALIZED (
        SELECT coalesce(array_agg(unit ORDER BY unit COLLATE "C"), '{{}}') AS busy FROM case_file
        WHERE unit = ANY(CAST(:units AS text[])) AND {ON_A_CASE}
    ), reported AS (
        INSERT INTO report (id, geom, given_lon, given_lat, datum, accuracy_m, seen_at, received_at, source, matter,
                            text, contact, photos)
        SELECT :report_id, {_POINT}, :given_lon, :given_lat, :datum, :accuracy_m, :seen_at, :received_at, :source,
               :matter, :text, CAST(:contact AS jsonb), CAST(:photos AS text[])
        FROM actual WHERE busy = CAST(:busy AS text[])
        RETURNING id
    ), opened AS (
        INSERT INTO case_file (case_no, report_id, state, seq, sealed, matter, urgency, team, unit, eta_s, mode, geom,
                               township, grid, zones, seen_at, received_at, changed_at, due_at, notes)
        SELECT :case_no, id, :state, 1, :sealed, :matter, :urgency, :team, :unit, :eta_s, :mode, {_POINT},
               :township, :grid, CAST(:zones AS jsonb), :seen_at, :received_at, :received_at, :due_at,
               CAST(:notes AS text[])
        FROM reported RETURNING case_no
    ), told AS (
        INSERT INTO event (action_id, case_no, seq, at, action, actor, data, prev, sealed)
        SELECT :action_id, case_no, 1, :at, :action, :actor, CAST(:data AS json), :prev, :sealed FROM opened
        RETURNING id
    )
    SELECT busy, EXISTS (SELECT FROM told) AS written FROM actual"""  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a decision rests on: of these units, those are on a case."""

    units: tuple[str, ...]
    busy: frozenset[str]


async def open_case(
    connection: AsyncConnection,
    report: Report,
    case: CaseRow,
    entry: Entry,
    assumed: Assumed,
) -> frozenset[str] | None:
    """Write report, case and first event if what was assumed is so (None); if not, nothing, and answer who is busy.

    Asking and writing in one statement saves a round trip. Raises `AlreadyThere`, `UnitTaken`.
    """
    values = {
        **_event_values(entry),
        "report_id": report.id,
        "lon": report.lon,
        "lat": report.lat,
        "given_lon": report.given_lon,
        "given_lat": report.given_lat,
        "datum": report.datum.value,
        "accuracy_m": report.accuracy_m,
        "seen_at": report.seen_at,
        "received_at": report.received_at,
        "source": report.source.value,
        "matter": report.matter,
        "text": report.text,
        "contact": json.dumps(dict(report.contact), ensure_ascii=False),
        "photos": list(report.photos),
        **_case_values(case),
        "township": case.township,
        "grid": case.grid,
        "urgency": case.urgency,
        "zones": json.dumps(case.zones, ensure_ascii=False),
        "notes": list(case.notes),
        "units": list(assumed.units),
        "busy": sorted(assumed.busy),
    }
    busy, written = await _write(connection, _OPEN, values) or ([], False)
    return None if written else frozenset(busy)


_ADVANCE: Final = for_driver(
    """
    WITH moved AS (
        UPDATE case_file
        SET state = :state, seq = :seq, sealed = :sealed, team = :team, unit = :unit, eta_s = :eta_s, mode = :mode,
            changed_at = :at, due_at = :due_at
        WHERE case_no = :case_no AND seq = :seq - 1
        RETURNING case_no
    )
    INSERT INTO event (action_id, case_no, seq, at, action, actor, data, prev, sealed)
    SELECT :action_id, case_no, :seq, :at, :action, :actor, CAST(:data AS json), :prev, :sealed FROM moved
    RETURNING id"""
)


async def advance_case(connection: AsyncConnection, case: CaseRow, entry: Entry) -> bool:
    """Write the case as it now stands and its event; False when somebody else moved it first (nothing is written).

    Raises `AlreadyThere` when the action's id is known, `UnitTaken`.
    """
    values = {**_event_values(entry), **_case_values(case)}
    return await _write(connection, _ADVANCE, values) is not None


async def _write(connection: AsyncConnection, statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    try:
        return await write(connection, statement, values)
    except psycopg.errors.UniqueViolation as error:
        match error.diag.constraint_name:
            case "ix_case_file_unit_on_case":
                raise UnitTaken from error
            case "report_pkey" | "case_file_report_id_key" | "event_action_id_key":
                raise AlreadyThere from error
        raise


def _event_values(entry: Entry) -> dict[str, Any]:
    event = entry.event
    return {
        "action_id": event.id,
        "case_no": event.case,
        "seq": event.seq,
        "at": event.at,
        "action": event.action,
        "actor": event.actor,
        "data": entry.text,
        "prev": event.prev,
        "sealed": entry.sealed,
    }


def _case_values(case: CaseRow) -> dict[str, Any]:
    return {
        "state": case.state.value,
        "team": case.team,
        "unit": case.unit,
        "eta_s": case.eta_s,
        "mode": case.mode.value if case.mode else None,
        "due_at": case.due_at,
    }


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """What an action needs to know."""

    case: CaseRow | None
    busy: frozenset[str]
    done: tuple[str, str] | None
    """(case, action) of the event that already has this action's id."""
    last: tuple[str, str]
    """(action, actor) of the case's last event."""


_GATHER_ACTION: Final = text(
    f"""
    SELECT {COLUMNS}, (SELECT coalesce(array_agg(unit), '{{}}') FROM case_file WHERE {ON_A_CASE}) AS busy,
           (SELECT case_no || ' ' || action FROM event WHERE action_id = :action_id) AS done,
           (SELECT ARRAY[action, actor] FROM event e WHERE e.case_no = c.case_no AND e.seq = c.seq) AS last
    FROM case_file c JOIN report r ON r.id = c.report_id WHERE c.case_no = :case_no"""  # noqa: S608
)


async def gather_for_action(connection: AsyncConnection, case_no: str, action_id: UUID) -> ActionFacts:
    """One read before an action."""
    row = (await connection.execute(_GATHER_ACTION, {"case_no": case_no, "action_id": action_id})).mappings().first()
    if row is None:
        return ActionFacts(None, frozenset(), None, ("", ""))
    done = tuple(row["done"].split(" ", 1)) if row["done"] else None
    return ActionFacts(as_case(row), frozenset(row["busy"]), done, tuple(row["last"]))


# --- reading the record -----------------------------------------------------------------------------------------


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
           c.received_at AS opened_at, c.matter AS case_matter, c.urgency AS case_urgency, c.township AS case_township,
           c.grid AS case_grid, ST_X(c.geom) AS case_lon, ST_Y(c.geom) AS case_lat, r.id, r.given_lon, r.given_lat,
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
