"""Which edition of the district's data holds at a moment: pure.

An edition (版次) of the data is enacted (施行) with a moment from which it holds (生效时间). At any moment the one
that began last is in force; of two that began at the same moment, the one that was enacted later. A report is decided
by the edition that was in force when it was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

ALWAYS: Final = datetime(1, 1, 1, tzinfo=UTC)
"""From when a database's first edition holds: what was seen before there was any is decided by it."""


@dataclass(frozen=True, slots=True)
class Enactment:
    """One enactment of an edition; `number` counts them up."""

    number: int
    version: str
    holds_from: datetime
    enacted_at: datetime


def in_force(enactments: Sequence[Enactment], moment: datetime) -> Enactment:
    """The one that holds at a moment; before all of them, the first to hold. Raises ValueError if there is none."""
    begun = [one for one in enactments if one.holds_from <= moment]
    if begun:
        return max(begun, key=_begins)
    if not enactments:
        raise ValueError("no edition was ever enacted")
    return min(enactments, key=_begins)


def next_change(enactments: Sequence[Enactment], moment: datetime) -> datetime | None:
    """When another edition begins to hold after a moment; None when none is known of."""
    return min((one.holds_from for one in enactments if one.holds_from > moment), default=None)


def seen(seen_at: datetime | None, now: datetime) -> datetime:
    """The moment whose edition decides a report: when it was seen, by a clock that may be fast, or else now."""
    return now if seen_at is None else min(seen_at, now)


def _begins(one: Enactment) -> tuple[datetime, int]:
    return one.holds_from, one.number
