"""Circles against an overlay by shapely, against darts thrown at them, and against what must hold of any circle."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from shapely import Point, Polygon
from shapely.geometry.base import BaseGeometry

from geo.circle import CORNERS, POINT_M, Circles, Part
from geo.grid import Cover, Layer, Metric
from geo.locate import Locator
from tests.made import EAST, NORTH, SOUTH, WEST, district_layers, layer

CRS = "EPSG:4549"
ASKED = ("water", "joint", "dedicated", "township")
TO_METRES = Transformer.from_crs(4326, CRS, always_xy=True)
TO_DEGREES = Transformer.from_crs(CRS, 4326, always_xy=True)


@pytest.fixture(scope="module")
def layers() -> dict[str, Layer]:
    made = district_layers()
    return {name: made[name] for name in made if name in (*ASKED, "district")}


@pytest.fixture(scope="module")
def locator(layers: dict[str, Layer]) -> Locator:
    return Locator(layers)


@pytest.fixture(scope="module")
def circles(locator: Locator) -> Circles:
    return Circles(locator, Metric(CRS), ASKED)


def kind_of(place: object) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(zone.code for zone in held) for held in place.values())  # type: ignore[attr-defined]


def disc(lon: float, lat: float, radius: float) -> BaseGeometry:
    """The circle in degrees, drawn in the metric CRS with far more corners than ours."""
    x, y = TO_METRES.transform(lon, lat)
    return shapely.transform(
        Point(x, y).buffer(radius, quad_segs=64), lambda xy: np.column_stack(TO_DEGREES.transform(xy[:, 0], xy[:, 1]))
    )


def overlay(layers: dict[str, Layer], lon: float, lat: float, radius: float) -> dict[object, float]:
    """Shares by cutting the circle with each zone in turn, areas in the metric CRS."""
    whole = disc(lon, lat, radius).intersection(layers["district"].zones[0].geometry)
    pieces: list[tuple[dict[str, tuple[str, ...]], BaseGeometry]] = [({}, whole)]
    for name, one in layers.items():
        near = [zone for zone in one.zones if zone.geometry.intersects(whole)]
        for zone in near:
            cut = []
            for held, piece in pieces:
                had = held.get(name, ())
                if had and one.cover is not Cover.OVERLAP:
                    cut.append((held, piece))
                    continue
                cut += [
                    ({**held, name: (*had, zone.code)}, piece.intersection(zone.geometry)),
                    (held, piece.difference(zone.geometry)),
                ]
            pieces = [(held, piece) for held, piece in cut if piece.area > 0]
    areas: Counter[object] = Counter()
    metric = Metric(CRS)
    for held, piece in pieces:
        areas[tuple(held.get(name, ()) for name in layers)] += metric.area_m2(piece)  # type: ignore[assignment]
    total = sum(areas.values())
    return {kind: area / total for kind, area in areas.items()}


def shares(parts: tuple[Part, ...], names: tuple[str, ...]) -> dict[object, float]:
    return {tuple(tuple(z.code for z in part.place[name]) for name in names): part.share for part in parts}


def near_edges(layers: dict[str, Layer], count: int, spread: float, seed: int) -> list[list[float]]:
    """Places inside the district, beside corners of zones."""
    rng = np.random.default_rng(seed)
    corners = shapely.get_coordinates([zone.geometry for one in layers.values() for zone in one.zones])
    at = corners[rng.integers(0, len(corners), count)] + rng.normal(0, spread, (count, 2))
    return at[shapely.intersects_xy(layers["district"].zones[0].geometry, at[:, 0], at[:, 1])].tolist()


@pytest.mark.parametrize(("radius", "near"), [(3, 2e-5), (30, 3e-4), (200, 2e-3), (1000, 5e-3)])
def test_shares_are_those_of_an_overlay(layers: dict[str, Layer], circles: Circles, radius: float, near: float) -> None:
    several = 0
    for lon, lat in near_edges(layers, 35, near, 3):
        ours = shares(circles.parts(lon, lat, radius), tuple(layers))
        theirs = overlay(layers, lon, lat, radius)
        for kind in ours.keys() | theirs.keys():
            assert ours.get(kind, 0) == pytest.approx(theirs.get(kind, 0), abs=0.002), (lon, lat, kind)
        several += len(ours) > 1
    assert several > 8


def test_shares_are_those_of_darts(layers: dict[str, Layer], locator: Locator, circles: Circles) -> None:
    rng = np.random.default_rng(5)
    radius, count = 80.0, 8_000
    for lon, lat in near_edges(layers, 8, 5e-4, 6):
        turn, reach = rng.uniform(0, 2 * math.pi, count), radius * np.sqrt(rng.uniform(0, 1, count))
        x, y = TO_METRES.transform(lon, lat)
        thrown = np.column_stack(TO_DEGREES.transform(x + reach * np.cos(turn), y + reach * np.sin(turn)))
        places = [locator.at(*dart) for dart in thrown.tolist()]
        hit = Counter(
            tuple(tuple(z.code for z in place[name]) for name in layers) for place in places if place["district"]
        )
        ours = shares(circles.parts(lon, lat, radius), tuple(layers))
        for kind in ours.keys() | hit.keys():
            assert ours.get(kind, 0) == pytest.approx(hit[kind] / hit.total(), abs=0.03)


def test_a_straight_boundary_cuts_off_the_segment_of_a_circle() -> None:
    """The share of a chord at distance d of the middle: acos(d) - d sqrt(1 - d^2), over pi."""
    whole = Polygon([(118.8, 31.2), (119.2, 31.2), (119.2, 31.4), (118.8, 31.4)])
    east = Polygon([(119.0, 31.2), (119.2, 31.2), (119.2, 31.4), (119.0, 31.4)])
    layers = {"district": layer("district", [whole], Cover.PARTITION), "water": layer("water", [east], Cover.DISJOINT)}
    circles = Circles(Locator(layers), Metric(CRS), ["water"], long_side=64)
    x, y = TO_METRES.transform(119.0, 31.3)
    for away in np.linspace(-0.95, 0.95, 39):
        lon, lat = TO_DEGREES.transform(x - 100 * away, y)
        wet = sum(part.share for part in circles.parts(lon, lat, 100) if part.place["water"])
        assert wet == pytest.approx((math.acos(away) - away * math.sqrt(1 - away * away)) / math.pi, abs=2e-4)


places = st.tuples(st.floats(WEST, EAST), st.floats(SOUTH, NORTH))


@settings(max_examples=100, deadline=None)
@given(places, st.floats(0, 1500), st.integers(0, 10_000), st.booleans())
def test_what_holds_of_every_circle(
    layers: dict[str, Layer],
    locator: Locator,
    circles: Circles,
    place: tuple[float, float],
    radius: float,
    corner: int,
    at_corner: bool,
) -> None:
    lon, lat = place
    if at_corner:  # exactly on a corner where zones meet
        corners = shapely.get_coordinates([zone.geometry for zone in layers["township"].zones])
        lon, lat = corners[corner % len(corners)].tolist()
    parts = circles.parts(lon, lat, radius)
    here = locator.at(lon, lat)
    if not parts:
        assert not here["district"] or radius >= POINT_M
        return
    assert sum(part.share for part in parts) == pytest.approx(1)
    assert [part.share for part in parts] == sorted((part.share for part in parts), reverse=True)
    kinds = [kind_of(part.place) for part in parts]
    assert len(set(kinds)) == len(kinds)
    for part in parts:
        assert kind_of(part.place) == kind_of({name: locator.at(part.lon, part.lat)[name] for name in part.place})
        middle_lon, middle_lat, clear_m = part.middle()
        assert clear_m <= radius * 1.001
        if clear_m > 0.1:  # then that place is settled by itself
            [alone] = circles.parts(middle_lon, middle_lat, clear_m)
            assert kind_of(alone.place) == kind_of(part.place)
    if circles.clear(lon, lat, radius):
        assert len(parts) == 1
        assert kind_of(parts[0].place) == kind_of({name: here[name] for name in parts[0].place})


@settings(max_examples=70, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 3e-3), st.floats(0, 6.3), st.floats(1, 400), st.floats(1.05, 4))
def test_a_larger_circle_loses_no_kind(
    layers: dict[str, Layer],
    circles: Circles,
    corner: int,
    away: float,
    turn: float,
    radius: float,
    times: float,
) -> None:
    corners = shapely.get_coordinates([zone.geometry for one in layers.values() for zone in one.zones])
    x, y = corners[corner % len(corners)].tolist()
    lon, lat = x + away * math.cos(turn), y + away * math.sin(turn)
    small, large = circles.parts(lon, lat, radius), circles.parts(lon, lat, radius * times)
    # What is less than a rounding wide may fall either way.
    kinds = {kind_of(part.place) for part in small if part.share > 1e-6}
    assert kinds <= {kind_of(part.place) for part in large}


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 5e-3), st.floats(0, 6.3), st.floats(0, 600))
def test_clear_is_never_said_of_a_circle_that_a_boundary_meets(
    layers: dict[str, Layer], circles: Circles, corner: int, away: float, turn: float, radius: float
) -> None:
    boundaries = shapely.get_coordinates([zone.geometry for one in layers.values() for zone in one.zones])
    x, y = boundaries[corner % len(boundaries)].tolist()
    lon, lat = x + away * math.cos(turn), y + away * math.sin(turn)
    if circles.clear(lon, lat, radius):
        corners = disc(lon, lat, radius / math.cos(math.pi / CORNERS))
        assert not any(zone.geometry.boundary.intersects(corners) for one in layers.values() for zone in one.zones)


def test_a_radius_of_nothing_is_the_point(layers: dict[str, Layer], locator: Locator, circles: Circles) -> None:
    for lon, lat in near_edges(layers, 200, 1e-9, 9):
        [part] = circles.parts(lon, lat, 0)
        assert (part.lon, part.lat, part.share) == (lon, lat, 1)
        assert part.place == {name: locator.at(lon, lat)[name] for name in part.place}


def test_outside_there_is_nothing_and_at_the_border_only_what_is_inside(
    layers: dict[str, Layer], circles: Circles
) -> None:
    assert circles.parts(WEST - 1, SOUTH, 50) == ()
    assert circles.parts(WEST - 1, SOUTH, 0) == ()
    x, y = layers["district"].zones[0].geometry.exterior.coords[0]
    parts = circles.parts(x, y, 100)
    assert all(part.place["district"] for part in parts)
    assert sum(part.share for part in parts) == pytest.approx(1)


def test_a_gap_between_two_zones_is_nowhere() -> None:
    whole = Polygon([(118.8, 31.2), (119.2, 31.2), (119.2, 31.4), (118.8, 31.4)])
    west = Polygon([(118.8, 31.2), (119.0, 31.2), (119.0, 31.4), (118.8, 31.4)])
    east = Polygon([(119.0 + 1e-7, 31.2), (119.2, 31.2), (119.2, 31.4), (119.0 + 1e-7, 31.4)])
    layers = {
        "district": layer("district", [whole], Cover.PARTITION),
        "township": layer("township", [west, east], Cover.PARTITION),
    }
    circles = Circles(Locator(layers), Metric(CRS), ["township"], long_side=64)
    for radius in (1, 40):
        parts = circles.parts(119.0 + 5e-8, 31.3, radius)
        assert [part.share for part in parts] == pytest.approx([0.5, 0.5], abs=0.01)
        assert sum(part.share for part in parts) == pytest.approx(1)
        assert all(part.place["township"] for part in parts)
    assert circles.parts(119.0 + 5e-8, 31.3, 0) == ()


def test_most_of_a_district_is_clear(circles: Circles, locator: Locator) -> None:
    rng = np.random.default_rng(2)
    inside = [p for p in rng.uniform((WEST, SOUTH), (EAST, NORTH), (3000, 2)).tolist() if locator.at(*p)["district"]]
    settled = sum(circles.clear(lon, lat, 5) for lon, lat in inside)
    single = sum(len(circles.parts(lon, lat, 5)) == 1 for lon, lat in inside)
    assert settled > 0.8 * single
