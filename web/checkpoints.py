"""Checkpoints of the record, and the proof that a case stands in the last one."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from dispatch.checkpoints import written
from dispatch.errors import InvalidCursor, NoCheckpoint
from dispatch.store.checkpoints import last_checkpoint, list_checkpoints
from dispatch.store.engine import connect
from web.paging import Cursor, Limit, cut, read_cursor
from web.problems import PROBLEMS
from web.schemas import CheckpointOut, CheckpointPage, ProofOut
from web.state import WorkerOf
from web.views import json_answer

router = APIRouter(prefix="/api", tags=["record"])

_DIGITS: Final = 18


@router.get(
    "/checkpoints",
    response_model=None,
    responses={200: {"model": CheckpointPage}, 422: PROBLEMS[422], 503: PROBLEMS[503]},
)
async def list_of_them(worker: WorkerOf, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """Every checkpoint, newest first, by cursor."""
    async with connect(worker.engine) as connection:
        rows = await list_checkpoints(connection, limit + 1, _before(cursor))
    page, following = cut("checkpoints", rows, limit, lambda row: (str(row.number),))
    return json_answer({"items": [written(row) for row in page], "next": following})


def _before(cursor: str | None) -> int | None:
    key = read_cursor("checkpoints", 1, cursor)
    if key is None:
        return None
    if not (key[0].isascii() and key[0].isdigit() and len(key[0]) <= _DIGITS):
        raise InvalidCursor({"field": "cursor"})
    return int(key[0])


@router.get(
    "/checkpoints/latest",
    response_model=None,
    responses={200: {"model": CheckpointOut}, 404: PROBLEMS[404], 503: PROBLEMS[503]},
)
async def latest(worker: WorkerOf) -> Response:
    """The newest checkpoint."""
    async with connect(worker.engine) as connection:
        last = await last_checkpoint(connection)
    if last is None:
        raise NoCheckpoint
    return json_answer(written(last))


@router.get(
    "/cases/{case_no}/proof",
    response_model=None,
    responses={200: {"model": ProofOut}, 404: PROBLEMS[404], 503: PROBLEMS[503]},
)
async def proof(case_no: str, worker: WorkerOf) -> Response:
    """That the case's head stands in the newest checkpoint."""
    found = await worker.record.inclusion.of(worker.engine, case_no)
    answer: dict[str, Any] = {
        "case": case_no,
        "seq": found.leaf.seq,
        "seal": found.leaf.sealed.hex(),
        "place": found.place,
        "size": found.checkpoint.cases,
        "path": [beside.hex() for beside in found.path],
        "checkpoint": written(found.checkpoint),
    }
    return json_answer(answer)
