"""Makes the sample district's folder, the same to the last byte each time: `python data/grids/gaochun/build.py`.

The boundary is real (package cnmaps, read as WGS 84); everything inside it is schematic. See README.md beside.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import pyproj
import shapely
from build_files import write_features, write_zones
from build_partition import (
    SNAP_M,
    Points,
    borders_between,
    divide,
    gather,
    lines_of,
    meander,
    planar_faces,
    power_cells_of_area,
    seeds,
)
from build_places import DISTRICT, TOWNSHIPS, Made, Township, communities
from build_powers import write_powers
from build_roads import roads
from build_sources import write_sources
from build_special import bases, dedicated, joint_communities
from build_tables import write_tables
from build_water import TOTAL_KM2, Water, open_waters, polder_waters
from cnmaps import get_adm_maps
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

HERE = Path(__file__).parent
GRIDS = 1198
FORWARD = pyproj.Transformer.from_crs(4326, 4549, always_xy=True)


def to_metres(lonlat: object) -> Points:
    """Longitude, latitude to metres east and north (EPSG:4549)."""
    p = np.asarray(lonlat, dtype=float)
    return np.column_stack(FORWARD.transform(p[:, 0], p[:, 1]))


def metric(geometry: BaseGeometry) -> BaseGeometry:
    """The geometry in metres."""
    return shapely.transform(geometry, to_metres)


def degrees(geometry: BaseGeometry) -> BaseGeometry:
    """The geometry in degrees."""
    return shapely.transform(
        geometry, lambda p: np.column_stack(FORWARD.transform(p[:, 0], p[:, 1], direction="INVERSE"))
    )


@dataclass(slots=True)
class Cell:
    """A comprehensive grid cell while it is being made."""

    town: int
    community: int
    shape: Polygon
    code: str = ""


def boundary() -> Polygon:
    """The real boundary: Amap's, which is GCJ-02 in the package and converted by it to WGS 84 (good to 1 to 2 m)."""
    record = get_adm_maps(province="江苏省", city="南京市", district="高淳区", level="区", wgs84=True)[0]
    parts = shapely.get_parts(shapely.geometry.shape(record["geometry"].__geo_interface__))
    return cast("Polygon", shapely.set_precision(max(parts, key=lambda p: p.area), 1e-7))


def divide_townships(district: Polygon) -> list[Polygon]:
    """One piece a township, in the order of TOWNSHIPS, as large as its area says once its borders meander.

    Published areas are kept, the assumed ones share what is left of the boundary's own area.
    """
    seats = to_metres([t.seat for t in TOWNSHIPS])
    wanted = np.array([t.area_km2 * 1e6 for t in TOWNSHIPS])
    assumed = ~np.array([t.area_published for t in TOWNSHIPS])
    wanted[assumed] *= (district.area - wanted[~assumed].sum()) / wanted[assumed].sum()
    aim, best, worst = wanted.copy(), list[Polygon](), np.inf
    for _ in range(40):
        cells = power_cells_of_area(seats, aim, district)
        straight = shapely.union_all([c.boundary for c in cells], grid_size=SNAP_M).intersection(district)
        borders = [meander(line, np.random.default_rng([8, *sides(line, cells)]), 0.035) for line in lines_of(straight)]
        pieces = divide(district, borders, len(seats))
        found = [next(p for p in pieces if p.contains(shapely.Point(seat))) for seat in seats]
        off = wanted - np.array([p.area for p in found])
        if np.abs(off).max() < worst:
            best, worst = found, float(np.abs(off).max())
        if worst < 1e5:
            break
        aim += 0.35 * off
    print(f"townships off by at most {worst / 1e6:.2f} km²")
    return best


def sides(line: LineString, cells: Sequence[BaseGeometry]) -> list[int]:
    """The two cells that a border lies between: its wave hangs on them, not on where it is just now."""
    distance = shapely.distance(line.interpolate(0.5, normalized=True), cells)
    return sorted(int(i) for i in np.argsort(distance)[:2])


def crowding(town: Township, lakes: BaseGeometry) -> object:
    """How densely communities lie: thick around the seat, thin on a lake."""
    seat = to_metres([town.seat])[0]
    reach, height = (1700.0, 14.0) if town.code.endswith("001") else (1400.0, 4.0)

    def density(p: Points) -> np.ndarray:
        d2 = ((p - seat) ** 2).sum(axis=1)
        on_lake = shapely.contains_xy(lakes, p[:, 0], p[:, 1])
        return np.where(on_lake, 0.12, 1.0 + height * np.exp(-d2 / reach**2))

    return density


def divide_communities(
    pieces: Sequence[Polygon], lakes: BaseGeometry, rng: np.random.Generator
) -> list[tuple[int, Polygon]]:
    """All communities as (township index, shape), nearest to the seat first within their township."""
    out: list[tuple[int, Polygon]] = []
    for i, (town, piece) in enumerate(zip(TOWNSHIPS, pieces, strict=True)):
        n = len(communities(town))
        at = seeds(piece, n, crowding(town, lakes), rng)
        borders = [meander(line, rng, 0.045) for line in borders_between(at, piece)]
        seat = shapely.Point(to_metres([town.seat])[0])
        out += [
            (i, p)
            for p in sorted(divide(piece, borders, n), key=lambda p: (p.distance(seat), p.centroid.distance(seat)))
        ]
    return out


def divide_cells(places: Sequence[tuple[int, Polygon]], lakes: BaseGeometry, rng: np.random.Generator) -> list[Cell]:
    """The comprehensive grid: about GRIDS cells, more of them where a community is large or lies by its seat."""
    seats = to_metres([t.seat for t in TOWNSHIPS])
    land = [p.difference(lakes).area + 0.15 * p.intersection(lakes).area for _, p in places]
    near = [np.exp(-(p.centroid.distance(shapely.Point(seats[t])) ** 2) / 2500**2) for t, p in places]
    need = np.array([np.sqrt(a / 1e6) * (1 + 0.9 * c) for a, c in zip(land, near, strict=True)])
    counts = np.clip(np.round(need * GRIDS / need.sum()).astype(int), 3, 20)
    out: list[Cell] = []
    for k, ((town, shape), n) in enumerate(zip(places, counts, strict=True)):
        at = seeds(shape, int(n), crowding(TOWNSHIPS[town], lakes), rng)
        borders = [meander(line, rng, 0.03, 120.0) for line in borders_between(at, shape)]
        out += [Cell(town, k, piece) for piece in divide(shape, borders, int(n))]
    return out


def number(cells: Sequence[Cell], shapes: Sequence[BaseGeometry], codes: Sequence[str]) -> None:
    """15 digits: the community's 12 and a running number, in rows from north to south, in a row from west to east.

    A community of n cells has round(sqrt(n)) rows of equal height; a cell is in the row that holds its centroid.
    """
    for k, code in enumerate(codes):
        own = [i for i, c in enumerate(cells) if c.community == k]
        _, south, _, north = shapely.total_bounds([shapes[i] for i in own])
        height = (north - south) / round(len(own) ** 0.5)
        middle = {i: shapes[i].centroid for i in own}
        own.sort(key=lambda i: (int((north - middle[i].y) / height), middle[i].x))
        for running, i in enumerate(own, 1):
            cells[i].code = f"{code}{running:03d}"


def main() -> None:
    """Writes every file of the folder."""
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    rng = np.random.default_rng(20261123)
    real = boundary()
    district = cast("Polygon", metric(real))
    open_water = open_waters(district, to_metres)
    lakes = shapely.union_all([w.geometry for w in open_water if w.kind == "lake"])
    towns = divide_townships(district)
    places = divide_communities(towns, lakes, rng)
    named = [row for town in TOWNSHIPS for row in communities(town)]
    cells = divide_cells(places, lakes, rng)
    wet = shapely.union_all([w.geometry for w in open_water])
    seats = [shapely.Point(p) for p in to_metres([t.seat for t in TOWNSHIPS])]
    special = dedicated(towns, wet, metric)
    dry = shapely.union_all(
        [
            *(s.buffer(2300 if i == 0 else 900) for i, s in enumerate(seats)),
            *(z.geometry.buffer(40) for z in special),
            district.boundary.buffer(150),  # a dyke along the border, wide enough to walk on
        ]
    )
    in_polder = [c for c in cells if TOWNSHIPS[c.town].polder]
    labels = [f"{named[c.community][1]}|{named[c.community][2]}" for c in in_polder]
    waters = [*open_water, *polder_waters([c.shape for c in in_polder], labels, wet, dry, TOTAL_KM2 * 1e6 - wet.area)]

    faces = planar_faces(
        [real.boundary, *(degrees(c.shape).boundary for c in cells), *(degrees(w.geometry).boundary for w in waters)]
    )
    inside = [metric(f.representative_point()) for f in faces]
    cell_of = owner_of(inside, [c.shape for c in cells], nearest=shapely.contains(district.buffer(-0.5), inside))
    water_of = [
        w if c >= 0 else -1 for c, w in zip(cell_of, owner_of(inside, [w.geometry for w in waters]), strict=True)
    ]
    put_layers(faces, cell_of, water_of, cells, named, waters, special)


def owner_of(points: Sequence[BaseGeometry], shapes: Sequence[BaseGeometry], nearest: object = None) -> list[int]:
    """Which shape holds each point; -1 for none, or the nearest where `nearest` says that there must be one."""
    tree = shapely.STRtree(shapes)
    out = [-1] * len(points)
    for at, shape in tree.query(points, predicate="within").T:
        out[int(at)] = int(shape)
    if nearest is not None:
        for i in np.flatnonzero(np.asarray(nearest)):
            if out[i] < 0:
                out[i] = int(tree.nearest(points[i]))
    return out


def put_layers(
    faces: Sequence[Polygon],
    cell_of: Sequence[int],
    water_of: Sequence[int],
    cells: Sequence[Cell],
    named: Sequence[tuple[str, str, str, bool]],
    waters: Sequence[Water],
    special: Sequence[Made],
) -> None:
    """From labelled faces to the layers' files."""
    grid_shapes = gather(faces, cell_of, len(cells))
    number(cells, grid_shapes, [code for code, *_ in named])
    community_of = [cells[c].community if c >= 0 else -1 for c in cell_of]
    town_of = [cells[c].town if c >= 0 else -1 for c in cell_of]
    grids = sorted(
        (
            Made(
                c.code,
                f"{named[c.community][1]}第{int(c.code[-3:])}网格",
                f"{named[c.community][2]} grid {int(c.code[-3:])}",
                "comprehensive",
                named[c.community][0],
                shape,
            )
            for c, shape in zip(cells, grid_shapes, strict=True)
        ),
        key=lambda m: m.code,
    )
    places = [
        Made(
            code,
            name,
            name_en,
            "village" if int(code[-3:]) > 200 else "community",
            code[:9],
            shape,
            {"schematic_name": made_up},
        )
        for (code, name, name_en, made_up), shape in zip(named, gather(faces, community_of, len(named)), strict=True)
    ]
    towns = [
        Made(
            t.code,
            t.name,
            t.name_en,
            "town" if t.name.endswith("镇") else "subdistrict",
            DISTRICT,
            shape,
            {"team": f"T{i:02d}", "area_published_km2": t.area_km2 if t.area_published else None},
        )
        for i, (t, shape) in enumerate(zip(TOWNSHIPS, gather(faces, town_of, len(TOWNSHIPS)), strict=True), 1)
    ]
    district = Made(
        DISTRICT, "高淳区", "Gaochun District", "district", "", shapely.coverage_union_all([t.geometry for t in towns])
    )
    water = [
        Made(f"W{i:03d}", w.name, w.name_en, w.kind, "", shape, {"team": "W01"})
        for i, (w, shape) in enumerate(zip(waters, gather(faces, water_of, len(waters)), strict=True), 1)
    ]
    seats = {t.code: shapely.Point(t.seat) for t in TOWNSHIPS}
    joint = [
        Made(
            f"J{i:02d}",
            name,
            name_en,
            "joint",
            town,
            shapely.coverage_union_all([p.geometry for p in places if p.code in codes]),
            {"team": f"J{i:02d}"},
        )
        for i, (name, name_en, town, codes) in enumerate(joint_communities(places, seats), 1)
    ]
    all_wet = shapely.union_all([w.geometry for w in water])
    write_zones("district.geojson", [district])
    write_zones("townships.geojson", towns)
    write_zones("communities.geojson", places)
    write_zones("grids.geojson", grids)
    write_zones("dedicated.geojson", [replace(z, geometry=degrees(z.geometry)) for z in special])
    write_zones("water.geojson", water)
    write_zones("joint.geojson", joint)
    stands = bases(towns, water, joint, seats, metric, degrees)
    write_features("bases.geojson", [({"code": c, "name": n, "name_en": e}, p) for c, n, e, p in stands])
    write_features(
        "roads.geojson",
        roads(
            [metric(g.geometry) for g in grids],
            metric(all_wet),
            metric(district.geometry),
            [metric(p) for c, _, _, p in stands if not c.startswith("P")],
            [metric(p.geometry) for p in places],
            degrees,
        ),
    )
    write_tables(HERE)
    write_powers(HERE)
    write_sources(HERE)
    total = metric(all_wet).area / 1e6
    print(
        f"{len(towns)} townships, {len(places)} communities, {len(grids)} grids, {len(water)} waters of {total:.3f} km²"
    )


if __name__ == "__main__":
    main()
