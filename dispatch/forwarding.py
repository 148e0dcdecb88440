"""What another system sent, taken in by the reception as any report; the same ticket again is the same case."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch.errors import ReportConflicts
from dispatch.intake import Forwarded
from dispatch.reception import Received, Reception
from dispatch.store import cases, moves
from dispatch.store.engine import connect


async def forward(reception: Reception, engine: AsyncEngine, draft: Forwarded, now: datetime) -> tuple[Received, bool]:
    """The case of a ticket, and whether it says something else now than when it first came.

    A ticket is taken as it first came: nothing of a report is changed. Raises the refusals of `Reception.receive`.
    """
    try:
        return await reception.receive(draft, now), False
    except ReportConflicts:
        async with connect(engine) as connection:
            if draft.id is None or not await moves.known(connection, [draft.id]):
                raise
            stored = await cases.which_report(connection, draft.id)
            if (stored.source, stored.source_ref) != (draft.source, draft.source_ref):
                raise  # somebody else's report has taken the id
            case = await cases.case_of_report(connection, draft.id)
            return Received(case, await cases.which_decision(connection, case.case_no), known=True), True
