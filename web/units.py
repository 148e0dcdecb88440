"""Units: where they are, on which case, the way they went; and their positions as their devices send them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ValidationError

from dispatch.errors import BatchTooLarge, DomainError, EmptyFile, InvalidCursor, Language, UnitNotListed
from dispatch.fleet import Fate, Position, Stand
from dispatch.model import Mode
from dispatch.store import cases, positions
from dispatch.store.engine import connect
from dispatch.tracking import PositionIn, UnitPositionIn, positioned
from web.casebook import parse_moment
from web.paging import MOST, BoxText, Cursor, Limit, cut, page_by_code, parse_bbox, read_cursor, within
from web.problems import PROBLEMS, from_validation, language_of
from web.schemas import PositionOut, PositionsOut, TrackPage, UnitOut, UnitPage
from web.state import WorkerOf
from web.views import json_answer, moment, stand_view, unit_view

router = APIRouter(prefix="/api", tags=["units"])

LINE_BYTES: Final = 1024
"""More than this per line, on average, is refused before it is all read."""

_LINES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-ndjson": {
                "schema": {"type": "string", "examples": ['{"unit": "T01-V1", "lon": 118.9, "lat": 31.3}\n']}
            }
        },
    }
}

UnitCode = Annotated[str, Path(description="A unit's code", max_length=50)]


@router.get("/units", response_model=None, responses={200: {"model": UnitPage}, 422: PROBLEMS[422], 503: PROBLEMS[503]})
async def units(
    worker: WorkerOf,
    team: str | None = None,
    mode: Mode | None = None,
    free: Annotated[bool | None, Query(description="Whether it is on no case")] = None,
    bbox: BoxText = None,
    limit: Limit = MOST,
    cursor: Cursor = None,
) -> Response:
    """The units, where each is counted from, and the case each is on."""
    fleet, box = worker.feed.fleet, parse_bbox(bbox)
    async with connect(worker.engine) as connection:
        on_case = await cases.case_by_unit(connection)
    found = (
        stand
        for unit in fleet.units.values()
        if (not team or unit.team == team)
        and (mode is None or unit.mode is mode)
        and (free is None or (unit.code not in on_case) is free)
        and within(box, (stand := fleet.stand(unit.code)).lon, stand.lat)
    )
    page, following = page_by_code("units", found, limit, cursor, lambda stand: stand.unit.code)
    return json_answer({"items": [_view(worker, stand, on_case) for stand in page], "next": following})


@router.get(
    "/units/{code}",
    response_model=None,
    responses={200: {"model": UnitOut}, **{code: PROBLEMS[code] for code in (404, 422, 503)}},
)
async def one_unit(code: UnitCode, worker: WorkerOf) -> Response:
    """One unit."""
    async with connect(worker.engine) as connection:
        on_case = await cases.case_by_unit(connection)
    return json_answer(_view(worker, _stand(worker, code), on_case))


@router.put(
    "/units/{code}/position",
    response_model=None,
    responses={200: {"model": PositionOut}, **{code: PROBLEMS[code] for code in (400, 404, 422, 503)}},
)
async def put_position(code: UnitCode, given: PositionIn, worker: WorkerOf) -> Response:
    """Say where a unit is. An older position than the one that is known changes nothing, and that is said."""
    (position,) = _positioned(worker, [(code, given)])
    if isinstance(position, DomainError):
        raise position
    (fate,) = await _taken(worker, [position])
    return json_answer({"fate": fate.value, **stand_view(_stand(worker, code))})


@router.post(
    "/units/positions",
    response_model=None,
    openapi_extra=_LINES,
    responses={200: {"model": PositionsOut}, **{code: PROBLEMS[code] for code in (413, 422, 503)}},
)
async def put_positions(request: Request, worker: WorkerOf) -> Response:
    """Say where many units are: one JSON object a line, each answered; a bad line stops no other."""
    limit = worker.settings.batch_limit
    lines = await _lines(request, limit)
    language = language_of(request)
    read = [(number, _read(line)) for number, line in lines]
    drafts = [draft for _, draft in read if isinstance(draft, UnitPositionIn)]
    found = iter(_positioned(worker, [(draft.unit, draft) for draft in drafts]))
    outcomes = [(number, draft if isinstance(draft, DomainError) else next(found)) for number, draft in read]
    fates = iter(await _taken(worker, [one for _, one in outcomes if isinstance(one, Position)]))
    answers = [
        _refused(number, one, language)
        if isinstance(one, DomainError)
        else {"line": number, "unit": one.unit, "fate": next(fates).value}
        for number, one in outcomes
    ]
    taken = sum(answer.get("fate") == Fate.TAKEN for answer in answers)
    refused = sum("code" in answer for answer in answers)
    counts = {"taken": taken, "ignored": len(answers) - taken - refused, "refused": refused}
    return json_answer({**counts, "lines": answers})


@router.get(
    "/units/{code}/track",
    response_model=None,
    responses={200: {"model": TrackPage}, **{code: PROBLEMS[code] for code in (404, 422, 503)}},
)
async def track(
    code: UnitCode,
    worker: WorkerOf,
    since: Annotated[str | None, Query(alias="from", description="Time or day, inclusive")] = None,
    until: Annotated[str | None, Query(alias="to", description="Time, exclusive; or day, inclusive")] = None,
    limit: Limit = MOST,
    cursor: Cursor = None,
) -> Response:
    """The way a unit went, thinned, oldest first."""
    _stand(worker, code)
    begin = parse_moment(since, worker.ground.zone_info, "from")
    end = parse_moment(until, worker.ground.zone_info, "to", end=True)
    name = f"track/{code}"
    async with connect(worker.engine) as connection:
        rows = await positions.track(connection, code, begin, end, limit + 1, _after(name, cursor))
    page, following = cut(name, rows, limit, lambda row: (row.at.isoformat(),))
    items = [
        {"at": moment(row.at), "lon": round(row.lon, 6), "lat": round(row.lat, 6), "accuracy_m": row.accuracy_m}
        for row in page
    ]
    return json_answer({"unit": code, "items": items, "next": following})


def _view(worker: WorkerOf, stand: Stand, on_case: Mapping[str, str]) -> dict[str, Any]:
    watch = worker.feed.fleet.district.rota.watch(stand.unit.team, datetime.now(UTC))
    return unit_view(stand, on_case, stand.unit.code in watch.on_duty)


def _stand(worker: WorkerOf, code: str) -> Stand:
    """Asked of the fleet alone, which goes over to another edition a moment later than the worker's ground does."""
    fleet = worker.feed.fleet
    if code not in fleet.units:
        raise UnitNotListed({"field": "unit"}, unit=code)
    return fleet.stand(code)


def _positioned(worker: WorkerOf, given: Sequence[tuple[str, PositionIn]]) -> list[Position | DomainError]:
    track = timedelta(days=worker.settings.track_days)
    return positioned(worker.ground, worker.feed.fleet.units, given, datetime.now(UTC), track)


async def _taken(worker: WorkerOf, given: Sequence[Position]) -> Sequence[Fate]:
    """Who comes on shift is offered what waits."""
    fleet = worker.feed.fleet
    returns = any(one.on_shift and not fleet.on_shift(one.unit) for one in given)
    fates = await worker.feed.take(given)
    if returns:
        worker.offering.wake()
    return fates


def _after(name: str, cursor: str | None) -> datetime | None:
    key = read_cursor(name, 1, cursor)
    try:
        at = datetime.fromisoformat(key[0]) if key else None
    except ValueError as error:
        raise InvalidCursor({"field": "cursor"}) from error
    if at is not None and at.tzinfo is None:
        raise InvalidCursor({"field": "cursor"})
    return at


async def _lines(request: Request, limit: int) -> list[tuple[int, bytes]]:
    """The lines that are not blank, numbered from 1. Raises `BatchTooLarge`, `EmptyFile`."""
    held = bytearray()
    async for part in request.stream():
        held += part
        if len(held) > limit * LINE_BYTES:
            raise BatchTooLarge(limit=limit, found=f"{len(held) / 1e6:.0f} MB+")
    lines = [(number, line) for number, line in enumerate(bytes(held).split(b"\n"), 1) if line.strip()]
    if len(lines) > limit:
        raise BatchTooLarge(limit=limit, found=len(lines))
    if not lines:
        raise EmptyFile
    return lines


def _read(line: bytes) -> UnitPositionIn | DomainError:
    try:
        return UnitPositionIn.model_validate_json(line)
    except ValidationError as error:
        return from_validation(error.errors(include_input=False, include_url=False, include_context=False))


def _refused(number: int, error: DomainError, language: Language) -> dict[str, Any]:
    detail = " ".join(filter(None, (error.text(language), error.hint(language))))
    return {"line": number, "code": error.code(), "detail": detail}
