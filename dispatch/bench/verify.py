"""Verifying the whole record: a million made events, from PostgreSQL to the answer, in under 30 s.

The events are made: some real decisions of the district, again and again, each under its own number and sealed as any
other; the steps after it are three, as when a team takes, reaches and handles a case.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from dispatch import keys, routing
from dispatch.audit import Entry, Event, canonical, enter
from dispatch.auditing import Audited, audit
from dispatch.bench import Result, Tell
from dispatch.bench.points import inside
from dispatch.bench.serving import private_postgis
from dispatch.fleet import Fleet
from dispatch.ground import Ground
from dispatch.intake import Draft, place
from dispatch.model import Action, CaseRow, Report, State
from dispatch.notary import Notary
from dispatch.opening import after, opening, report_digest
from dispatch.store.engine import conninfo, migrate, open_engine

BAR_S: Final = 30.0
OF: Final = 1_000_000
TEMPLATES: Final = 300
STEPS: Final = ((Action.ACCEPT, State.ACCEPTED), (Action.ARRIVE, State.ON_SCENE), (Action.HANDLE, State.HANDLED))
EACH: Final = 1 + len(STEPS)
"""Events of a case."""
_BATCH: Final = 20_000

Made = tuple[Report, CaseRow, list[Entry]]
"""A report, its case as it stands in the end, its events."""


def run(ground: Ground, tell: Tell, events: int = OF) -> Result:
    """Make so many events, a checkpoint over them, and time the verification of everything."""
    cases = -(-events // EACH)
    with private_postgis() as postgis, TemporaryDirectory() as folder:
        engine = open_engine(postgis.url, 2)
        asyncio.run(migrate(engine))
        templates = openings(ground, TEMPLATES)
        with psycopg.connect(postgis.conninfo()) as connection:
            for done in range(0, cases, _BATCH):
                tell(f"{done * EACH} of {events} events made")
                write(connection, made(templates, done, min(_BATCH, cases - done)))
        tell("a checkpoint")
        began = time.perf_counter()
        signer = keys.signer(Path(folder) / "key")
        asyncio.run(Notary(conninfo(engine), signer, timedelta()).make(datetime.now(UTC)))
        checkpoint_s = time.perf_counter() - began
        tell("verifying")
        began = time.perf_counter()
        found = asyncio.run(_audit(postgis.url, {signer.public}))
        took = time.perf_counter() - began
    rate = found.events / took
    figures = {
        "seconds": round(took, 2),
        "bar_s": BAR_S,
        "events": found.events,
        "cases": found.cases,
        "checkpoints": found.checkpoints,
        "breaks": len(found.breaks),
        "events_per_s": round(rate),
        "seconds_for_a_million": round(OF / rate, 2),
        "checkpoint_s": round(checkpoint_s, 2),
        "processors": os.cpu_count(),
        "processor_s_of_walking": round(found.processor_s, 2),
        "memory_of_a_process_mb": round(found.memory_mb),
    }
    whole = (found.cases, found.events, len(found.breaks)) == (cases, cases * EACH, 0)
    return Result("bench verify", whole and OF / rate < BAR_S, figures)


async def _audit(url: str, trusted: set[bytes]) -> Audited:
    engine = open_engine(url, 1)
    try:
        return await audit(engine, trusted)
    finally:
        await engine.dispose()


def openings(ground: Ground, count: int) -> list[tuple[Report, CaseRow, Entry]]:
    """Real decisions of the district for made reports."""
    lon, lat = inside(ground, count, seed=11)
    matters = list(ground.district.matters)
    now = datetime.now(UTC)
    fleet = Fleet(ground.district, timedelta(minutes=5))
    found = []
    for number in range(count):
        draft = Draft(lon=lon[number], lat=lat[number], matter=matters[number % len(matters)], text="示意 made")
        placed = place(ground, draft, UUID(int=number), now, 366)
        report = placed.report
        weighed = ground.weigh(report.lon, report.lat, report.accuracy_m, placed.place, report.matter)
        decision = routing.decide(
            version=ground.district.version,
            ruling=weighed.ruling,
            place=placed.place,
            candidates=ground.candidates(weighed.ruling.team, weighed.lon, weighed.lat, fleet, now, frozenset()),
            busy=frozenset(),
            notes=placed.notes,
            facts=placed.facts,
            weighed=weighed,
        )
        case, entry = opening(ground, placed, decision, routing.as_json(decision), number)
        found.append((report, case, entry))
    return found


def made(templates: Sequence[tuple[Report, CaseRow, Entry]], first: int, count: int) -> Iterator[Made]:
    """So many cases from number `first` on, each with `EACH` events."""
    for number in range(first, first + count):
        report, case, entry = templates[number % len(templates)]
        case_no = f"{case.case_no[:-6]}{number:07d}"
        report = replace(report, id=UUID(int=(number << 8) + 1, version=4), contact={"name": f"示意 made-{number}-"})
        # A template differs in its digest alone: the rest of its text need not be written again.
        text = entry.text.replace(str(entry.event.data["report_digest"]), report_digest(report))
        event = replace(entry.event, id=str(report.id), case=case_no)
        entries = [Entry(event, text, sha256(canonical(event, text.encode())).digest())]
        for seq, (action, state) in enumerate(STEPS, start=2):
            entries.append(
                enter(
                    Event(
                        id=str(UUID(int=(number << 8) + seq, version=4)),
                        case=case_no,
                        seq=seq,
                        at=case.received_at + timedelta(minutes=seq),
                        action=action.value,
                        actor="示意 made",
                        data={"after": after(state, case.team, case.unit, case.due_at), "note": "已处置 made"},
                        prev=entries[-1].sealed,
                    )
                )
            )
        last = entries[-1]
        stands = replace(case, case_no=case_no, report_id=report.id, state=State.HANDLED, seq=EACH, sealed=last.sealed)
        yield report, stands, entries


_REPORT: Final = (
    *("id", "given_lon", "given_lat", "datum", "accuracy_m", "seen_at", "received_at", "source", "matter", "text"),
)
_CASE: Final = (
    *("case_no", "report_id", "state", "seq", "sealed", "matter", "urgency", "team", "unit", "eta_s", "mode"),
    *("accuracy_m", "township", "grid", "seen_at", "received_at", "changed_at", "due_at"),
)


def write(connection: psycopg.Connection[Any], cases: Iterator[Made]) -> None:
    """Put made cases into their tables, and commit."""
    tables = {
        "report": [*_REPORT, "geom", "contact", "photos"],
        "case_file": [*_CASE, "geom", "zones", "clock", "notes"],
        "event": ["action_id", "case_no", "seq", "at", "action", "actor", "data", "prev", "sealed"],
    }
    while part := list(islice(cases, _BATCH)):
        rows = {"report": map(_report_row, part), "case_file": map(_case_row, part), "event": _event_rows(part)}
        with connection.cursor() as cursor:
            for table, columns in tables.items():
                names = sql.SQL(", ").join(map(sql.Identifier, columns))
                into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
                with cursor.copy(into) as copy:
                    for row in rows[table]:
                        copy.write_row(row)
    connection.execute("ANALYZE report, case_file, event")
    connection.commit()


def _report_row(one: Made) -> list[Any]:
    report = one[0]
    said = [getattr(report, name) for name in _REPORT]
    return [*said, _point(report.lon, report.lat), psycopg.types.json.Jsonb(dict(report.contact)), list(report.photos)]


def _case_row(one: Made) -> list[Any]:
    case = one[1]
    said = [getattr(case, name) for name in _CASE]
    kept = [psycopg.types.json.Jsonb(one) for one in (case.zones, case.clock)]
    return [*said, _point(case.lon, case.lat), *kept, list(case.notes)]


def _event_rows(part: list[Made]) -> Iterator[list[Any]]:
    for _, _, entries in part:
        for entry in entries:
            e = entry.event
            yield [e.id, e.case, e.seq, e.at, e.action, e.actor, entry.text, e.prev, entry.sealed]


def _point(lon: float, lat: float) -> str:
    return f"SRID=4326;POINT({lon!r} {lat!r})"
