"""Reports and photos in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, File, HTTPException, Query, Request, Response, UploadFile
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send

from dispatch.errors import NotAPhoto, PhotoTooLarge
from dispatch.intake import Draft
from dispatch.store import photos as kept_photos
from dispatch.store.engine import connect
from web import photos
from web.problems import PROBLEMS
from web.schemas import PhotoOut, ReceivedOut
from web.state import WorkerOf
from web.views import json_answer, received_view

router = APIRouter(prefix="/api", tags=["reports"])


class _AtOnce(APIRoute):
    """A good report goes to its function at once; of any other the framework's own way says what is wrong with it.

    That way (a pass to parse, a pass to validate, dependencies, exit stacks) takes longer than the decision.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        if request.headers.get("content-type") != "application/json" or scope["method"] != "POST":
            await super().handle(scope, receive, send)
            return
        body = await request.body()
        try:
            draft = Draft.model_validate_json(body)
        except ValidationError:
            await super().handle(scope, _again(body, receive), send)
            return
        answer = await report(draft, scope["app"].state.worker)
        await answer(scope, receive, send)


def _again(body: bytes, receive: Receive) -> Receive:
    """What comes, from its beginning, after the body was read."""
    messages: Iterator[Message] = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def once_more() -> Message:
        return next(messages, None) or await receive()

    return once_more


async def report(draft: Draft, worker: WorkerOf) -> Response:
    """Say what was seen, where: answers which team is responsible, which unit comes, and why."""
    received = await worker.reception.receive(draft, datetime.now(UTC))
    if not received.known:
        worker.hub.nudge()
    in_force = worker.ground.district
    deciding = await worker.editions.district_of(received.decision["version"]) or in_force
    return json_answer(received_view(received, deciding, in_force), 200 if received.known else 201)


router.add_api_route(
    "/reports",
    report,
    methods=["POST"],
    status_code=201,
    response_model=None,
    responses={
        200: {"model": ReceivedOut, "description": "The report was known: the case it opened"},
        201: {"model": ReceivedOut},
        **{code: PROBLEMS[code] for code in (400, 409, 422, 503)},
    },
    route_class_override=_AtOnce,
)


@router.post(
    "/photos",
    status_code=201,
    responses={code: PROBLEMS[code] for code in (400, 413, 415, 422, 503)},
)
async def photo(request: Request, file: Annotated[UploadFile, File()], worker: WorkerOf) -> PhotoOut:
    """Keep a photo, without its metadata; the digest that comes back is what a report names."""
    now = datetime.now(UTC)
    limit = int(worker.settings.photo_limit_mb * 1_000_000)
    size = file.size or int(request.headers.get("content-length", 0))
    if size > limit:
        raise PhotoTooLarge({"field": "file"}, megabytes=round(size / 1e6, 1), limit=worker.settings.photo_limit_mb)
    raw = await file.read()
    if not raw:
        raise NotAPhoto({"field": "file"})
    kept = await anyio.to_thread.run_sync(photos.prepare, raw)
    async with connect(worker.engine) as connection:
        digest = await kept_photos.put_photo(connection, kept.jpeg, kept.thumb, kept.size, now)
    return PhotoOut(sha256=digest, width=kept.size[0], height=kept.size[1], bytes=len(kept.jpeg))


@router.get(
    "/photos/{sha256}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **{code: PROBLEMS[code] for code in (404, 422, 503)}},
)
async def photo_of(
    sha256: str, worker: WorkerOf, size: Annotated[str, Query(pattern="^(full|thumb)$")] = "full"
) -> Response:
    """A photo, or its thumbnail."""
    async with connect(worker.engine) as connection:
        found = await kept_photos.which_photo(connection, sha256, thumb=size == "thumb")
    if found is None:
        raise HTTPException(404)
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(found, media_type="image/jpeg", headers=headers)
