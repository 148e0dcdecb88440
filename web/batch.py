"""Many reports in one file: each row a case of its own, through the same desk as a single report."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid5

import anyio.to_thread
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel

from dispatch.errors import BatchTooLarge, DatabaseUnavailable, DomainError, EmptyFile
from dispatch.ground import Ground
from dispatch.reception import TOGETHER, Received
from dispatch.rows import Reader, Row
from web.problems import PROBLEMS, language_of
from web.state import Worker, WorkerOf

router = APIRouter(prefix="/api", tags=["reports"])

ROWS: Final = UUID("5b3c1f7e-6f0a-5a7e-9d55-0d5a4a2f8c11")
"""Namespace of the ids of rows that bring none."""
ROW_BYTES: Final = 8192
"""More than this per row, on average, is refused before it is all read."""

KINDS: Final[dict[str, Literal["csv", "geojson"]]] = {
    "text/csv": "csv",
    "application/csv": "csv",
    "application/geo+json": "geojson",
    "application/json": "geojson",
}


class RejectedRow(BaseModel):
    """A row that made no case, and why, in the language asked for."""

    row: int
    code: str
    detail: str


class RowCase(BaseModel):
    """The case that a row opened, now or when it first came."""

    row: int
    case: str
    team: str
    unit: str | None
    notes: list[str]


class BatchOut(BaseModel):
    """The answer to a file of reports."""

    accepted: int
    known: int
    rejected: list[RejectedRow]
    cases: list[RowCase]


_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string", "examples": ["lon,lat,matter\n118.9,31.3,0101\n"]}},
            "application/geo+json": {"schema": {"type": "object"}},
        },
    }
}


@router.post("/reports/batch", responses={code: PROBLEMS[code] for code in (413, 422, 503)}, openapi_extra=_BODY)
async def batch(
    request: Request,
    worker: WorkerOf,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
) -> BatchOut:
    """Take a CSV or GeoJSON file of reports; rows are worked off in their order, and a bad row stops no other."""
    now = datetime.now(UTC)
    data = await _body(request, worker.settings.batch_limit)
    kind = KINDS.get(content_type.split(";")[0].strip().lower())
    # A row is refused without a write by which it would come out that another edition may take it.
    await worker.editions.superseded(worker.editions.number)
    today = await worker.editions.at(now)
    rows = await anyio.to_thread.run_sync(_read, today, data, kind, worker.settings.batch_limit)
    file = sha256(data).hexdigest()
    language = language_of(request)
    done = BatchOut(accepted=0, known=0, rejected=[], cases=[])
    for first in range(0, len(rows), TOGETHER):
        some = rows[first : first + TOGETHER]
        try:
            outcomes = await asyncio.gather(*(_take(worker, row, file, now) for row in some))
        finally:
            worker.hub.nudge()
        for row, outcome in zip(some, outcomes, strict=True):
            if isinstance(outcome, DomainError):
                detail = " ".join(filter(None, (outcome.text(language), outcome.hint(language))))
                done.rejected.append(RejectedRow(row=row.number, code=outcome.code(), detail=detail))
                continue
            case = outcome.case
            done.known += outcome.known
            done.accepted += not outcome.known
            done.cases.append(
                RowCase(row=row.number, case=case.case_no, team=case.team, unit=case.unit, notes=list(row.notes))
            )
    return done


async def _take(worker: Worker, row: Row, file: str, now: datetime) -> Received | DomainError:
    """What became of a row. Raises `DatabaseUnavailable`: then the whole file is to be sent again."""
    if isinstance(row.outcome, DomainError):
        return row.outcome
    draft = row.outcome.model_copy(update={"id": row.outcome.id or uuid5(ROWS, f"{file} {row.number}")})
    try:
        return await worker.reception.receive(draft, now)
    except DatabaseUnavailable:
        raise
    except DomainError as error:
        return error


async def _body(request: Request, limit: int) -> bytes:
    """The file. Raises `BatchTooLarge` as soon as it is clear that it is."""
    most = limit * ROW_BYTES
    held = bytearray()
    async for part in request.stream():
        held += part
        if len(held) > most:
            raise BatchTooLarge(limit=limit, found=f"{len(held) / 1e6:.0f} MB+")
    return bytes(held)


def _read(ground: Ground, data: bytes, kind: Literal["csv", "geojson"] | None, limit: int) -> list[Row]:
    found = Reader(ground.district).rows(data, kind)
    rows = list(islice(found, limit))
    if more := sum(1 for _ in found):
        raise BatchTooLarge(limit=limit, found=limit + more)
    if not rows:
        raise EmptyFile
    return rows
