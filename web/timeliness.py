"""Where a case stands with its limit, as the interface shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dispatch.district import District
from dispatch.model import CaseRow
from dispatch.opening import timing_of
from dispatch.timing import clock_of

_NOTHING: Final[Mapping[str, Any]] = {
    "standing": None,
    "step": 0,
    "left_s": None,
    "warn_at": None,
    "limit": None,
    "assumed": [],
}


def clock_view(case: CaseRow, district: District, now: datetime) -> dict[str, Any]:
    """Its standing and what is left, as of now or as of when its clock stood still; nothing where it has no clock."""
    timing = timing_of(district, case.matter)
    clock = clock_of(case, timing)
    if clock is None:
        return {**_NOTHING, "due_at": moment(case.due_at) if case.due_at else None}
    standing = clock.standing(now, timing.rules)
    return {
        "due_at": moment(clock.due_at),
        "standing": standing.timeliness.value,
        "step": standing.step,
        "left_s": round(clock.left_at(now, timing.rules).total_seconds()),
        "warn_at": moment(clock.warn_at(timing.rules)),
        "limit": {"amount": clock.limit.amount, "unit": clock.limit.unit.value},
        "assumed": list(clock.assumed),
    }


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
