"""What one edition of a district becomes when it is made ready to decide by. All of it can be rebuilt."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from dispatch.competence import PLACE_LAYERS, DecisionTable, Place
from dispatch.district import District
from dispatch.errors import ExtractUnreadable, UnknownMatter, ValhallaMissing
from dispatch.fleet import Fleet
from dispatch.model import Matter, MatterClass, Source, Unit
from dispatch.outcomes import Spot, Weighed, settle, weigh
from dispatch.routing import Candidate
from geo import valhalla
from geo.circle import Circles
from geo.grid import Metric
from geo.locate import Locator
from geo.terrain import Terrain
from geo.travel import Leg, Travel
from geo.travel_cache import prepared


@dataclass(frozen=True, slots=True)
class Ground:
    """A district with its locator, its compiled decision table and its travel surfaces."""

    district: District
    locator: Locator
    circles: Circles
    table: DecisionTable
    travel: Travel
    units_of: dict[str, tuple[Unit, ...]]
    zone_info: ZoneInfo

    def candidates(
        self,
        team: str,
        lon: float,
        lat: float,
        fleet: Fleet,
        now: datetime,
        busy: Collection[str] = (),
        also: str = "",
        matter: str = "",
    ) -> list[Candidate]:
        """The team's units with their way to the point (WGS 84 degrees) from where they are, or else from their base.

        While nobody of it is on duty, those of the teams that stand in too; whether each is on duty and has the skill
        for the matter is said of it. Of a very large team the nearest in a straight line that could go at once (not in
        `busy`), and `also`: a unit of it, or of a team that can stand in for it at all. From where no way is known
        (outside the district, say) the base counts.
        """
        rota = self.district.rota
        watch, known = rota.watch(team, now), self.district.matters.get(matter)
        on_duty, asks = watch.on_duty, known is not None and bool(known.skill)

        def fit(code: str) -> bool:
            return code in on_duty and (not asks or rota.able(code, known))

        units: list[Unit] = []
        for one in watch.teams:
            theirs = self.units_of.get(one, ())
            if len(theirs) > fleet.MOST:
                near = (self.district.units.get(code) for code in fleet.nearest(one, lon, lat, busy, fit))
                theirs = tuple(unit for unit in near if unit and unit.team == one) or theirs[: fleet.MOST]
            units += theirs
        if also and (unit := self.district.units.get(also)) and unit not in units and self._may_go(team, unit):
            units.append(unit)
        fresh = {unit.code: fix for unit in units if (fix := fleet.fresh(unit.code))}
        from_there: dict[str, Leg | None] = {}
        for mode in {unit.mode for unit in units if unit.code in fresh}:
            starts = {
                u.code: (fresh[u.code].lon, fresh[u.code].lat) for u in units if u.mode is mode and u.code in fresh
            }
            from_there |= self.travel.legs(mode.value, starts, lon, lat)
        based = [(unit.base, unit.mode.value) for unit in units if from_there.get(unit.code) is None]
        from_base = iter(self.travel.legs_to(based, lon, lat) if based else ())
        found = []
        for unit in units:
            code, leg, age = unit.code, from_there.get(unit.code), None
            if leg is None:
                leg = next(from_base)
            else:
                age = max(0, round((now - fresh[code].at).total_seconds()))
            duty = code in on_duty or (code == also and rota.on_duty(code, now))
            able = not asks or rota.able(code, known)
            found.append(Candidate(unit, leg, age, fleet.on_shift(code), duty, able))
        return found

    def _may_go(self, team: str, unit: Unit) -> bool:
        """Whether a unit is of a team, or of one that stands in for it while nobody of it is on duty."""
        return unit.team == team or (team in self.district.teams and unit.team in self.district.rota.chain(team))

    def weigh(self, lon: float, lat: float, radius_m: float, place: Place, matter: str) -> Weighed:
        """Who is responsible for a position (WGS 84 degrees), good to `radius_m`, whose middle lies in `place`.

        Raises `UnknownMatter`.
        """
        known, clear = self.matter(matter), self.circles.clear(lon, lat, radius_m)
        spot = Spot(lon, lat, radius_m, place, matter, isinstance(known, Matter) and known.on_water)
        parts = () if clear else self.circles.parts(lon, lat, radius_m)
        return weigh(self.table, spot, parts, self.district.settings.confirm_share)

    def settle(
        self, lon: float, lat: float, radius_m: float, matter: str, team: str
    ) -> tuple[Weighed, tuple[float, float]] | None:
        """As `weigh`, where somebody says that the team's part of it is meant: see `outcomes.settle`."""
        known = self.matter(matter)
        on_water = isinstance(known, Matter) and known.on_water
        spot = Spot(lon, lat, radius_m, self.locator.at(lon, lat), matter, on_water)
        return settle(self.table, spot, self.circles.parts(lon, lat, radius_m), team)

    def looks_first(self, source: Source) -> bool:
        """Whether somebody looks at such a report before anybody is sent (待审核)."""
        return source in self.district.settings.triage

    def matter(self, code: str) -> Matter | MatterClass:
        """The matter, or the class when only that is known. Raises `UnknownMatter`."""
        found = self.district.matters.get(code) or self.district.classes.get(code)
        if found is None:
            raise UnknownMatter({"field": "matter"}, matter=code)
        return found


def prepare(district: District, cache: Path | None = None, osm: Path | None = None) -> Ground:
    """Everything derived from a district: opened from the folder `cache` where it is there, else built and kept there.

    Without `cache`, or for the first time, that takes a second or two.
    """
    layers = district.layers
    units: dict[str, list[Unit]] = {}
    for unit in district.units.values():
        units.setdefault(unit.team, []).append(unit)
    locator = Locator(layers) if cache is None else Locator.cached(layers, cache)
    return Ground(
        district=district,
        locator=locator,
        circles=Circles(locator, Metric(district.metric_crs), PLACE_LAYERS),
        table=DecisionTable(district.rules, layers, district.classes, district.matters, district.teams),
        travel=_travel(terrain(district, osm), cache),
        units_of={team: tuple(found) for team, found in units.items()},
        zone_info=ZoneInfo(district.timezone),
    )


def terrain(district: District, osm: Path | None = None) -> Terrain:
    """What travel in the district is made from; `osm`: an OpenStreetMap extract whose roads count."""
    layers = district.layers
    return Terrain(
        district=layers["district"].zones[0].geometry,
        water=[zone.geometry for zone in layers["water"].zones] if "water" in layers else [],
        roads=district.roads,
        bases={base.code: (base.lon, base.lat) for base in district.bases.values()},
        metric_crs=district.metric_crs,
        cell_m=district.settings.travel_cell_m,
        speeds_kmh=district.settings.speeds_kmh,
        osm=osm,
    )


def _travel(found: Terrain, cache: Path | None) -> Travel:
    if found.osm is None:
        return prepared(found, cache)
    try:
        return prepared(found, cache)
    except valhalla.ValhallaMissing as error:
        raise ValhallaMissing from error
    except (OSError, valhalla.ExtractUnreadable, valhalla.EngineFailed) as error:
        raise ExtractUnreadable(file=found.osm, problem=error) from error
