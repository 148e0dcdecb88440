"""Which edition of the district's data holds, held and will hold."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from dispatch.enactment import in_force
from web.state import WorkerOf
from web.timeliness import moment
from web.views import json_answer

router = APIRouter(prefix="/api", tags=["district"])


class EditionOut(BaseModel):
    """One enactment of an edition."""

    number: int
    version: str
    holds_from: datetime
    enacted_at: datetime
    in_force: bool


class EditionList(BaseModel):
    """In the order in which they were enacted."""

    items: list[EditionOut]


@router.get("/editions", response_model=None, responses={200: {"model": EditionList}})
async def editions(worker: WorkerOf) -> Response:
    """The editions that this server decides by: a report by the one that held when it was seen."""
    enactments = worker.editions.enactments
    holds = in_force(enactments, datetime.now(UTC)).number
    items = [
        {
            "number": one.number,
            "version": one.version,
            "holds_from": moment(one.holds_from),
            "enacted_at": moment(one.enacted_at),
            "in_force": one.number == holds,
        }
        for one in enactments
    ]
    return json_answer({"items": items})
