"""The way of a case's unit, to be drawn on the map."""

from __future__ import annotations

from typing import Final

import anyio
import numpy as np
from fastapi import APIRouter
from fastapi.responses import Response

from dispatch.errors import UnknownCase
from dispatch.fleet import Stand
from dispatch.ground import Ground
from dispatch.outcomes import towards
from dispatch.store import cases
from dispatch.store.engine import connect
from geo.travel import Way
from web.problems import PROBLEMS
from web.state import WorkerOf
from web.timeliness import moment
from web.views import json_answer

router = APIRouter(prefix="/api", tags=["cases"])

GEOJSON: Final = "application/geo+json"


@router.get(
    "/cases/{case_no}/way",
    response_model=None,
    responses={
        200: {"content": {GEOJSON: {"schema": {"type": "object"}}}},
        404: PROBLEMS[404],
        503: PROBLEMS[503],
    },
)
async def way(case_no: str, worker: WorkerOf) -> Response:
    """The quickest way of the case's unit from where it is counted from now, as a GeoJSON feature.

    It leads where the unit was sent: the decision's `target`, where it has one, else the case's place.
    Its geometry is null where the case has no unit, or no way leads there.
    """
    async with connect(worker.engine) as connection:
        case = await cases.which_case(connection, case_no)
        if case is None:
            raise UnknownCase(case=case_no)
        decision = await cases.which_decision(connection, case_no)
    fleet, ground = worker.feed.fleet, worker.ground
    unit = fleet.units.get(case.unit or "")
    # The fleet goes over to another edition a moment later than the ground does, which may not have its base.
    stand = fleet.stand(unit.code) if unit and unit.base in ground.district.bases else None
    lon, lat = towards(case.team, decision, (case.lon, case.lat))
    found = await anyio.to_thread.run_sync(_way, ground, stand, lon, lat) if stand else None
    line = {"type": "LineString", "coordinates": np.round(found.lonlat, 6).tolist()} if found else None
    answer = json_answer(
        {
            "type": "Feature",
            "geometry": line,
            "properties": {
                "case": case_no,
                "unit": case.unit,
                "mode": stand.unit.mode.value if stand else None,
                "seen_at": moment(stand.seen_at) if stand and stand.seen_at else None,
                "seconds": round(found.leg.seconds) if found else None,
                "metres": round(found.leg.metres) if found else None,
            },
        }
    )
    answer.headers["Content-Type"] = GEOJSON
    return answer


def _way(ground: Ground, stand: Stand, lon: float, lat: float) -> Way | None:
    unit = stand.unit
    if stand.seen_at is None:
        return ground.travel.way_from_base(unit.base, unit.mode.value, lon, lat)
    return ground.travel.way(unit.mode.value, (stand.lon, stand.lat), lon, lat)
