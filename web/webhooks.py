"""How webhooks stand: who is told, how much waits, what hinders it."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from dispatch.store import outbox
from dispatch.store.engine import connect
from web.problems import PROBLEMS
from web.state import WorkerOf
from web.timeliness import moment
from web.views import json_answer

router = APIRouter(prefix="/api", tags=["webhooks"])


class StandingOut(BaseModel):
    """How one subscriber stands. Where it is and its secret are the operator's alone."""

    name: str
    set: bool
    since: datetime
    waiting: int
    oldest: datetime | None
    failing: int
    problem: str | None


class StandingList(BaseModel):
    """All subscribers, by name."""

    items: list[StandingOut]


@router.get("/webhooks", response_model=None, responses={200: {"model": StandingList}, 503: PROBLEMS[503]})
async def webhooks(worker: WorkerOf) -> Response:
    """Who is told of events by webhook, how many wait, and since when."""
    async with connect(worker.engine) as connection:
        found = await outbox.standing(connection)
    named = {one.name for one in worker.settings.webhooks}
    items = [
        {
            "name": one.name,
            "set": one.name in named,
            "since": moment(one.since),
            "waiting": one.waiting,
            "oldest": moment(one.oldest) if one.oldest else None,
            "failing": one.failing,
            "problem": one.problem,
        }
        for one in found
    ]
    return json_answer({"items": items})
