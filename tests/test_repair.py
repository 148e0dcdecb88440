"""Repair: whatever is drawn, an exact partition comes out; wide disputes stay; nothing moves that is not told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box

from geo.arrangement import GRID_DEG, are_narrow, faces, joined
from geo.coverage import check_layer
from geo.findings import Finding
from geo.grid import Cover, Layer, Metric, Zone
from geo.repair import TOLERANCE_M, Repaired, outline, repair
from geo.rings import crossings, mend

METRIC = Metric("EPSG:4549")
DISTRICT = shapely.segmentize(box(119.0, 31.0, 119.02, 31.02), 0.001)
"""Degrees' straight lines are not quite straight in metres: edges as short as a survey's."""
DEGREE_M = 111_000.0
"""About; for making things, not for judging them."""
WIDTH_M = 3.0


def zone(code: str, shape: Polygon | MultiPolygon, parent: str | None = None, layer: str = "grid") -> Zone:
    return Zone(layer, code, code, code, "", parent, shape, METRIC.area_m2(shape) / 1e6)


def layer(*zones: Zone, name: str = "grid", parent: str | None = None, cover: Cover = Cover.PARTITION) -> Layer:
    return Layer(name, name, name, cover, parent, False, "made", tuple(sorted(zones, key=lambda z: z.code)))


def cells(rng: np.random.Generator, count: int, whole: Polygon = DISTRICT) -> list[Polygon]:
    """An exact partition into the cells of a Voronoi diagram, or parts of them."""
    west, south, east, north = whole.bounds
    seeds = shapely.multipoints(rng.uniform((west, south), (east, north), (count, 2)))
    walls = shapely.voronoi_polygons(seeds, only_edges=True, extend_to=whole)
    found = faces([whole.boundary, *shapely.get_parts(shapely.segmentize(walls, 0.002))])
    return [face for face in found if whole.contains(face.point_on_surface())]


def shaken(shape: Polygon, rng: np.random.Generator, most_m: float) -> Polygon:
    """Every vertex somewhere else, at most so far."""
    xy = shapely.get_coordinates(shape)
    moved = xy + rng.uniform(-1, 1, xy.shape) * most_m / DEGREE_M / np.sqrt(2)
    moved[-1] = moved[0]
    return Polygon(moved)


def drawn(seed: int, count: int, most_m: float) -> Layer:
    rng = np.random.default_rng(seed)
    return layer(*(zone(f"{i:03d}", shaken(cell, rng, most_m)) for i, cell in enumerate(cells(rng, count))))


def check(done: Repaired, number: int = 0) -> list[Finding]:
    whole = zone("D", done.district, layer="district")
    own = done.layers[number]
    above = next((found for found in done.layers if found.name == own.parent), None)
    return check_layer(own, whole, above, METRIC)


def metres(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(shape, METRIC.points)


def alike(one: shapely.Geometry, other: shapely.Geometry) -> bool:
    """The same but for rounding to the grid."""
    return bool(shapely.hausdorff_distance(one, other) < 2 * GRID_DEG)


def untold(before: Layer, done: Repaired) -> list[tuple[str, str]]:
    """Vertices that moved (or were lost, or are new off the drawn border) where no change of their zone lies."""
    found = []
    after = {z.code: z.geometry for one in done.layers if one.name == before.name for z in one.zones}
    told: dict[str, list[shapely.Geometry]] = {}
    for change in done.changes:
        if change.layer == before.name:
            for code in {*change.before, *change.after}:
                told.setdefault(code, []).append(metres(change.shape))
    for old in before.zones:
        places = shapely.union_all(told.get(old.code, []))
        was, now = metres(old.geometry), metres(after.get(old.code, Polygon()))
        for what, shape, other in (("new", now, was.boundary), ("lost", was, now.boundary)):
            points = shapely.points(shapely.get_coordinates(shape))
            off = points[shapely.distance(points, other) > TOLERANCE_M]
            found += [(old.code, what) for point in off if places.is_empty or places.distance(point) > TOLERANCE_M]
    return found


# --- properties -----------------------------------------------------------------------------------------------------

SEEDS = st.integers(0, 2**32 - 1)
SHAKES = st.floats(0.0, WIDTH_M / 5)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 25), SHAKES)
def test_what_was_shaken_becomes_an_exact_partition_again(seed: int, count: int, most_m: float) -> None:
    before = drawn(seed, count, most_m)
    done = repair([before], DISTRICT, METRIC, WIDTH_M)
    shapes = [z.geometry for z in done.layers[0].zones]
    assert shapely.coverage_is_valid(shapes)
    assert check(done) == []
    assert shapely.union_all(shapes).symmetric_difference(done.district).area == 0.0
    assert METRIC.area_m2(done.district.symmetric_difference(DISTRICT)) < 0.1
    assert untold(before, done) == []


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 25), SHAKES)
def test_every_square_metre_is_accounted_for(seed: int, count: int, most_m: float) -> None:
    before = drawn(seed, count, most_m)
    done = repair([before], DISTRICT, METRIC, WIDTH_M)
    after = {z.code: METRIC.area_m2(z.geometry) for z in done.layers[0].zones}
    for balance in done.balances:
        assert balance.drawn + balance.redrawn + balance.gained - balance.lost == pytest.approx(balance.after, abs=1e-6)
        assert after.get(balance.code, 0.0) == pytest.approx(balance.after, abs=1e-3)
        told = [change for change in done.changes if change.kind not in {"ring", "vanished"}]
        gained = sum(c.area_m2 for c in told if balance.code in c.after and balance.code not in c.before)
        lost = sum(c.area_m2 for c in told if balance.code in c.before and balance.code not in c.after)
        assert gained - lost == pytest.approx(balance.gained - balance.lost, abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(1, 25), SHAKES)
def test_repairing_again_changes_nothing(seed: int, count: int, most_m: float) -> None:
    once = repair([drawn(seed, count, most_m)], DISTRICT, METRIC, WIDTH_M)
    twice = repair(once.layers, once.district, METRIC, WIDTH_M)
    assert twice.changes == ()
    for a, b in zip(once.layers[0].zones, twice.layers[0].zones, strict=True):
        assert a.geometry.normalize().equals_exact(b.geometry.normalize(), GRID_DEG)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(2, 15), SHAKES, st.floats(1.2, 20.0))
def test_a_wide_gap_and_a_wide_overlap_stay_as_drawn(seed: int, count: int, most_m: float, times: float) -> None:
    before = drawn(seed, count, most_m)
    large = max(before.zones, key=lambda z: z.geometry.area)
    middle = shapely.maximum_inscribed_circle(large.geometry).coords[0]
    half = times * WIDTH_M / 2 / DEGREE_M / np.cos(np.radians(31))
    hole = box(middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)
    if not large.geometry.contains(hole.buffer(10 / DEGREE_M)):
        return
    lies_over = [*(z for z in before.zones), zone("999", hole)]
    done = repair([layer(*lies_over)], DISTRICT, METRIC, WIDTH_M)
    assert [(f.code, f.zones) for f in check(done)] == [("overlap", (large.code, "999"))]
    assert alike(done.layers[0].zones[-1].geometry, hole)
    rest = [replace(z, geometry=z.geometry - hole) if z is large else z for z in before.zones]
    done = repair([layer(*rest)], DISTRICT, METRIC, WIDTH_M)
    (gap,) = check(done)
    assert gap.code == "gap"
    assert gap.geometry is not None
    assert METRIC.area_m2(gap.geometry.symmetric_difference(hole)) < 0.05


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(2, 6), st.integers(2, 8), SHAKES)
def test_layers_fit_into_each_other(seed: int, towns: int, grids: int, most_m: float) -> None:
    rng = np.random.default_rng(seed)
    places = cells(rng, towns)
    above = layer(
        *(zone(f"{i}", shaken(p, rng, most_m), layer="township") for i, p in enumerate(places)), name="township"
    )
    below = layer(
        *(
            zone(f"{i}-{j:02d}", shaken(cell, rng, most_m), str(i))
            for i, place in enumerate(places)
            for j, cell in enumerate(cells(rng, grids, place))
        ),
        parent="township",
    )
    done = repair([above, below], DISTRICT, METRIC, WIDTH_M)
    assert check(done, 0) == []
    assert check(done, 1) == []
    for town in done.layers[0].zones:
        inner = [z.geometry for z in done.layers[1].zones if z.parent == town.code]
        assert shapely.coverage_union_all(inner).symmetric_difference(town.geometry).area == 0.0
    assert untold(above, done) == []
    assert untold(below, done) == []


# --- one by one -----------------------------------------------------------------------------------------------------


def strip(offset_m: float) -> tuple[Polygon, Polygon]:
    """Two halves of the district; the eastern one begins so far east of where the western one ends."""
    off = offset_m / DEGREE_M / np.cos(np.radians(31))
    return box(119.0, 31.0, 119.01, 31.02), box(119.01 + off, 31.0, 119.02, 31.02)


@pytest.mark.parametrize(("offset_m", "kind", "gains"), [(1.0, "gap", "B"), (-1.0, "overlap", "A")])
def test_the_border_of_the_lower_code_is_kept(offset_m: float, kind: str, gains: str) -> None:
    west, east = strip(offset_m)
    done = repair([layer(zone("A", west), zone("B", east))], DISTRICT, METRIC, WIDTH_M)
    (change,) = done.changes
    assert (change.kind, change.after) == (kind, (gains,))
    assert change.width_m == pytest.approx(1.0, rel=0.02)
    assert change.area_m2 == pytest.approx(1.0 * 0.02 * DEGREE_M, rel=0.02)
    assert alike(done.layers[0].zones[0].geometry, west)


@pytest.mark.parametrize("offset_m", [4.0, -4.0])
def test_wider_than_stated_is_not_touched(offset_m: float) -> None:
    west, east = strip(offset_m)
    done = repair([layer(zone("A", west), zone("B", east))], DISTRICT, METRIC, WIDTH_M)
    assert done.changes == ()
    assert [f.code for f in check(done)] == ["gap" if offset_m > 0 else "overlap"]
    assert [alike(z.geometry, s) for z, s in zip(done.layers[0].zones, (west, east), strict=True)] == [True, True]


def test_both_wings_of_a_bow_tie_are_kept_and_its_crossing_is_told() -> None:
    wings = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    found = mend(wings)
    assert found is not None
    assert found.shape is not None
    assert found.shape.area == 0.5
    assert crossings(wings).contains(Point(0.5, 0.5))
    assert mend(box(0, 0, 1, 1)) is None


def test_where_a_ring_crosses_itself_the_sound_neighbours_hold() -> None:
    corner, far = (119.012, 31.01), (119.012, 31.011)
    ring = [(119.0, 31.0), (119.01, 31.0), corner, far, (119.01, 31.012), (119.01, 31.02), (119.0, 31.02)]
    right = Polygon(ring)
    ring[2], ring[3] = ring[3], ring[2]
    tied = Polygon(ring)
    assert not tied.is_valid
    done = repair([layer(zone("A", tied), zone("B", DISTRICT - right))], DISTRICT, METRIC, WIDTH_M)
    assert check(done) == []
    assert METRIC.area_m2(done.layers[0].zones[0].geometry.symmetric_difference(right)) < 1.0
    ringed = [change for change in done.changes if change.kind == "ring"]
    assert [change.before for change in ringed] == [("A",)]
    assert "Self-intersection" in ringed[0].problem


def test_a_zone_of_no_area_is_told_to_be_gone() -> None:
    flat = Polygon([(119.0, 31.0), (119.01, 31.0), (119.0, 31.0)])
    done = repair([layer(zone("A", DISTRICT), zone("B", flat))], DISTRICT, METRIC, WIDTH_M)
    assert [(c.kind, c.before, c.after) for c in done.changes] == [("ring", ("B",), ())]
    assert [z.code for z in done.layers[0].zones] == ["A"]


def test_a_zone_that_others_cover_wholly_is_told_to_vanish() -> None:
    sliver = box(119.01, 31.0, 119.01001, 31.02)
    done = repair([layer(zone("A", DISTRICT), zone("B", sliver))], DISTRICT, METRIC, WIDTH_M)
    assert ("vanished", ("B",), ()) in [(c.kind, c.before, c.after) for c in done.changes]


def test_disjoint_zones_keep_their_gaps_and_overlapping_ones_their_overlaps() -> None:
    west, east = strip(1.0)
    ponds = layer(zone("A", west), zone("B", east), cover=Cover.DISJOINT)
    assert repair([ponds], DISTRICT, METRIC, WIDTH_M).changes == ()
    west, east = strip(-1.0)
    places = layer(zone("A", west), zone("B", east), cover=Cover.OVERLAP)
    assert repair([places], DISTRICT, METRIC, WIDTH_M).changes == ()


def test_a_web_of_gaps_is_closed_around_a_zone_that_was_forgotten() -> None:
    rng = np.random.default_rng(5)
    tight = sorted(cells(rng, 30), key=lambda cell: cell.centroid.distance(DISTRICT.centroid))
    lost, *kept = [shapely.buffer(cell, -0.25 / DEGREE_M, join_style="mitre") for cell in tight]
    done = repair([layer(*(zone(f"{i:02d}", c) for i, c in enumerate(kept)))], DISTRICT, METRIC, 1.5)
    (gap,) = check(done)
    assert gap.code == "gap"
    assert gap.geometry is not None
    assert gap.geometry.buffer(1e-9).covers(lost)
    assert gap.area_km2 == pytest.approx(METRIC.area_m2(lost) / 1e6, rel=0.02)
    assert repair(done.layers, done.district, METRIC, 1.5).changes == ()


def test_an_outline_closes_slits_and_leaves_bays_and_enclaves_to_be_decided() -> None:
    west, east = strip(1.0)
    enclave = box(119.004, 31.004, 119.006, 31.006)
    towns = layer(zone("A", west - enclave), zone("B", east), name="township")
    closed = outline(towns, METRIC, WIDTH_M)
    assert closed.equals(DISTRICT) or closed.symmetric_difference(DISTRICT).area < 1e-12
    assert outline(towns, METRIC, WIDTH_M, enclaves=True).symmetric_difference(DISTRICT - enclave).area < 1e-12
    west, east = strip(5.0)
    apart = outline(layer(zone("A", west), zone("B", east), name="township"), METRIC, WIDTH_M)
    assert isinstance(apart, MultiPolygon)


def test_refused_by_value() -> None:
    one = layer(zone("A", DISTRICT))
    with pytest.raises(ValueError, match="above zero"):
        repair([one], DISTRICT, METRIC, 0.0)
    child = layer(zone("A", DISTRICT), name="township", parent="grid")
    with pytest.raises(ValueError, match="comes after"):
        repair([child, one], DISTRICT, METRIC, 1.0)


def test_narrow_is_by_the_widest_circle() -> None:
    ten_m = 10 / DEGREE_M
    assert are_narrow([box(119, 31, 119.01, 31 + ten_m)], METRIC, 11.0).tolist() == [True]
    assert are_narrow([box(119, 31, 119.01, 31 + ten_m)], METRIC, 9.0).tolist() == [False]
    assert joined(faces([DISTRICT.boundary])).equals(DISTRICT)
