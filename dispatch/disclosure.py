"""Who reported a case is told to whoever says why he asks, and that he asked stands in the case's record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import errors
from dispatch.audit import Entry, Event, enter
from dispatch.model import Action
from dispatch.store import disclosures, moves
from dispatch.store.disclosures import Facts
from dispatch.store.engine import connect

RETRY: Final = timedelta(minutes=10)
"""For so long the same id asks for the same answer again; later it would be a reading that nobody recorded."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody asks who reported a case."""

    id: UUID
    case_no: str
    actor: str
    reason: str


async def disclose(engine: AsyncEngine, asking: Asking, now: datetime) -> Mapping[str, str]:
    """The reporter's contact, once it is written who asked and why; empty where he left none.

    The event changes nothing but the length of the chain: what stands in `after` is what stood there before, and nobody
    who acts on the case meanwhile is refused for it (`History.acted`). Raises `UnknownCase`, `ActionConflicts`,
    `DatabaseUnavailable`.
    """
    for _ in range(moves.TRIES):
        async with connect(engine) as connection:
            facts = await disclosures.gather(connection, asking.case_no, asking.id)
            if facts is None:
                raise errors.UnknownCase(case=asking.case_no)
            if facts.done is not None:
                if not is_again(asking, facts, now):
                    raise errors.ActionConflicts(id=str(asking.id), case=facts.done.case)
                return await disclosures.contact(connection, asking.case_no)
            try:
                found = await disclosures.disclose(connection, entry(asking, facts, now))
            except moves.AlreadyThere:
                continue
            if found is not None:
                return found
    raise errors.DatabaseUnavailable


def entry(asking: Asking, facts: Facts, now: datetime) -> Entry:
    """The event: pure."""
    return enter(
        Event(
            id=str(asking.id),
            case=asking.case_no,
            seq=facts.seq + 1,
            at=now,
            action=Action.DISCLOSE.value,
            actor=asking.actor,
            data={"after": facts.after, "note": asking.reason},
            prev=facts.sealed,
        )
    )


def is_again(asking: Asking, facts: Facts, now: datetime) -> bool:
    """Whether the event that has this id is this very asking, a moment ago: pure."""
    done = facts.done
    return done is not None and (done.case, done.action, done.actor, done.note, now - done.at < RETRY) == (
        asking.case_no,
        Action.DISCLOSE.value,
        asking.actor,
        asking.reason,
        True,
    )
