"""Opening a case and moving it on: each written by one statement that checks what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.audit import Entry
from dispatch.errors import UnknownPhoto
from dispatch.history import History, Step
from dispatch.model import Action, CaseRow, Report, State
from dispatch.store.cases import COLUMNS, HOLDING, as_case
from dispatch.store.engine import for_driver, write

TRIES: Final = 8
"""How often a decision is made again because another case got the unit meanwhile."""


class AlreadyThere(Exception):
    """Another request wrote the same report or action a moment before."""


class UnitTaken(Exception):
    """Another case got the unit a moment before."""


class AnotherEdition(Exception):
    """Another edition was enacted since the decision was made."""


ON_A_CASE: Final = f"unit IS NOT NULL AND {HOLDING}"

_NUMBERS: Final = text("SELECT nextval('case_number') FROM generate_series(1, :count)")


async def take_numbers(connection: AsyncConnection, count: int) -> list[int]:
    """Numbers for new cases that nobody else will have; those that are not used leave a gap."""
    return [int(number) for number in (await connection.execute(_NUMBERS, {"count": count})).scalars()]


async def known(connection: AsyncConnection, report_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of the reports that came before."""
    query = text("SELECT id FROM report WHERE id = ANY(CAST(:ids AS uuid[]))")
    return frozenset((await connection.execute(query, {"ids": list(report_ids)})).scalars())


async def photos_are_here(connection: AsyncConnection, photos: Sequence[str]) -> None:
    """Raises `UnknownPhoto` for the first of the digests of which there is no photo."""
    query = text(
        "SELECT asked FROM unnest(CAST(:photos AS text[])) AS asked WHERE asked NOT IN (SELECT sha256 FROM photo)"
    )
    if missing := (await connection.execute(query, {"photos": list(photos)})).scalars().first():
        raise UnknownPhoto({"field": "photos"}, sha256=missing)


_POINT: Final = "ST_SetSRID(ST_MakePoint(lon, lat), 4326)"

_OPEN: Final = for_driver(
    f"""
    WITH given AS MATERIALIZED (
        SELECT * FROM json_to_recordset(CAST(:openings AS json)) AS one (
            id uuid, lon float8, lat float8, given_lon float8, given_lat float8, datum text, accuracy_m float8,
            seen_at timestamptz, received_at timestamptz, source text, matter text, text text, contact jsonb,
            photos text[], source_ref text, case_no text, state text, urgency int, team text, unit text, eta_s int,
            mode text, township text, grid text, zones jsonb, due_at timestamptz, clock jsonb, notes text[],
            action text, actor text, data json, prev bytea, sealed bytea)
    ), actual AS MATERIALIZED (
        SELECT coalesce(array_agg(unit ORDER BY unit COLLATE "C"), '{{}}') AS busy,
               (SELECT coalesce(max(number), 0) FROM enactment) AS enacted
        FROM case_file
        WHERE unit = ANY(CAST(:units AS text[])) AND {ON_A_CASE}
    ), reported AS (
        INSERT INTO report (id, geom, given_lon, given_lat, datum, accuracy_m, seen_at, received_at, source, matter,
                            text, contact, photos, source_ref)
        SELECT id, {_POINT}, given_lon, given_lat, datum, accuracy_m, seen_at, received_at, source, matter, text,
               contact, photos, source_ref
        FROM given, actual WHERE busy = CAST(:busy AS text[]) AND enacted = :enacted
        ORDER BY id
        RETURNING id
    ), opened AS (
        INSERT INTO case_file (case_no, report_id, state, seq, sealed, matter, urgency, team, unit, eta_s, mode, geom,
                               accuracy_m, township, grid, zones, seen_at, received_at, changed_at, due_at, next_at,
                               clock, notes)
        SELECT case_no, id, state, 1, sealed, matter, urgency, team, unit, eta_s, mode, {_POINT},
               accuracy_m, township, grid, zones, seen_at, received_at, received_at, due_at, due_at, clock, notes
        FROM reported JOIN given USING (id)
        ORDER BY unit COLLATE "C"
        RETURNING case_no
    ), told AS (
        INSERT INTO event (action_id, case_no, seq, at, action, actor, data, prev, sealed)
        SELECT id, case_no, 1, received_at, action, actor, data, prev, sealed FROM opened JOIN given USING (case_no)
        ORDER BY case_no
        RETURNING id
    )
    SELECT busy, enacted, EXISTS (SELECT FROM told) AS written FROM actual"""
)
"""One parameter holds all of the rows: fifty for each would cost more than PostgreSQL's own work.

Reports go in by id and then cases by unit, so that two workers which write at once never wait for each other in a ring.
"""


@dataclass(frozen=True, slots=True)
class Opening:
    """A report, the case that it opens, and the event that opens it."""

    report: Report
    case: CaseRow
    entry: Entry


@dataclass(frozen=True, slots=True)
class Assumed:
    """What decisions rest on: of these units, those are on a case; that was the last edition to be enacted."""

    units: frozenset[str]
    busy: frozenset[str]
    enacted: int


@dataclass(frozen=True, slots=True)
class Truth:
    """What is so instead of what was assumed."""

    busy: frozenset[str]
    enacted: int


async def open_cases(connection: AsyncConnection, openings: Sequence[Opening], assumed: Assumed) -> Truth | None:
    """Write all of them if what was assumed is so (None); if not, nothing, and answer what is so.

    Asking and writing in one statement saves a round trip. Raises `AlreadyThere`, `UnitTaken`, and then too nothing is
    written.
    """
    values = {
        "openings": orjson.dumps([_opening_values(one) for one in openings]).decode(),
        "units": list(assumed.units),
        "busy": sorted(assumed.busy),
        "enacted": assumed.enacted,
    }
    busy, enacted, written = await _write(connection, _OPEN, values) or ([], 0, False)
    return None if written else Truth(frozenset(busy), enacted)


def _opening_values(opening: Opening) -> dict[str, Any]:
    report, case, event = opening.report, opening.case, opening.entry.event
    return {
        "id": report.id,
        "lon": report.lon,
        "lat": report.lat,
        "given_lon": report.given_lon,
        "given_lat": report.given_lat,
        "datum": report.datum,
        "accuracy_m": report.accuracy_m,
        "seen_at": report.seen_at,
        "received_at": report.received_at,
        "source": report.source,
        "matter": report.matter,
        "text": report.text,
        "contact": dict(report.contact),
        "photos": report.photos,
        "source_ref": report.source_ref,
        "case_no": case.case_no,
        **_case_values(case),
        "urgency": case.urgency,
        "township": case.township,
        "grid": case.grid,
        "zones": case.zones,
        "clock": case.clock,
        "notes": case.notes,
        "action": event.action,
        "actor": event.actor,
        "data": orjson.Fragment(opening.entry.text),
        "prev": f"\\x{event.prev.hex()}",
        "sealed": f"\\x{opening.entry.sealed.hex()}",
    }


_STANDS: Final = """
            state = :state, seq = :seq, sealed = :sealed, team = :team, unit = :unit, eta_s = :eta_s, mode = :mode,
            changed_at = :changed_at, due_at = :due_at, level = :level, stage = :stage, merged_into = :merged_into,
            suspended_until = :suspended_until, suspended_from = :suspended_from, next_at = :next_at,
            clock = CAST(:clock AS jsonb)"""
_LIES: Final = """,
            geom = ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), accuracy_m = :accuracy_m, township = :township,
            grid = :grid, zones = CAST(:zones AS jsonb), notes = CAST(:notes AS text[])"""


_MOVED: Final = "WHERE case_no = :case_no AND seq = :seq - 1"
_TELL: Final = """
        INSERT INTO event (action_id, case_no, seq, at, action, actor, data, prev, sealed)
        SELECT :action_id, case_no, :seq, :at, :action, :actor, CAST(:data AS json), :prev, :sealed FROM moved
        RETURNING id"""

_ADVANCE: Final = for_driver(f"WITH moved AS (UPDATE case_file SET {_STANDS} {_MOVED} RETURNING case_no) {_TELL}")


def _if_enacted(columns: str) -> str:
    return for_driver(
        f"""
    WITH actual AS MATERIALIZED (SELECT coalesce(max(number), 0) AS enacted FROM enactment), moved AS (
        UPDATE case_file SET {columns} FROM actual {_MOVED} AND actual.enacted = :enacted RETURNING case_no
    ), told AS ({_TELL}
    )
    SELECT enacted, EXISTS (SELECT FROM told) AS written FROM actual"""
    )


# Both cases or neither: each as it was when that was decided.
_PAIR: Final = f"""
        SELECT case_no FROM case_file
        WHERE ((case_no = :case_no AND seq = :seq - 1) OR (case_no = :into AND seq = :into_seq - 1)) {{also}}
        ORDER BY case_no FOR UPDATE
    ), moved AS (
        UPDATE case_file SET {_STANDS} {_MOVED} AND (SELECT count(*) FROM pair) = 2 RETURNING case_no
    ), joined AS (
        UPDATE case_file SET seq = :into_seq, sealed = :into_sealed
        WHERE case_no = :into AND seq = :into_seq - 1 AND (SELECT count(*) FROM pair) = 2 RETURNING case_no
    ), told_there AS (
        INSERT INTO event (action_id, case_no, seq, at, action, actor, data, prev, sealed)
        SELECT :into_action_id, case_no, :into_seq, :at, :into_action, :actor, CAST(:into_data AS json), :into_prev,
               :into_sealed
        FROM joined
    )"""
_MERGE: Final = for_driver(f"WITH pair AS MATERIALIZED ({_PAIR.format(also='')} {_TELL}")
_PART: Final = for_driver(
    f"""
    WITH actual AS MATERIALIZED (SELECT coalesce(max(number), 0) AS enacted FROM enactment), pair AS MATERIALIZED (
        {_PAIR.format(also="AND (SELECT enacted FROM actual) = :enacted")}, told AS ({_TELL}
    )
    SELECT enacted, EXISTS (SELECT FROM told) AS written FROM actual"""
)

_SEND: Final = _if_enacted(_STANDS)
_RELOCATE: Final = _if_enacted(_STANDS + _LIES)


async def advance_case(connection: AsyncConnection, case: CaseRow, entry: Entry) -> bool:
    """Write the case as it now stands and its event; False when somebody else moved it first (nothing is written).

    For what keeps the case's team and unit, or sets it free. Raises `AlreadyThere` when the action's id is known.
    """
    return await _write(connection, _ADVANCE, _moved_values(case, entry)) is not None


async def merge_case(connection: AsyncConnection, case: CaseRow, entry: Entry, into: CaseRow, told: Entry) -> bool:
    """As `advance_case`, for a case that is merged into another, with the event that this leaves with the other one."""
    values = {**_moved_values(case, entry), **_there(into, told)}
    return await _write(connection, _MERGE, values) is not None


async def send_case(connection: AsyncConnection, case: CaseRow, entry: Entry, enacted: int) -> bool:
    """As `advance_case`, where a team or a unit was chosen.

    enacted: the last enactment that was known when it was decided. Raises `AnotherEdition` and `UnitTaken` too: then
    nothing is written.
    """
    values = _moved_values(case, entry)
    return await _write_if_enacted(connection, _SEND, values, enacted)


async def part_case(
    connection: AsyncConnection, case: CaseRow, entry: Entry, into: CaseRow, told: Entry, enacted: int
) -> bool:
    """As `send_case`, for a case that was merged into another, with the event that this leaves with the other one."""
    values = {**_moved_values(case, entry), **_there(into, told)}
    return await _write_if_enacted(connection, _PART, values, enacted)


def _there(into: CaseRow, told: Entry) -> dict[str, Any]:
    """The event that is left with the other case."""
    return {f"into_{name}": value for name, value in _event_values(told).items()} | {"into": into.case_no}


async def relocate_case(connection: AsyncConnection, case: CaseRow, entry: Entry, enacted: int) -> bool:
    """As `send_case`, also where it lies, and what follows from that."""
    values = _moved_values(case, entry)
    values |= {name: getattr(case, name) for name in ("lon", "lat", "accuracy_m", "township", "grid")}
    values |= {"zones": orjson.dumps(case.zones).decode(), "notes": list(case.notes)}
    return await _write_if_enacted(connection, _RELOCATE, values, enacted)


async def _write_if_enacted(
    connection: AsyncConnection, statement: str, values: Mapping[str, Any], enacted: int
) -> bool:
    actual, written = await _write(connection, statement, {**values, "enacted": enacted}) or (enacted, False)
    if actual != enacted:
        raise AnotherEdition
    return bool(written)


async def _write(connection: AsyncConnection, statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    try:
        return await write(connection, statement, values)
    except psycopg.errors.UniqueViolation as error:
        match error.diag.constraint_name:
            case "ix_case_file_unit_on_case":
                raise UnitTaken from error
            case "report_pkey" | "ix_report_source_ref" | "case_file_report_id_key" | "event_action_id_key":
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
        "changed_at": case.changed_at,
        "level": case.level,
        "stage": case.stage.value if case.stage else None,
        "merged_into": case.merged_into,
        "suspended_until": case.suspended_until,
        "suspended_from": case.suspended_from.value if case.suspended_from else None,
        "next_at": case.next_at,
    }


def _moved_values(case: CaseRow, entry: Entry) -> dict[str, Any]:
    clock = None if case.clock is None else orjson.dumps(case.clock).decode()
    return {**_event_values(entry), **_case_values(case), "clock": clock}


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """What an action needs to know."""

    case: CaseRow | None
    busy: frozenset[str]
    done: tuple[str, str] | None
    """(case, action) of the event that already has this action's id."""
    history: History


_GATHER_ACTION: Final = text(
    f"""
    SELECT {COLUMNS}, (SELECT coalesce(array_agg(unit), '{{}}') FROM case_file WHERE {ON_A_CASE}) AS busy,
           (SELECT case_no || ' ' || action FROM event WHERE action_id = :action_id) AS done,
           (SELECT json_agg(json_build_array(action_id, action, actor, data #> '{{after,state}}',
                                             data #> '{{after,team}}', data -> 'sides', data -> 'whose') ORDER BY seq)
            FROM event e WHERE e.case_no = c.case_no) AS steps
    FROM case_file c JOIN report r ON r.id = c.report_id WHERE c.case_no = :case_no"""
)


async def gather_for_action(connection: AsyncConnection, case_no: str, action_id: UUID) -> ActionFacts:
    """One read before an action."""
    row = (await connection.execute(_GATHER_ACTION, {"case_no": case_no, "action_id": action_id})).mappings().first()
    if row is None:
        return ActionFacts(None, frozenset(), None, History(()))
    done = tuple(row["done"].split(" ", 1)) if row["done"] else None
    return ActionFacts(as_case(row), frozenset(row["busy"]), done, _history(row["steps"]))


def _history(steps: Sequence[Sequence[Any]]) -> History:
    return History(
        tuple(
            Step(id, Action(action), actor, State(state), team, {"sides": sides or [], "whose": whose or ""})
            for id, action, actor, state, team, sides, whose in steps  # noqa: A001  (as the record calls it)
        )
    )
