"""Who reported a case: told to whoever says why, and recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from dispatch.disclosure import Asking, disclose
from dispatch.intake import NO_NUL
from web.problems import PROBLEMS
from web.state import WorkerOf
from web.views import json_answer

router = APIRouter(prefix="/api", tags=["cases"])


class AskingIn(BaseModel):
    """Who asks, and why."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: UUID = Field(default_factory=uuid4, description="Made by the client; for some minutes the same id asks again.")
    actor: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]
    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=NO_NUL)]


class ContactOut(BaseModel):
    """As it came with the report."""

    case: str
    contact: dict[str, str]


@router.post(
    "/cases/{case_no}/contact",
    response_model=None,
    responses={200: {"model": ContactOut}, **{code: PROBLEMS[code] for code in (400, 404, 409, 422, 503)}},
)
async def contact(case_no: str, given: AskingIn, worker: WorkerOf) -> Response:
    """The reporter's contact; that it was asked for is an event of the case."""
    asking = Asking(given.id, case_no, given.actor, given.reason)
    found = await disclose(worker.engine, asking, datetime.now(UTC))
    worker.hub.nudge()
    answer = json_answer({"case": case_no, "contact": dict(found)})
    answer.headers["Cache-Control"] = "no-store"
    return answer
