"""Many reports in one file: each row a case of its own, through the same desk as a single report."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid5

import anyio.to_thread
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel

from dispatch import desk
from dispatch.errors import BatchTooLarge, DatabaseUnavailable, DomainError, EmptyFile
from dispatch.ground import Ground
from dispatch.rows import Reader, Row
from dispatch.store.engine import connect
from web.problems import PROBLEMS, language_of
from web.state import WorkerOf

router = APIRouter(prefix="/api", tags=["reports"])

ROWS: Final = UUID("5b3c1f7e-6f0a-5a7e-9d55-0d5a4a2f8c11")
"""Namespace of the ids of rows that bring none."""
ROW_BYTES: Final = 8192
"""More than this per row, on average, is refused before it is all read."""
NUDGE_EVERY: Final = 50
"""Rows between one word to the live map and the next."""

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
    rows = await anyio.to_thread.run_sync(_read, worker.ground, data, kind, worker.settings.batch_limit)
    file = sha256(data).hexdigest()
    language = language_of(request)
    done = BatchOut(accepted=0, known=0, rejected=[], cases=[])
    try:
        async with connect(worker.engine) as connection:
            for row in rows:
                try:
                    if isinstance(row.outcome, DomainError):
                        raise row.outcome
                    draft = row.outcome.model_copy(update={"id": row.outcome.id or uuid5(ROWS, f"{file} {row.number}")})
                    received = await desk.receive(
                        connection, worker.ground, worker.memory, draft, now, worker.settings.max_age_days
                    )
                except DatabaseUnavailable:
                    raise
                except DomainError as error:
                    detail = " ".join(filter(None, (error.text(language), error.hint(language))))
                    done.rejected.append(RejectedRow(row=row.number, code=error.code(), detail=detail))
                    continue
                case = received.case
                done.known += received.known
                done.accepted += not received.known
                done.cases.append(
                    RowCase(row=row.number, case=case.case_no, team=case.team, unit=case.unit, notes=list(row.notes))
                )
                if done.accepted % NUDGE_EVERY == 1:
                    worker.hub.nudge()
    finally:
        worker.hub.nudge()
    return done


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
