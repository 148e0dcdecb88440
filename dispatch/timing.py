"""The clock of a case over its life: what each step of the table does to it, and when to look at it again. Pure.

A case carries its clock as data (`CaseRow.clock`); the event of each step that changed it says the same (`data.clock`),
so that the due moment of a case can be counted again by whoever holds its chain. `docs/deadlines.md` says the rules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from dispatch import lifecycle
from dispatch.deadlines import Clock, Rules, adopted, as_data, from_data, started
from dispatch.lifecycle import MOST_LEVELS, RUNNING
from dispatch.model import CaseRow, Limit, State
from dispatch.working_time import moment

_TICKS: Final = RUNNING | {State.SUSPENDED}
"""States of which the clock of a case from before clocks were kept can be told."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What a case's clock goes by, in the edition that holds."""

    rules: Rules
    limit: Limit
    """Of its matter; a case that has a clock already keeps that one's."""


def clock_of(case: CaseRow, timing: Timing) -> Clock | None:
    """The case's clock; None where it has none: it was not dispatched yet, or was over before clocks were kept."""
    if case.clock is not None:
        return from_data(case.clock)
    if case.due_at is None or case.state not in _TICKS:
        return None
    clock = adopted(timing.limit, case.received_at, case.due_at, timing.rules)
    return clock.suspended(case.changed_at) if case.state is State.SUSPENDED else clock


def wind(case: CaseRow, moved: CaseRow, does: lifecycle.Clock, timing: Timing, now: datetime) -> CaseRow:
    """The case after a step, `moved` in all but its time, with its clock, its due moment and when to look again.

    A clock that ends stands still from then on, as one that is stopped: what was left, or how late it was, stays told.
    A suspension ends when its day begins, whoever writes that down and however late.
    """
    clock = clock_of(case, timing)
    match does:
        case lifecycle.Clock.STARTS:
            clock = started(clock.limit if clock else timing.limit, now, timing.rules)
        case lifecycle.Clock.STOPS | lifecycle.Clock.ENDS:
            clock = clock and clock.suspended(now)
        case lifecycle.Clock.RESUMES:
            at = min(now, day_begins(case.suspended_until, timing.rules)) if case.suspended_until else now
            clock = clock and clock.resumed(at, timing.rules)
        case lifecycle.Clock.RECOUNTS:
            clock = clock and clock.recounted(timing.rules)
    moved = replace(moved, clock=as_data(clock) if clock else None, due_at=clock.due_at if clock else case.due_at)
    return replace(moved, next_at=next_at(moved, timing))


def next_at(case: CaseRow, timing: Timing) -> datetime | None:
    """When the overseer has something to do with the case: it resumes, or goes a level up. None: never, as it stands.

    Step n of the district's rules lifts a case to level n: one that somebody lifted before is not lifted twice.
    """
    if case.state is State.SUSPENDED and case.suspended_until:
        return day_begins(case.suspended_until, timing.rules)
    clock = clock_of(case, timing) if case.state in RUNNING else None
    ups = clock.escalates_at(timing.rules)[:MOST_LEVELS] if clock else ()
    return ups[case.level] if case.level < len(ups) else None


def day_begins(day: date, rules: Rules) -> datetime:
    """When the working hours of a day begin, be it worked or not: people are there to be told."""
    time = rules.working_time
    return moment(day, time.windows[0][0], time.zone)
