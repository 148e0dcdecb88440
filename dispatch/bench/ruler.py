"""Where the nearest base by ruler is not the nearest by time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from dispatch.ground import Ground
from dispatch.model import Mode

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Compared:
    """For points that some base reaches by the mode."""

    bases: int
    lon: Floats
    lat: Floats
    wrong: Bools
    """Whether another base than the nearest by ruler is there first."""
    late_s: Floats
    """How much later the nearest by ruler comes; infinite where it cannot come at all."""
    unreached: float
    """Share of the points given that no base reaches."""


def compared(ground: Ground, lon: Floats, lat: Floats) -> tuple[Compared, Compared]:
    """On land for vehicles, on water for boats; each from the bases that have a unit of the mode."""
    found = ground.locator.at_many(lon, lat)
    wet = np.zeros(lon.size, dtype=bool)
    if "water" in found:
        wet = np.array([bool(held) for held in found["water"].sets])[found["water"].index]
    return _compared(ground, Mode.VEHICLE, lon[~wet], lat[~wet]), _compared(ground, Mode.BOAT, lon[wet], lat[wet])


def _compared(ground: Ground, mode: Mode, lon: Floats, lat: Floats) -> Compared:
    travel = ground.travel
    bases = sorted({unit.base for unit in ground.district.units.values() if unit.mode is mode})
    rows = [travel.bases.index(base) for base in bases]
    to_metres = Transformer.from_crs("EPSG:4326", ground.district.metric_crs, always_xy=True)
    x, y = to_metres.transform(lon, lat)
    east, north = to_metres.transform(*np.array([travel.positions[base] for base in bases]).reshape(-1, 2).T)
    seconds = travel.many(mode.value, lon, lat).seconds[rows].astype(np.float64)
    if not bases or not lon.size:
        return Compared(len(bases), lon[:0], lat[:0], np.zeros(0, dtype=bool), lon[:0], float(lon.size > 0))
    ruler = np.hypot(x - np.reshape(east, (-1, 1)), y - np.reshape(north, (-1, 1))).argmin(axis=0)
    reached = np.isfinite(seconds).any(axis=0)
    late = seconds[ruler, np.arange(lon.size)][reached] - seconds.min(axis=0)[reached]
    return Compared(len(bases), lon[reached], lat[reached], late > 0, late, float(1 - reached.mean()))
