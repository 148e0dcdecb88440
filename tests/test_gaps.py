"""A report between two zones that touch but for a rounding: nobody's in exact arithmetic, and still somebody's case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest

from dispatch import district
from dispatch.bulk import ANY_AGE_DAYS, DATUMS, Points, Router
from dispatch.ground import Ground, prepare
from dispatch.intake import Draft, place
from geo.datum import Datum
from tests.small_district import feature, square, write_features, write_small_district

WIDTH = 1e-12
"""Degrees: 0.1 µm, over 11 km a thousandth of a square metre."""
BETWEEN = 120.05 + WIDTH / 2


@pytest.fixture(scope="module")
def gap(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = write_small_district(tmp_path_factory.mktemp("gap") / "small")
    write_features(
        folder / "townships.geojson",
        feature(square(120, 30, 120.05, 30.1), code="990001001", name="西镇", team="T1"),
        feature(square(120.05 + WIDTH, 30, 120.1, 30.1), code="990001002", name="东镇", team="T2"),
    )
    return prepare(district.load(folder))


def test_it_goes_to_a_township_beside_it(gap: Ground) -> None:
    now = datetime.now(UTC)
    held = gap.locator.at(BETWEEN, 30.05)
    assert (len(held["district"]), len(held["township"])) == (1, 0)
    placed = place(gap, Draft(lon=BETWEEN, lat=30.05, matter="0101"), uuid4(), now - timedelta(0), ANY_AGE_DAYS)
    (township,) = placed.place["township"]
    assert township.code in {"990001001", "990001002"}
    assert abs(placed.report.lon - BETWEEN) < 2e-6
    assert "snapped" not in placed.notes
    assert gap.table.decide(placed.place, "0101").team in {"T1", "T2"}


def test_many_are_decided_as_one_is(gap: Ground) -> None:
    lon = np.array([BETWEEN, 120.02, 120.07])
    points = Points(
        lon=lon,
        lat=np.full(3, 30.05),
        datum=np.full(3, DATUMS.index(Datum.WGS84), dtype=np.int8),
        accuracy_m=np.full(3, 10.0),
        matter=np.full(3, 1, dtype=np.int32),
    )
    routed = (router := Router(gap)).route(points)
    assert not routed.refused
    singles = [place(gap, router.draft(points, i), uuid4(), datetime.now(UTC), ANY_AGE_DAYS).place for i in range(3)]
    for number, single in zip(routed.place.tolist(), singles, strict=True):
        assert router.places[number]["township"] == single["township"]
