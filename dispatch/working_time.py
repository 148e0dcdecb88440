"""Working time (工作时间): which days are worked, at which hours, and counting in it. Pure; moments are UTC in and out.

Which days are worked is the State Council's yearly notice as the package `chinesecalendar` has it, and before it what
the district says of its own days. The rules of counting, and where they are from, are in `docs/deadlines.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from chinese_calendar import holidays, workdays

from dispatch.errors import CalendarUnknown, InvalidLimit
from dispatch.model import Limit, LimitUnit

PUBLISHED: Final = frozenset(day.year for day in (*holidays, *workdays))
"""The years whose notice the package has. It is not asked by `is_workday`: that looks for its last year each time."""
NEXT_YEARS: Final = 25
"""From this day of December on, days may be moved by the next year's notice (as the 29th to 31st were in 2018)."""
DAY_MIN: Final = 24 * 60
_DAY: Final = timedelta(days=1)

Window = tuple[int, int]
"""Minutes after midnight, from and to, `to` at most 1440."""
STANDARD: Final[tuple[Window, ...]] = ((9 * 60, 12 * 60), (13 * 60, 18 * 60))
"""Eight hours a day, where the district does not say its own."""


class DayKind(StrEnum):
    """What a day is by the calendar: shifts go by it."""

    WORKING = "working"
    """Worked, be it a Sunday."""
    WEEKEND = "weekend"
    """A Saturday or Sunday that is free as always."""
    HOLIDAY = "holiday"
    """Free by notice, be it a Tuesday."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked."""

    own: Mapping[date, bool] = field(default_factory=lambda: MappingProxyType({}))
    """The district's own days, which stand above the notice: worked, or free."""
    own_years: frozenset[int] = frozenset()
    """Years all of whose special days are among `own`: known though no notice is."""

    def known(self, day: date) -> bool:
        """Whether anybody has said what that day is."""
        if day in self.own:
            return True
        late = day.month == 12 and day.day >= NEXT_YEARS
        return self._announced(day.year) and (not late or self._announced(day.year + 1))

    def works(self, day: date) -> bool:
        """Whether it is worked; for a day that is not `known`, as the day of the week goes."""
        own = self.own.get(day)
        return own if own is not None else day in workdays or (day.weekday() < 5 and day not in holidays)

    def kind(self, day: date) -> DayKind:
        """Working, weekend or holiday; for a day that is not `known`, as the day of the week goes."""
        if self.works(day):
            return DayKind.WORKING
        special = day in self.own or day in holidays or day.weekday() < 5
        return DayKind.HOLIDAY if special else DayKind.WEEKEND

    def _announced(self, year: int) -> bool:
        return year in PUBLISHED or year in self.own_years


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """The hours of the days that are worked, in a time zone.

    Every method that comes upon a day which nobody has said anything of raises `CalendarUnknown`, but `assuming()` goes
    by the day of the week there, and `unknown_years` says for which years it did.
    """

    calendar: Calendar
    windows: tuple[Window, ...]
    """Of every worked day, in order, not overlapping, at least one."""
    zone: ZoneInfo
    assumes: bool = False

    def assuming(self) -> WorkingTime:
        """The same, going by the day of the week where the calendar is not known yet."""
        return self if self.assumes else WorkingTime(self.calendar, self.windows, self.zone, assumes=True)

    def unknown_years(self, a: datetime, b: datetime) -> tuple[int, ...]:
        """The years of the days from a to b that nobody has said anything of."""
        first = self._date(a)
        days = range((self._date(b) - first).days + 1)
        return tuple(sorted({day.year for n in days if not self.calendar.known(day := first + n * _DAY)}))

    def is_working(self, at: datetime) -> bool:
        """Whether that moment is working time: opening belongs to it, closing does not."""
        return any(begin <= at < end for begin, end in self._spans(self._date(at)))

    def add(self, start: datetime, limit: Limit) -> datetime:
        """The moment a limit that starts at `start` ends.

        Hours run from the moment itself. Of working days the one it starts on is not counted, and the last one ends
        with its working hours. A limit in working time never ends outside it (its closing moments included).
        Raises `InvalidLimit` for an amount that is not above zero, or for a part of a working day.
        """
        if limit.unit is not LimitUnit.WORKING_DAYS:
            return self.after(start, span(limit), limit.unit)
        day = self._date(start)
        for _ in range(whole_days(limit)):
            day = self._next_worked(day)
        return moment(day, self.windows[-1][1], self.zone)

    def after(self, start: datetime, duration: timedelta, unit: LimitUnit) -> datetime:
        """The first moment at which `duration` of the unit's time has gone by since `start`; zero of it is `start`."""
        if unit is LimitUnit.HOURS or not duration:
            return start.astimezone(UTC) + duration
        day, left = self._date(start), duration
        while True:
            for opens, end in self._spans(day):
                begin = max(opens, start.astimezone(UTC))
                if end > begin:
                    if end - begin >= left:
                        return begin + left
                    left -= end - begin
            day += _DAY

    def between(self, a: datetime, b: datetime) -> timedelta:
        """The working time from a to b; negative where b is before a."""
        if b < a:
            return -self.between(b, a)
        first = self._date(a)
        return sum(
            (
                max(min(end, b) - max(begin, a), timedelta())
                for n in range((self._date(b) - first).days + 1)
                for begin, end in self._spans(first + n * _DAY)
            ),
            timedelta(),
        )

    def measure(self, a: datetime, b: datetime, unit: LimitUnit) -> timedelta:
        """From a to b in the unit's own time: the clock's for plain hours, else working time."""
        return b - a if unit is LimitUnit.HOURS else self.between(a, b)

    def left(self, start: datetime, now: datetime, limit: Limit) -> timedelta:
        """What is left of a limit, in its own time; negative when it is over. `after(now, left)` is its end again."""
        return self.measure(now, self.add(start, limit), limit.unit)

    def day_of(self, at: datetime) -> date:
        """The day that a moment lies on, here."""
        return self._date(at)

    def _date(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _works(self, day: date) -> bool:
        if not self.assumes and not self.calendar.known(day):
            raise CalendarUnknown({"year": day.year}, day=day.isoformat(), year=day.year)
        return self.calendar.works(day)

    def _next_worked(self, day: date) -> date:
        day += _DAY
        while not self._works(day):
            day += _DAY
        return day

    def _spans(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        return _spans_of(day, self.windows, self.zone) if self._works(day) else ()


@lru_cache(maxsize=4096)
def _spans_of(day: date, windows: tuple[Window, ...], zone: ZoneInfo) -> tuple[tuple[datetime, datetime], ...]:
    """The hours of a worked day; one that the clocks skip or repeat is counted as long as it really is."""
    spans: list[tuple[datetime, datetime]] = []
    for window in windows:
        begin, end = (moment(day, minutes, zone) for minutes in window)
        begin = max(begin, spans[-1][1]) if spans else begin
        if end > begin:
            spans.append((begin, end))
    return tuple(spans)


def moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """So many minutes after midnight by the clock on the wall, 1440 and more being the next day's, in UTC."""
    more, minutes = divmod(minutes, DAY_MIN)
    return datetime.combine(day + more * _DAY, time(*divmod(minutes, 60)), zone).astimezone(UTC)


def span(limit: Limit) -> timedelta:
    """The length of a limit in hours. Raises `InvalidLimit`."""
    if not 0 < limit.amount < 100_000:
        raise InvalidLimit(amount=limit.amount, unit=limit.unit.value)
    return timedelta(hours=limit.amount)


def whole_days(limit: Limit) -> int:
    """The number of a limit in working days. Raises `InvalidLimit`."""
    if not (0 < limit.amount < 10_000 and float(limit.amount).is_integer()):
        raise InvalidLimit(amount=limit.amount, unit=limit.unit.value)
    return int(limit.amount)
