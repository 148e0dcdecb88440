"""The district itself: zones, matters, teams; and the server's health."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Response

from dispatch.competence import parse_cell, parse_matters
from dispatch.errors import PartStopped
from dispatch.ground import Ground
from dispatch.model import TeamKind
from dispatch.store import cases
from dispatch.store.checkpoints import last_checkpoint
from dispatch.store.engine import connect, versions
from web.maplayers import ZoneFilter
from web.paging import MOST, BoxText, Cursor, Limit, page_by_code, parse_bbox, within
from web.problems import PROBLEMS
from web.schemas import FeatureCollection, MatterPage, TeamPage
from web.state import WorkerOf
from web.views import json_answer, matter_view, moment, team_view

router = APIRouter(prefix="/api", tags=["district"])

GEOJSON: Final = "application/geo+json"
_ZONES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {GEOJSON: {"schema": FeatureCollection.model_json_schema()}}},
    304: {"description": "As it was: see ETag"},
    404: PROBLEMS[404],
    422: PROBLEMS[422],
}


@router.get("/health", responses={503: PROBLEMS[503]})
async def health(worker: WorkerOf) -> dict[str, Any]:
    """Whether it serves whole, and with which versions."""
    if down := worker.supervision.down:
        raise PartStopped({"parts": down}, part=", ".join(down))
    async with connect(worker.engine) as connection:
        database, postgis = await versions(connection)
        last = await last_checkpoint(connection)
    district = worker.ground.district
    return {
        "status": "ok",
        "onegrid": version("onegrid"),
        "database": database,
        "postgis": postgis,
        "district": {"code": district.code, "name": district.name, "version": district.version},
        "record": {
            "guard": worker.record.guard.value,
            "checkpoint": {"number": last.number, "at": moment(last.at)} if last else None,
            "refused": worker.record.notary.refused if worker.record.notary else None,
        },
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


@router.get("/zones/{layer}", response_class=Response, responses=_ZONES)
async def zones(
    layer: str,
    worker: WorkerOf,
    bbox: BoxText = None,
    township: Annotated[str | None, Query(description="Only what lies in this township, wholly or in part")] = None,
    team: Annotated[str | None, Query(description="Only zones that name this team")] = None,
    limit: Annotated[int | None, Query(ge=1, le=MOST, description="Without it, everything is sent at once")] = None,
    cursor: Cursor = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A layer as GeoJSON; also `district`, `roads` and `bases`. Whole, with an ETag, or filtered, or page by page."""
    wanted = ZoneFilter(parse_bbox(bbox), township or None, team or None)
    if limit is not None or cursor:
        body = worker.layers.page(layer, wanted, limit or MOST, cursor)
        return Response(body, media_type=GEOJSON)
    if wanted != ZoneFilter():
        return Response(worker.layers.filtered(layer, wanted), media_type=GEOJSON)
    body, etag = worker.layers.whole(layer)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if if_none_match is not None and etag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=GEOJSON, headers=headers)


@router.get("/matters", response_model=None, responses={200: {"model": MatterPage}, 422: PROBLEMS[422]})
async def matters(
    worker: WorkerOf,
    matter_class: Annotated[str | None, Query(alias="class", description="A class's code")] = None,
    department: Annotated[str | None, Query(description="A department's code")] = None,
    q: Annotated[str | None, Query(max_length=100, description="Words; each must be in the code or a name")] = None,
    limit: Limit = MOST,
    cursor: Cursor = None,
) -> Response:
    """The list of what can be reported."""
    district = worker.ground.district
    words = (q or "").casefold().split()
    found = (
        matter
        for matter in district.matters.values()
        if (not matter_class or matter.matter_class == matter_class)
        and (not department or matter.department == department)
        and all(word in f"{matter.code} {matter.name} {matter.name_en}".casefold() for word in words)
    )
    page, following = page_by_code("matters", found, limit, cursor, lambda matter: matter.code)
    return json_answer(
        {
            "version": district.version,
            "classes": [{"code": c.code, "name": c.name, "name_en": c.name_en} for c in district.classes.values()],
            "items": [matter_view(matter, district) for matter in page],
            "next": following,
        }
    )


@router.get("/teams", response_model=None, responses={200: {"model": TeamPage}, 422: PROBLEMS[422], 503: PROBLEMS[503]})
async def teams(
    worker: WorkerOf,
    kind: TeamKind | None = None,
    matter: Annotated[
        str | None, Query(description="A matter or class: teams that a row of the decision table names for it")
    ] = None,
    bbox: BoxText = None,
    limit: Limit = MOST,
    cursor: Cursor = None,
) -> Response:
    """The teams, with how many cases each has open; `bbox` is of their bases."""
    district, box = worker.ground.district, parse_bbox(bbox)
    named = _named_for(worker.ground, matter) if matter else None
    found = (
        team
        for team in district.teams.values()
        if (kind is None or team.kind is kind)
        and (named is None or team.code in named)
        and within(box, district.bases[team.base].lon, district.bases[team.base].lat)
    )
    page, following = page_by_code("teams", found, limit, cursor, lambda team: team.code)
    async with connect(worker.engine) as connection:
        open_cases = await cases.open_cases_by_team(connection)
    now = datetime.now(UTC)
    return json_answer({"items": [team_view(team, district, open_cases, now) for team in page], "next": following})


def _named_for(ground: Ground, code: str) -> frozenset[str]:
    """The teams that some row of the decision table names for a matter, or for any matter of a class.

    Raises `UnknownMatter`.
    """
    ground.matter(code)
    district = ground.district
    matters = [one for one in (*district.matters, *district.classes) if one.startswith(code)]
    named: set[str] = set()
    for rule in district.rules:
        if not parse_matters(rule.matter, matters)[0]:
            continue
        if not rule.team.startswith("@"):
            named.add(rule.team)
            continue
        layer = district.layers[rule.team[1:]]
        cell, _ = parse_cell(getattr(rule, layer.name), layer)
        named |= {str(zone.properties["team"]) for zone in layer.zones if zone.code in cell.codes}
    return frozenset(named)
