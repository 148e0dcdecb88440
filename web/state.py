"""What a request may ask of its worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch.editions import Editions
from dispatch.ground import Ground
from dispatch.inclusion import Inclusion
from dispatch.notary import Notary
from dispatch.offering import Offering
from dispatch.powers.search import PowerSearch
from dispatch.reception import Reception
from dispatch.settings import Settings
from dispatch.store.roles import Guard
from web.feed import Feed
from web.live import Hub
from web.maplayers import MapLayers
from web.supervision import Supervision


@dataclass(frozen=True, slots=True)
class Record:
    """What stands before the record here."""

    guard: Guard
    notary: Notary | None
    """None: this worker makes no checkpoints."""
    inclusion: Inclusion = field(default_factory=Inclusion)


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
    record: Record
    offering: Offering
    _drawn: dict[str, MapLayers] = field(default_factory=dict)
    _searched: dict[str, PowerSearch] = field(default_factory=dict)
    _searching: Lock = field(default_factory=Lock)

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

    def adopt(self, ground: Ground) -> None:
        """Everything made ready for an edition that takes force."""
        self.draw(ground)
        self.searched(ground)

    def searched(self, ground: Ground) -> PowerSearch:
        """A district's power list made ready to be searched (a second for thousands of items); kept like the map."""
        version = ground.district.version
        with self._searching:
            if version not in self._searched:
                names = {code: department.name for code, department in ground.district.departments.items()}
                made = PowerSearch(ground.district.powers.values(), names)
                self._searched.clear()
                self._searched[version] = made
            return self._searched[version]


# `async`, because FastAPI sends a plain function through a thread; one, because each costs every request.
async def _worker(request: Request) -> Worker:
    worker: Worker = request.app.state.worker
    return worker


WorkerOf = Annotated[Worker, Depends(_worker)]
