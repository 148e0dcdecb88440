"""The power list: found while one types, and item by item."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from dispatch.district import District
from dispatch.model import TeamKind
from dispatch.powers.model import Origin, Power, PowerKind, Procedure
from dispatch.powers.search import MOST, Found, PowerSearch
from web.problems import PROBLEMS
from web.schemas import Named
from web.state import WorkerOf
from web.views import json_answer

router = APIRouter(prefix="/api", tags=["district"])


class BasisOut(BaseModel):
    """One legal basis; `article` is empty where only the law is named."""

    law: str
    article: str


class TierOut(BaseModel):
    """One discretion tier."""

    circumstances: str
    range: str


class PowerOut(Named):
    """One item of the power list."""

    department: str
    department_name: str
    kind: PowerKind
    bases: list[BasisOut]
    tiers: list[TierOut]
    procedure: Procedure
    matters: list[Named]
    team_kinds: list[TeamKind]
    delegated: bool
    origin: Origin


class PowerFound(PowerOut):
    """An item that was found, and why."""

    why: str | None


class PowerPage(BaseModel):
    """The first items that were found, of `total`."""

    version: str
    total: int
    items: list[PowerFound]


# Not `async`: a search is some milliseconds of reckoning, which the other requests of this worker need not wait for.
@router.get("/powers", response_model=None, responses={200: {"model": PowerPage}, 422: PROBLEMS[422]})
def powers(
    worker: WorkerOf,
    q: Annotated[
        str, Query(max_length=100, description="Code, words, or pinyin initials; each word must be found")
    ] = "",
    department: Annotated[str | None, Query(description="A department's code")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Most items of the answer")] = 20,
) -> Response:
    """The items that a query finds, the nearest first: by code, beginning of the name, words, pinyin."""
    ground = worker.ground
    return found_answer(worker.searched(ground), ground.district, q, department, limit)


@router.get("/powers/{code}", response_model=None, responses={200: {"model": PowerOut}, 404: PROBLEMS[404]})
async def power(code: str, worker: WorkerOf) -> Response:
    """One item."""
    district = worker.ground.district
    return json_answer(power_view(district.powers.item(code), district))


def found_answer(search: PowerSearch, district: District, q: str, department: str | None, limit: int) -> Response:
    """The answer to one query; without a query the list as it stands, and no `why`."""
    found: Found = search.find(q, department or None, limit)
    asked = bool(q.strip())
    items = [{**power_view(hit.power, district), "why": hit.why.name.lower() if asked else None} for hit in found.hits]
    return json_answer({"version": district.version, "total": found.total, "items": items})


def power_view(power: Power, district: District) -> dict[str, Any]:
    """An item with the names of what it refers to."""
    department = district.departments.get(power.department)
    return {
        "code": power.code,
        "name": power.name,
        "name_en": power.name_en,
        "department": power.department,
        "department_name": department.name if department else power.department,
        "kind": power.kind,
        "bases": [{"law": basis.law, "article": basis.article} for basis in power.bases],
        "tiers": [{"circumstances": tier.circumstances, "range": tier.range} for tier in power.tiers],
        "procedure": power.procedure,
        "matters": [_named(code, district) for code in power.matters],
        "team_kinds": list(power.team_kinds),
        "delegated": power.delegated,
        "origin": power.origin,
    }


def _named(code: str, district: District) -> dict[str, str]:
    matter = district.matters.get(code) or district.classes.get(code)
    return {
        "code": code,
        "name": matter.name if matter else code,
        "name_en": matter.name_en if matter else code,
    }
