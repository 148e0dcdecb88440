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
    return np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1])


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
