"""The water of the sample district: lakes, rivers and canals drawn by hand, polder waters made to fill 191.0 km²."""

# ruff: noqa: E501 — courses are data

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from build_partition import Points, chaikin
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

TOTAL_KM2 = 191.0
GUCHENG_LAKE_KM2 = 31.0
SHIJIU_LAKE_KM2 = 42.0
CUT_OFF_M2 = 500_000.0
"""Land that rivers along the border leave on their far side, up to this."""


@dataclass(frozen=True, slots=True)
class Water:
    """A named water in metres, before it is noded with everything else."""

    name: str
    name_en: str
    kind: str
    geometry: BaseGeometry


GUCHENG_LAKE = [
    (118.868, 31.300), (118.880, 31.312), (118.902, 31.314), (118.925, 31.318), (118.951, 31.314), (118.953, 31.298),
    (118.940, 31.278), (118.930, 31.262), (118.918, 31.250), (118.905, 31.252), (118.894, 31.268), (118.880, 31.284),
]  # fmt: skip
RIVERS = (
    ("官溪河", "Guanxi River", "river", 110, [
        (118.884, 31.309), (118.872, 31.318), (118.866, 31.328), (118.850, 31.333), (118.832, 31.322), (118.810, 31.318),
        (118.782, 31.320), (118.752, 31.313), (118.730, 31.308), (118.716, 31.301), (118.704, 31.297)]),
    ("胥河", "Xu River", "river", 55, [
        (118.945, 31.293), (118.962, 31.296), (118.985, 31.296), (119.010, 31.288), (119.035, 31.283), (119.060, 31.281),
        (119.085, 31.277), (119.105, 31.268), (119.125, 31.280), (119.160, 31.283)]),
    ("运粮河（示意）", "Yunliang Canal (schematic)", "canal", 70, [
        (118.866, 31.415), (118.858, 31.402), (118.850, 31.390), (118.848, 31.374), (118.843, 31.352), (118.841, 31.322)]),
    ("阳江示意河", "Yangjiang canal (schematic)", "canal", 45, [
        (118.768, 31.362), (118.772, 31.345), (118.768, 31.330), (118.772, 31.312)]),
    ("砖墙示意河", "Zhuanqiang canal (schematic)", "canal", 45, [
        (118.799, 31.324), (118.806, 31.296), (118.826, 31.280), (118.836, 31.258), (118.838, 31.235)]),
    ("港口示意河", "Gangkou canal (schematic)", "canal", 40, [
        (118.826, 31.280), (118.848, 31.290), (118.862, 31.294), (118.880, 31.296)]),
    ("漆桥示意河", "Qiqiao stream (schematic)", "river", 40, [
        (118.942, 31.312), (118.952, 31.330), (118.965, 31.345), (118.969, 31.362), (118.974, 31.378)]),
)  # fmt: skip
WEST_BANK = [(118.6950, 31.3075), (118.7250, 31.2835), (118.7560, 31.2810), (118.7760, 31.2590), (118.7900, 31.2310)]


def resized(polygon: Polygon, area_m2: float) -> Polygon:
    """The polygon grown or shrunk by one buffer until it has the area."""
    low, high = -2000.0, 2000.0
    for _ in range(60):
        mid = (low + high) / 2
        low, high = (mid, high) if polygon.buffer(mid).area < area_m2 else (low, mid)
    return polygon.buffer(low)


def northern_wedge(district: Polygon, area_m2: float) -> BaseGeometry:
    """The part of the district north of a slightly bent shore that has this area: its share of 石臼湖."""
    west, south, east, north = district.bounds
    shore = np.array(
        [(0.0, 900.0), (0.3, 500.0), (0.36, -250.0), (0.43, -450.0), (0.5, 350.0), (0.6, 1500.0), (1.0, 2600.0)]
    )
    low, high = south, north
    half = shapely.box(west, south, west + 0.5 * (east - west), north + 5000)
    best: BaseGeometry = Polygon()
    for _ in range(50):
        mid = (low + high) / 2
        line = chaikin([(west + (east - west) * t, mid + dy) for t, dy in shore], closed=False)
        lid = Polygon([*map(tuple, line), (east, north + 5000), (west, north + 5000)])
        parts = shapely.get_parts(district.intersection(lid.intersection(half)))
        best = max(parts, key=lambda p: p.area, default=Polygon())
        low, high = (mid, high) if best.area > area_m2 else (low, mid)
    return best


def open_waters(district: Polygon, to_metres: Callable[[object], Points]) -> list[Water]:
    """Lakes, rivers and canals, in an order in which the earlier keeps what two would share."""
    lake = resized(Polygon(chaikin([tuple(p) for p in to_metres(GUCHENG_LAKE)], closed=True)), GUCHENG_LAKE_KM2 * 1e6)
    drawn = [
        Water("固城湖", "Gucheng Lake", "lake", lake),
        Water(
            "石臼湖（高淳水域）", "Shijiu Lake (Gaochun part)", "lake", northern_wedge(district, SHIJIU_LAKE_KM2 * 1e6)
        ),
        Water("水阳江", "Shuiyang River", "river", west_border(district, to_metres)),
    ]
    for name, name_en, kind, width, course in RIVERS:
        line = LineString(chaikin([tuple(p) for p in to_metres(course)], closed=False))
        drawn.append(Water(name, name_en, kind, line.buffer(width / 2, cap_style="flat")))
    out: list[Water] = []
    taken: BaseGeometry = Polygon()
    for water in drawn:
        own = water.geometry.intersection(district).difference(taken)
        parts = [p for p in shapely.get_parts(own) if isinstance(p, Polygon) and p.area > 2000]
        own = shapely.union_all(parts)
        out.append(Water(water.name, water.name_en, water.kind, own))
        taken = taken.union(own)
    return _with_cut_off_banks(out, district.difference(taken))


def _with_cut_off_banks(waters: list[Water], land: BaseGeometry) -> list[Water]:
    """Strips of land between a water and the border, which nothing leads to, become part of that water."""
    for strip in shapely.get_parts(land):
        if 1 < strip.area < CUT_OFF_M2:
            near = strip.buffer(1)
            i = max(range(len(waters)), key=lambda k: near.intersection(waters[k].geometry).area)
            joined = shapely.union_all([waters[i].geometry, strip], grid_size=0.001)
            waters[i] = replace(waters[i], geometry=joined)
    return waters


def west_border(district: Polygon, to_metres: Callable[[object], Points]) -> BaseGeometry:
    """A river as wide as it is within the district: 130 m inside the border, where it runs along the western bank."""
    bank = LineString(to_metres(WEST_BANK)).buffer(1500)
    along = shapely.line_merge(district.exterior.intersection(bank))
    return along.buffer(130).buffer(-20).buffer(20)


def polder_waters(
    cells: Sequence[BaseGeometry], towns: Sequence[str], open_water: BaseGeometry, dry: BaseGeometry, wanted_m2: float
) -> list[Water]:
    """Ponds inside the polder cells, each behind its dyke; the dykes' width is what makes the sum come out.

    `cells` are communities' cells, `towns` names the zone each belongs to (as name|English name), `dry` stays land.
    """
    kept_off = shapely.union_all([open_water.buffer(70), dry])
    shapely.prepare(kept_off)

    wide = np.random.default_rng(191).uniform(0.55, 1.7, len(cells))

    def ponds(dyke: float) -> list[list[BaseGeometry]]:
        shrunk = [cell.buffer(-dyke * w - 45).buffer(45, quad_segs=3) for cell, w in zip(cells, wide, strict=True)]
        smooth = [s.difference(kept_off).buffer(-25).buffer(25, quad_segs=3).simplify(6) for s in shrunk]
        return [[p for p in shapely.get_parts(s) if p.area > 5000] for s in smooth]

    low, high = 20.0, 400.0
    for _ in range(24):
        mid = (low + high) / 2
        low, high = (mid, high) if sum(p.area for parts in ponds(mid) for p in parts) > wanted_m2 else (low, mid)
    zones: dict[str, list[BaseGeometry]] = {}
    for town, parts in zip(towns, ponds(low), strict=True):
        if parts:
            zones.setdefault(town, []).extend(parts)
    print(f"dykes between polder ponds about {2 * low:.0f} m wide")
    return [
        Water(
            f"{name.split('|')[0]}圩内水面（示意）",
            f"{name.split('|')[1]} polder waters (schematic)",
            "polder",
            shapely.union_all(parts),
        )
        for name, parts in sorted(zones.items())
    ]
