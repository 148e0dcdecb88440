"""Other systems: their reports in, signed; what became of them out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from dispatch import signing
from dispatch.errors import InvalidCursor, MessageTooLarge, SourceNotSetUp
from dispatch.forwarding import forward
from dispatch.model import State
from dispatch.sources import message
from dispatch.sources.forms import Form, form_of
from dispatch.store.answers import BEGINNING, Mark, answers
from dispatch.store.engine import connect
from web.paging import Limit, cursor_of, read_cursor
from web.problems import PROBLEMS
from web.schemas import ReceivedOut
from web.state import Worker, WorkerOf
from web.timeliness import moment
from web.views import json_answer, received_view

router = APIRouter(prefix="/api/sources", tags=["sources"])

_HEADERS: Final[dict[str, Any]] = {
    "parameters": [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
        for name in (signing.ID, signing.TIMESTAMP, signing.SIGNATURE)
    ]
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
}
_LIST: Final = "answers"


class ForwardedOut(ReceivedOut):
    """The answer to a ticket."""

    ref: str
    """The source's number."""
    changed: bool
    """It came before and said something else then: nothing of the report was changed."""


class AnswerOut(BaseModel):
    """What became of a ticket."""

    ref: str
    case: str
    at: datetime
    action: str
    state: State
    note: str
    into: str | None


class AnswerPage(BaseModel):
    """The next answers, and where to ask from the next time."""

    items: list[AnswerOut]
    next: str


@router.post(
    "/{source}",
    status_code=201,
    response_model=None,
    openapi_extra={**_HEADERS, **_BODY},
    responses={
        200: {"model": ForwardedOut, "description": "The ticket was known: the case it opened"},
        201: {"model": ForwardedOut},
        **{code: PROBLEMS[code] for code in (401, 403, 404, 409, 413, 422, 503)},
    },
)
async def receive(source: str, request: Request, worker: WorkerOf) -> Response:
    """Take one ticket of a source: answers its case, its team, and who comes."""
    now = datetime.now(UTC)
    form = form_of(source)
    body = await _body(request)
    _signed(worker, form, request, body, now)
    # What is refused is refused by the edition that holds, be it ever so new.
    await worker.editions.superseded(worker.editions.number)
    draft = message.read(body, form, worker.adapter(await worker.editions.at(now)))
    received, changed = await forward(worker.reception, worker.engine, draft, now)
    if not received.known:
        worker.hub.nudge()
    in_force = worker.ground.district
    deciding = await worker.editions.district_of(received.decision["version"]) or in_force
    view = {"ref": draft.source_ref, "changed": changed, **received_view(received, deciding, in_force)}
    return json_answer(view, 200 if received.known else 201)


@router.get(
    "/{source}/answers",
    response_model=None,
    openapi_extra=_HEADERS,
    responses={200: {"model": AnswerPage}, **{code: PROBLEMS[code] for code in (401, 403, 404, 422, 503)}},
)
async def answered(
    source: str,
    request: Request,
    worker: WorkerOf,
    since: Annotated[str | None, Query(description="`next` of the answer before; opaque")] = None,
    limit: Limit = 100,
) -> Response:
    """What became of a source's tickets since it last asked; signed over the path with its query."""
    form = form_of(source)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    _signed(worker, form, request, target.encode(), datetime.now(UTC))
    async with connect(worker.engine) as connection:
        found, following = await answers(connection, form.source, _mark(since), limit)
    items = [
        {
            "ref": one.ref,
            "case": one.case,
            "at": moment(one.at),
            "action": one.action,
            "state": one.state.value,
            "note": one.note,
            "into": one.into,
        }
        for one in found
    ]
    xact, event, ref = following
    return json_answer({"items": items, "next": cursor_of(_LIST, (str(xact), str(event), ref))})


def _signed(worker: Worker, form: Form, request: Request, body: bytes, now: datetime) -> None:
    """Raises `SourceNotSetUp`, and what `signing.check` raises."""
    keys = worker.settings.source_keys(form.name)
    if not keys:
        raise SourceNotSetUp({"source": form.name}, source=form.name)
    signing.check(keys, request.headers, body, now)


async def _body(request: Request) -> bytes:
    """Raises `MessageTooLarge` as soon as it is clear that it is."""
    held = bytearray()
    async for part in request.stream():
        held += part
        if len(held) > message.MOST_BYTES:
            raise MessageTooLarge(limit=message.MOST_BYTES)
    return bytes(held)


def _mark(since: str | None) -> Mark:
    key = read_cursor(_LIST, 3, since)
    if key is None:
        return BEGINNING
    xact, event, ref = key
    if not all(one.isascii() and one.isdigit() and len(one) < 19 for one in (xact, event)) or "\x00" in ref:
        raise InvalidCursor({"field": "since"})
    return int(xact), int(event), ref
