"""Live positions against a plain dictionary that measures to everyone."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pyproj import Geod, Transformer

from geo.units import Fix, Units

CRS = "EPSG:4549"
START = datetime(2026, 11, 23, 8, tzinfo=UTC)
TO_METRES = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)

codes = st.sampled_from([f"T{n:02d}-V{m}" for n in range(12) for m in (1, 2)])
groups = st.sampled_from(["T01 vehicle", "T01 boat", "T02 vehicle"])
# Few distinct places, so that units stand on one spot and at equal distances; and small steps.
lons = st.integers(0, 8).map(lambda n: 118.8 + n / 20) | st.floats(118.7, 119.2) | st.floats(118.897, 118.903)
lats = st.integers(0, 8).map(lambda n: 31.2 + n / 20) | st.floats(31.2, 31.6) | st.floats(31.297, 31.303)
times = st.integers(0, 50).map(lambda minutes: START + timedelta(minutes=minutes))


class Against(RuleBasedStateMachine):
    """The index and a dictionary, told the same things."""

    def __init__(self) -> None:
        super().__init__()
        self.units = Units(CRS)
        self.model: dict[str, Fix] = {}
        self.group: dict[str, str] = {}

    @rule(code=codes, lon=lons, lat=lats, at=times, group=groups)
    def move(self, code: str, lon: float, lat: float, at: datetime, group: str) -> None:
        newer = code not in self.model or at >= self.model[code].at
        assert self.units.move(code, lon, lat, at, group) is newer
        if newer:
            self.model[code] = Fix(code, lon, lat, at)
            self.group[code] = group

    @rule(code=codes)
    def remove(self, code: str) -> None:
        assert self.units.remove(code) is (self.model.pop(code, None) is not None)

    @rule(before=times)
    def expire(self, before: datetime) -> None:
        old = sorted(code for code, fix in self.model.items() if fix.at < before)
        assert self.units.expire(before) == old
        for code in old:
            del self.model[code]

    @rule(
        lon=lons,
        lat=lats,
        k=st.integers(0, 30),
        chosen=st.sets(codes) | st.none(),
        of=st.none() | st.lists(groups | st.just("nobody")),
    )
    def near(self, lon: float, lat: float, k: int, chosen: set[str] | None, of: list[str] | None) -> None:
        def accept(code: str) -> bool:
            return chosen is None or code in chosen

        x, y = TO_METRES.transform(lon, lat)
        expected = []
        for code, fix in self.model.items():
            if accept(code) and (of is None or self.group[code] in of):
                there = TO_METRES.transform(fix.lon, fix.lat)
                expected.append((math.hypot(there[0] - x, there[1] - y), code))
        assert self.units.near(lon, lat, k, accept, of) == [(code, metres) for metres, code in sorted(expected)[:k]]

    @invariant()
    def knows_the_same(self) -> None:
        assert len(self.units) == len(self.model)
        for code, fix in self.model.items():
            assert self.units.get(code) == fix


Against.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestUnits = Against.TestCase


def test_a_unit_that_creeps_is_found_where_it_is_and_not_where_it_was() -> None:
    units = Units(CRS)
    units.move("fixed", 118.9025, 31.3, START)
    for step in range(200):
        # 9 m at a time, past the other one: the tree is told of few of these steps.
        units.move("creeps", 118.9 + step / 10_000, 31.3, START + timedelta(seconds=step))
        true = {"creeps": step / 10_000, "fixed": 0.0025}
        near = [code for code, _ in units.near(118.9, 31.3, 2)]
        assert near == sorted(true, key=lambda code: (true[code], code))


def test_metres_are_metres() -> None:
    units = Units(CRS)
    units.move("A", 118.9, 31.3, START)
    ((code, metres),) = units.near(118.95, 31.33, 1)
    _, _, true = Geod(ellps="WGS84").inv(118.9, 31.3, 118.95, 31.33)
    assert code == "A"
    assert metres == pytest.approx(true, rel=5e-4)


def test_the_many_who_are_not_wanted_do_not_hide_the_few_who_are() -> None:
    units = Units(CRS)
    for n in range(500):
        units.move(f"near{n}", 118.9 + n * 1e-5, 31.3, START)
    units.move("far", 119.1, 31.4, START)
    assert [code for code, _ in units.near(118.9, 31.3, 3, lambda code: code == "far")] == ["far"]
    assert units.near(118.9, 31.3, 3, lambda _: False) == []
    assert units.near(118.9, 31.3, 0) == []
    assert Units(CRS).near(118.9, 31.3, 3) == []


@pytest.mark.parametrize("xy", [(math.nan, 31.3), (118.9, math.nan), (math.inf, 31.3), (1e300, 0.0), (31.3, 118.9)])
def test_no_position_is_refused_and_changes_nothing(xy: tuple[float, float]) -> None:
    units = Units(CRS)
    units.move("A", 118.9, 31.3, START)
    with pytest.raises(ValueError, match="no position"):
        units.move("A", *xy, START + timedelta(minutes=1))
    with pytest.raises(ValueError, match="no position"):
        units.near(*xy, 1)
    assert units.get("A") == Fix("A", 118.9, 31.3, START)
    assert units.get("B") is None
