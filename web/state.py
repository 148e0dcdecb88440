"""What a request may ask of its worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch.editions import Editions
from dispatch.ground import Ground
from dispatch.reception import Reception
from dispatch.settings import Settings
from web.feed import Feed
from web.live import Hub
from web.maplayers import MapLayers
from web.supervision import Supervision


@dataclass(frozen=True, slots=True)
class Worker:
    """One process that serves: made when it starts, the same for every request."""

    settings: Settings
    editions: Editions
    engine: AsyncEngine
    reception: Reception
    hub: Hub
    feed: Feed
    supervision: Supervision
    _drawn: dict[str, MapLayers] = field(default_factory=dict)

    @property
    def ground(self) -> Ground:
        """Of the edition that holds now."""
        return self.editions.current

    @property
    def layers(self) -> MapLayers:
        """The district as the map draws it now."""
        return self.draw(self.ground)

    def draw(self, ground: Ground) -> MapLayers:
        """A district as the map draws it; kept for the next to ask."""
        version = ground.district.version
        if version not in self._drawn:
            drawn = MapLayers(ground.district)
            self._drawn.clear()
            self._drawn[version] = drawn
        return self._drawn[version]


# `async`, because FastAPI sends a plain function through a thread; one, because each costs every request.
async def _worker(request: Request) -> Worker:
    worker: Worker = request.app.state.worker
    return worker


WorkerOf = Annotated[Worker, Depends(_worker)]
