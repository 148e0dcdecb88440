"""Bursts: against a slow model of density, and the same as they grow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from dispatch.incidents import Burst, Bursts, Member, find, grouped

GEOD = Geod(ellps="WGS84")
NOON = datetime(2026, 11, 2, 4, tzinfo=UTC)
RULE = Burst(300, 3, 3)


def member(number: int, east: float, north: float, minutes: float, matter: str = "0405", **more: object) -> Member:
    lon, lat, _ = GEOD.fwd(118.9, 31.3, 90, east)
    lon, lat, _ = GEOD.fwd(lon, lat, 0, north)
    case = f"C{number:04d}"
    given_ = {"lead": case, "is_open": True, "counts": True, **more}
    return Member(case=case, lon=lon, lat=lat, seen_at=NOON + timedelta(minutes=minutes), matter=matter, **given_)


places = st.tuples(st.integers(0, 12), st.integers(0, 4), st.integers(0, 8))
streams = st.lists(places, max_size=40).map(
    lambda those: [member(i, x * 130.0, y * 130.0, t * 45.0) for i, (x, y, t) in enumerate(those)]
)


def close(a: Member, b: Member) -> bool:
    far = GEOD.inv(a.lon, a.lat, b.lon, b.lat)[2]
    return far <= RULE.radius_m and abs((a.seen_at - b.seen_at).total_seconds()) <= RULE.hours * 3600


def slow_cores(members: list[Member]) -> dict[int, set[int]]:
    """Each core with the cores that density leads to from it."""
    cores = [i for i, one in enumerate(members) if sum(close(one, other) for other in members) >= RULE.cases]
    reached: dict[int, set[int]] = {}
    for core in cores:
        found, todo = {core}, [core]
        while todo:
            at = todo.pop()
            more = {one for one in cores if one not in found and close(members[at], members[one])}
            found |= more
            todo += more
        reached[core] = found
    return reached


@given(streams)
@settings(max_examples=60, deadline=None)
def test_the_groups_are_those_of_density(members: list[Member]) -> None:
    found = grouped(members, RULE)
    cores = slow_cores(members)
    for core, together in cores.items():
        assert {i for i in cores if found[i] == found[core]} == together
    for i, one in enumerate(members):
        around = [core for core in cores if close(one, members[core])]
        if around:
            assert found[i] in {found[core] for core in around}, "on the rim of one of them"
        else:
            assert found[i] is None


@given(streams)
@settings(max_examples=40, deadline=None)
def test_an_incident_keeps_its_id_and_its_cases_as_it_grows(members: list[Member]) -> None:
    before: list[int | None] = []
    for many in range(len(members) + 1):
        now = grouped(members[:many], RULE)
        old = {group for group in before if group is not None}
        for group in old:
            (become,) = {now[i] for i, was in enumerate(before) if was == group}
            assert become == group or become in old, "its own, or that of an older one that it grew into"
        survivors = {now[i] for i, was in enumerate(before) if was is not None}
        assert survivors <= old
        before = now


def flood(count: int = 8, **more: object) -> list[Member]:
    return [member(i, i * 60.0, 0, i * 5.0, **more) for i in range(count)]


def test_a_flood_is_one_incident_with_a_place_of_its_own() -> None:
    (found,) = find(flood(), Bursts(RULE))
    assert found.id == "C0000" or found.id in found.cases
    assert found.cases == tuple(f"C{i:04d}" for i in range(8))
    assert (found.open, found.reports, found.kind) == (8, 8, "0405")
    assert found.outline.is_valid
    assert all(found.outline.buffer(1e-9).covers(__import__("shapely").Point(one.lon, one.lat)) for one in flood())
    assert find(flood()[:2], Bursts(RULE)) == []


def test_kinds_are_counted_apart_unless_a_class_is_named() -> None:
    mixed = [member(i, i * 20.0, 0, 0, matter=("0405", "0404")[i % 2]) for i in range(4)]
    assert find(mixed, Bursts(RULE)) == []
    (found,) = find(mixed, Bursts(RULE, {"04": RULE}))
    assert (found.kind, len(found.cases)) == ("04", 4)


def test_nine_reports_of_one_thing_are_no_incident_once_joined() -> None:
    assert len(find(flood(), Bursts(RULE))) == 1
    assert find(flood(lead="C0000"), Bursts(RULE)) == []
    assert find(flood(counts=False), Bursts(RULE)) == []
    assert find(flood(is_open=False), Bursts(RULE)) == []
    half = [member(i, i * 60.0, 0, i * 5.0, is_open=i % 2 == 0) for i in range(8)]
    (found,) = find(half, Bursts(RULE))
    assert (found.open, len(found.cases)) == (4, 8)
