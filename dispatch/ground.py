"""What one edition of a district becomes when it is made ready to decide by. All of it can be rebuilt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from dispatch.competence import DecisionTable
from dispatch.district import District
from dispatch.errors import ExtractUnreadable, UnknownMatter, ValhallaMissing
from dispatch.model import Matter, MatterClass, Unit
from dispatch.routing import Candidate
from geo import valhalla
from geo.locate import Locator
from geo.terrain import Terrain
from geo.travel import Travel
from geo.travel_cache import prepared


@dataclass(frozen=True, slots=True)
class Ground:
    """A district with its locator, its compiled decision table and its travel surfaces."""

    district: District
    locator: Locator
    table: DecisionTable
    travel: Travel
    units_of: dict[str, tuple[Unit, ...]]
    zone_info: ZoneInfo

    def candidates(self, team: str, lon: float, lat: float) -> list[Candidate]:
        """The team's units with their way from base to the point (WGS 84 degrees)."""
        units = self.units_of.get(team, ())
        legs = self.travel.legs_to([(unit.base, unit.mode.value) for unit in units], lon, lat)
        return [Candidate(unit, leg) for unit, leg in zip(units, legs, strict=True)]

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
    return Ground(
        district=district,
        locator=Locator(layers),
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
    except (OSError, valhalla.ExtractUnreadable) as error:
        raise ExtractUnreadable(file=found.osm, problem=error) from error
