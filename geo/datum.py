"""Datums in, one datum inside: positions arrive as WGS 84, CGCS2000, GCJ-02 or BD-09 and are kept as WGS 84.

GCJ-02 has no published definition. What everybody uses is the formula that leaked in 2010 (Krasovsky 1940
ellipsoid, two polynomials with sine terms), as in `eviltransform` and in https://en.wikipedia.org/wiki/GCJ-02;
BD-09 is Baidu's further shift of GCJ-02, published the same way. Both directions are here; the way back solves
the forward formula instead of approximating it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Datum(StrEnum):
    """The datums a phone, a camera or a file in China reports positions in."""

    WGS84 = "wgs84"
    CGCS2000 = "cgcs2000"
    GCJ02 = "gcj02"
    BD09 = "bd09"


_KRASOVSKY_A = 6378245.0
"""Semi-major axis of the Krasovsky 1940 ellipsoid, metres. (`eviltransform` puts WGS 84's: 1 cm apart.)"""
_KRASOVSKY_E2 = 0.00669342162296594323
_CHINA = (72.004, 0.8293, 137.8347, 55.8271)
"""The formula's own test for 'in China': west, south, east, north. Outside, GCJ-02 is WGS 84."""
_BD_PI = np.pi * 3000.0 / 180.0
_SETTLED_DEG = 1e-13
_MOST_STEPS = 30


@overload
def to_wgs84(lon: float, lat: float, datum: Datum) -> tuple[float, float]: ...
@overload
def to_wgs84(lon: ArrayLike, lat: ArrayLike, datum: Datum) -> tuple[Floats, Floats]: ...
def to_wgs84(lon: ArrayLike, lat: ArrayLike, datum: Datum) -> tuple[Floats, Floats] | tuple[float, float]:
    """WGS 84 degrees of positions given in `datum`.

    Takes two floats or two arrays of one shape and gives the same back. NaN and infinite values pass through.
    The inverse holds to better than 1e-9 degrees (0.1 mm). CGCS2000 is taken as equal to WGS 84: they differ by
    centimetres, less than any phone knows.
    """
    convert = _INTO[Datum(datum)]
    if convert is _same and isinstance(lon, float) and isinstance(lat, float):
        return lon, lat
    return _apply(lon, lat, convert)


@overload
def from_wgs84(lon: float, lat: float, datum: Datum) -> tuple[float, float]: ...
@overload
def from_wgs84(lon: ArrayLike, lat: ArrayLike, datum: Datum) -> tuple[Floats, Floats]: ...
def from_wgs84(lon: ArrayLike, lat: ArrayLike, datum: Datum) -> tuple[Floats, Floats] | tuple[float, float]:
    """Degrees in `datum` of positions given in WGS 84. Shapes as in `to_wgs84`."""
    return _apply(lon, lat, _OUT_OF[Datum(datum)])


_Shift = Callable[[Floats, Floats], tuple[Floats, Floats]]


def _apply(lon: ArrayLike, lat: ArrayLike, convert: _Shift) -> tuple[Floats, Floats] | tuple[float, float]:
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"longitudes and latitudes differ in shape: {x.shape}, {y.shape}")
    out_x, out_y = convert(x.flatten(), y.flatten())
    if x.ndim == 0:
        return float(out_x[0]), float(out_y[0])
    return out_x.reshape(x.shape), out_y.reshape(x.shape)


def _in_china(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    west, south, east, north = _CHINA
    inside: NDArray[np.bool_] = (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)
    return inside


def _gcj_shift(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """GCJ-02 minus WGS 84, degrees, at WGS 84 positions."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    waves = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    waves_y = 20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi * y / 3.0)
    waves_y += 160.0 * np.sin(np.pi * y / 12.0) + 320.0 * np.sin(np.pi * y / 30.0)
    waves_x = 20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi * x / 3.0)
    waves_x += 150.0 * np.sin(np.pi * x / 12.0) + 300.0 * np.sin(np.pi * x / 30.0)
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + (waves + waves_y) * 2.0 / 3.0
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + (waves + waves_x) * 2.0 / 3.0
    phi = np.radians(lat)
    w2 = 1.0 - _KRASOVSKY_E2 * np.sin(phi) ** 2
    meridian = _KRASOVSKY_A * (1.0 - _KRASOVSKY_E2) / (w2 * np.sqrt(w2))
    parallel = _KRASOVSKY_A / np.sqrt(w2) * np.cos(phi)
    return np.degrees(east_m / parallel), np.degrees(north_m / meridian)


def _bd_shift(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """BD-09 minus GCJ-02, degrees, at GCJ-02 positions."""
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_PI)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_PI)
    return radius * np.cos(angle) + 0.0065 - lon, radius * np.sin(angle) + 0.006 - lat


def _forward(lon: Floats, lat: Floats, shift: _Shift) -> tuple[Floats, Floats]:
    inside = _in_china(lon, lat)
    east, north = shift(lon[inside], lat[inside])
    lon[inside] += east
    lat[inside] += north
    return lon, lat


def _backward(lon: Floats, lat: Floats, shift: _Shift) -> tuple[Floats, Floats]:
    """Solve `p + shift(p) = given` by p <- given - shift(p): it contracts, the shift changes by < 2 % of a step."""
    near = np.flatnonzero((np.abs(lon - 105.0) < 40.0) & (np.abs(lat - 28.0) < 35.0))
    given_x, given_y = lon[near], lat[near]
    x, y = given_x.copy(), given_y.copy()
    left = np.arange(near.size)
    for _ in range(_MOST_STEPS):
        east, north = shift(x[left], y[left])
        new_x, new_y = given_x[left] - east, given_y[left] - north
        moving = (np.abs(new_x - x[left]) >= _SETTLED_DEG) | (np.abs(new_y - y[left]) >= _SETTLED_DEG)
        x[left], y[left] = new_x, new_y
        # Each position stops by itself, so that it comes out the same alone and among a million.
        left = left[moving]
        if not left.size:
            break
    inside = _in_china(x, y)
    lon[near[inside]] = x[inside]
    lat[near[inside]] = y[inside]
    return lon, lat


def _same(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return lon, lat


def _wgs_to_gcj(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return _forward(lon, lat, _gcj_shift)


def _wgs_to_bd(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return _forward(*_forward(lon, lat, _gcj_shift), _bd_shift)


def _gcj_to_wgs(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return _backward(lon, lat, _gcj_shift)


def _bd_to_wgs(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return _backward(*_backward(lon, lat, _bd_shift), _gcj_shift)


_INTO: dict[Datum, _Shift] = {
    Datum.WGS84: _same,
    Datum.CGCS2000: _same,
    Datum.GCJ02: _gcj_to_wgs,
    Datum.BD09: _bd_to_wgs,
}
_OUT_OF: dict[Datum, _Shift] = {
    Datum.WGS84: _same,
    Datum.CGCS2000: _same,
    Datum.GCJ02: _wgs_to_gcj,
    Datum.BD09: _wgs_to_bd,
}
