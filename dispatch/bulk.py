"""A million places at once: the decision of `intake.place`, `DecisionTable.decide` and `routing.decide`, in arrays.

Every unit is taken to be on duty, free and at its base. What is plainly inside the district goes through arrays;
whatever is not (outside, swapped, zero, no number) is asked of `intake.place` one by one, so that refusals and snapping
are the same by construction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dispatch.competence import PLACE_LAYERS, Place, Ruling
from dispatch.errors import DomainError
from dispatch.ground import Ground
from dispatch.intake import Draft, place
from dispatch.model import Unit
from dispatch.rota import split
from geo.datum import Datum, to_wgs84
from geo.grid import Cover

Floats = NDArray[np.float64]
Int32s = NDArray[np.int32]

DATUMS: Final = tuple(Datum)
ANY_AGE_DAYS: Final = 700_000
"""Files may speak of any year: what intake calls too long ago is history here."""
_NOBODY: Final = UUID(int=0)
_DIRECT: Final = 1 << 22
"""Keys up to this are numbered by a table, larger ones by sorting."""


@dataclass(frozen=True, slots=True)
class Points:
    """Positions as they were given, and what was seen there; arrays of one length."""

    lon: Floats
    lat: Floats
    matter: Int32s
    """Numbers into `Router.matters`."""
    datum: NDArray[np.int8]
    """Numbers into `DATUMS`."""
    accuracy_m: Floats

    def __len__(self) -> int:
        return self.lon.size

    def take(self, which: NDArray[np.intp]) -> Points:
        """Those at `which`."""
        return Points(self.lon[which], self.lat[which], self.matter[which], self.datum[which], self.accuracy_m[which])


@dataclass(frozen=True, slots=True)
class Routed:
    """For each point who is responsible and who would come; arrays of one length."""

    lon: Floats
    lat: Floats
    """WGS 84, where it was snapped to if it was."""
    place: Int32s
    """Into `Router.places`; -1 where the point was refused, and then nothing else of it holds."""
    grid: Int32s
    """Into the grid layer's zones; -1: none."""
    ruling: Int32s
    """Into `Router.rulings`."""
    unit: Int32s
    """Into `Router.units`; -1: none of the team's can reach it."""
    eta_s: Floats
    distance_m: Floats
    """Whole seconds and metres; NaN without a unit."""
    snapped_m: Floats
    """How far it was moved into the district; 0: not at all."""
    refused: dict[int, DomainError] = field(default_factory=dict)


class Router:
    """Routes arrays of points by one edition of a district; keeps what it has decided. Not for several threads."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.matters: tuple[str, ...] = (*ground.district.classes, *ground.district.matters)
        self.places: list[Place] = []
        """Every combination of zones of the layers that rules speak of, met so far."""
        self.rulings: list[Ruling] = []
        """Every ruling met so far."""
        self.units: tuple[Unit, ...] = tuple(unit for team in ground.units_of.values() for unit in team)
        self._place_numbers: dict[tuple[tuple[int, ...], ...], int] = {}
        self._ruling_of = np.full((0, len(self.matters)), -1, dtype=np.int32)
        self._ruling_team: list[int] = []
        self._teams = {code: number for number, code in enumerate(ground.district.teams)}
        district = ground.district
        asked = [district.matters[code].skill if code in district.matters else "" for code in self.matters]
        self._skills = ("", *sorted({*asked} - {""}))
        self._skill_of = np.array([self._skills.index(skill) for skill in asked], dtype=np.int64)
        by_skill = [[unit for unit in self.units if not skill or skill in split(unit.skills)] for skill in self._skills]
        self._nearest = _nearest_units(ground, self.units, by_skill, list(self._teams))

    def route(self, points: Points, *, now: datetime | None = None) -> Routed:
        """Decide every point. `now` only dates the drafts of those that are asked one by one."""
        lon, lat = points.lon.copy(), points.lat.copy()
        for number, datum in enumerate(DATUMS):
            if datum in (Datum.GCJ02, Datum.BD09):
                those = np.flatnonzero(points.datum == number)
                if those.size:
                    lon[those], lat[those] = to_wgs84(lon[those], lat[those], datum)
        routed = self._decide(lon, lat, points.matter)
        odd = np.flatnonzero((routed.place < 0) | self._implausible(points))
        if odd.size:
            self._one_by_one(points, routed, odd, now or datetime.now(UTC))
        return routed

    # --- inside -------------------------------------------------------------------------------------------------

    def _decide(self, lon: Floats, lat: Floats, matter: Int32s) -> Routed:
        hits = self.ground.locator.at_many(lon, lat)
        layers = [name for name in PLACE_LAYERS if name in hits]
        whole = [i for i, name in enumerate(layers) if self.ground.locator.layers[name].cover is Cover.PARTITION]
        inside = hits["district"].index > 0
        key, size = inside.astype(np.int64), 2
        for name in layers:
            key = key * len(hits[name].sets) + hits[name].index
            size *= len(hits[name].sets)
        kinds, which = _number(key, size)
        numbers = np.full(kinds.size, -1, dtype=np.int32)
        for at, kind in enumerate(kinds.tolist()):
            sets: list[tuple[int, ...]] = []
            rest = kind
            for name in reversed(layers):
                rest, number = divmod(rest, len(hits[name].sets))
                sets.append(hits[name].sets[number])
            sets.reverse()
            if rest and all(sets[i] for i in whole):
                numbers[at] = self._place_number(layers, sets)
        places = numbers[which]
        if "grid" in hits and self.ground.locator.layers["grid"].cover is Cover.PARTITION:
            places[hits["grid"].index == 0] = -1
        ruling = self._rulings(places, matter)
        team = np.array([*self._ruling_team, -1], dtype=np.int64)[ruling]
        if len(self._skills) > 1:
            rows = len(self._teams) + 1
            team = team % rows + rows * self._skill_of[matter]
        cell = self.ground.travel.cells(lon, lat)
        option, seconds, metres = self._nearest
        unit = option[team, cell]
        none = unit < 0
        grid = hits["grid"].index if "grid" in hits else np.zeros(lon.size, dtype=np.int32)
        singles = np.array([held[0] if held else -1 for held in hits["grid"].sets] if "grid" in hits else [-1])
        return Routed(
            lon=lon,
            lat=lat,
            place=places,
            grid=singles.astype(np.int32)[grid],
            ruling=ruling,
            unit=unit,
            eta_s=np.where(none, np.nan, seconds[team, cell]),
            distance_m=np.where(none, np.nan, metres[team, cell]),
            snapped_m=np.zeros(lon.size),
        )

    def _place_number(self, layers: Sequence[str], sets: Sequence[tuple[int, ...]]) -> int:
        known = tuple(sets)
        found = self._place_numbers.get(known)
        if found is None:
            found = self._place_numbers[known] = len(self.places)
            zones = self.ground.locator.layers
            self.places.append(
                {name: tuple(zones[name].zones[i] for i in held) for name, held in zip(layers, sets, strict=True)}
            )
        return found

    def _rulings(self, places: Int32s, matter: Int32s) -> Int32s:
        """The ruling of each point; where it was never asked before, the table is. -1 where there is no place."""
        more = len(self.places) - len(self._ruling_of)
        if more:
            new = np.full((more, len(self.matters)), -1, dtype=np.int32)
            self._ruling_of = np.concatenate([self._ruling_of, new])
        if not self.places:
            return np.full(places.size, -1, dtype=np.int32)
        flat = self._ruling_of.reshape(-1)
        key = places.astype(np.int64) * len(self.matters) + matter
        found: Int32s = flat[key]
        unknown = np.flatnonzero((found < 0) & (places >= 0))
        if unknown.size:
            for pair in np.unique(key[unknown]).tolist():
                at, code = divmod(pair, len(self.matters))
                ruling = self.ground.table.decide(self.places[at], self.matters[code])
                flat[pair] = len(self.rulings)
                self.rulings.append(ruling)
                self._ruling_team.append(self._teams[ruling.team])
            found = flat[key]
        found[places < 0] = -1
        return found

    # --- outside, and what is no position -------------------------------------------------------------------------

    def _implausible(self, points: Points) -> NDArray[np.bool_]:
        """What `intake.place` refuses although its numbers, read as they stand, lie in the district: swapped ones."""
        lon, lat = points.lon, points.lat
        turned = np.abs(lon) <= 90
        if turned.any():
            those = np.flatnonzero(turned)
            turned[those] = self.ground.locator.at_many(lat[those], lon[those])["district"].index > 0
        return turned

    def _one_by_one(self, points: Points, routed: Routed, odd: NDArray[np.intp], now: datetime) -> None:
        """Ask intake; what it snaps is decided as what lies inside, the rest is refused."""
        snapped: list[int] = []
        for at in odd.tolist():
            try:
                placed = place(self.ground, self.draft(points, at), _NOBODY, now, ANY_AGE_DAYS)
            except DomainError as error:
                routed.refused[at] = error
                routed.place[at] = -1
                continue
            snapped.append(at)
            routed.lon[at], routed.lat[at] = placed.report.lon, placed.report.lat
            routed.snapped_m[at] = placed.facts.get("snapped_m", 0.0)
        those = np.array(snapped, dtype=np.intp)
        if not those.size:
            return
        again = self._decide(routed.lon[those], routed.lat[those], points.matter[those])
        for name in ("place", "grid", "ruling", "unit", "eta_s", "distance_m"):
            getattr(routed, name)[those] = getattr(again, name)

    def draft(self, points: Points, at: int) -> Draft:
        """One of the points as a single report."""
        return Draft.model_construct(
            lon=float(points.lon[at]),
            lat=float(points.lat[at]),
            datum=DATUMS[points.datum[at]],
            accuracy_m=float(points.accuracy_m[at]),
            matter=self.matters[points.matter[at]],
        )


def _number(key: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """`np.unique` with inverse, without sorting where keys are small."""
    if size > _DIRECT:
        kinds, which = np.unique(key, return_inverse=True)
        return kinds, which
    met = np.zeros(size, dtype=np.bool_)
    met[key] = True
    kinds = np.flatnonzero(met)
    number = np.empty(size, dtype=np.intp)
    number[kinds] = np.arange(kinds.size)
    return kinds, number[key]


def _nearest_units(
    ground: Ground, units: Sequence[Unit], able: Sequence[Sequence[Unit]], teams: Sequence[str]
) -> tuple[Int32s, NDArray[np.float32], NDArray[np.float32]]:
    """(teams + 1, cells) for each of `able`, one below the other: which of those units would come, a number into
    `units`; its seconds and metres, rounded; the last row of each is of no team.

    A team's units at one base with one mode have the same way, so the lowest code of them stands for all.
    """
    surfaces = {mode: ground.travel.surface(mode) for mode in sorted({unit.mode.value for unit in units})}
    count = next(iter(surfaces.values())).seconds.shape[1] if surfaces else 1
    best = np.full((len(able) * (len(teams) + 1), count), -1, dtype=np.int32)
    seconds = np.full(best.shape, np.inf, dtype=np.float32)
    metres = np.full(best.shape, np.inf, dtype=np.float32)
    numbers = {unit.code: number for number, unit in enumerate(units)}
    rows = {team: row for row, team in enumerate(teams)}
    for block, those in enumerate(able):
        for unit in sorted(those, key=lambda unit: unit.code):
            row, legs = block * (len(teams) + 1) + rows[unit.team], surfaces[unit.mode.value]
            base = legs.bases.index(unit.base)
            quicker = legs.seconds[base] < seconds[row]
            best[row, quicker] = numbers[unit.code]
            seconds[row, quicker] = legs.seconds[base, quicker]
            metres[row, quicker] = legs.metres[base, quicker]
    return best, np.rint(seconds), np.rint(metres)
