"""Cases as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.model import CaseRow, Mode, Report, Source, Stage, State
from geo.datum import Datum


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases a list is asked for; None means any."""

    state: str | None = None
    team: str | None = None
    matter: str | None = None
    """A matter, or a class (all of its matters)."""
    unit: str | None = None
    open: bool | None = None
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees."""
    since: datetime | None = None
    until: datetime | None = None
    """Received at or after `since`, before `until`."""
    zone: str | None = None
    """A zone's code, or `layer:code` where several layers use it."""


COLUMNS: Final = """
    c.case_no, c.report_id, c.state, c.seq, c.sealed, c.matter, c.urgency, c.team, c.unit, c.eta_s, c.mode,
    ST_X(c.geom) AS lon, ST_Y(c.geom) AS lat, c.township, c.grid, c.zones, c.seen_at, c.received_at, c.changed_at,
    c.due_at, c.notes, c.accuracy_m, c.level, c.stage, c.merged_into, c.suspended_until, c.suspended_from,
    c.clock, c.next_at, r.source, r.text, r.photos, r.source_ref"""

HOLDING: Final = "state IN ('assigned', 'accepted', 'on_the_way', 'on_scene')"
"""That a case's unit is on it: `lifecycle.HOLDS_UNIT`, in the words of the index that keeps a unit to one case."""
UNFINISHED: Final = "state NOT IN ('closed', 'merged', 'cancelled')"
"""That somebody must still do something about it: `lifecycle.OPEN`, in the words of the index on open cases."""


def as_case(row: RowMapping | Mapping[str, Any]) -> CaseRow:
    """A row of `COLUMNS`."""
    return CaseRow(
        **{
            **{key: row[key] for key in CaseRow.__slots__},
            "state": State(row["state"]),
            "mode": Mode(row["mode"]) if row["mode"] else None,
            "sealed": bytes(row["sealed"]),
            "source": Source(row["source"]),
            "photos": tuple(row["photos"]),
            "notes": tuple(row["notes"]),
            "stage": Stage(row["stage"]) if row["stage"] else None,
            "suspended_from": State(row["suspended_from"]) if row["suspended_from"] else None,
        }
    )


_BY_NUMBER: Final = text(
    f"SELECT {COLUMNS} FROM case_file c JOIN report r ON r.id = c.report_id WHERE c.case_no = :case_no"
)
_BY_REPORT: Final = text(
    f"SELECT {COLUMNS} FROM case_file c JOIN report r ON r.id = c.report_id WHERE c.report_id = :report_id"
)


async def which_case(connection: AsyncConnection, case_no: str) -> CaseRow | None:
    """The case of this number."""
    row = (await connection.execute(_BY_NUMBER, {"case_no": case_no})).mappings().first()
    return as_case(row) if row else None


async def which_decision(connection: AsyncConnection, case_no: str) -> Mapping[str, Any]:
    """The case's last decision: as it was opened, or its place last corrected. As `routing.as_json` writes it.

    NoResultFound when there is no such case.
    """
    query = text(
        "SELECT data -> 'decision' FROM event WHERE case_no = :case_no AND action IN ('report', 'relocate') "
        "ORDER BY seq DESC LIMIT 1"
    )
    found: Mapping[str, Any] = (await connection.execute(query, {"case_no": case_no})).scalar_one()
    return found


async def case_of_report(connection: AsyncConnection, report_id: UUID) -> CaseRow:
    """The case that this report opened. NoResultFound when there is none."""
    return as_case((await connection.execute(_BY_REPORT, {"report_id": report_id})).mappings().one())


_REPORT: Final = text(
    """
    SELECT id, ST_X(geom) AS lon, ST_Y(geom) AS lat, given_lon, given_lat, datum, accuracy_m, seen_at, received_at,
           source, matter, text, contact, photos, source_ref
    FROM report WHERE id = :id"""
)


async def which_report(connection: AsyncConnection, report_id: UUID) -> Report:
    """The report of this id, contact and all. NoResultFound when there is none."""
    return as_report((await connection.execute(_REPORT, {"id": report_id})).mappings().one())


_JOINED: Final = text(
    """
    WITH RECURSIVE joined AS (
        SELECT case_no, report_id FROM case_file WHERE merged_into = :case_no
        UNION SELECT c.case_no, c.report_id FROM case_file c JOIN joined j ON c.merged_into = j.case_no
    )
    SELECT j.case_no, r.id, ST_X(r.geom) AS lon, ST_Y(r.geom) AS lat, r.given_lon, r.given_lat, r.datum, r.accuracy_m,
           r.seen_at, r.received_at, r.source, r.matter, r.text, r.contact, r.photos, r.source_ref
    FROM joined j JOIN report r ON r.id = j.report_id ORDER BY r.received_at, j.case_no"""
)


async def joined_reports(connection: AsyncConnection, case_no: str) -> list[tuple[str, Report]]:
    """The reports of the cases that were merged into this one, and into those: with their numbers, by time."""
    rows = (await connection.execute(_JOINED, {"case_no": case_no})).mappings()
    return [(row["case_no"], as_report(row)) for row in rows]


def as_report(row: RowMapping | Mapping[str, Any]) -> Report:
    """A row of the report table with `lon` and `lat`."""
    return Report(
        **{
            **{key: row[key] for key in Report.__slots__},
            "datum": Datum(row["datum"]),
            "source": Source(row["source"]),
            "photos": tuple(row["photos"]),
        }
    )


async def list_cases(
    connection: AsyncConnection, wanted: CaseFilter, limit: int, after: tuple[datetime, str] | None
) -> list[CaseRow]:
    """Newest first; `after` is the (received_at, case_no) of the last row of the page before."""
    where, values = conditions(wanted)
    if after:
        where.append("(c.received_at, c.case_no) < (:after_at, :after_no)")
        values |= {"after_at": after[0], "after_no": after[1]}
    query = text(
        f"SELECT {COLUMNS} FROM case_file c JOIN report r ON r.id = c.report_id "
        f"WHERE {' AND '.join(where) or 'true'} ORDER BY c.received_at DESC, c.case_no DESC LIMIT :limit"
    )
    rows = (await connection.execute(query, {**values, "limit": limit})).mappings()
    return [as_case(row) for row in rows]


def conditions(wanted: CaseFilter) -> tuple[list[str], dict[str, Any]]:
    """A filter as SQL conditions on `c` and the values they name. Only fixed text goes into the SQL."""
    clauses = {
        "state": "c.state = :state",
        "team": "c.team = :team",
        "matter": "starts_with(c.matter, :matter)",
        "unit": "c.unit = :unit",
        "since": "c.received_at >= :since",
        "until": "c.received_at < :until",
        "zone": "EXISTS (SELECT FROM jsonb_each(c.zones) AS held "
        "WHERE held.value ? :zone AND held.key = COALESCE(:layer, held.key))",
    }
    values = {name: getattr(wanted, name) for name in clauses if getattr(wanted, name) is not None}
    where = [clauses[name] for name in values]
    if wanted.zone is not None:
        layer, _, values["zone"] = wanted.zone.rpartition(":")
        values["layer"] = layer or None
    if wanted.open is not None:
        where.append(f"c.{UNFINISHED}" if wanted.open else f"NOT c.{UNFINISHED}")
    if wanted.bbox is not None:
        where.append("c.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)")
        values |= dict(zip(("west", "south", "east", "north"), wanted.bbox, strict=True))
    return where, values


WAITING: Final = "state IN ('assigned', 'accepted') AND unit IS NULL"
"""That it waits for a unit (待派)."""

_COUNTERS: Final = text(
    f"""
    SELECT count(*) FILTER (WHERE {UNFINISHED}) AS open,
           count(*) FILTER (WHERE {WAITING}) AS waiting,
           count(*) FILTER (WHERE state = 'assigned' AND changed_at < :unclaimed_before) AS unclaimed,
           count(*) FILTER (WHERE ({HOLDING} OR state IN ('returned', 'disputed')) AND due_at < :now) AS late,
           count(*) FILTER (WHERE state = 'returned') AS returned,
           count(*) FILTER (WHERE state = 'triage') AS triage,
           count(*) FILTER (WHERE state = 'disputed') AS disputed,
           count(*) FILTER (WHERE state = 'suspended') AS suspended,
           count(*) FILTER (WHERE state = 'closed' AND changed_at >= :today) AS closed_today,
           count(*) FILTER (WHERE received_at >= :today) AS received_today
    FROM case_file
    WHERE {UNFINISHED} OR changed_at >= :today OR received_at >= :today"""
)


async def counters(
    connection: AsyncConnection, now: datetime, unclaimed_before: datetime, today: datetime
) -> Mapping[str, int]:
    """The figures on top of the map; `today` is the district's midnight."""
    values = {"now": now, "unclaimed_before": unclaimed_before, "today": today}
    return dict((await connection.execute(_COUNTERS, values)).mappings().one())


async def open_cases_by_team(connection: AsyncConnection) -> Mapping[str, int]:
    """Team code -> cases that are open."""
    query = text(f"SELECT team, count(*) AS n FROM case_file WHERE {UNFINISHED} GROUP BY team")
    return {str(row.team): int(row.n) for row in await connection.execute(query)}


async def case_by_unit(connection: AsyncConnection) -> Mapping[str, str]:
    """Unit code -> number of the case it is on."""
    query = text(f"SELECT unit, case_no FROM case_file WHERE unit IS NOT NULL AND {HOLDING}")
    return {str(row.unit): str(row.case_no) for row in await connection.execute(query)}


async def case_points(connection: AsyncConnection, wanted: CaseFilter) -> list[RowMapping]:
    """For the analyst's files: case_no, lon, lat, matter, team, state, received_at, grid, by time."""
    where, values = conditions(wanted)
    query = text(
        "SELECT c.case_no, ST_X(c.geom) AS lon, ST_Y(c.geom) AS lat, c.matter, c.team, c.state, c.received_at, c.grid "
        f"FROM case_file c WHERE {' AND '.join(where) or 'true'} ORDER BY c.received_at, c.case_no"
    )
    return list((await connection.execute(query, values)).mappings())
