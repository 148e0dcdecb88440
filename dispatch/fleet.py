"""Where each unit is counted from: its last known position while that is fresh, else its base. One per worker.

What is known is what the database confirmed, here or by another worker; all of it can be read again from there.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from dispatch.district import District
from dispatch.model import Mode, Unit
from geo.units import Units, placeable

log = logging.getLogger(__name__)

TRACK_M: Final = 100.0
TRACK_EVERY: Final = timedelta(minutes=2)
"""A position is kept in the track when it is so far from the one kept before it, or so much later."""

_NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a unit was at a time (WGS 84 degrees)."""

    unit: str
    lon: float
    lat: float
    at: datetime
    accuracy_m: float | None = None
    on_shift: bool | None = None
    """None: not said; what was said last holds."""


@dataclass(frozen=True, slots=True)
class Known:
    """A unit's last position, and the last one that was kept in its track (with what held then of its shift)."""

    position: Position
    kept: Position


class Fate(StrEnum):
    """What becomes of a position that was sent."""

    TAKEN = "taken"
    OLDER = "older"
    """A later one is known: this one changes nothing."""
    KNOWN = "known"
    """It came before."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """What of some positions is to be written: the last of each unit, those for the tracks; and each one's fate."""

    known: tuple[Known, ...]
    track: tuple[Position, ...]
    fates: tuple[Fate, ...]


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a unit is counted from (WGS 84 degrees)."""

    unit: Unit
    lon: float
    lat: float
    seen_at: datetime | None
    """None: from its base, because no position of it is fresh."""
    on_shift: bool


class Fleet:
    """All units of a district. Not for several threads at once."""

    MOST: Final = 24
    """Of a larger team, so many units are weighed by travel time."""

    def __init__(self, district: District, stale: timedelta) -> None:
        """`stale`: a position older than this counts no more."""
        self._stale = stale
        self._known: dict[str, Known] = {}
        self._live: dict[str, datetime] = {}
        self._begin(district)

    def _begin(self, district: District) -> None:
        self._district = district
        self._units = Units(district.metric_crs)
        for unit in district.units.values():
            self._home(unit)

    def adopt(self, district: District, now: datetime) -> None:
        """Go over to another edition's units and bases; what is known of those that it has too, stays known."""
        known = self._known.values()
        self._known, self._live = {}, {}
        self._begin(district)
        self.learn(known, now)

    @property
    def units(self) -> Mapping[str, Unit]:
        """All units, by code."""
        return self._district.units

    @property
    def district(self) -> District:
        """Whose units these are."""
        return self._district

    @property
    def live(self) -> Mapping[str, datetime]:
        """Units with a fresh position, and when they were there."""
        return self._live

    def last(self, code: str) -> Position | None:
        """A unit's last known position, however old."""
        known = self._known.get(code)
        return None if known is None else known.position

    def stand(self, code: str) -> Stand:
        """Where a unit is counted from. KeyError for a unit that the district does not have."""
        unit = self._district.units[code]
        last = self.last(code)
        on_shift = self.on_shift(code)
        if last is not None and code in self._live:
            return Stand(unit, last.lon, last.lat, last.at, on_shift)
        base = self._district.bases[unit.base]
        return Stand(unit, base.lon, base.lat, None, on_shift)

    def fresh(self, code: str) -> Position | None:
        """A unit's position while it counts."""
        return self._known[code].position if code in self._live else None

    def on_shift(self, code: str) -> bool:
        """Whether a unit may be sent: it did not say last that it is off shift."""
        known = self._known.get(code)
        return known is None or known.position.on_shift is not False

    def nearest(
        self, team: str, lon: float, lat: float, busy: Collection[str], fit: Callable[[str], bool] = lambda _: True
    ) -> list[str]:
        """The nearest in a straight line of a team's units that are on shift, free and fit: `MOST` in all its modes."""

        def wanted(code: str) -> bool:
            return code not in busy and self.on_shift(code) and fit(code)

        groups = [_group(team, mode) for mode in Mode]
        each = self.MOST // len(groups)
        return [code for group in groups for code, _ in self._units.near(lon, lat, each, wanted, [group])]

    def sift(self, given: Sequence[Position]) -> Sifted:
        """Tell what is new from what is not, in the order of the positions' own times. Changes nothing."""
        fates = [Fate.TAKEN] * len(given)
        found: dict[str, Known] = {}
        track: list[Position] = []
        for place in sorted(range(len(given)), key=lambda i: given[i].at):
            position = given[place]
            before = found.get(position.unit) or self._known.get(position.unit)
            if before is not None and position.at <= before.position.at:
                fates[place] = Fate.KNOWN if position.at == before.position.at else Fate.OLDER
                continue
            if position.on_shift is None and position.unit in found:
                position = replace(position, on_shift=found[position.unit].position.on_shift)
            so = self.on_shift(position.unit) if position.on_shift is None else position.on_shift
            keep = before is None or _is_kept(position, before.kept, so)
            if keep:
                track.append(given[place])
            kept = replace(position, on_shift=so) if keep or before is None else before.kept
            found[position.unit] = Known(position, kept)
        return Sifted(tuple(found.values()), tuple(track), tuple(fates))

    def learn(self, rows: Iterable[Known], now: datetime) -> list[str]:
        """Take what the database holds; the codes of the units that stand elsewhere now.

        What has no place in the district's coordinates is left out and logged: nothing in the database stops a worker.
        """
        moved = []
        for row in rows:
            position = row.position
            unit = self._district.units.get(position.unit)
            before = self.last(position.unit)
            if unit is None or (before is not None and position.at <= before.at):
                continue
            if not placeable(self._district.metric_crs, position.lon, position.lat):
                log.error("the position of %s has no place here: %s, %s", unit.code, position.lon, position.lat)
                continue
            if position.on_shift is None:
                position = replace(position, on_shift=self.on_shift(unit.code))
            self._known[unit.code] = Known(position, row.kept)
            if position.at >= now - self._stale:
                self._live[unit.code] = position.at
                self._units.move(unit.code, position.lon, position.lat, position.at, _group(unit.team, unit.mode))
            moved.append(unit.code)
        return moved

    def expire(self, now: datetime) -> list[str]:
        """Let the bases of units count again that were not heard of for too long; their codes."""
        before = now - self._stale
        old = [code for code, at in self._live.items() if at < before]
        for code in old:
            del self._live[code]
            self._home(self._district.units[code])
        return old

    def _home(self, unit: Unit) -> None:
        base = self._district.bases[unit.base]
        self._units.remove(unit.code)
        self._units.move(unit.code, base.lon, base.lat, _NEVER, _group(unit.team, unit.mode))


def _group(team: str, mode: Mode) -> str:
    return f"{team} {mode.value}"


def _is_kept(position: Position, kept: Position, on_shift: bool) -> bool:
    return position.at - kept.at >= TRACK_EVERY or on_shift != kept.on_shift or _metres(position, kept) >= TRACK_M


def _metres(a: Position, b: Position) -> float:
    """Between two places near each other, to a percent."""
    east = (a.lon - b.lon) * math.cos(math.radians(a.lat)) * 111_320
    return math.hypot(east, (a.lat - b.lat) * 111_000)
