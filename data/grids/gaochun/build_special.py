"""Dedicated grids, the two joint police-city areas and the bases of the sample district: all schematic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import shapely
from build_places import TOWNSHIPS, Made
from shapely import Point
from shapely.geometry.base import BaseGeometry

Project = Callable[[BaseGeometry], BaseGeometry]
KINDS = (
    # kind, Chinese, English, places in a town, in a subdistrict's core, metres long, metres wide
    ("school", "学校", "school", 2, 5, 180, 130),
    ("hospital", "医院", "hospital", 1, 2, 150, 110),
    ("industrial_park", "工业园", "industrial park", 1, 2, 900, 620),
    ("market", "农贸市场", "market", 1, 3, 140, 90),
    ("scenic", "景区", "scenic area", 1, 1, 700, 500),
    ("station", "客运站", "bus station", 0, 1, 160, 100),
    ("lakeshore_works", "滨湖工程", "lake-shore works", 0, 0, 420, 160),
)


def dedicated(towns: Sequence[BaseGeometry], wet: BaseGeometry, metric: Project) -> list[Made]:
    """Dedicated grids (专属网格): rectangles around each seat, on land, in their township; works on the lake's shore.

    Townships and water in metres, and so the result.
    """
    rng = np.random.default_rng(118)
    out: list[Made] = []
    for index, (town, zone) in enumerate(zip(TOWNSHIPS, towns, strict=True)):
        inner = zone.buffer(-60)
        land = inner.difference(wet.buffer(25))
        seat = metric(Point(town.seat))
        taken: BaseGeometry = Point()
        number = 0
        for kind, zh, en, plain, core, length, width in KINDS:
            spread = {"scenic": 4200, "industrial_park": 3000}.get(kind, 1300 if index else 1700)
            for k in range(1, (core if index == 0 else plain) + 1):
                shape = _place(rng, seat, spread, (length, width), land, taken)
                taken = taken.union(shape.buffer(40))
                number += 1
                out.append(
                    Made(
                        f"Z{town.code[-3:]}{number:02d}",
                        f"{town.short}示意{zh}{k}",
                        f"{town.name_en.split()[0]} {en} {k} (schematic)",
                        kind,
                        town.code,
                        shape,
                    )
                )
        for k, near in enumerate(LAKESHORE.get(town.code[-3:], ()), 1):
            bank = inner.intersection(wet.boundary)
            at = shapely.ops.nearest_points(bank, metric(Point(near)))[0]
            shape = shapely.affinity.rotate(
                shapely.box(at.x - 210, at.y - 80, at.x + 210, at.y + 80), 30 * k
            ).intersection(inner)
            number += 1
            out.append(
                Made(
                    f"Z{town.code[-3:]}{number:02d}",
                    f"{town.short}示意滨湖工程{k}",
                    f"{town.name_en.split()[0]} lake-shore works {k} (schematic)",
                    "lakeshore_works",
                    town.code,
                    shape,
                )
            )
    return sorted(out, key=lambda z: z.code)


LAKESHORE = {"001": ((118.880, 31.309), (118.892, 31.314)), "004": ((118.951, 31.300),), "102": ((118.884, 31.280),)}


def _place(
    rng: np.random.Generator,
    seat: BaseGeometry,
    spread: float,
    size: tuple[int, int],
    land: BaseGeometry,
    taken: BaseGeometry,
) -> BaseGeometry:
    """The first rectangle of a random row that lies on land, in the township and clear of the others."""
    length, width = size
    while True:
        dx, dy = rng.normal(0, spread, 2)
        x, y = seat.x + dx, seat.y + dy
        turn = rng.uniform(-40, 40)
        shape = shapely.affinity.rotate(shapely.box(x - length / 2, y - width / 2, x + length / 2, y + width / 2), turn)
        if land.contains(shape) and not shape.intersects(taken):
            return shape


def joint_communities(places: Sequence[Made], seats: Mapping[str, Point]) -> list[tuple[str, str, str, list[str]]]:
    """The joint areas (城警联勤) as communities of the first township: the eight nearest to its seat, west and east."""
    town = TOWNSHIPS[0].code
    seat = seats[town]
    near = sorted((p for p in places if p.code.startswith(town)), key=lambda p: p.geometry.centroid.distance(seat))[:8]
    near.sort(key=lambda p: p.geometry.centroid.x)
    return [
        ("城警联勤一区（示意）", "Joint police-city area 1 (schematic)", town, [p.code for p in near[:4]]),
        ("城警联勤二区（示意）", "Joint police-city area 2 (schematic)", town, [p.code for p in near[4:]]),
    ]


PIERS = (
    ("P01", "固城湖北码头", "Gucheng Lake north pier", "固城湖", (118.895, 31.312)),
    ("P02", "固城湖南码头", "Gucheng Lake south pier", "固城湖", (118.914, 31.254)),
    ("P03", "石臼湖码头", "Shijiu Lake pier", "石臼湖", (118.880, 31.405)),
    ("P04", "水阳江码头", "Shuiyang River pier", "水阳江", (118.765, 31.270)),
    ("P05", "胥河码头", "Xu River pier", "胥河", (119.040, 31.283)),
    ("P06", "官溪河码头", "Guanxi River pier", "官溪河", (118.850, 31.333)),
)
OFFICES = (
    ("B21", "综合行政执法局", "Enforcement bureau", (118.8800, 31.3290)),
    ("B22", "市场监管执法大队", "Market supervision brigade", (118.8860, 31.3345)),
    ("B23", "交通运输执法大队", "Transport brigade", (118.8900, 31.3420)),
    ("B24", "应急管理执法大队", "Emergency management brigade", (118.8740, 31.3400)),
    ("B25", "农业农村执法大队", "Agriculture brigade", (118.8950, 31.3480)),
)


def bases(
    towns: Sequence[Made],
    water: Sequence[Made],
    joint: Sequence[Made],
    seats: Mapping[str, Point],
    metric: Project,
    degrees: Project,
) -> list[tuple[str, str, str, BaseGeometry]]:
    """Where units stand: on land for vehicles, on the water beside the shore for boats."""
    wet = shapely.union_all([metric(w.geometry) for w in water])
    dry = shapely.union_all([metric(t.geometry) for t in towns]).buffer(-80).difference(wet.buffer(60))

    def ashore(point: BaseGeometry) -> BaseGeometry:
        return degrees(shapely.ops.nearest_points(dry, metric(point))[0])

    out = [
        (
            f"B{i:02d}",
            f"{t.short}综合行政执法大队驻地（示意）",
            f"{t.name_en.split()[0]} brigade base (schematic)",
            ashore(seats[t.code]),
        )
        for i, t in enumerate(TOWNSHIPS, 1)
    ]
    out += [
        (
            f"B1{i}",
            f"{j.name.removesuffix('（示意）')}执勤点（示意）",
            f"Joint team {i} post (schematic)",
            ashore(j.geometry.representative_point()),
        )
        for i, j in enumerate(joint, 1)
    ]
    out.append(
        ("B10", "水上综合执法大队驻地（示意）", "Water brigade base (schematic)", ashore(Point(118.884, 31.319)))
    )
    out += [(code, f"{zh}驻地（示意）", f"{en} base (schematic)", ashore(Point(at))) for code, zh, en, at in OFFICES]
    for code, zh, en, name, near in PIERS:
        body = metric(next(w.geometry for w in water if w.name.startswith(name)))
        deep = next(b for b in (body.buffer(-60), body.buffer(-20)) if not b.is_empty)
        out.append(
            (
                code,
                f"{zh}（示意）",
                f"{en} (schematic)",
                degrees(shapely.ops.nearest_points(deep, metric(Point(near)))[0]),
            )
        )
    return sorted(out, key=lambda b: b[0])
