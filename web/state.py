"""What every request may ask of its worker; `async`, because FastAPI sends each plain function through a thread."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch.desk import Memory
from dispatch.ground import Ground
from dispatch.settings import Settings
from web.live import Hub
from web.maplayers import MapLayers


async def _ground(request: Request) -> Ground:
    ground: Ground = request.app.state.ground
    return ground


async def _engine(request: Request) -> AsyncEngine:
    engine: AsyncEngine = request.app.state.engine
    return engine


async def _memory(request: Request) -> Memory:
    memory: Memory = request.app.state.memory
    return memory


async def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _layers(request: Request) -> MapLayers:
    layers: MapLayers = request.app.state.layers
    return layers


async def _now() -> datetime:
    return datetime.now(UTC)


GroundOf = Annotated[Ground, Depends(_ground)]
EngineOf = Annotated[AsyncEngine, Depends(_engine)]
MemoryOf = Annotated[Memory, Depends(_memory)]
HubOf = Annotated[Hub, Depends(_hub)]
SettingsOf = Annotated[Settings, Depends(_settings)]
LayersOf = Annotated[MapLayers, Depends(_layers)]
Now = Annotated[datetime, Depends(_now)]
