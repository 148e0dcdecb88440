"""The application: what starts with a worker, what stops with it, which rooms it has."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

import anyio.to_thread
import orjson
from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatch import assigning, district
from dispatch.editions import Editions
from dispatch.errors import PageNotBuilt
from dispatch.fleet import Fleet
from dispatch.ground import Ground, prepare
from dispatch.keys import signer
from dispatch.notary import Notary
from dispatch.offering import Hold, Offering
from dispatch.outbox import Courier, Subscriber
from dispatch.overseer import Desk, Overseer
from dispatch.reception import Reception
from dispatch.settings import Settings
from dispatch.sources.forms import form_of
from dispatch.store.engine import conninfo, open_to_serve
from dispatch.store.record import Told
from dispatch.store.roles import Guard
from web import (
    assignment,
    batch,
    casebook,
    checkpoints,
    contacts,
    disputes,
    duplicates,
    editions,
    evidence,
    exports,
    powerlist,
    problems,
    reference,
    reports,
    sources,
    units,
    ways,
    webhooks,
)
from web.feed import NAME as FEED
from web.feed import Feed
from web.live import Hub
from web.state import Record, Worker
from web.supervision import Supervision
from web.views import told_view

HOSTS: Final = ("localhost", "127.0.0.1", "[")
"""Names of loopback, as a Host header gives them (the library reads `[::1]:8000` up to its first colon)."""

ROOMS: Final = (
    reports,
    batch,
    casebook,
    assignment,
    disputes,
    duplicates,
    evidence,
    contacts,
    checkpoints,
    reference,
    powerlist,
    editions,
    units,
    exports,
    ways,
    sources,
    webhooks,
)

PAGE: Final = Path(__file__).resolve().parent / "page" / "dist"

SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
        "script-src 'self' 'unsafe-inline'; worker-src 'self' blob:; "
        "connect-src 'self' data: blob:; font-src 'self' data:"
    ),
}
"""Of every answer; the policy holds the pages to this server alone."""

_SAFE: Final = [(name.lower().encode(), value.encode()) for name, value in SAFE.items()]


def create(settings: Settings | None = None, ground: Ground | None = None) -> FastAPI:
    """The application of one worker; settings are read from the environment when not given, the district from there."""
    chosen = settings or Settings()
    for name in chosen.source_secrets:
        form_of(name)
    if chosen.database_url is None:
        raise ValueError("database_url must be set; onegrid serve starts the private database and sets it")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        prepared = ground or prepare(district.load(chosen.district_folder()), chosen.derived_dir(), chosen.osm_extract)
        engine, guard = await open_to_serve(chosen.database_url or "", chosen.owner_url, chosen.pool_size)
        supervision = Supervision()
        try:
            await _start(app, chosen, prepared, engine, guard, supervision)
            # The district is a million objects that stay for good: the collector need not walk them again and again.
            gc.collect()
            gc.freeze()
            yield
        finally:
            try:
                await supervision.stop()
            finally:
                await engine.dispose()

    app = FastAPI(
        title="OneGrid 一张网格",
        version=version("onegrid"),
        description="Who is responsible here, who is nearest, and a record nobody can quietly change.",
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    _rooms(app)
    return app


async def _start(
    app: FastAPI, settings: Settings, prepared: Ground, engine: AsyncEngine, guard: Guard, supervision: Supervision
) -> None:
    """Everything that a worker has, and everything that runs beside its requests."""
    record = Record(guard, _notary(settings, engine, supervision))
    by_time = Editions(engine, prepared, settings.derived_dir(), settings.osm_extract)
    await by_time.start(datetime.now(UTC))
    hub = Hub(engine, by_time)
    await hub.start()
    fleet = Fleet(by_time.current.district, timedelta(seconds=settings.position_stale_s))
    reception = Reception(engine, by_time, fleet, settings.max_age_days)
    feed = Feed(engine, fleet, hub, settings.track_days)
    await feed.start()
    offering = _offering(settings, engine, by_time, fleet, hub, supervision)
    worker = app.state.worker = Worker(settings, by_time, engine, reception, hub, feed, supervision, record, offering)
    worker.draw(by_time.current)

    async def changed(ground: Ground) -> None:
        fleet.adopt(ground.district, datetime.now(UTC))
        await anyio.to_thread.run_sync(worker.adopt, ground)
        hub.tell_edition()
        offering.wake()

    async def follow() -> None:
        # What took force before this runs, or while it was down.
        while fleet.district.version != by_time.current.district.version:
            await changed(by_time.current)
        await by_time.run(changed)

    supervision.keep("events", hub.run)
    supervision.keep(FEED, feed.run)
    supervision.keep("editions", follow)
    supervision.keep("load", reception.keep_count)
    if settings.oversee_s:
        every = timedelta(seconds=settings.oversee_s)
        supervision.keep("overseer", Overseer(Desk(engine, by_time, fleet), every, hub.nudge).run)
    _courier(settings, by_time, engine, hub, supervision)
    _warm(worker, prepared)


def _notary(settings: Settings, engine: AsyncEngine, supervision: Supervision) -> Notary | None:
    """Who makes checkpoints, if any are wanted, at work. Raises `KeyUnusable`."""
    if not settings.checkpoint_minutes:
        return None
    every = timedelta(minutes=settings.checkpoint_minutes)
    notary = Notary(conninfo(engine), signer(settings.key_file()), every)
    supervision.keep("checkpoints", notary.run)
    return notary


def _offering(
    settings: Settings, engine: AsyncEngine, editions: Editions, fleet: Fleet, hub: Hub, supervision: Supervision
) -> Offering:
    """Who gives waiting cases a unit, at work if that is wanted."""
    hold_s = settings.offer_hold_s
    hold = Hold(partial(assigning.worth_holding, engine, editions, fleet, hold_s), hold_s)
    offering = Offering(engine, editions, fleet, settings.offer_s, hub.nudge, hold)
    if settings.offer_s:
        supervision.keep("offers", offering.run)
    return offering


def _courier(settings: Settings, editions: Editions, engine: AsyncEngine, hub: Hub, supervision: Supervision) -> None:
    """Who tells by webhook, if anybody is to be told, at work."""
    if not settings.webhooks:
        return

    def written(told: Told) -> bytes:
        return orjson.dumps(told_view(told, editions.current.district))

    subscribers = [Subscriber(one.name, str(one.url), one.keys()) for one in settings.webhooks]
    supervision.keep("webhooks", Courier(conninfo(engine), subscribers, written, hub.happened).run)


def _warm(worker: Worker, ground: Ground) -> None:
    """What the first to ask would wait for, made ready beside the first requests."""
    worker.supervision.once("travel", partial(asyncio.to_thread, ground.travel.warm))
    worker.supervision.once("powers", partial(asyncio.to_thread, worker.searched, ground))


def _rooms(app: FastAPI) -> None:
    """The interface, the built pages (without them it serves all the same), and what stands before both."""
    for room in ROOMS:
        app.include_router(room.router)
    for path, file in {"/": "index.html", "/field": "field.html", "/exports": "exports.html"}.items():
        app.add_api_route(path, _page(PAGE / file), include_in_schema=False)
    app.mount("/", StaticFiles(directory=PAGE, check_dir=False))
    app.add_middleware(_Outermost)
    # A page elsewhere that gives its own name our address (DNS rebinding) must not be served.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))


def _page(file: Path) -> Callable[[], Response]:
    def serve() -> Response:
        if not file.is_file():
            raise PageNotBuilt
        return FileResponse(file, headers={"Cache-Control": "no-cache"})

    return serve


class _Outermost:
    """Adds `SAFE` without touching the body, so that streams stay streams; what is fetched is sent zipped."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.zipped = GZipMiddleware(app, minimum_size=2000, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        streams = False

        async def with_headers(message: Message) -> None:
            nonlocal streams
            if message["type"] == "http.response.start":
                streams = (b"content-type", b"text/event-stream; charset=utf-8") in message["headers"]
                have = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in _SAFE if one[0] not in have)]
            await send(message)

        try:
            await (self.zipped if scope["method"] == "GET" else self.app)(scope, receive, with_headers)
        except asyncio.CancelledError:
            # A live stream ends when the server stops and in no other way: that is no error to be logged.
            if not streams:
                raise
