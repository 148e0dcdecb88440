"""Disputes: which there are, what the sides say, and what a ruling comes to as a row of the decision table."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel

from dispatch import disputes
from dispatch.errors import InvalidCursor, NotRuled, UnknownDispute
from dispatch.store import disputes as told
from dispatch.store.engine import connect
from web.paging import Cursor, Limit, cut, read_cursor
from web.problems import PROBLEMS
from web.state import Worker, WorkerOf
from web.timeliness import moment
from web.views import json_answer

router = APIRouter(prefix="/api/disputes", tags=["disputes"])


class DisputeOut(BaseModel):
    """A dispute: who says it is not theirs, what the sides say, and what was ruled."""

    id: UUID
    case: str
    opened_at: datetime
    matter: str
    sides: list[str]
    returns: list[dict[str, Any]]
    grounds: list[dict[str, Any]]
    ruling: dict[str, Any] | None
    ended_by: str | None
    open: bool


class DisputePage(BaseModel):
    """A page of disputes, newest first."""

    items: list[DisputeOut]
    next: str | None


class DraftOut(BaseModel):
    """What a ruling comes to as a row of the decision table."""

    dispute: UUID
    version: str
    status: Literal["new", "replaces", "covered", "unknown", "tie"]
    row: dict[str, str] | None
    against: list[str]
    csv: str


@router.get("", response_model=None, responses={200: {"model": DisputePage}, 422: PROBLEMS[422], 503: PROBLEMS[503]})
async def list_disputes(
    worker: WorkerOf,
    open: Annotated[bool | None, Query(description="Whether nobody ruled yet")] = None,  # noqa: A002
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Disputes, newest first."""
    key = read_cursor("disputes", 1, cursor)
    if key and not (key[0].isascii() and key[0].isdigit() and len(key[0]) < 19):
        raise InvalidCursor({"field": "cursor"})
    async with connect(worker.engine) as connection:
        rows = await told.list_disputes(connection, open, limit + 1, int(key[0]) if key else None)
        page, following = cut("disputes", rows, limit, lambda row: (str(row.number),))
        chains = await told.chains_of(connection, [row.case for row in page])
    items = [_view(_found(row.id, disputes.read(chains[row.case])), row.matter) for row in page]
    return json_answer({"items": items, "next": following})


@router.get(
    "/{dispute}",
    response_model=None,
    responses={200: {"model": DisputeOut}, **{c: PROBLEMS[c] for c in (404, 422, 503)}},
)
async def one_dispute(dispute: UUID, worker: WorkerOf) -> Response:
    """One dispute."""
    return json_answer(_view(*await _one(worker, dispute)))


@router.get(
    "/{dispute}/draft-row",
    response_model=None,
    responses={200: {"model": DraftOut}, **{code: PROBLEMS[code] for code in (404, 409, 422, 503)}},
)
async def draft_row(dispute: UUID, worker: WorkerOf) -> Response:
    """The row of the decision table by which the same dispute would not come again, proved on the edition in force."""
    found, matter = await _one(worker, dispute)
    if found.ruling is None:
        raise NotRuled(dispute=str(dispute))
    ground = worker.ground
    day = found.ruling.at.astimezone(ground.zone_info).date().isoformat()
    ruling = disputes.Ruling(found.id, found.case, matter, found.ruling.team, day)
    place = ground.locator.at(*found.at)
    drafted = await anyio.to_thread.run_sync(disputes.draft, ground.district, place, ruling)
    row = drafted.row
    return json_answer(
        {
            "dispute": found.id,
            "version": ground.district.version,
            "status": drafted.status,
            "row": disputes.as_row(row) if row else None,
            "against": list(drafted.against),
            "csv": disputes.as_csv([row] if row else []),
        }
    )


async def _one(worker: Worker, dispute: UUID) -> tuple[disputes.Dispute, str]:
    async with connect(worker.engine) as connection:
        opened = await told.which_dispute(connection, dispute)
        if opened is None:
            raise UnknownDispute(dispute=str(dispute))
        chain = (await told.chains_of(connection, [opened.case]))[opened.case]
    return _found(opened.id, disputes.read(chain)), opened.matter


def _found(dispute: str, among: list[disputes.Dispute]) -> disputes.Dispute:
    return next(one for one in among if one.id == dispute)


def _view(dispute: disputes.Dispute, matter: str) -> dict[str, Any]:
    return {
        "id": dispute.id,
        "case": dispute.case,
        "opened_at": moment(dispute.opened_at),
        "matter": matter,
        "sides": list(dispute.sides),
        "returns": [_said(one) for one in dispute.returns],
        "grounds": [_said(one) for one in dispute.grounds],
        "ruling": _said(dispute.ruling) if dispute.ruling else None,
        "ended_by": dispute.end.action.value if dispute.end else None,
        "open": dispute.end is None,
    }


def _said(said: disputes.Said) -> dict[str, Any]:
    return {"at": moment(said.at), "actor": said.actor, "team": said.team, "note": said.note, **said.details}
