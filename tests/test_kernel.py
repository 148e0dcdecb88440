"""The locator's parts: exact sides, three ways to one answer, the kept form."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon

from geo import kept, kernel, locate
from geo.gather import gather
from geo.grid import Cover, Layer
from geo.locate import Locator
from geo.orientation import exact_side, holds, side
from tests.made import district_layers, layer
from tests.points import ODD, of_every_kind

Rows = NDArray[np.int32]


def three_ways(locator: Locator, points: NDArray[np.float64]) -> tuple[Rows, Rows, Rows]:
    """Set numbers by the closure, by numpy, by the kernel; shape (layers, points)."""
    x, y = np.ascontiguousarray(points.T)
    one = np.array([locator._numbers(*point) for point in points.tolist()], dtype=np.int32).T
    some, many = np.empty((2, len(locator.layers), len(points)), dtype=np.int32)
    gather(locator.pixels, x, y, some, locator._numbers)
    locator._compiled(x, y, many, 1)
    return one, some, many


def by_fractions(shape: Polygon | MultiPolygon, x: float, y: float) -> bool:
    inside = False
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        corners = shapely.get_coordinates(ring).tolist()
        for (ax, ay), (bx, by) in pairwise(corners):
            at = exact_side(ax, ay, bx, by, x, y)
            if at == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
                return True
            if (ay > y) != (by > y) and (at < 0) == (by > ay):
                inside = not inside
    return inside


_SIDE = "from geo.kernel import side; print(side(0.0, 0.0, 1.0, 1.0, 1.0, 0.0))"


def test_what_was_compiled_from_another_source_is_never_run(tmp_path: Path) -> None:
    """In a copy of the package a constant of another file is changed: numba's cache, which looks at one file only, must
    not be used. (With a negative bound for rounding the first comparison says 'left' of everything.)"""
    cache = tmp_path / "cache"
    shutil.copytree(Path(kernel.__file__).parent, tmp_path / "geo", ignore=shutil.ignore_patterns("__pycache__"))

    def run() -> tuple[str, int]:
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(tmp_path)}
        command = [sys.executable, "-c", _SIDE]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout, len([path for path in cache.rglob("*.nbi") if ".side_" in path.name])

    assert run() == ("-1\n", 1)
    assert run() == ("-1\n", 1)
    file = tmp_path / "geo" / "orientation.py"
    text = file.read_text()
    changed = text.replace("FILTER: Final = 3", "FILTER: Final = -3e20 * 3")
    assert changed != text
    file.write_text(changed)
    assert run() == ("1\n", 2)


# --- sides --------------------------------------------------------------------------------------------------------

near_one = st.integers(-40, 40).map(lambda bits: 118.9 + bits * 2.0**-46)
around_zero = st.floats(-1e-3, 1e-3) | st.sampled_from([0.0, 5e-324, -5e-324, 1e-200, -1e-160])
numbers = near_one | around_zero | st.floats(-180, 180)


@settings(max_examples=800, deadline=None)
@given(st.tuples(numbers, numbers, numbers, numbers, numbers, numbers))
def test_a_side_is_what_rational_arithmetic_says(row: tuple[float, float, float, float, float, float]) -> None:
    ax, ay, bx, by, x, y = map(Fraction, row)
    exact = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
    expected = (exact > 0) - (exact < 0)
    assert side(*row) == expected
    assert kernel.side(*row) in (expected, 2)


def test_the_kernel_decides_by_itself_wherever_a_district_lies() -> None:
    rng = np.random.default_rng(2)
    decided = 0
    for _ in range(3000):
        # Positions on a line and a last bit beside it; lon 64 and 128, lat 32 are where a bit changes its worth.
        ax, ay = rng.choice([63.99, 118.9, 127.99]), rng.choice([31.3, 31.99, 15.999])
        bx, by = ax + rng.uniform(-0.03, 0.03), ay + rng.uniform(-0.03, 0.03)
        t = rng.random()
        x, y = ax + t * (bx - ax), ay + t * (by - ay)
        x += rng.integers(-1, 2) * np.spacing(x)
        row = [float(v) for v in (ax, ay, bx, by, x, y)]
        found = kernel.side(*row)
        decided += found != 2
        assert found in (exact_side(*row), 2)
    assert decided == 3000


# --- three ways, one answer -----------------------------------------------------------------------------------------


def test_three_ways_give_one_answer_with_two_threads_too() -> None:
    layers = district_layers()
    locator = Locator(layers)
    shapes = [zone.geometry for one in layers.values() for zone in one.zones]
    points = np.concatenate([of_every_kind(np.random.default_rng(4), shapes, 20_000), ODD])
    one, some, many = three_ways(locator, points)
    np.testing.assert_array_equal(one, some)
    np.testing.assert_array_equal(one, many)
    x, y = np.tile(points, (8, 1)).T
    hits = locator.at_many(x, y, threads=2)
    for row, each in zip(one, hits.values(), strict=True):
        np.testing.assert_array_equal(np.tile(row, 8), each.index)
    assert len({len(each.sets) for each in hits.values()}) > 1


spot = st.integers(0, 8).map(lambda n: n / 4)


@st.composite
def awkward_zones(draw: st.DrawFn) -> list[Polygon | MultiPolygon]:
    """Zones on a lattice, so with shared corners, collinear runs and edges on pixel borders; holes, islands in them,
    slivers and spikes; somewhere on earth, at 0 and where a bit changes its worth too."""
    shapes: list[Polygon | MultiPolygon] = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["any", "box", "holed", "sliver", "spike", "run"]))
        x, y = draw(spot), draw(spot)
        if kind == "any":
            ring = draw(st.lists(st.tuples(spot, spot), min_size=3, max_size=6, unique=True))
            made = shapely.make_valid(Polygon(ring))
            polygons = [one for one in shapely.get_parts(made) if isinstance(one, Polygon)]
            if polygons:
                shapes.append(MultiPolygon(polygons) if len(polygons) > 1 else polygons[0])
        elif kind == "box":
            shapes.append(shapely.box(x, y, x + 0.5, y + 0.75))
        elif kind == "holed":
            hole, island = (
                shapely.box(x + 0.25, y + 0.25, x + 1, y + 1),
                shapely.box(x + 0.5, y + 0.5, x + 0.75, y + 0.75),
            )
            holed = shapely.box(x, y, x + 1.25, y + 1.25).difference(hole)
            shapes.append(MultiPolygon([holed, island]) if draw(st.booleans()) else holed)
        elif kind == "sliver":
            shapes.append(Polygon([(x, y), (x + 1, y + 0.3), (x + 2, y + 0.6 + 1e-12), (x + 1, y + 0.3 + 1e-13)]))
        elif kind == "spike":
            shapes.append(Polygon([(x, y), (x + 0.5, y), (x + 0.5, y + 1e-9), (x + 2, y + 2e-9), (x + 0.5, y + 1)]))
        else:
            run = [(x + n / 8, y) for n in range(9)]
            shapes.append(Polygon([*run, (x + 1, y + 0.5), (x + 0.5, y + 0.5), (x, y + 0.5)]))
    east, north, scale = draw(
        st.sampled_from([(118.0, 31.0, 0.5), (-1.0, -1.0, 1.0), (127.5, 31.5, 0.25), (0, 0, 1e-6)])
    )
    moved = shapely.transform(np.array(shapes, dtype=object), lambda xy: xy * scale + (east, north))
    return [shape for shape in moved.tolist() if shape.is_valid]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    awkward_zones(),
    st.sampled_from(list(Cover)),
    st.sampled_from([1, 3, 8, 64, 128, 1024]),
    st.integers(0, 2**32 - 1),
)
def test_awkward_zones_are_judged_as_rational_arithmetic_does(
    shapes: list[Polygon | MultiPolygon], cover: Cover, long_side: int, seed: int
) -> None:
    one = layer("any", shapes, cover)
    locator = Locator({"any": one}, long_side=long_side)
    rng = np.random.default_rng(seed)
    points = of_every_kind(rng, shapes or [shapely.box(118, 31, 119, 32)], 60)
    # On pixel borders as well, and in the corners of pixels.
    p = locator.pixels
    cells = rng.integers(0, (p.columns + 1, p.rows + 1), (30, 2)) * p.size + (p.west, p.south)
    points = np.concatenate([points, cells, ODD[:10]])
    expected = []
    for x, y in points.tolist():
        finite = abs(x) <= 360 and abs(y) <= 360
        held = [n for n, shape in enumerate(shapes) if finite and by_fractions(shape, x, y)]
        expected.append(tuple(held if cover is Cover.OVERLAP else held[:1]))
    for row in three_ways(locator, points):
        assert [locator._sets[0].members(number) for number in row[0].tolist()] == expected


@settings(max_examples=40, deadline=None)
@given(awkward_zones(), st.integers(0, 2**32 - 1))
def test_asking_every_zone_is_rational_arithmetic(shapes: list[Polygon | MultiPolygon], seed: int) -> None:
    for shape in shapes:
        points = of_every_kind(np.random.default_rng(seed), [shape], 60)
        expected = [by_fractions(shape, x, y) for x, y in points.tolist()]
        assert holds(shape, points[:, 0], points[:, 1]).tolist() == expected


# --- compiled only when needed --------------------------------------------------------------------------------------

_ASK = """
import sys, numpy as np
from geo.locate import Locator
from tests.made import district_layers
layers = district_layers(cells=20)
locator = Locator(layers)
few = locator.at_many(np.full(5000, 118.95), np.full(5000, 31.4))
assert "numba" not in sys.modules
many = locator.at_many(np.full(200_000, 118.95), np.full(200_000, 31.4))
assert "numba" in sys.modules
assert all((many[name].index == few[name].index[0]).all() for name in layers)
print("ok")
"""


@pytest.mark.parametrize("cache", [None, "/proc/nowhere"])
def test_numba_is_loaded_for_many_points_only_and_needs_no_folder(cache: str | None, tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache or str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", _ASK], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "ok\n", done.stderr
    assert bool(list(tmp_path.rglob("*.nbi"))) == (cache is None)


# --- kept -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def layers() -> dict[str, Layer]:
    return district_layers(cells=40)


def test_a_saved_locator_is_the_same_one(layers: dict[str, Layer], tmp_path: Path) -> None:
    made = Locator(layers)
    made.save(tmp_path / "kept.bin")
    opened = Locator.open(layers, tmp_path / "kept.bin")
    points = of_every_kind(np.random.default_rng(6), [z.geometry for one in layers.values() for z in one.zones], 9000)
    for name, hits in made.at_many(points[:, 0], points[:, 1]).items():
        again = opened.at_many(points[:, 0], points[:, 1])[name]
        assert again.sets == hits.sets
        np.testing.assert_array_equal(again.index, hits.index)
    assert [opened.at(*point) for point in points[:2000].tolist()] == [made.at(*p) for p in points[:2000].tolist()]
    np.testing.assert_array_equal(three_ways(opened, points)[2], three_ways(made, points)[2])
    with pytest.raises(ValueError, match="read-only"):
        opened.pixels.pool[0] = 1


def test_a_locator_of_other_zones_is_refused(layers: dict[str, Layer], tmp_path: Path) -> None:
    path = tmp_path / "kept.bin"
    Locator(layers).save(path)
    grid = layers["grid"]
    shapes = [zone.geometry for zone in grid.zones]
    nudged = shapely.transform(shapes[3], lambda xy: np.nextafter(xy, 200.0))
    others = [
        {**layers, "grid": layer("grid", [*shapes[:3], nudged, *shapes[4:]], grid.cover)},
        {**layers, "grid": layer("grid", shapes[1:], grid.cover)},
        {**layers, "grid": layer("grid", shapes, Cover.OVERLAP)},
        {name: one for name, one in layers.items() if name != "joint"},
        dict(reversed(layers.items())),
    ]
    for other in others:
        with pytest.raises(kept.Stale, match="something else"):
            Locator.open(other, path)


def test_what_is_damaged_is_refused(layers: dict[str, Layer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept.bin"
    Locator(layers).save(path)
    whole = path.read_bytes()
    for content, why in ((whole[:-64], "damaged"), (whole[:40], "damaged"), (b"", "holds no"), (b"x" * 99, "holds no")):
        path.write_bytes(content)
        with pytest.raises(kept.Stale, match=why):
            Locator.open(layers, path)
    path.write_bytes(whole)
    monkeypatch.setattr(kept, "VERSION", kept.VERSION + 1)
    with pytest.raises(kept.Stale, match="version"):
        Locator.open(layers, path)
    with pytest.raises(FileNotFoundError):
        Locator.open(layers, tmp_path / "nothing.bin")


def test_a_cache_is_made_used_and_made_again(layers: dict[str, Layer], tmp_path: Path) -> None:
    folder = tmp_path / "new" / "cache"
    first = Locator.cached(layers, folder)
    (path,) = folder.iterdir()
    written = path.stat().st_mtime_ns
    second = Locator.cached(layers, folder)
    assert path.stat().st_mtime_ns == written
    assert second.at(118.95, 31.4) == first.at(118.95, 31.4)
    path.write_bytes(path.read_bytes()[:-1])
    Locator.cached(layers, folder)
    assert Locator.open(layers, path).at(118.95, 31.4) == first.at(118.95, 31.4)
    (tmp_path / "file").write_text("no folder")
    assert Locator.cached(layers, tmp_path / "file").at(118.95, 31.4) == first.at(118.95, 31.4)


def test_old_caches_are_cleared_when_a_new_one_is_kept(layers: dict[str, Layer], tmp_path: Path) -> None:
    for number in range(locate.FILES_LEFT + 2):
        old = tmp_path / f"locator-{number:016x}.bin"
        old.write_bytes(b"old")
        os.utime(old, (number, number))
    beside = tmp_path / "travel-0.bin"
    beside.write_bytes(b"another's")
    made = Locator.cached(layers, tmp_path)
    left = {path.name for path in tmp_path.glob("locator-*.bin")}
    assert len(left) == locate.FILES_LEFT
    assert {f"locator-{locate.digest(layers)[:16]}.bin", f"locator-{number:016x}.bin"} <= left
    assert beside.exists()
    assert Locator.cached(layers, tmp_path).at(118.95, 31.4) == made.at(118.95, 31.4)


def test_a_locator_made_by_other_code_is_refused(layers: dict[str, Layer], tmp_path: Path) -> None:
    """Each module that makes what is kept counts: in a copy of them, a change to any changes the digest."""
    path = tmp_path / "kept.bin"
    Locator(layers).save(path)
    before = locate.digest(layers)
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path / "geo"
        shutil.copytree(Path(kept.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
        patch.setattr(kept, "__file__", str(folder / "kept.py"))
        assert locate.digest(layers) == before
        for module in locate._MAKERS:
            file = folder / f"{module}.py"
            whole = file.read_bytes()
            file.write_bytes(whole + b"# changed\n")
            assert locate.digest(layers) != before, module
            with pytest.raises(kept.Stale, match="something else"):
                Locator.open(layers, path)
            file.write_bytes(whole)
        assert locate.digest(layers) == before
