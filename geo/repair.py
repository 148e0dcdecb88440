"""Strips narrower than a stated width settled, crossing rings mended; each change told, nothing else moved.

Borders are kept as drawn, but for the disputed strips: what two zones both claim, what none claims, what reaches out of
the parent. A strip in which a circle of the width fits is left alone; `geo.coverage` names it. The result is put
together from faces that share every vertex (`geo.arrangement`), so a settled partition is exact.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, affinity
from shapely.geometry.base import BaseGeometry

from geo.arrangement import GRID_DEG, are_narrow, as_shapes, faces, joined
from geo.grid import Cover, Layer, Metric, Zone
from geo.ownership import UNSETTLED, Claims, Plan
from geo.rings import mend

TOLERANCE_M: Final = 0.001
"""No vertex moves by more than this without being told: the grid is a tenth of it."""
METRES_A_DEGREE: Final = 111_195.0
"""On a meridian of the mean sphere; only to find slits, which are then measured."""


@dataclass(frozen=True, slots=True)
class Change:
    """One place that changed hands, or one ring mended."""

    kind: str
    """ring, outside, overlap, gap, stray, spike, vanished."""
    layer: str
    before: tuple[str, ...]
    """Codes of the zones that claimed it."""
    after: tuple[str, ...]
    """Codes of the zones that have it now."""
    area_m2: float
    width_m: float
    """Mean width: twice the area by the length of the border. Of a ring: 0."""
    shape: BaseGeometry
    """EPSG:4326. Of a ring: the hulls of the edges that crossed, or the zone where none did."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """Square metres of one zone: `drawn + redrawn + gained - lost = after`."""

    layer: str
    code: str
    drawn: float
    """As it came (of a crossing ring: after it was mended)."""
    redrawn: float
    """By new vertices on straight edges and by rounding to the grid."""
    gained: float
    lost: float
    after: float


@dataclass(frozen=True, slots=True)
class Repaired:
    """Layers after repair, and all that was done."""

    district: Polygon | MultiPolygon
    """As it was given, with every vertex at which a border of a zone meets its own."""
    layers: tuple[Layer, ...]
    changes: tuple[Change, ...]
    balances: tuple[Balance, ...]


def repair(layers: Sequence[Layer], district: Polygon | MultiPolygon, metric: Metric, width_m: float) -> Repaired:
    """Settle the layers, parents before their children, inside the district.

    A layer's `parent` names one listed before it, or none. Zones without area after mending are left out (a change
    says so). Raises ValueError if the width is not above zero or a parent layer comes later.
    """
    if not width_m > 0:
        raise ValueError(f"the width must be above zero, not {width_m}")
    names = [layer.name for layer in layers]
    if any(layer.parent in names[i:] for i, layer in enumerate(layers)):
        raise ValueError("a parent layer comes after its children")
    changes: list[Change] = []
    mended = [_mended(layer, metric, changes) for layer in layers]
    drawn = [as_shapes([zone.geometry for zone in layer.zones]) for layer, _ in mended]
    borders = [shapely.boundary(as_shapes([district])), *(shapely.boundary(shapes) for shapes in drawn)]
    plan = Plan(faces(np.concatenate(borders)), metric, width_m)
    settled = {"": plan.add(Claims.of_district(plan.owners(as_shapes([district]))))}
    for (layer, loose), shapes in zip(mended, drawn, strict=True):
        above = next((done for done, _ in mended if done.name == layer.parent), None)
        homes = _homes(layer, above)
        claims = Claims(plan.owners(shapes), homes, layer.cover is Cover.PARTITION, layer.cover is Cover.OVERLAP, loose)
        settled[layer.name] = plan.add(claims)
        plan.settle(claims, settled[above.name if above else ""])
    areas = metric.areas_m2(list(plan.shapes))
    balances: list[Balance] = []
    done: list[Layer] = []
    for (layer, _), shapes in zip(mended, drawn, strict=True):
        claims = settled[layer.name]
        codes = [zone.code for zone in layer.zones]
        changes += _told(layer.name, codes, claims, metric)
        balances += _balances(layer.name, codes, claims, areas, metric.areas_m2(list(shapes)))
        done.append(_put_together(layer, claims, plan, metric, changes))
        changes += _spikes(layer, done[-1], changes, metric)
    whole = joined(plan.shapes[[face for face, owners in enumerate(settled[""].owners) if owners]])
    return Repaired(shapely.orient_polygons(whole), tuple(done), tuple(changes), tuple(balances))


def outline(layer: Layer, metric: Metric, width_m: float, *, enclaves: bool = False) -> Polygon | MultiPolygon:
    """The district that a layer's zones cover between them, where no district was drawn.

    Holes, and slits from the outside between two zones, belong to it where they are narrower than the width. Wider
    holes do too (`geo.coverage` names them as gaps: a zone may have been forgotten), unless they are `enclaves`.
    """
    shapes = [shape for zone in layer.zones if (shape := _valid(zone.geometry)) is not None]
    whole = shapely.union_all(as_shapes(shapes), grid_size=GRID_DEG)
    filled = shapely.union_all([Polygon(p.exterior) for p in shapely.get_parts(whole) if isinstance(p, Polygon)])
    between = faces([whole.boundary, *_mouths(filled, shapes, width_m)])
    inner = shapely.point_on_surface(between)
    shapely.prepare([whole, filled])
    kept = shapely.intersects(whole, inner) | are_narrow(between, metric, width_m)
    if not enclaves:
        kept |= shapely.intersects(filled, inner)
    return joined(between[kept])


def _mouths(outer: BaseGeometry, shapes: Sequence[BaseGeometry], width_m: float) -> list[BaseGeometry]:
    """Lines across the openings of narrow slits between two zones."""
    reach = width_m / METRES_A_DEGREE / max(np.cos(np.radians(outer.centroid.y)), 0.1) / 2
    closed = shapely.buffer(shapely.buffer(outer, reach, join_style="mitre"), -reach, join_style="mitre")
    slits = as_shapes([part for part in shapely.get_parts(closed.difference(outer)) if part.area > reach * reach / 100])
    _, at = shapely.STRtree(slits).query(as_shapes(shapes), predicate="dwithin", distance=GRID_DEG)
    between = slits[np.bincount(at, minlength=len(slits)) > 1]
    wall = outer.buffer(reach / 100)
    openings = [part for slit in between for part in shapely.get_parts(slit.boundary.difference(wall))]
    return [affinity.scale(opening, 1.5, 1.5) for opening in openings if opening.length > 0]


def _valid(shape: BaseGeometry) -> BaseGeometry | None:
    found = mend(shape)
    return shape if found is None else found.shape


def _mended(layer: Layer, metric: Metric, changes: list[Change]) -> tuple[Layer, dict[int, BaseGeometry]]:
    """The layer with valid zones only, and where the rings of which crossed."""
    zones: list[Zone] = []
    loose: dict[int, BaseGeometry] = {}
    for zone in layer.zones:
        found = mend(zone.geometry)
        if found is None:
            zones.append(zone)
            continue
        hull = found.crossing if not found.crossing.is_empty else shapely.envelope(zone.geometry)
        after = () if found.shape is None else (zone.code,)
        changes.append(
            Change("ring", layer.name, (zone.code,), after, metric.area_m2(hull), 0.0, hull, problem=found.problem)
        )
        if found.shape is not None:
            if not found.crossing.is_empty:
                loose[len(zones)] = found.crossing
            zones.append(dataclasses.replace(zone, geometry=found.shape))
    return dataclasses.replace(layer, zones=tuple(zones)), loose


def _homes(layer: Layer, above: Layer | None) -> list[int]:
    if above is None:
        return [0] * len(layer.zones)
    numbers = {zone.code: i for i, zone in enumerate(above.zones)}
    return [numbers.get(zone.parent or "", UNSETTLED) for zone in layer.zones]


def _told(layer: str, codes: Sequence[str], claims: Claims, metric: Metric) -> list[Change]:
    shapes = as_shapes([place.shape for place in claims.settled])
    metres = shapely.transform(shapes, metric.points)
    areas, lengths = shapely.area(metres), shapely.length(metres)
    return [
        Change(
            place.kind,
            layer,
            tuple(codes[z] for z in place.before),
            tuple(codes[z] for z in place.after),
            float(area),
            float(2 * area / length),
            place.shape,
        )
        for place, area, length in zip(claims.settled, areas, lengths, strict=True)
    ]


def _balances(
    layer: str, codes: Sequence[str], claims: Claims, areas: NDArray[np.float64], drawn: NDArray[np.float64]
) -> list[Balance]:
    """What each zone gained and lost, face by face."""
    before, gained, lost, after = np.zeros((4, len(codes)))
    for area, was, now in zip(areas.tolist(), claims.drawn, claims.owners, strict=True):
        for zone in was:
            before[zone] += area
            if zone not in now:
                lost[zone] += area
        for zone in now:
            after[zone] += area
            if zone not in was:
                gained[zone] += area
    columns = (drawn, before - drawn, gained, lost, after)
    return [Balance(layer, *row) for row in zip(codes, *(column.tolist() for column in columns), strict=True)]


def _spikes(drawn: Layer, done: Layer, changes: Sequence[Change], metric: Metric) -> list[Change]:
    """Vertices of spikes thinner than the grid: they went with no area, so no other change tells of them."""
    told: dict[str, list[BaseGeometry]] = {}
    for change in changes:
        for code in (*change.before, *change.after) if change.layer == drawn.name else ():
            told.setdefault(code, []).append(change.shape)
    after = {zone.code: zone.geometry for zone in done.zones}
    found: list[Change] = []
    for zone in drawn.zones:
        if zone.code not in after:
            continue
        border = shapely.transform(after[zone.code].boundary, metric.points)
        lonlat = shapely.get_coordinates(zone.geometry)
        points = np.asarray(shapely.points(metric.points(lonlat)))
        off = np.asarray(shapely.distance(points, border)) > TOLERANCE_M
        if off.any():
            places = shapely.transform(shapely.union_all(told.get(zone.code, [])), metric.points)
            off[off] = ~(shapely.distance(points[off], places) <= TOLERANCE_M)
        if off.any():
            shape = shapely.MultiPoint(lonlat[off])
            found.append(Change("spike", drawn.name, (zone.code,), (zone.code,), 0.0, 0.0, shape))
    return found


def _put_together(layer: Layer, claims: Claims, plan: Plan, metric: Metric, changes: list[Change]) -> Layer:
    """Every zone from its faces. One that has none left is left out, and said to be."""
    of: list[list[int]] = [[] for _ in layer.zones]
    for face, owners in enumerate(claims.owners):
        for number in owners:
            of[number].append(face)
    zones: list[Zone] = []
    for zone, mine in zip(layer.zones, of, strict=True):
        if not mine:
            area = metric.area_m2(zone.geometry)
            changes.append(Change("vanished", layer.name, (zone.code,), (), area, 0.0, zone.geometry))
            continue
        shape = shapely.orient_polygons(joined(plan.shapes[mine]))
        zones.append(dataclasses.replace(zone, geometry=shape, area_km2=metric.area_m2(shape) / 1e6))
    return dataclasses.replace(layer, zones=tuple(zones))
