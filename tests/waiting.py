"""Cases that wait although units are free: taken in by somebody who believes all of them off shift."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from dispatch.editions import Editions
from dispatch.fleet import Fleet, Known, Position
from dispatch.ground import Ground
from dispatch.intake import Draft
from dispatch.reception import Reception
from dispatch.store.engine import open_engine


def wait(url: str, ground: Ground, reports: Sequence[dict[str, Any]], ago_min: Sequence[float] = ()) -> list[str]:
    """Numbers of new cases without a unit; `ago_min`: how long ago each came (now, where it does not say).

    url: of a database that a server on `ground` has started on.
    """
    now = datetime.now(UTC)
    fleet = Fleet(ground.district, timedelta(minutes=5))
    bases = ground.district.bases
    stands = {unit.code: bases[unit.base] for unit in ground.district.units.values()}
    off = [Position(code, base.lon, base.lat, now, on_shift=False) for code, base in stands.items()]
    fleet.learn([Known(one, one) for one in off], now)

    async def take() -> list[str]:
        engine = open_engine(url, 2)
        try:
            editions = Editions(engine, ground)
            await editions.start(now)
            reception = Reception(engine, editions, fleet, 366)
            found = []
            for number, report in enumerate(reports):
                came = now - timedelta(minutes=ago_min[number]) if ago_min else now
                draft = Draft.model_validate({"accuracy_m": 5, "matter": "0101", **report})
                received = await reception.receive(draft, came)
                assert received.case.unit is None
                found.append(received.case.case_no)
            return found
        finally:
            await engine.dispose()

    # Of a thread of its own: Playwright's has a loop that runs already.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(take())).result()
