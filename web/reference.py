"""The district itself: zones, matters, teams, units; and the server's health."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from dispatch.store import cases
from dispatch.store.engine import connect, versions
from web.casebook import parse_bbox
from web.problems import PROBLEMS
from web.state import WorkerOf
from web.views import team_name, unit_name

router = APIRouter(prefix="/api", tags=["district"])


@router.get("/health", responses={503: PROBLEMS[503]})
async def health(worker: WorkerOf) -> dict[str, Any]:
    """Whether it serves, and with which versions."""
    async with connect(worker.engine) as connection:
        database, postgis = await versions(connection)
    district = worker.ground.district
    return {
        "status": "ok",
        "onegrid": version("onegrid"),
        "database": database,
        "postgis": postgis,
        "district": {"code": district.code, "name": district.name, "version": district.version},
    }


@router.get("/district")
async def district_of(worker: WorkerOf) -> dict[str, Any]:
    """The district and its layers."""
    district = worker.ground.district
    return {
        "code": district.code,
        "name": district.name,
        "name_en": district.name_en,
        "version": district.version,
        "bbox": list(district.layers["district"].zones[0].geometry.bounds),
        "timezone": district.timezone,
        "unclaimed_after_min": district.settings.unclaimed_after_min,
        "demonstration": worker.settings.demonstration,
        "layers": [
            {
                "name": layer.name,
                "label": layer.label,
                "label_en": layer.label_en,
                "real": layer.real,
                "source": layer.source,
                "count": len(layer.zones),
            }
            for layer in district.layers.values()
        ],
    }


@router.get("/zones/{layer}", response_class=Response, responses={404: PROBLEMS[404], 422: PROBLEMS[422]})
async def zones(
    layer: str,
    worker: WorkerOf,
    bbox: Annotated[str | None, Query(description="west,south,east,north")] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A layer as GeoJSON; also `district`, `roads` and `bases`."""
    box = parse_bbox(bbox)
    if box is not None:
        return Response(worker.layers.within(layer, box), media_type="application/geo+json")
    body, etag = worker.layers.whole(layer)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if if_none_match is not None and etag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/geo+json", headers=headers)


@router.get("/matters")
async def matters(worker: WorkerOf) -> dict[str, Any]:
    """The list of what can be reported."""
    district = worker.ground.district
    return {
        "version": district.version,
        "classes": [{"code": c.code, "name": c.name, "name_en": c.name_en} for c in district.classes.values()],
        "items": [
            {
                "code": m.code,
                "class": m.matter_class,
                "name": m.name,
                "name_en": m.name_en,
                "department": m.department,
                "department_name": district.departments[m.department].name,
                "urgency": m.urgency,
                "limit_h": m.limit_h,
                "on_water": m.on_water,
                "legal_basis": m.legal_basis,
            }
            for m in district.matters.values()
        ],
    }


@router.get("/teams", responses={503: PROBLEMS[503]})
async def teams(worker: WorkerOf) -> dict[str, Any]:
    """The teams, with how many cases each has open."""
    async with connect(worker.engine) as connection:
        open_cases = await cases.open_cases_by_team(connection)
    bases = worker.ground.district.bases
    return {
        "items": [
            {
                **team_name(team),
                "base": {
                    "code": team.base,
                    "name": bases[team.base].name,
                    "lon": bases[team.base].lon,
                    "lat": bases[team.base].lat,
                },
                "open": open_cases.get(team.code, 0),
            }
            for team in worker.ground.district.teams.values()
        ]
    }


@router.get("/units", responses={503: PROBLEMS[503]})
async def units(worker: WorkerOf) -> dict[str, Any]:
    """The units, where they stand, and the case each is on."""
    async with connect(worker.engine) as connection:
        on_case = await cases.case_by_unit(connection)
    bases = worker.ground.district.bases
    return {
        "items": [
            {
                **unit_name(unit),
                "crew": unit.crew,
                "lon": bases[unit.base].lon,
                "lat": bases[unit.base].lat,
                "case": on_case.get(unit.code),
            }
            for unit in worker.ground.district.units.values()
        ]
    }
