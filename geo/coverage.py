"""Do the zones of a layer lie as they say: gaps, overlaps, zones outside their parent or the district, areas.

Geometry is judged in degrees, on the stored coordinates; areas are then measured in the district's metric CRS.
An invalid zone is not judged further, and neither is what lies in its envelope, until its ring is mended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from geo.findings import Finding
from geo.grid import Cover, Layer, Metric, Zone

GAP_M2 = 0.01
"""Gaps and overlaps smaller than this, a square decimetre, are rounding."""
OUTSIDE_M2 = 1.0
"""Reaching out of the district or a parent by less than this is rounding: cuts at a border lie 1 cm beside it."""


def check_layer(
    layer: Layer, district: Zone, parent: Layer | None, metric: Metric, *, complete: bool = True
) -> list[Finding]:
    """All that is wrong with the way the layer's zones lie, in the district and in their parents.

    Not `complete`: some of its features could not be read, so gaps say nothing.
    """
    if not district.geometry.is_valid:
        return []
    bad = [z.geometry.envelope for z in layer.zones if not z.geometry.is_valid]
    zones = [z for z in layer.zones if z.geometry.is_valid]
    shapely.prepare(district.geometry)
    findings = list(_outside(layer.name, zones, district, metric))
    findings += _in_parents(layer, zones, parent, metric)
    shapes = [z.geometry for z in zones]
    if layer.cover is Cover.OVERLAP or not shapes:
        return findings
    clean = bool(shapely.coverage_is_valid(shapes))
    if not clean:
        findings += _overlaps(layer.name, zones, metric)
    if layer.cover is Cover.PARTITION and complete and not (clean and _fills(zones, district, findings)):
        whole = shapely.coverage_union_all(shapes) if clean else shapely.union_all(shapes)
        findings += [
            Finding("gap", layer.name, (), {}, area / 1e6, part)
            for part, area in _pieces(district.geometry.difference(whole), metric, GAP_M2)
            if not any(part.intersects(envelope) for envelope in bad)
        ]
    return findings


def _fills(zones: Sequence[Zone], district: Zone, findings: Sequence[Finding]) -> bool:
    """Whether areas alone show that zones without overlap, none of them outside, leave no gap."""
    left_m2 = (district.area_km2 - sum(zone.area_km2 for zone in zones)) * 1e6
    return abs(left_m2) < GAP_M2 and not any(finding.code == "outside_district" for finding in findings)


def union_km2(zones: Iterable[Zone], metric: Metric) -> float:
    """What the zones measure together, each place once."""
    return metric.area_m2(shapely.union_all([z.geometry for z in zones if z.geometry.is_valid])) / 1e6


def _outside(layer: str, zones: Sequence[Zone], district: Zone, metric: Metric) -> Iterator[Finding]:
    for zone in zones:
        if not district.geometry.covers(zone.geometry):
            for part, area in _pieces(zone.geometry.difference(district.geometry), metric, OUTSIDE_M2):
                yield Finding("outside_district", layer, (zone.code,), {}, area / 1e6, part)


def _in_parents(layer: Layer, zones: Sequence[Zone], parent: Layer | None, metric: Metric) -> Iterator[Finding]:
    if parent is None:
        return
    holders = {z.code: z.geometry for z in parent.zones}
    shapely.prepare(list(holders.values()))
    for zone in zones:
        holder = holders.get(zone.parent or "")
        if holder is None:
            where = zone.geometry.representative_point()
            yield Finding("orphan_parent", layer.name, (zone.code,), {"parent": zone.parent or "“”"}, None, where)
        elif holder.is_valid and not holder.covers(zone.geometry):
            for part, area in _pieces(zone.geometry.difference(holder), metric, OUTSIDE_M2):
                yield Finding("outside_parent", layer.name, (zone.code,), {"parent": zone.parent}, area / 1e6, part)


def _overlaps(layer: str, zones: Sequence[Zone], metric: Metric) -> Iterator[Finding]:
    shapes = np.array([z.geometry for z in zones], dtype=object)
    first, second = STRtree(shapes).query(shapes, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    commons = shapely.intersection(shapes[first], shapes[second])
    for a, b, common in zip(first, second, commons, strict=True):
        if common.area == 0.0:
            continue
        for part, area in _pieces(common, metric, GAP_M2):
            yield Finding("overlap", layer, (zones[a].code, zones[b].code), {}, area / 1e6, part)


def _pieces(geometry: BaseGeometry, metric: Metric, least_m2: float) -> Iterator[tuple[BaseGeometry, float]]:
    """The polygons in it that measure more than `least_m2`, with their square metres."""
    for part in shapely.get_parts(geometry):
        if part.area > 0.0:
            area = metric.area_m2(part)
            if area > least_m2:
                yield part, area


def check_codes(layer: Layer, digits: Sequence[int]) -> list[Finding]:
    """Codes of a grid layer that are not as many digits as the scheme has, or do not begin with their parent's."""
    total = sum(digits)
    return [
        Finding(
            "bad_grid_code",
            layer.name,
            (zone.code,),
            {"code_": zone.code, "digits": total, "parent": zone.parent or ""},
            None,
            zone.geometry.representative_point() if zone.geometry.is_valid else None,
        )
        for zone in layer.zones
        if not (zone.code.isascii() and zone.code.isdigit() and len(zone.code) == total)
        or not zone.code.startswith(zone.parent or "")
    ]
