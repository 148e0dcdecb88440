"""Units on the move: taken in, kept, told, forgotten; and what a decision makes of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.fleet import MOST, TRACK_EVERY, TRACK_M, Fate, Fleet, Known, Position
from dispatch.settings import Settings
from geo.datum import Datum, from_wgs84
from tests.sample import ground, sample
from tests.serving import serving

DISTRICT = sample()
UNIT, OTHER = list(DISTRICT.units)[:2]
START = datetime(2026, 11, 23, 8, tzinfo=UTC)
HERE = (118.9, 31.33)
STALE = timedelta(minutes=5)


def at(seconds: float, lon: float = HERE[0], lat: float = HERE[1], unit: str = UNIT, **more: Any) -> Position:
    return Position(unit, lon, lat, START + timedelta(seconds=seconds), **more)


def tell(fleet: Fleet, *given: Position, now: datetime = START) -> tuple[Fate, ...]:
    """As a database that has nothing newer would have it."""
    sifted = fleet.sift(given)
    fleet.learn(sifted.known, now)
    return sifted.fates


# --- what a worker knows -----------------------------------------------------------------------------------------


def test_a_unit_is_counted_from_where_it_is_until_that_is_stale_then_from_its_base() -> None:
    fleet = Fleet(DISTRICT, STALE)
    base = DISTRICT.bases[DISTRICT.units[UNIT].base]
    assert (fleet.stand(UNIT).lon, fleet.stand(UNIT).lat, fleet.stand(UNIT).seen_at) == (base.lon, base.lat, None)
    tell(fleet, at(0))
    assert (fleet.stand(UNIT).lon, fleet.stand(UNIT).lat, fleet.stand(UNIT).seen_at) == (*HERE, START)
    assert fleet.expire(START + STALE) == []
    assert fleet.expire(START + STALE + timedelta(seconds=1)) == [UNIT]
    assert fleet.stand(UNIT).seen_at is None
    assert fleet.last(UNIT) == at(0)
    # What is already stale when it comes is kept, and counts for nothing.
    tell(fleet, at(1), now=START + timedelta(hours=1))
    assert (fleet.last(UNIT), fleet.stand(UNIT).seen_at) == (at(1), None)


def test_who_went_off_shift_stays_off_until_he_says_otherwise() -> None:
    fleet = Fleet(DISTRICT, STALE)
    tell(fleet, at(0, on_shift=False))
    fleet.expire(START + timedelta(days=1))
    assert not fleet.stand(UNIT).on_shift
    tell(fleet, at(90_000), now=START + timedelta(seconds=90_000))
    assert fleet.stand(UNIT).on_shift


fixes = st.builds(
    at,
    st.integers(0, 40).map(lambda n: n * 13.0),
    st.integers(0, 6).map(lambda n: HERE[0] + n * 0.0005),
    unit=st.sampled_from([UNIT, OTHER]),
    on_shift=st.sampled_from([True, True, True, False]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(fixes, max_size=8), max_size=8))
def test_each_position_is_told_what_became_of_it(batches: list[list[Position]]) -> None:
    """Against a reading that remembers everything and takes each by itself, oldest of a batch first."""
    fleet = Fleet(DISTRICT, STALE)
    last: dict[str, Position] = {}
    track: list[Position] = []
    kept: dict[str, Position] = {}
    found: list[Position] = []
    for batch in batches:
        expected: dict[int, Fate] = {}
        for i in sorted(range(len(batch)), key=lambda i: batch[i].at):
            one = batch[i]
            before = last.get(one.unit)
            if before and one.at <= before.at:
                expected[i] = Fate.KNOWN if one.at == before.at else Fate.OLDER
                continue
            expected[i], last[one.unit] = Fate.TAKEN, one
            old = kept.get(one.unit)
            far = old and abs(one.lon - old.lon) * 95_090 >= TRACK_M
            if not old or far or one.at - old.at >= TRACK_EVERY or one.on_shift != old.on_shift:
                kept[one.unit] = one
                track.append(one)
        sifted = fleet.sift(batch)
        assert list(sifted.fates) == [expected[i] for i in range(len(batch))]
        fleet.learn(sifted.known, START + timedelta(minutes=10))
        found += sifted.track
        assert {unit: fleet.last(unit) for unit in last} == last
    assert found == track
