"""The clock of a case: when it is due, warned of, late, escalated; it stands while the case is suspended. Pure.

A clock is a value: whoever keeps it writes `as_data` and reads `from_data`, or makes it again from the case's events
(`started`, `suspended`, `resumed` in their order). All moments are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from dispatch.model import Limit, LimitUnit
from dispatch.working_time import WorkingTime, span


class Whom(StrEnum):
    """To whom a late case goes up."""

    TEAM_LEADER = "team_leader"
    DISPATCHER = "dispatcher"
    DISTRICT_OFFICE = "district_office"


WHOM: Final[Mapping[Whom, tuple[str, str]]] = MappingProxyType(
    {
        Whom.TEAM_LEADER: ("队伍负责人", "the team's leader"),
        Whom.DISPATCHER: ("指挥中心", "the command centre"),
        Whom.DISTRICT_OFFICE: ("区协调机构", "the district's office"),
    }
)
UNITS: Final[Mapping[LimitUnit, tuple[str, str]]] = MappingProxyType(
    {
        LimitUnit.HOURS: ("小时", "h"),
        LimitUnit.WORKING_HOURS: ("个工作小时", "working hours"),
        LimitUnit.WORKING_DAYS: ("个工作日", "working days"),
    }
)


@dataclass(frozen=True, slots=True)
class Step:
    """How late a case goes up, and to whom: hours, or a share of its limit, either in the limit's own time."""

    to: Whom
    late_h: float | None = None
    late_share: float | None = None
    """Of the whole limit; counts where `late_h` is None."""


STEPS: Final = (
    Step(Whom.TEAM_LEADER, late_share=0.1),
    Step(Whom.DISPATCHER, late_share=0.25),
    Step(Whom.DISTRICT_OFFICE, late_share=0.5),
)
"""Where the district does not say its own."""
WARN_SHARE: Final = 0.8
ORDINARY: Final = 3
CLASS_LIMIT: Final = Limit(72.0)
"""For what is reported by its class alone, where the district says nothing for its urgency."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All that a clock goes by."""

    working_time: WorkingTime
    warn_share: float = WARN_SHARE
    """It is warned when that share of the limit is used (above 0, at most 1)."""
    steps: tuple[Step, ...] = STEPS
    limits: Mapping[int, Limit] = field(default_factory=lambda: MappingProxyType({}))
    """By urgency, for matters without one of their own."""

    def class_limit(self) -> Limit:
        """For a report of which only the class is known: it is ordinary."""
        return self.limits.get(ORDINARY, CLASS_LIMIT)


class Timeliness(StrEnum):
    """Where a case stands with its limit."""

    ON_TIME = "on_time"
    WARNED = "warned"
    LATE = "late"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case stands with its limit, and how far up it went."""

    timeliness: Timeliness
    step: int = 0
    """How many steps up, from 1, where escalated."""
    to: Whom | None = None

    def __str__(self) -> str:
        return f"{self.timeliness}({self.step})" if self.step else str(self.timeliness)


@dataclass(frozen=True, slots=True)
class Clock:
    """A case's time. Nothing of it moves by itself: `standing` is asked with the time it is."""

    limit: Limit
    total: timedelta
    """The whole limit in its own time: of working days the working time from the start to their end."""
    started_at: datetime
    since: datetime
    """From when it runs: the start, or when it was resumed last."""
    left: timedelta
    """Of the limit, in its own time, at `since`; negative when it was late by then."""
    due_at: datetime
    """While suspended: as it was."""
    suspended_at: datetime | None
    assumed: tuple[int, ...]
    """Years whose days were assumed to go by the day of the week, because no calendar of them is known yet."""
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    """From when to when it stood still, in order."""

    def left_at(self, now: datetime, rules: Rules) -> timedelta:
        """What is left, in the limit's own time; negative when late. It stands while suspended."""
        until = self.suspended_at or max(now, self.since)
        return self.left - rules.working_time.assuming().measure(self.since, until, self.limit.unit)

    def warn_at(self, rules: Rules) -> datetime:
        """When it is warned, if it is not suspended until then: at the earliest when it was resumed last."""
        run = self.left - (self.total - self.total * rules.warn_share)
        return self._after(self.since, run, rules) if run > timedelta() else self.since

    def escalates_at(self, rules: Rules) -> tuple[datetime, ...]:
        """When it goes up, step by step, none before the one under it."""
        moments: list[datetime] = []
        late = self.due_at <= self.since and self.left <= timedelta()
        begin, overdue = (self.since, -self.left) if late else (self.due_at, timedelta())
        for step in rules.steps:
            run = self.total * (step.late_share or 0.0) if step.late_h is None else timedelta(hours=step.late_h)
            at = self._after(begin, run - overdue, rules) if run > overdue else begin
            moments.append(max(at, *moments[-1:]) if moments else at)
        return tuple(moments)

    def standing(self, now: datetime, rules: Rules) -> Standing:
        """Where it stands; while suspended, where it stood. Late is after `due_at`, the others from their moment on."""
        now = self.suspended_at or now
        if now <= self.due_at:
            return Standing(Timeliness.WARNED if now >= self.warn_at(rules) else Timeliness.ON_TIME)
        up = sum(now >= at for at in self.escalates_at(rules))
        return Standing(Timeliness.ESCALATED, up, rules.steps[up - 1].to) if up else Standing(Timeliness.LATE)

    def next_at(self, now: datetime, rules: Rules) -> datetime | None:
        """The next moment after `now` at which its standing may become another; None: none, or it is suspended."""
        moments = (self.warn_at(rules), self.due_at, *self.escalates_at(rules))
        return None if self.suspended_at else min((at for at in moments if at > now), default=None)

    def suspended(self, at: datetime) -> Clock:
        """Standing still from `at` on; as it is where it stands already. An `at` before it ran counts as then."""
        return self if self.suspended_at else replace(self, suspended_at=max(at.astimezone(UTC), self.since))

    def resumed(self, at: datetime, rules: Rules) -> Clock:
        """Running again with what was left, in its own time; as it is where it runs already.

        What was late by then stays so: its due moment does not move, and the time it stood is not counted as late.
        """
        if self.suspended_at is None:
            return self
        since = max(at.astimezone(UTC), self.suspended_at)
        left = self.left_at(since, rules)
        due_at = self.due_at if self.suspended_at > self.due_at else self._after(since, left, rules)
        assumed = _assumed(since, due_at, rules, self.limit.unit)
        stood = (*self.pauses, (self.suspended_at, since))
        return replace(self, since=since, left=left, due_at=due_at, suspended_at=None, assumed=assumed, pauses=stood)

    def recounted(self, rules: Rules) -> Clock:
        """Counted again from its start, with the calendar and the hours of these rules; its limit stays what it was."""
        clock = started(self.limit, self.started_at, rules)
        for stood, since in self.pauses:
            clock = clock.suspended(stood).resumed(since, rules)
        return clock.suspended(self.suspended_at) if self.suspended_at else clock

    def _after(self, start: datetime, duration: timedelta, rules: Rules) -> datetime:
        return rules.working_time.assuming().after(start, duration, self.limit.unit)


def started(limit: Limit, at: datetime, rules: Rules) -> Clock:
    """The clock of a case that is dispatched at that moment.

    Where no calendar is known yet it goes by the day of the week, and `assumed` says so. Raises `InvalidLimit`.
    """
    at = at.astimezone(UTC)
    time = rules.working_time.assuming()
    due_at = time.add(at, limit)
    total = time.between(at, due_at) if limit.unit is LimitUnit.WORKING_DAYS else span(limit)
    return Clock(limit, total, at, at, total, due_at, None, _assumed(at, due_at, rules, limit.unit))


def adopted(limit: Limit, at: datetime, due_at: datetime, rules: Rules) -> Clock:
    """The clock of a case of which only its start and its due moment were kept, as before clocks were."""
    at, due_at = at.astimezone(UTC), due_at.astimezone(UTC)
    total = rules.working_time.assuming().measure(at, due_at, limit.unit)
    return Clock(limit, total, at, at, total, due_at, None, _assumed(at, due_at, rules, limit.unit))


def _assumed(a: datetime, b: datetime, rules: Rules, unit: LimitUnit) -> tuple[int, ...]:
    return () if unit is LimitUnit.HOURS else rules.working_time.unknown_years(a, b)


def words(limit: Limit) -> tuple[str, str]:
    """A limit in Chinese and English."""
    zh, en = UNITS[limit.unit]
    return f"{limit.amount:g} {zh}", f"{limit.amount:g} {en}"


def as_data(clock: Clock) -> dict[str, Any]:
    """A clock as plain values: moments in ISO 8601, lengths in seconds."""
    return {
        "limit": clock.limit.amount,
        "limit_unit": clock.limit.unit.value,
        "total_s": clock.total.total_seconds(),
        "started_at": clock.started_at.isoformat(),
        "since": clock.since.isoformat(),
        "left_s": clock.left.total_seconds(),
        "due_at": clock.due_at.isoformat(),
        "suspended_at": clock.suspended_at.isoformat() if clock.suspended_at else None,
        "assumed": list(clock.assumed),
        "pauses": [[stood.isoformat(), since.isoformat()] for stood, since in clock.pauses],
    }


def from_data(data: Mapping[str, Any]) -> Clock:
    """The clock that `as_data` wrote."""
    return Clock(
        limit=Limit(data["limit"], LimitUnit(data["limit_unit"])),
        total=timedelta(seconds=data["total_s"]),
        started_at=datetime.fromisoformat(data["started_at"]),
        since=datetime.fromisoformat(data["since"]),
        left=timedelta(seconds=data["left_s"]),
        due_at=datetime.fromisoformat(data["due_at"]),
        suspended_at=datetime.fromisoformat(data["suspended_at"]) if data["suspended_at"] else None,
        assumed=tuple(data["assumed"]),
        pauses=tuple((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in data["pauses"]),
    )
