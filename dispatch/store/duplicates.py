"""What is open near a place; which cases were joined; what came lately. By the spatial index of the cases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.duplicates import (
    Known,
    Sameness,
    Sighting,
    degrees_around,
    look_through,
    moved_m,
    numbers_of,
    words_of,
)
from dispatch.incidents import Member
from dispatch.model import CaseRow, Source, State
from dispatch.store.cases import COLUMNS, UNFINISHED, as_case
from geo.datum import Datum

NameOf = Callable[[str], str]
"""The name of a matter or class, which says nothing in a text of it."""

_SEEN: Final = """
    c.case_no, ST_X(c.geom) AS lon, ST_Y(c.geom) AS lat, c.accuracy_m, c.seen_at, c.matter, c.notes,
    r.text, r.photos, r.given_lon, r.given_lat, r.datum"""
_LED: Final = """
    led AS (
        SELECT DISTINCT case_no AS joined, case_no, state, merged_into FROM near
        UNION ALL
        SELECT l.joined, c.case_no, c.state, c.merged_into
        FROM led l JOIN case_file c ON c.case_no = l.merged_into AND l.state = 'merged'
    )"""
"""From each of `near` along its mergers; the last of each is the leading case."""
NEAR: Final = text(
    f"""
    WITH RECURSIVE asked AS (
        SELECT * FROM unnest(
            CAST(:west AS float8[]), CAST(:south AS float8[]), CAST(:east AS float8[]), CAST(:north AS float8[]),
            CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[]), CAST(:classes AS text[])
        ) WITH ORDINALITY AS a (west, south, east, north, since, until, class, place)
    ), near AS (
        SELECT a.place, c.case_no, c.state, c.merged_into
        FROM asked a JOIN case_file c ON c.geom && ST_MakeEnvelope(a.west, a.south, a.east, a.north, 4326)
        WHERE c.seen_at BETWEEN a.since AND a.until AND starts_with(c.matter, a.class)
          AND c.state NOT IN ('closed', 'cancelled')
    ), {_LED}
    SELECT n.place, l.case_no AS lead, {_SEEN}
    FROM near n JOIN led l ON l.joined = n.case_no AND {UNFINISHED.replace("state", "l.state")}
    JOIN case_file c ON c.case_no = n.case_no JOIN report r ON r.id = c.report_id
    ORDER BY n.place, c.received_at, c.case_no"""
)


async def open_near(
    connection: AsyncConnection, sightings: Sequence[Sighting], sameness: Sameness, name_of: NameOf
) -> list[list[Known]]:
    """Of each sighting what is open within its reach, a little more, and what was merged into that."""
    found: list[list[Known]] = [[] for _ in sightings]
    for row in (await connection.execute(NEAR, boxes(sightings, sameness))).mappings():
        found[row["place"] - 1].append(Known(row["lead"], as_sighting(row, name_of)))
    return found


def boxes(sightings: Sequence[Sighting], sameness: Sameness) -> dict[str, list[object]]:
    """The values of `NEAR`: in space, time and matter what is looked through for each."""
    values: dict[str, list[object]] = {
        name: [] for name in ("west", "south", "east", "north", "since", "until", "classes")
    }
    for one in sightings:
        reach = look_through(one, sameness)
        east, north = degrees_around(one.lat, reach.radius_m)
        span = timedelta(hours=reach.hours)
        told = (one.lon - east, one.lat - north, one.lon + east, one.lat + north, one.seen_at - span)
        for name, value in zip(values, (*told, one.seen_at + span, one.matter[:2]), strict=True):
            values[name].append(value)
    return values


_CASES: Final = text(
    f"""
    SELECT {_SEEN} FROM case_file c JOIN report r ON r.id = c.report_id
    WHERE c.case_no = ANY(CAST(:cases AS text[]))"""
)


async def sightings_of(connection: AsyncConnection, cases: Sequence[str], name_of: NameOf) -> Mapping[str, Sighting]:
    """What each of these cases was opened by, where it lies now."""
    rows = (await connection.execute(_CASES, {"cases": list(cases)})).mappings()
    return {row["case_no"]: as_sighting(row, name_of) for row in rows}


def as_sighting(row: RowMapping, name_of: NameOf) -> Sighting:
    """A row of `_SEEN`."""
    off = 0.0
    if "snapped" in row["notes"]:
        off = moved_m(row["lon"], row["lat"], row["given_lon"], row["given_lat"], Datum(row["datum"]))
    return Sighting(
        lon=row["lon"],
        lat=row["lat"],
        accuracy_m=row["accuracy_m"],
        seen_at=row["seen_at"],
        matter=row["matter"],
        words=words_of(row["text"], name_of(row["matter"])),
        numbers=numbers_of(row["text"]),
        photos=frozenset(row["photos"]),
        moved_m=off,
    )


_ROWS: Final = text(
    f"SELECT {COLUMNS} FROM case_file c JOIN report r ON r.id = c.report_id "
    "WHERE c.case_no = ANY(CAST(:cases AS text[]))"
)


async def which_cases(connection: AsyncConnection, cases: Sequence[str]) -> Mapping[str, CaseRow]:
    """The cases of these numbers."""
    rows = (await connection.execute(_ROWS, {"cases": list(cases)})).mappings() if cases else ()
    return {row["case_no"]: as_case(row) for row in rows}


_LEAD: Final = text(
    f"""
    WITH RECURSIVE near AS (SELECT case_no, state, merged_into FROM case_file WHERE case_no = :case), {_LED}
    SELECT {COLUMNS} FROM led l JOIN case_file c ON c.case_no = l.case_no JOIN report r ON r.id = c.report_id
    WHERE c.{UNFINISHED} FOR UPDATE OF c"""
)


async def lock_open_lead(connection: AsyncConnection, case: str) -> CaseRow | None:
    """The open case that this one is, or was merged into at last, kept from moving meanwhile; None: there is none."""
    row = (await connection.execute(_LEAD, {"case": case})).mappings().one_or_none()
    return as_case(row) if row else None


@asynccontextmanager
async def as_one(connection: AsyncConnection) -> AsyncIterator[None]:
    """What is written within is one transaction."""
    pooled = await connection.get_raw_connection()
    driver = pooled.driver_connection
    assert driver is not None  # noqa: S101  (only of a connection that was given back)
    async with driver.transaction():
        yield


_LATELY: Final = text(
    f"""
    WITH RECURSIVE near AS (
        SELECT case_no, state, merged_into FROM case_file WHERE received_at >= :since
    ), {_LED}
    SELECT c.case_no, l.case_no AS lead, l.state AS lead_state, l.{UNFINISHED} AS is_open,
           ST_X(c.geom) AS lon, ST_Y(c.geom) AS lat, c.seen_at, c.matter
    FROM near n JOIN led l ON l.joined = n.case_no AND l.state <> 'merged' JOIN case_file c ON c.case_no = n.case_no
    ORDER BY c.received_at, c.case_no"""
)


async def last_event(connection: AsyncConnection) -> int:
    """The number of the event that was written last; 0: there is none."""
    return int((await connection.execute(text("SELECT coalesce(max(id), 0) FROM event"))).scalar_one())


async def came_lately(connection: AsyncConnection, since: datetime) -> list[Member]:
    """Every case received since, in the order in which they came, with the case that leads it."""
    rows = (await connection.execute(_LATELY, {"since": since})).mappings()
    return [
        Member(
            case=row["case_no"],
            lead=row["lead"],
            is_open=row["is_open"],
            counts=row["lead_state"] != State.CANCELLED,
            lon=row["lon"],
            lat=row["lat"],
            seen_at=row["seen_at"],
            matter=row["matter"],
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Reporter:
    """A report that belongs to a case; nothing of who sent it."""

    report: UUID
    case: str
    """That it opened."""
    source: Source
    seen_at: datetime
    received_at: datetime
    has_contact: bool


_REPORTERS: Final = text(
    """
    WITH RECURSIVE joined AS (
        SELECT case_no, report_id FROM case_file WHERE case_no = :case
        UNION SELECT c.case_no, c.report_id FROM case_file c JOIN joined j ON c.merged_into = j.case_no
    )
    SELECT r.id, j.case_no, r.source, r.seen_at, r.received_at, r.contact <> '{}' AS has_contact
    FROM joined j JOIN report r ON r.id = j.report_id ORDER BY r.received_at, j.case_no"""
)


async def reporters_of(connection: AsyncConnection, case: str) -> list[Reporter]:
    """All who reported what the case is about, the case's own report among them, by time; empty: no such case."""
    rows = await connection.execute(_REPORTERS, {"case": case})
    return [
        Reporter(row.id, row.case_no, Source(row.source), row.seen_at, row.received_at, row.has_contact) for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a report."""

    case: str
    """That it opened."""
    lead: str
    """That it was merged into at last; else the same."""
    state: State
    """Of the leading case."""
    received_at: datetime
    changed_at: datetime


_STANDING: Final = text(
    f"""
    WITH RECURSIVE near AS (SELECT case_no, state, merged_into FROM case_file WHERE report_id = :report), {_LED}
    SELECT l.joined, l.case_no AS lead, l.state, o.received_at, c.changed_at
    FROM led l JOIN case_file c ON c.case_no = l.case_no JOIN case_file o ON o.case_no = l.joined
    WHERE l.state <> 'merged'"""
)


async def standing_of(connection: AsyncConnection, report: UUID) -> Standing | None:
    """Where the thing stands that this report is of; None: there is no such report."""
    row = (await connection.execute(_STANDING, {"report": report})).one_or_none()
    return Standing(row.joined, row.lead, State(row.state), row.received_at, row.changed_at) if row else None
