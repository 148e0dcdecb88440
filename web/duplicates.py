"""The same thing, reported again: asked before a report is sent and after; who reported it, and what they are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import shapely
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from dispatch import duplicates, incidents
from dispatch.district import District
from dispatch.duplicates import REASONS, Match
from dispatch.errors import UnknownCase, UnknownReport
from dispatch.intake import Draft, place
from dispatch.joining import names_of, sighting_of
from dispatch.lifecycle import OPEN, name
from dispatch.model import CaseRow, State
from dispatch.store import cases
from dispatch.store import duplicates as store
from dispatch.store.cases import CaseFilter
from dispatch.store.engine import connect
from web.casebook import case_cursor
from web.paging import Cursor, Limit, cut
from web.problems import PROBLEMS
from web.state import WorkerOf
from web.timeliness import moment
from web.views import json_answer

router = APIRouter(prefix="/api", tags=["duplicates"])

MOST_OFFERED: Final = 5


class DuplicateOut(BaseModel):
    """An open case that it may be the same as."""

    case: str
    score: float
    distance_m: float
    minutes: float
    text: float | None
    why: list[str]
    zh: str
    en: str
    state: State
    matter: str
    matter_name: str
    matter_name_en: str
    lon: float
    lat: float
    seen_at: datetime
    received_at: datetime
    said: str


class DuplicatesOut(BaseModel):
    """Likeliest first; empty: nothing is offered."""

    items: list[DuplicateOut]


class MaybeDuplicateOut(DuplicatesOut):
    """An open case that another open case may be the same as."""

    case: str


class MaybeDuplicatePage(BaseModel):
    """Of one page of open cases, newest first, those that may be the same as others."""

    items: list[MaybeDuplicateOut]
    next: str | None


class ReporterOut(BaseModel):
    """A report that belongs to a case; nothing of who sent it."""

    report: UUID
    case: str
    source: str
    seen_at: datetime
    received_at: datetime
    has_contact: bool


class ReportersOut(BaseModel):
    """By time; the case's own is among them."""

    items: list[ReporterOut]


class StandingOut(BaseModel):
    """What became of a report."""

    report: UUID
    case: str
    lead: str
    state: State
    over: bool
    received_at: datetime
    changed_at: datetime
    zh: str
    en: str


class IncidentOut(BaseModel):
    """Many cases that belong together; `outline` is a GeoJSON polygon."""

    incident: str
    kind: str
    name: str
    name_en: str
    cases: list[str]
    open: int
    reports: int
    first_seen: datetime
    last_seen: datetime
    lon: float
    lat: float
    outline: dict[str, Any]


class IncidentsOut(BaseModel):
    """Newest first."""

    items: list[IncidentOut]


@router.post(
    "/reports/duplicates",
    response_model=None,
    responses={200: {"model": DuplicatesOut}, **{code: PROBLEMS[code] for code in (400, 422, 503)}},
)
async def before_sending(draft: Draft, worker: WorkerOf) -> Response:
    """What is open already that this report, not sent yet, may be of. Nothing is kept."""
    ground = worker.ground
    placed = place(ground, draft, uuid4(), datetime.now(UTC), worker.settings.max_age_days)
    sighting = sighting_of(placed, ground.district)
    async with connect(worker.engine) as connection:
        known = await store.open_near(connection, [sighting], ground.district.sameness, names_of(ground.district))
        found = duplicates.rank(sighting, known[0], ground.district.sameness)[:MOST_OFFERED]
        rows = await store.which_cases(connection, [match.case for match in found])
    return json_answer({"items": _items(found, rows, ground.district)})


@router.get(
    "/cases/{case_no}/duplicates",
    response_model=None,
    responses={200: {"model": DuplicatesOut}, 404: PROBLEMS[404], 503: PROBLEMS[503]},
)
async def of_a_case(case_no: str, worker: WorkerOf) -> Response:
    """What else is open that this case may be the same as; `merge` joins them."""
    async with connect(worker.engine) as connection:
        case = await cases.which_case(connection, case_no)
        if case is None:
            raise UnknownCase(case=case_no)
        found = (await _offered(worker, connection, [case]))[case_no][:MOST_OFFERED]
        rows = await store.which_cases(connection, [match.case for match in found])
    return json_answer({"items": _items(found, rows, worker.ground.district)})


@router.get(
    "/duplicates",
    response_model=None,
    responses={200: {"model": MaybeDuplicatePage}, 422: PROBLEMS[422], 503: PROBLEMS[503]},
)
async def to_be_joined(worker: WorkerOf, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """Open cases that may be the same as an older open one; a page is of `limit` cases that were looked at."""
    async with connect(worker.engine) as connection:
        found = await cases.list_cases(connection, CaseFilter(open=True), limit + 1, case_cursor(cursor))
        page, following = cut("cases", found, limit, lambda row: (row.received_at.isoformat(), row.case_no))
        offered = await _offered(worker, connection, page)
        rows = await store.which_cases(connection, list({match.case for many in offered.values() for match in many}))
    items = []
    for case in page:
        older = [match for match in offered[case.case_no] if _came(rows[match.case]) < _came(case)]
        if older:
            items.append({"case": case.case_no, "items": _items(older[:MOST_OFFERED], rows, worker.ground.district)})
    return json_answer({"items": items, "next": following})


@router.get(
    "/cases/{case_no}/reporters",
    response_model=None,
    responses={200: {"model": ReportersOut}, 404: PROBLEMS[404], 503: PROBLEMS[503]},
)
async def reporters(case_no: str, worker: WorkerOf) -> Response:
    """All reports of what the case is about, without who sent them."""
    async with connect(worker.engine) as connection:
        found = await store.reporters_of(connection, case_no)
    if not found:
        raise UnknownCase(case=case_no)
    items = [
        {
            "report": str(one.report),
            "case": one.case,
            "source": one.source.value,
            "seen_at": moment(one.seen_at),
            "received_at": moment(one.received_at),
            "has_contact": one.has_contact,
        }
        for one in found
    ]
    return json_answer({"items": items})


@router.get(
    "/reports/{report}",
    response_model=None,
    responses={200: {"model": StandingOut}, **{code: PROBLEMS[code] for code in (404, 422, 503)}},
)
async def what_became(report: UUID, worker: WorkerOf) -> Response:
    """What became of a report: of its case, or of the one that leads it."""
    async with connect(worker.engine) as connection:
        found = await store.standing_of(connection, report)
    if found is None:
        raise UnknownReport(report=str(report))
    zh, en = _told(found)
    return json_answer(
        {
            "report": str(report),
            "case": found.case,
            "lead": found.lead,
            "state": found.state.value,
            "over": found.state not in OPEN,
            "received_at": moment(found.received_at),
            "changed_at": moment(found.changed_at),
            "zh": zh,
            "en": en,
        }
    )


@router.get("/incidents", response_model=None, responses={200: {"model": IncidentsOut}, 503: PROBLEMS[503]})
async def list_incidents(worker: WorkerOf) -> Response:
    """Where many cases of one kind came close together, as long as one of them is open."""
    district = worker.ground.district
    found = await worker.bursts.found(worker.engine, district)
    return json_answer({"items": [_incident(one, district) for one in found]})


async def _offered(worker: WorkerOf, connection: Any, rows: Iterable[CaseRow]) -> Mapping[str, list[Match]]:
    """For each of the cases the others that it may be the same as; none for what is over or merged already."""
    district = worker.ground.district
    offered: dict[str, list[Match]] = {row.case_no: [] for row in rows}
    still = [row.case_no for row in rows if row.state in OPEN]
    seen = await store.sightings_of(connection, still, names_of(district))
    known = await store.open_near(connection, list(seen.values()), district.sameness, names_of(district))
    for (case_no, sighting), near in zip(seen.items(), known, strict=True):
        others = [one for one in near if one.case != case_no]
        offered[case_no] = duplicates.rank(sighting, others, district.sameness)
    return offered


def _came(case: CaseRow) -> tuple[datetime, str]:
    return case.received_at, case.case_no


def _items(found: list[Match], rows: Mapping[str, CaseRow], district: District) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for match in found:
        case = rows[match.case]
        matter = district.matters.get(case.matter) or district.classes.get(case.matter)
        items.append(
            {
                "case": match.case,
                "score": round(match.score, 3),
                "distance_m": round(match.distance_m, 1),
                "minutes": round(match.minutes, 1),
                "text": None if match.text is None else round(match.text, 3),
                "why": list(match.why),
                "zh": "；".join(REASONS[code][0] for code in match.why),
                "en": "; ".join(REASONS[code][1] for code in match.why),
                "state": case.state.value,
                "matter": case.matter,
                "matter_name": matter.name if matter else case.matter,
                "matter_name_en": matter.name_en if matter else case.matter,
                "lon": case.lon,
                "lat": case.lat,
                "seen_at": moment(case.seen_at),
                "received_at": moment(case.received_at),
                "said": case.text,
            }
        )
    return items


def _told(found: store.Standing) -> tuple[str, str]:
    """What whoever reported it is told."""
    zh, en = f"案件 {found.lead}：{name(found.state, 'zh')}。", f"Case {found.lead}: {name(found.state, 'en')}."
    if found.lead == found.case:
        return zh, en
    joined = f"您反映的情况（{found.case}）与他人反映的为同一事项，已并案办理。"
    return joined + zh, f"What you reported ({found.case}) is the same as others did, and is dealt with as one. {en}"


def _incident(one: incidents.Incident, district: District) -> dict[str, Any]:
    kind = district.matters.get(one.kind) or district.classes.get(one.kind)
    return {
        "incident": one.id,
        "kind": one.kind,
        "name": kind.name if kind else one.kind,
        "name_en": kind.name_en if kind else one.kind,
        "cases": list(one.cases),
        "open": one.open,
        "reports": one.reports,
        "first_seen": moment(one.first_seen),
        "last_seen": moment(one.last_seen),
        "lon": round(one.lon, 6),
        "lat": round(one.lat, 6),
        "outline": shapely.geometry.mapping(shapely.set_precision(one.outline, 1e-6)),
    }
