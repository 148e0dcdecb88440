"""Reports and photos in."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, File, HTTPException, Query, Request, Response, UploadFile
from fastapi.routing import APIRoute
from pydantic import ValidationError

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

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        usual = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if request.headers.get("content-type") != "application/json":
                return await usual(request)
            body = await request.body()
            try:
                draft = Draft.model_validate_json(body)
            except ValidationError:
                return await usual(request)
            return await report(draft, request.app.state.worker)

        return handle


_reporting = APIRouter(route_class=_AtOnce)


@_reporting.post(
    "/reports",
    status_code=201,
    response_model=None,
    responses={
        200: {"model": ReceivedOut, "description": "The report was known: the case it opened"},
        201: {"model": ReceivedOut},
        **{code: PROBLEMS[code] for code in (400, 409, 422, 503)},
    },
)
async def report(draft: Draft, worker: WorkerOf) -> Response:
    """Say what was seen, where: answers which team is responsible, which unit comes, and why."""
    received = await worker.reception.receive(draft, datetime.now(UTC))
    if not received.known:
        worker.hub.nudge()
    in_force = worker.ground.district
    deciding = await worker.editions.district_of(received.decision["version"]) or in_force
    return json_answer(received_view(received, deciding, in_force), 200 if received.known else 201)


router.include_router(_reporting)


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
