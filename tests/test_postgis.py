"""The locator against PostGIS, asked the same of the zones it was given by the server."""

from __future__ import annotations

import os
from fractions import Fraction
from itertools import pairwise

import numpy as np
import psycopg
import pytest
from shapely import Polygon, get_coordinates, get_parts
from shapely.geometry.base import BaseGeometry

from geo.grid import Cover
from tests.points import of_every_kind
from tests.sample import ground, sample

POINTS = int(os.environ.get("ONEGRID_TEST_POSTGIS_POINTS", "100000"))
"""Over all layers. A million or more, mostly beside edges, takes some minutes: run it so when the locator changes."""
LAYERS = ("township", "grid", "water", "dedicated", "joint")


def holds(shape: BaseGeometry, x: float, y: float) -> bool:
    """Whether a closed polygon holds a point, in rational arithmetic: on a ring, or an odd number of crossings."""
    return any(_holds(part, Fraction(x), Fraction(y)) for part in get_parts(shape))


def _holds(polygon: Polygon, x: Fraction, y: Fraction) -> bool:
    inside = False
    for ring in (polygon.exterior, *polygon.interiors):
        corners = [(Fraction(a), Fraction(b)) for a, b in get_coordinates(ring).tolist()]
        for (ax, ay), (bx, by) in pairwise(corners):
            side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
            if side == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
                return True
            if (ay > y) != (by > y) and (side > 0) == (by > ay):
                inside = not inside
    return inside


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("layer", LAYERS)
def test_the_locator_says_what_postgis_says(server_database: str, layer: str) -> None:
    district = sample()
    zones = district.layers[layer].zones
    rng = np.random.default_rng(7)
    points = of_every_kind(rng, [zone.geometry for zone in zones], POINTS // len(LAYERS))
    points = points[np.isfinite(points).all(axis=1) & (np.abs(points) < 400).all(axis=1)]
    hits = ground().locator.at_many(points[:, 0], points[:, 1])[layer]
    ours = [{zones[number].code for number in hits.sets[index]} for index in hits.index]
    with psycopg.connect(server_database.replace("+psycopg", "")) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE asked (id int, geom geometry(Point, 4326))")
        with cursor.copy("COPY asked FROM STDIN") as copy:
            for number, (x, y) in enumerate(points.tolist()):
                copy.write_row((number, f"SRID=4326;POINT({x!r} {y!r})"))
        cursor.execute(
            "SELECT a.id, array_agg(z.code ORDER BY z.code) FROM asked a JOIN zone z "
            "ON z.layer = %s AND ST_Covers(z.geom, a.geom) GROUP BY a.id",
            (layer,),
        )
        theirs = dict(cursor.fetchall())
    lowest_only = district.layers[layer].cover is not Cover.OVERLAP
    differing = []
    for number, mine in enumerate(ours):
        found = theirs.get(number, [])
        if mine != set(found[:1] if lowest_only else found):
            differing.append(number)
    # Where the two differ, exact arithmetic has to say that it is not we who are wrong.
    for number in differing:
        x, y = points[number].tolist()
        exact = [zone.code for zone in zones if zone.geometry.bounds and holds(zone.geometry, x, y)]
        assert ours[number] == set(exact[:1] if lowest_only else exact)
    print(f"{layer}: {len(points)} points, {len(differing)} differ from PostGIS, all of them PostGIS's")
    assert len(points) > POINTS // len(LAYERS) // 2
    assert len(differing) < max(20, POINTS // 5000)
