"""Made places in a district, for measuring."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray

from dispatch.ground import Ground

Floats = NDArray[np.float64]


def inside(ground: Ground, count: int, seed: int) -> tuple[Floats, Floats]:
    """`count` positions spread evenly over the district (WGS 84 degrees)."""
    rng = np.random.default_rng(seed)
    shape = ground.locator.layers["district"].zones[0].geometry
    west, south, east, north = shape.bounds
    shapely.prepare(shape)
    found: list[Floats] = []
    missing = count
    while missing > 0:
        tried = rng.uniform((west, south), (east, north), (2 * missing, 2))
        held = tried[shapely.contains_xy(shape, tried[:, 0], tried[:, 1])][:missing]
        found.append(held)
        missing -= len(held)
    xy = np.concatenate(found)
    return _columns(xy)


def matters(ground: Ground, count: int, seed: int) -> NDArray[np.int64]:
    """`count` numbers of matters, evenly."""
    return np.random.default_rng(seed).integers(0, len(ground.district.matters), count)


def bodies(ground: Ground, count: int, seed: int) -> list[bytes]:
    """`count` reports as clients send them, each with an id of its own."""
    lon, lat = inside(ground, count, seed)
    rng = np.random.default_rng(seed)
    codes = list(ground.district.matters)
    chosen = matters(ground, count, seed).tolist()
    ids = [UUID(bytes=rng.bytes(16), version=4) for _ in range(count)]
    return [
        (
            f'{{"id":"{ids[i]}","lon":{lon[i]:.7f},"lat":{lat[i]:.7f},"accuracy_m":25,"datum":"wgs84",'
            f'"source":"grid_worker","matter":"{codes[chosen[i]]}","text":"measured 测量"}}'
        ).encode()
        for i in range(count)
    ]


def around(shapes: NDArray[np.object_], count: int, seed: int) -> tuple[Floats, Floats]:
    """`count` positions spread evenly over the zones: over their bounds, those that no zone holds left out."""
    rng = np.random.default_rng(seed)
    west, south, east, north = shapely.total_bounds(shapes)
    found, missing = [], count
    while missing > 0:
        tried = rng.uniform((west, south), (east, north), (2 * missing, 2))
        held = np.unique(shapely.STRtree(np.asarray(shapely.points(tried))).query(shapes, predicate="intersects")[1])
        found.append(rng.permutation(tried[held])[:missing])
        missing -= len(found[-1])
    return _columns(np.concatenate(found))


def beside_edges(shapes: NDArray[np.object_], count: int, seed: int) -> tuple[Floats, Floats]:
    """`count` positions off the zones' edges by 1e-3 to 1e-14 degrees (evenly in the exponent) in any direction."""
    rng = np.random.default_rng(seed)
    a, b = _edges(shapes)
    length = np.hypot(*(b - a).T)
    picked = np.searchsorted(np.cumsum(length), rng.random(count) * length.sum())
    on = a[picked] + rng.random(count)[:, None] * (b - a)[picked]
    off, turn = 10.0 ** rng.uniform(-14, -3, count), rng.uniform(0, 2 * np.pi, count)
    return _columns(on + np.stack([off * np.cos(turn), off * np.sin(turn)], axis=1))


def by_a_last_bit(shapes: NDArray[np.object_], count: int, seed: int) -> tuple[Floats, Floats]:
    """`count` positions: vertices, and as near to edges as doubles come, each as it is or a last bit aside."""
    rng = np.random.default_rng(seed)
    a, b = _edges(shapes)
    picked = rng.integers(0, len(a), count)
    along = np.where(rng.random(count) < 0.4, 0.0, rng.random(count))[:, None]
    on = a[picked] + along * (b - a)[picked]
    return _columns(on + rng.integers(-1, 2, (count, 2)) * np.spacing(on))


def _edges(shapes: NDArray[np.object_]) -> tuple[Floats, Floats]:
    xy, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shapes)), return_index=True)
    same = ring[1:] == ring[:-1]
    return xy[:-1][same], xy[1:][same]


def _columns(xy: Floats) -> tuple[Floats, Floats]:
    return np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1])
