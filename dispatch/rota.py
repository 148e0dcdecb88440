"""Who is on duty (值班), and who goes while nobody of a team is: pure.

The responsible team is never another for it: only who goes differs. What the cells of a shift hold is
`docs/shifts.md`; they are given as they stand in the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from math import lcm
from typing import Final
from zoneinfo import ZoneInfo

from dispatch.model import Matter, Team, Unit
from dispatch.working_time import DAY_MIN, Calendar, DayKind, moment

DAYS: Final[Mapping[str, frozenset[tuple[DayKind, int]]]] = {
    "working": frozenset(product((DayKind.WORKING,), range(7))),
    "weekend": frozenset(product((DayKind.WEEKEND,), range(7))),
    "holiday": frozenset(product((DayKind.HOLIDAY,), range(7))),
    "off": frozenset(product((DayKind.WEEKEND, DayKind.HOLIDAY), range(7))),
    **{str(n + 1): frozenset(product(DayKind, (n,))) for n in range(7)},
}
"""What a word of the cell `days` means: kinds of day on days of the week (0 is Monday)."""
ANY_DAY: Final = frozenset(product(DayKind, range(7)))
EVERY: Final = 8
"""At most every so many days, so that all turns can be looked through when a folder is checked."""
NOBODY: Final = "-"
_CLOCK: Final = re.compile(r"([0-2]?[0-9]):([0-5][0-9])")
AHEAD_DAYS: Final = 31
"""So far ahead the next crew is looked for."""
KEPT: Final = 1024
"""Watches of so many teams and minutes are remembered: every report asks for one."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One row of shifts.csv: units that are on duty together, on which days, between which hours."""

    code: str
    name: str
    name_en: str
    team: str
    units: str
    """Of the team, by `|`; empty: all of them."""
    days: str
    """By `|`: `working`, `weekend`, `holiday`, `off`, `1` (Monday) to `7`; empty: every day. Of the day it begins."""
    start: str
    """HH:MM by the clock on the wall."""
    end: str
    """HH:MM, up to 24:00; not after `start`: on the next day, so that 08:00 to 08:00 is a day and a night."""
    first_day: str = ""
    """A day on which it is worked (2026-01-01), where it is not each day's."""
    every: int = 1
    """It is worked each so many days, counted from `first_day`."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time at which nobody of a team is on duty, and nobody stands in."""

    team: str
    weekday: int
    """0 is Monday."""
    kind: DayKind
    start: int
    end: int
    """Minutes after midnight."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who goes for a team at a moment."""

    team: str
    """The responsible one."""
    stand_in: tuple[str, ...]
    """Those whose units go because nobody of it is on duty, in its own order."""
    on_duty: frozenset[str]
    """Units of all of them that are on duty; empty: nobody goes."""
    next_crew_at: datetime | None
    """When somebody will; None where somebody is on duty, and where nobody will be within a month."""

    @property
    def teams(self) -> tuple[str, ...]:
        """All whose units are weighed, the responsible one first."""
        return (self.team, *self.stand_in)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A shift, ready to be asked."""

    units: frozenset[str]
    days: frozenset[tuple[DayKind, int]]
    start: int
    length: int
    first: int
    every: int

    def on(self, ordinal: int, kind: DayKind) -> bool:
        """Whether it begins on a day, by its number in the calendar."""
        return (ordinal - self.first) % self.every == 0 and (kind, (ordinal + 6) % 7) in self.days


class Rota:
    """The shifts of a district's teams. A team of which no shift speaks is always on duty, with all of its units."""

    def __init__(
        self,
        shifts: Iterable[Shift],
        teams: Mapping[str, Team],
        units: Iterable[Unit],
        calendar: Calendar,
        zone: ZoneInfo,
    ) -> None:
        """Cells must be as `docs/shifts.md` says; a unit that is not of the row's team is passed over."""
        self._teams, self._calendar, self._zone = teams, calendar, zone
        listed = tuple(units)
        self._units: dict[str, set[str]] = {code: set() for code in teams}
        self._team_of = {unit.code: unit.team for unit in listed}
        self._skills = {unit.code: split(unit.skills) for unit in listed}
        for unit, team in self._team_of.items():
            self._units.setdefault(team, set()).add(unit)
        self._watches: dict[tuple[str, int], Watch] = {}
        self._turns: dict[str, list[_Turn]] = {}
        for shift in shifts:
            own = self._units.get(shift.team, set())
            self._turns.setdefault(shift.team, []).append(_turn(shift, own))

    def on_duty(self, unit: str, at: datetime) -> bool:
        """Whether a unit is. KeyError for one that the district does not have."""
        team = self._team_of[unit]
        return team not in self._turns or any(unit in turn.units for turn in self._now(team, at))

    def crew(self, team: str, at: datetime) -> frozenset[str]:
        """The units of a team that are on duty."""
        if team not in self._turns:
            return frozenset(self._units.get(team, ()))
        return frozenset[str]().union(*(turn.units for turn in self._now(team, at)))

    def stands_in(self, team: str, at: datetime) -> tuple[str, ...]:
        """The teams whose units go for one that has nobody on duty: those that have somebody, in its own order.

        Empty while somebody of the team itself is on duty, and where nobody stands in.
        """
        if self.crew(team, at):
            return ()
        return tuple(code for code in self.chain(team) if self.crew(code, at))

    def watch(self, team: str, at: datetime) -> Watch:
        """Who goes for a team, which need not be one of the district's: then it has nobody."""
        # Shifts begin and end with a minute.
        key = (team, int(at.timestamp() // 60))
        found = self._watches.get(key)
        if found is None:
            if len(self._watches) >= KEPT:
                self._watches.clear()
            found = self._watches[key] = self._watched(team, at)
        return found

    def _watched(self, team: str, at: datetime) -> Watch:
        if team not in self._teams:
            return Watch(team, (), frozenset(), None)
        others = self.stands_in(team, at)
        crew = frozenset[str]().union(*(self.crew(code, at) for code in (team, *others)))
        return Watch(team, others, crew, None if crew else self.next_crew_at(team, at))

    def chain(self, team: str) -> tuple[str, ...]:
        """The teams that stand in for one at all, in its own order."""
        return tuple(code for code in split(self._teams[team].stand_in) if code != NOBODY)

    def next_crew_at(self, team: str, at: datetime) -> datetime | None:
        """When somebody can go for a team: `at` itself, or the next shift of it or a stand-in; None: not in a month."""
        teams = (team, *self.chain(team))
        if any(self.crew(code, at) for code in teams):
            return at.astimezone(UTC)
        today = at.astimezone(self._zone).date()
        turns = [turn for code in teams for turn in self._turns.get(code, ()) if turn.units]
        for n in range(AHEAD_DAYS):
            day = today + timedelta(days=n)
            begins = (moment(day, turn.start, self._zone) for turn in turns if self._begins(turn, day))
            if first := min((begin for begin in begins if begin > at), default=None):
                return first
        return None

    def able(self, unit: str, matter: Matter | None) -> bool:
        """Whether a unit has the skill that a matter asks for. KeyError for a unit that the district does not have."""
        return matter is None or not matter.skill or matter.skill in self._skills[unit]

    def over_load(self, team: str, open_cases: int) -> bool:
        """Whether a team has more open cases than it should."""
        most = self._teams[team].max_open
        return most is not None and open_cases > most

    def gaps(self, team: str) -> Iterator[Gap]:
        """Every time of a week, by kinds of day, at which nobody is on duty for a team and nobody stands in.

        Each turn of the shifts is looked at on each day of the week, after each kind of day. None for a team that says
        that nobody stands in.
        """
        if NOBODY in split(self._teams[team].stand_in):
            return
        teams = (team, *self.chain(team))
        if any(code not in self._turns and self._units.get(code) for code in teams):
            return
        turns = [turn for code in teams for turn in self._turns.get(code, ()) if turn.units]
        told: set[Gap] = set()
        for ordinal in range(1, 1 + lcm(7, *(turn.every for turn in turns))):
            for before, kind in product(_kinds(ordinal - 1), _kinds(ordinal)):
                busy = [(t.start, t.start + t.length) for t in turns if t.on(ordinal, kind)]
                busy += [(0, t.start + t.length - DAY_MIN) for t in turns if t.on(ordinal - 1, before)]
                for start, end in _free(busy):
                    gap = Gap(team, (ordinal + 6) % 7, kind, start, end)
                    if gap not in told:
                        told.add(gap)
                        yield gap

    def _now(self, team: str, at: datetime) -> Iterator[_Turn]:
        """The turns of a team that are being worked."""
        here = at.astimezone(self._zone)
        minutes, today = here.hour * 60 + here.minute, here.date()
        yesterday = today - timedelta(days=1)
        for turn in self._turns[team]:
            over = minutes + DAY_MIN - turn.start
            if (turn.start <= minutes < turn.start + turn.length and self._begins(turn, today)) or (
                DAY_MIN - turn.start <= over < turn.length and self._begins(turn, yesterday)
            ):
                yield turn

    def _begins(self, turn: _Turn, day: date) -> bool:
        return turn.on(day.toordinal(), self._calendar.kind(day))


def split(cell: str) -> tuple[str, ...]:
    """The words of a cell."""
    return tuple(word.strip() for word in cell.split("|") if word.strip())


def clock(text: str) -> int:
    """HH:MM as minutes after midnight, 24:00 being 1440. Raises ValueError."""
    match = _CLOCK.fullmatch(text)
    if match is None or (value := int(match[1]) * 60 + int(match[2])) > DAY_MIN:
        raise ValueError(text)
    return value


def _turn(shift: Shift, own: set[str]) -> _Turn:
    start, end = clock(shift.start), clock(shift.end)
    named = split(shift.units)
    return _Turn(
        units=frozenset(own & set(named) if named else own),
        days=frozenset[tuple[DayKind, int]]().union(*(DAYS[word] for word in split(shift.days))) or ANY_DAY,
        start=start,
        length=end - start if end > start else end + DAY_MIN - start,
        first=date.fromisoformat(shift.first_day).toordinal() if shift.first_day else 0,
        every=shift.every,
    )


def _kinds(ordinal: int) -> tuple[DayKind, ...]:
    """What a day can be; a Monday to Friday that is free is a holiday."""
    weekend = (ordinal + 6) % 7 >= 5
    return (DayKind.WORKING, DayKind.HOLIDAY, DayKind.WEEKEND) if weekend else (DayKind.WORKING, DayKind.HOLIDAY)


def _free(busy: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What is left of a day."""
    until = 0
    for start, end in sorted(busy):
        if start > until:
            yield until, start
        until = max(until, end)
    if until < DAY_MIN:
        yield until, DAY_MIN
