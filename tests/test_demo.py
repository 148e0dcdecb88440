"""The demonstration's made units: on their way, there, and back, through the public interface."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any
from uuid import uuid4

import httpx
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from dispatch.demo import Crews, Trip
from tests.sample import sample

corners = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda c: (118.8 + c[0] / 50, 31.2 + c[1] / 50))

# Degrees, a tenth of a millimetre: a clock that adds and takes away seconds loses their last digits.
ROUNDING = 1e-9


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(Geod(ellps="WGS84").inv(*a, *b)[2])


@given(st.lists(corners, min_size=1, max_size=8), st.floats(0, 1), st.floats(1, 1000))
def test_a_trip_goes_at_an_even_pace_and_back_the_same_way(line: list[Any], share: float, seconds: float) -> None:
    trip = Trip("c", tuple(line), 100.0, seconds)
    assert trip.at(0) == line[0] or len(set(line)) < len(line)
    assert math.dist(trip.at(100 + seconds), line[-1]) < ROUNDING
    now = 100 + share * seconds
    here = trip.at(now)
    back = trip.back(now)
    assert math.dist(back.at(now), here) < ROUNDING
    assert math.dist(back.at(now + seconds), line[0]) < ROUNDING
    length = sum(metres(a, b) for a, b in pairwise(line))
    gone = sum(metres(a, b) for a, b in pairwise(back.line))
    assert gone <= length * 1.01 + 1
    assert abs(gone - share * length) <= 0.01 * length + 1


def test_a_crew_goes_to_its_case_and_comes_back(client: httpx.Client) -> None:
    zone = sample().layers["township"].zones[2]
    point = zone.geometry.representative_point()
    sent = {"id": str(uuid4()), "lon": point.x, "lat": point.y, "matter": "0101"}
    case = client.post("/api/reports", json=sent).json()
    if case["unit"] is None:
        return  # other tests of this session have every unit of the team on a case
    code = case["unit"]["code"]

    def do(action: str, **more: str) -> None:
        body = {"id": str(uuid4()), "action": action, **more}
        assert client.post(f"/api/cases/{case['case']}/actions", json=body).status_code == 200

    def place() -> tuple[float, float]:
        unit = client.get(f"/api/units/{code}").json()
        return unit["lon"], unit["lat"]

    home, crews = place(), Crews()
    do("accept")
    now = 1000.0
    crews.go(client, now)
    row = client.get(f"/api/cases/{case['case']}").json()
    assert crews.is_under_way(row, now)
    assert client.get(f"/api/units/{code}").json()["seen_at"]
    crews.go(client, now + 100_000)
    assert metres(place(), (point.x, point.y)) < 300
    assert not crews.is_under_way(row, now + 100_000)
    do("return", note="演示")
    crews.go(client, now + 100_001)
    crews.go(client, now + 300_000)
    assert metres(place(), home) < 300
