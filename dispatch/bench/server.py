"""The servers that intake is measured between: `python -m dispatch.bench.server real|plain|tuned PORT`.

All run under the same uvicorn settings with the same driver and pool. The bare ones check the body with the same
model, insert the same row of `report`, and answer its id: no zones, no decision, no case, no event, no seal. `plain`
inserts as anybody would write it first, `tuned` on the driver's own cursor, prepared, as our writes do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.intake import DEFAULT_ACCURACY_M, Draft
from dispatch.settings import Settings
from dispatch.store.engine import connect, for_driver, migrate, open_engine, write
from web.app import create

INSERT: Final = """
    INSERT INTO report (id, geom, given_lon, given_lat, datum, accuracy_m, seen_at, received_at, source, matter, text,
                        contact, photos)
    VALUES (:id, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), :lon, :lat, :datum, :accuracy_m, :seen_at, :received_at,
            :source, :matter, :text, CAST(:contact AS jsonb), :photos)"""
PLAIN: Final = text(INSERT)
TUNED: Final = f"{for_driver(INSERT)} RETURNING id"


def bare(settings: Settings, insert: Callable[[AsyncConnection, dict[str, Any]], Awaitable[Any]]) -> FastAPI:
    """The bare application, with its way of inserting a row."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = open_engine(settings.database_url or "", settings.pool_size)
        await migrate(engine)
        app.state.engine = engine
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.get("/api/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/api/reports", status_code=201, response_model=None)
    async def report(draft: Draft, request: Request) -> JSONResponse:
        now = datetime.now(UTC)
        row = {
            "id": draft.id or uuid4(),
            "lon": draft.lon,
            "lat": draft.lat,
            "datum": draft.datum or "wgs84",
            "accuracy_m": DEFAULT_ACCURACY_M if draft.accuracy_m is None else draft.accuracy_m,
            "seen_at": draft.seen_at or now,
            "received_at": now,
            "source": draft.source or "other",
            "matter": draft.matter,
            "text": draft.text,
            "contact": json.dumps(draft.contact),
            "photos": draft.photos,
        }
        async with connect(request.app.state.engine) as connection:
            await insert(connection, row)
        return JSONResponse({"id": str(row["id"])}, 201)

    return app


async def plain(connection: AsyncConnection, row: dict[str, Any]) -> None:
    """By SQLAlchemy."""
    await connection.execute(PLAIN, row)


async def tuned(connection: AsyncConnection, row: dict[str, Any]) -> None:
    """By the driver."""
    await write(connection, TUNED, row)


def main(kind: str, port: int) -> None:
    """Serve until stopped; the database is `ONEGRID_DATABASE_URL`."""
    settings = Settings()
    app = create(settings) if kind == "real" else bare(settings, {"plain": plain, "tuned": tuned}[kind])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=3)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
