"""What a request may ask of its worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch.ground import Ground
from dispatch.reception import Reception
from dispatch.settings import Settings
from web.feed import Feed
from web.live import Hub
from web.maplayers import MapLayers


@dataclass(frozen=True, slots=True)
class Worker:
    """One process that serves: made when it starts, the same for every request."""

    settings: Settings
    ground: Ground
    layers: MapLayers
    engine: AsyncEngine
    reception: Reception
    hub: Hub
    feed: Feed


# `async`, because FastAPI sends a plain function through a thread; one, because each costs every request.
async def _worker(request: Request) -> Worker:
    worker: Worker = request.app.state.worker
    return worker


WorkerOf = Annotated[Worker, Depends(_worker)]
