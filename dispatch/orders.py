"""What somebody orders to be done to a case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from dispatch.enforcement import PROCEDURE, Papers
from dispatch.evidence import Item
from dispatch.lifecycle import RESTS_ON_EDITION, TRANSITIONS
from dispatch.model import Action
from dispatch.names import Reason, Role
from dispatch.relocation import Pin

NO_PAPERS: Final = Papers()
ORDERED: Final = frozenset(row.action for row in TRANSITIONS if row.by) | PROCEDURE
"""What somebody can order; the desk itself writes the other events."""
CARRIES: Final = ORDERED - RESTS_ON_EDITION - {Action.MERGE}
"""What evidence can come with."""


@dataclass(frozen=True, slots=True)
class Order:
    """Something that somebody does to a case."""

    id: UUID
    case_no: str
    action: Action
    actor: str
    note: str = ""
    team: str = ""
    """Of a return: whose it is, where that is known; of a ground: the side that states it; else who is to have it."""
    unit: str = ""
    photos: tuple[str, ...] = ()
    pin: Pin | None = None
    settles: str = ""
    """Of a place to be confirmed: the team whose part of the circle is meant, where nobody says where exactly."""
    seq: int | None = None
    """The step that the actor was looking at; None: whatever it is."""
    role: Role | None = None
    """None: not said, and so not held against the table."""
    reason: Reason | None = None
    """Of a return."""
    until: date | None = None
    """Of a suspension, in the district's days."""
    into: str = ""
    """Of a merger: the other case."""
    evidence: tuple[Item, ...] = ()
    papers: Papers = NO_PAPERS
    rule: str = ""
    """By which rule, where none of us but the overseer orders it; nobody can say so of himself."""

    def given(self) -> dict[str, str]:
        """What the tables may need, as texts that are empty where it is not there."""
        return {
            "note": self.note,
            "team": self.team,
            "position": "given" if self.pin or self.settles else "",
            "until": self.until.isoformat() if self.until else "",
            "into": self.into,
            "evidence": "given" if self.evidence else "",
        }
