"""Datums: against `eviltransform`, and there and back again."""

from __future__ import annotations

import eviltransform
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.datum import Datum, from_wgs84, to_wgs84

# Well inside the formula's box, so that a shifted point is inside as well.
LON = st.floats(73.0, 137.0)
LAT = st.floats(1.5, 55.0)
SHIFTED = [Datum.GCJ02, Datum.BD09]
ELLIPSOID_DEG = 3e-7
"""`eviltransform` divides by WGS 84's semi-major axis, not Krasovsky's: 1.7e-5 of a shift of up to 0.015 degrees."""


@given(LON, LAT)
def test_gcj02_and_bd09_agree_with_eviltransform(lon: float, lat: float) -> None:
    theirs_lat, theirs_lon = eviltransform.wgs2gcj(lat, lon)
    assert from_wgs84(lon, lat, Datum.GCJ02) == pytest.approx((theirs_lon, theirs_lat), abs=ELLIPSOID_DEG, rel=0)
    theirs_lat, theirs_lon = eviltransform.wgs2bd(lat, lon)
    assert from_wgs84(lon, lat, Datum.BD09) == pytest.approx((theirs_lon, theirs_lat), abs=ELLIPSOID_DEG, rel=0)
    # Their way back is good to a metre at best; ours must lead their way forth to where it began.
    x, y = to_wgs84(lon, lat, Datum.GCJ02)
    theirs_lat, theirs_lon = eviltransform.wgs2gcj(y, x)
    assert (lon, lat) == pytest.approx((theirs_lon, theirs_lat), abs=ELLIPSOID_DEG, rel=0)


@given(LON, LAT, st.sampled_from(SHIFTED))
def test_there_and_back(lon: float, lat: float, datum: Datum) -> None:
    assert to_wgs84(*from_wgs84(lon, lat, datum), datum) == pytest.approx((lon, lat), abs=1e-9, rel=0)
    assert from_wgs84(*to_wgs84(lon, lat, datum), datum) == pytest.approx((lon, lat), abs=1e-9, rel=0)


@given(st.floats(-1e-9, 1e-9), LAT, st.sampled_from(SHIFTED))
def test_there_and_back_where_the_formula_has_a_kink(off: float, lat: float, datum: Datum) -> None:
    lon = 105.0 + off
    assert to_wgs84(*from_wgs84(lon, lat, datum), datum) == pytest.approx((lon, lat), abs=1e-9, rel=0)


@given(st.floats(70.0, 140.0), st.floats(0.0, 60.0))
def test_shift_is_hundreds_of_metres_never_kilometres(lon: float, lat: float) -> None:
    x, y = from_wgs84(lon, lat, Datum.GCJ02)
    assert abs(x - lon) < 0.02
    assert abs(y - lat) < 0.02


@given(st.floats(-180.0, 60.0), st.floats(-90.0, 90.0), st.sampled_from(list(Datum)))
def test_outside_china_all_datums_are_one(lon: float, lat: float, datum: Datum) -> None:
    assert from_wgs84(lon, lat, datum) == (lon, lat)
    assert to_wgs84(lon, lat, datum) == (lon, lat)


@given(LON, LAT)
def test_cgcs2000_is_wgs84(lon: float, lat: float) -> None:
    assert to_wgs84(lon, lat, Datum.CGCS2000) == (lon, lat) == from_wgs84(lon, lat, Datum.WGS84)


def test_known_point() -> None:
    # Tiananmen, the example that the public implementations are checked with.
    assert from_wgs84(116.397, 39.908, Datum.GCJ02) == pytest.approx((116.40324, 39.90940), abs=2e-5)


@pytest.mark.parametrize("datum", list(Datum))
@pytest.mark.parametrize("way", [to_wgs84, from_wgs84])
def test_arrays_equal_scalars_and_odd_values_pass(datum: Datum, way: object) -> None:
    assert callable(way)
    rng = np.random.default_rng(3)
    lon = np.concatenate([rng.uniform(60, 150, 500), [np.nan, 118.9, np.inf, -np.inf, 1e300, 118.9]])
    lat = np.concatenate([rng.uniform(-10, 60, 500), [31.3, np.nan, 31.3, 31.3, 31.3, 1e300]])
    kept = lon.copy(), lat.copy()
    x, y = way(lon, lat, datum)
    np.testing.assert_array_equal(lon, kept[0])
    np.testing.assert_array_equal(lat, kept[1])
    for i in range(lon.size):
        assert way(float(lon[i]), float(lat[i]), datum) == pytest.approx((x[i], y[i]), abs=1e-11, rel=0, nan_ok=True)
    np.testing.assert_array_equal(x[500:], lon[500:])
    np.testing.assert_array_equal(y[500:], lat[500:])
    grid_x, grid_y = way(lon[:500].reshape(20, 25), lat[:500].reshape(20, 25), datum)
    assert grid_x.shape == grid_y.shape == (20, 25)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shape"):
        to_wgs84(np.zeros(3), np.zeros(4), Datum.GCJ02)
    with pytest.raises(ValueError, match="mars"):
        to_wgs84(1.0, 2.0, "mars")  # type: ignore[call-overload]
