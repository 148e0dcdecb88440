"""What an export says: the cases of a selection counted on the district's grid, and the words that go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from dispatch.district import District
from dispatch.errors import UnknownMatter, UnknownTeam, UnknownZone
from geo.grid import Layer, Zone
from geo.heat import NOWHERE, Counts, HotSpots, Integers, Surface, counts, density, hot_spots, neighbours

FALSE_DISCOVERY_RATE = 0.05
CELL_M = 100.0
BANDWIDTH_M = 1000.0
"""The same for every file, so that one month can be laid beside another."""
SLIVER = 0.01
"""A zone lies in a place it is not nested in when more than this part of it does: drawn borders overlap a little."""

Texts = NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class CaseRows:
    """The cases of a selection, one element each in every array (m cases)."""

    case: Texts
    lon: NDArray[np.float64]
    """Degrees, WGS 84."""
    lat: NDArray[np.float64]
    matter: Texts
    team: Texts
    state: Texts
    received_at: NDArray[np.datetime64]
    """UTC."""
    grid: Texts
    """Code of the grid as it was when the case was filed; empty where none held it."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which cases were asked for, and when."""

    since: datetime
    """First moment, aware."""
    until: datetime
    """First moment after, aware."""
    made_at: datetime
    team: str | None = None
    matter: str | None = None
    """A matter's code or a class's."""
    zone: str | None = None
    """A zone's code, or `layer:code` where several layers use it."""
    demonstration: bool = False
    """The cases are made up; every file says so."""


@dataclass(frozen=True, slots=True)
class Words:
    """The same thing in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, eq=False)
class Tally:
    """A selection counted. Built by `tally`."""

    district: District
    selection: Selection
    rows: CaseRows
    layer: Layer
    """The zones counted on: the district's grid (its townships where it has none), cut to the selected place."""
    place: Zone
    """The selected zone, or the district itself."""
    counts: Counts
    spots: HotSpots
    townships: tuple[Zone | None, ...]
    """For each zone counted on, the township it lies in."""

    @property
    def cases(self) -> int:
        """Cases of the selection, placed or not."""
        return len(self.rows.case)

    @cached_property
    def surface(self) -> Surface:
        """Density over the place, as it is drawn."""
        bounds = self.place.geometry.bounds
        crs = self.district.metric_crs
        return density(self.rows.lon, self.rows.lat, bounds, crs, cell_m=CELL_M, bandwidth_m=BANDWIDTH_M)

    @cached_property
    def by_township(self) -> list[tuple[Zone, int, float]]:
        """Townships within the place, most cases first: township, cases, km² counted on."""
        sums: dict[str, tuple[Zone, int, float]] = {}
        for township, count, area in zip(self.townships, self.counts.count, self.counts.area_km2, strict=True):
            if township:
                _, cases, km2 = sums.get(township.code, (township, 0, 0.0))
                sums[township.code] = (township, cases + int(count), km2 + float(area))
        return sorted(sums.values(), key=lambda row: (-row[1], row[0].code))

    def busiest(self, n: int) -> list[int]:
        """Positions of the at most `n` zones with most cases, none of them empty."""
        order = np.lexsort((np.arange(len(self.layer.zones)), -self.counts.count))
        return [int(k) for k in order[:n] if self.counts.count[k] > 0]

    # --- words ---------------------------------------------------------------------------------------------------

    @property
    def title(self) -> Words:
        """Of every file."""
        zh, en = self.district.name, self.district.name_en
        if self.selection.zone:
            zh, en = f"{zh}{self.place.name}", f"{self.place.name_en}, {en}"
        return Words(f"{zh}案件热力图", f"Case heat map, {en}")

    @property
    def period(self) -> Words:
        """First and last day, or the moments where it does not run from midnight to midnight; the district's time."""
        zone_info = ZoneInfo(self.district.timezone)
        since, until = (moment.astimezone(zone_info) for moment in (self.selection.since, self.selection.until))
        if since.time() == until.time() == time():
            first, last = days(self.selection, self.district.timezone)
        else:
            first, last = f"{since:%Y-%m-%d %H:%M}", f"{until:%Y-%m-%d %H:%M}"
        return Words(f"{first} 至 {last}", f"{first} to {last}")

    @property
    def made_at(self) -> str:
        """When the file was made, in the district's time zone."""
        return f"{self.selection.made_at.astimezone(ZoneInfo(self.district.timezone)):%Y-%m-%d %H:%M}"

    @property
    def filters(self) -> list[Words]:
        """What was asked for, besides the period."""
        found = []
        if team := self.district.teams.get(self.selection.team or ""):
            found.append(Words(f"队伍：{team.name}", f"team: {team.name_en}"))
        if code := self.selection.matter:
            matter = self.district.matters.get(code) or self.district.classes[code]
            found.append(Words(f"事项：{matter.name}（{code}）", f"matter: {matter.name_en} ({code})"))
        if self.selection.zone:
            found.append(Words(f"区域：{self.place.name}", f"zone: {self.place.name_en}"))
        return found or [Words("全部案件", "all cases")]

    @property
    def number(self) -> Words:
        """How many cases, and how many of them lie in no zone."""
        n, lost = self.cases, self.counts.nowhere
        if not n:
            return Words("0 件", "no case of this period matches")
        if not lost:
            return Words(f"{n:,} 件", f"{n:,} cases")
        return Words(f"{n:,} 件（{lost:,} 件不在网格内）", f"{n:,} cases, {lost:,} of them in no zone counted on")

    @property
    def warnings(self) -> list[Words]:
        """What a reader must know before believing the file."""
        found = []
        if self.selection.demonstration:
            found.append(Words("演示数据：案件为虚构", "Demonstration: the cases are made up"))
        shown = {"district", "township", "water", self.layer.name, self.place.layer}
        layers = [layer for name, layer in self.district.layers.items() if name in shown and not layer.real]
        if layers:
            zh, en = "、".join(layer.label for layer in layers), ", ".join(layer.label_en.lower() for layer in layers)
            found.append(Words(f"示意图层：{zh}，非法定界线", f"Schematic, not legal boundaries: {en}"))
        return found

    @property
    def source(self) -> Words:
        """Where cases and boundaries come from."""
        # A district folder gives its sources in both languages, as 'Chinese / English'; or in one for both.
        zh, _, en = self.district.layers["district"].source.partition(" / ")
        version = self.district.version
        return Words(
            f"案件：本系统案件记录；区界：{zh.rstrip('。')}；区域数据版本 {version}",
            f"Cases: this system's record. Boundary: {(en or zh).rstrip('.')}. District data {version}",
        )


def days(selection: Selection, timezone: str) -> tuple[str, str]:
    """First and last day of a selection, ISO dates in the district's time zone."""
    zone_info = ZoneInfo(timezone)
    last = (selection.until - timedelta(microseconds=1)).astimezone(zone_info)
    return selection.since.astimezone(zone_info).date().isoformat(), last.date().isoformat()


def tally(rows: CaseRows, district: District, selection: Selection) -> Tally:
    """Count a selection's cases. Raises `UnknownTeam`, `UnknownMatter`, `UnknownZone` for unknown codes."""
    check(district, selection)
    place = find_zone(district, selection.zone) if selection.zone else district.layers["district"].zones[0]
    whole = district.layers.get("grid") or district.layers["township"]
    layer = _cut(district, whole, place) if selection.zone else whole
    found = counts(layer, _zone_index(layer, rows))
    spots = hot_spots(found, neighbours(layer, district.metric_crs), FALSE_DISCOVERY_RATE)
    townships = tuple(_township(district, zone) for zone in layer.zones)
    return Tally(district, selection, rows, layer, place, found, spots, townships)


def check(district: District, selection: Selection) -> None:
    """Raises `UnknownTeam`, `UnknownMatter`, `UnknownZone` where a selection names what the district has not."""
    if selection.team and selection.team not in district.teams:
        raise UnknownTeam(team=selection.team)
    if selection.matter and selection.matter not in district.matters and selection.matter not in district.classes:
        raise UnknownMatter(matter=selection.matter)
    if selection.zone:
        find_zone(district, selection.zone)


def find_zone(district: District, wanted: str) -> Zone:
    """The zone of `layer:code`, or of a code in the first layer that has it. Raises `UnknownZone`."""
    name, _, code = wanted.rpartition(":")
    layers = [district.layers[name]] if name in district.layers else [] if name else district.layers.values()
    for layer in layers:
        for zone in layer.zones:
            if zone.code == code:
                return zone
    raise UnknownZone(zone=wanted)


def _cut(district: District, layer: Layer, place: Zone) -> Layer:
    """The zones of a layer that nest in a place; where none does (a lake, say), those that share ground with it."""
    nested = tuple(zone for zone in layer.zones if any(above is place for above in _ancestors(district, zone)))
    if nested:
        return replace(layer, zones=nested)
    shapely.prepare(place.geometry)

    def belongs(zone: Zone) -> bool:
        if not place.geometry.intersects(zone.geometry):
            return False
        shared = place.geometry.intersection(zone.geometry).area
        return bool(shared > SLIVER * min(zone.geometry.area, place.geometry.area))

    return replace(layer, zones=tuple(zone for zone in layer.zones if belongs(zone)))


def _zone_index(layer: Layer, rows: CaseRows) -> Integers:
    """(m,) the zone of each case: by its recorded code, by its position where the layer has no such code."""
    position = {zone.code: k for k, zone in enumerate(layer.zones)}
    index = np.fromiter((position.get(str(code), NOWHERE) for code in rows.grid), dtype=np.int64, count=len(rows.grid))
    lost = np.flatnonzero(index == NOWHERE)
    if lost.size and layer.zones:
        points = shapely.points(rows.lon[lost], rows.lat[lost])
        case, zone = shapely.STRtree([zone.geometry for zone in layer.zones]).query(points, predicate="intersects")
        # Descending, so that of several zones sharing an edge the lowest code is written last.
        order = np.argsort(-zone, kind="stable")
        index[lost[case[order]]] = zone[order]
    return index


def _township(district: District, zone: Zone) -> Zone | None:
    """The township a zone nests in, by its parents; by its middle where it names none."""
    for above in _ancestors(district, zone):
        if above.layer == "township":
            return above
    middle: BaseGeometry = zone.geometry.representative_point()
    return next((t for t in district.layers["township"].zones if t.geometry.covers(middle)), None)


def _ancestors(district: District, zone: Zone) -> Iterator[Zone]:
    """A zone, its parent, the parent's parent, …"""
    here: Zone | None = zone
    while here:
        yield here
        parent_layer = district.layers[here.layer].parent
        parent = district.layers[parent_layer] if parent_layer and parent_layer in district.layers else None
        code = here.parent
        here = next((above for above in parent.zones if above.code == code), None) if parent and code else None
