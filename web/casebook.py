"""Cases: lists, one of them, why, what is done to it, the counters, the live stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError
from sse_starlette import EventSourceResponse, ServerSentEvent

from dispatch import desk
from dispatch.district import District
from dispatch.errors import BatchTooLarge, DomainError, InvalidCursor, InvalidInput, Language, UnknownCase
from dispatch.model import State
from dispatch.offering import FREES
from dispatch.orders import Order
from dispatch.store import cases, record
from dispatch.store.cases import CaseFilter
from dispatch.store.engine import connect
from web import wording
from web.orders import MOST_ORDERS, OrderIn, OrdersIn, OrdersOut
from web.paging import BoxText, Cursor, Limit, cut, parse_bbox, read_cursor
from web.problems import PROBLEMS, from_validation, language_of, problem
from web.schemas import CaseOut, CasePage, Counters, WhyOut
from web.state import Worker, WorkerOf
from web.views import actions_view, case_view, decision_view, event_view, json_answer, report_view

router = APIRouter(prefix="/api", tags=["cases"])

PING_S = 15


@router.get("/cases", response_model=None, responses={200: {"model": CasePage}, 422: PROBLEMS[422], 503: PROBLEMS[503]})
async def list_cases(
    worker: WorkerOf,
    state: State | None = None,
    team: str | None = None,
    matter: str | None = None,
    unit: str | None = None,
    open: Annotated[bool | None, Query(description="Whether it is not closed")] = None,  # noqa: A002
    zone: str | None = None,
    bbox: BoxText = None,
    since: Annotated[str | None, Query(alias="from", description="Time or day, inclusive")] = None,
    until: Annotated[str | None, Query(alias="to", description="Time, exclusive; or day, inclusive")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Cases, newest first, by cursor."""
    wanted = CaseFilter(
        state=state.value if state else None,
        team=team,
        matter=matter,
        unit=unit,
        open=open,
        bbox=parse_bbox(bbox),
        since=parse_moment(since, worker.ground.zone_info, "from"),
        until=parse_moment(until, worker.ground.zone_info, "to", end=True),
        zone=zone,
    )
    async with connect(worker.engine) as connection:
        rows = await cases.list_cases(connection, wanted, limit + 1, _read_cursor(cursor))
    page, following = cut("cases", rows, limit, lambda row: (row.received_at.isoformat(), row.case_no))
    return json_answer({"items": [case_view(row, worker.ground.district) for row in page], "next": following})


@router.get(
    "/cases/{case_no}", response_model=None, responses={200: {"model": CaseOut}, 404: PROBLEMS[404], 503: PROBLEMS[503]}
)
async def one_case(case_no: str, worker: WorkerOf) -> Response:
    """A case with its report, decision and history, and what may be done now."""
    async with connect(worker.engine) as connection:
        case = await cases.which_case(connection, case_no)
        if case is None:
            raise UnknownCase(case=case_no)
        report = await cases.which_report(connection, case.report_id)
        decision = await cases.which_decision(connection, case_no)
        steps = await record.history(connection, case_no)
        joined = await cases.joined_reports(connection, case_no)
    return json_answer(
        {
            **case_view(case, worker.ground.district),
            "report": report_view(report),
            "joined": [{"case": number, **report_view(one)} for number, one in joined],
            "decision": decision_view(decision, await _deciding(worker, decision)),
            "history": [event_view(step) for step in steps],
            "actions": actions_view(case),
        }
    )


@router.get(
    "/cases/{case_no}/why",
    response_model=None,
    responses={200: {"model": WhyOut}, 404: PROBLEMS[404], 503: PROBLEMS[503]},
)
async def why(case_no: str, worker: WorkerOf) -> Response:
    """Why this team, and why this unit: in Chinese and in English."""
    async with connect(worker.engine) as connection:
        case = await cases.which_case(connection, case_no)
        if case is None:
            raise UnknownCase(case=case_no)
        decision = await cases.which_decision(connection, case_no)
    district = await _deciding(worker, decision)
    words: dict[str, Any] = {
        "zh": wording.why(case, decision, district, worker.ground.district, "zh"),
        "en": wording.why(case, decision, district, worker.ground.district, "en"),
    }
    return json_answer({"case": case.case_no, "decision": decision_view(decision, district), **words})


async def _deciding(worker: WorkerOf, decision: Mapping[str, Any]) -> District:
    """The edition that a decision was made by, in whose words it is told; the one in force when that one is lost."""
    return await worker.editions.district_of(decision["version"]) or worker.ground.district


@router.post(
    "/cases/{case_no}/actions",
    response_model=None,
    responses={200: {"model": CaseOut}, **{code: PROBLEMS[code] for code in (400, 403, 404, 409, 422, 503)}},
)
async def act(case_no: str, given: OrderIn, worker: WorkerOf) -> Response:
    """Do something to a case, once."""
    now = datetime.now(UTC)
    case = await desk.act(worker.engine, worker.editions, worker.feed.fleet, given.order(case_no), now)
    worker.hub.nudge()
    if given.action in FREES or given.unit:
        worker.offering.wake()
    return json_answer(case_view(case, worker.ground.district) | {"actions": actions_view(case)})


@router.post(
    "/cases/actions",
    response_model=None,
    responses={200: {"model": OrdersOut}, **{code: PROBLEMS[code] for code in (400, 413, 422, 503)}},
)
async def act_on_many(given: OrdersIn, request: Request, worker: WorkerOf) -> Response:
    """Do many things, each by its own id, in the order in which they come; what one is answered changes no other."""
    if len(given.orders) > MOST_ORDERS:
        raise BatchTooLarge({"field": "orders"}, limit=MOST_ORDERS, found=len(given.orders))
    language = language_of(request)
    answers = [await _answered(one, worker, language) for one in given.orders]
    done = sum("answer" in one for one in answers)
    if done:
        worker.hub.nudge()
        worker.offering.wake()
    return json_answer({"done": done, "refused": len(answers) - done, "answers": answers})


async def _answered(one: Mapping[str, Any], worker: Worker, language: Language) -> dict[str, Any]:
    case_no, body = one.get("case"), {name: value for name, value in one.items() if name != "case"}
    said = {name: value if isinstance(value := one.get(name), str) else None for name in ("id", "case")}
    try:
        order = _ordered(case_no, body)
        case = await desk.act(worker.engine, worker.editions, worker.feed.fleet, order, datetime.now(UTC))
    except DomainError as error:
        body = problem(error, language)
        return {**said, "status": body["status"], "problem": body}
    return {**said, "status": 200, "answer": case_view(case, worker.ground.district)}


def _ordered(case_no: object, body: Mapping[str, Any]) -> Order:
    """One of many orders. Raises `InvalidInput`."""
    for field, value in (("case", case_no), ("id", body.get("id"))):
        if not isinstance(value, str) or not value.isprintable():
            raise InvalidInput({"field": field}, field=field, problem="must be given, as text", problem_zh="必须填写")
    try:
        # As JSON: what a body of its own may say, one of many may.
        return OrderIn.model_validate_json(orjson.dumps(body)).order(str(case_no))
    except (ValidationError, orjson.JSONEncodeError) as error:
        raise from_validation(error.errors() if isinstance(error, ValidationError) else _UNREADABLE) from error


_UNREADABLE: Final = ({"type": "json_invalid", "loc": (), "msg": "cannot be read as JSON"},)


@router.get("/counters", responses={503: PROBLEMS[503]})
async def counters(worker: WorkerOf) -> Counters:
    """The figures on top of the map."""
    now = datetime.now(UTC)
    unclaimed_before = now - timedelta(minutes=worker.ground.district.settings.unclaimed_after_min)
    today = datetime.combine(now.astimezone(worker.ground.zone_info).date(), time(), worker.ground.zone_info)
    async with connect(worker.engine) as connection:
        found = await cases.counters(connection, now, unclaimed_before, today)
    return Counters(**found)


@router.get("/events", response_class=EventSourceResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def events(
    worker: WorkerOf,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[str | None, Query(description="As Last-Event-ID, for clients that cannot send it")] = None,
) -> EventSourceResponse:
    """Everything that happens to cases, as it happens; what was missed first."""

    async def frames() -> AsyncIterator[ServerSentEvent]:
        async for frame in worker.hub.listen(last_event_id or after):
            yield ServerSentEvent(frame.data, event=frame.kind, id=frame.id or None)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventSourceResponse(frames(), ping=PING_S, headers=headers)


def parse_moment(given: str | None, zone: ZoneInfo, field: str, *, end: bool = False) -> datetime | None:
    """A time with its zone, or a day of the district (its first moment; with `end`, the first of the next day).

    Raises `InvalidInput`.
    """
    if not given:
        return None
    try:
        if not set(given) & set("T :"):
            day = date.fromisoformat(given) + timedelta(days=1 if end else 0)
            return datetime.combine(day, time(), zone)
        moment = datetime.fromisoformat(given)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            {"field": field}, field=field, problem="not a time or day", problem_zh="不是时间或日期"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _read_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    """When the last case of the page before was received, and its number. Raises `InvalidCursor`."""
    key = read_cursor("cases", 2, cursor)
    if key is None:
        return None
    try:
        received_at = datetime.fromisoformat(key[0])
    except ValueError as error:
        raise InvalidCursor({"field": "cursor"}) from error
    if received_at.tzinfo is None or not key[1].isalnum():
        raise InvalidCursor({"field": "cursor"})
    return received_at, key[1]
