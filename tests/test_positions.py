"""Units on the move: taken in, kept, told, forgotten; and what a decision makes of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch import routing
from dispatch.competence import Ruling
from dispatch.fleet import TRACK_EVERY, TRACK_M, Fate, Fleet, Known, Position
from dispatch.model import Mode, Rule, Unit
from dispatch.settings import Settings
from geo.datum import Datum, from_wgs84
from tests.sample import ground, sample
from tests.serving import serving

DISTRICT = sample()
UNIT, OTHER = list(DISTRICT.units)[:2]
START = datetime(2026, 11, 23, 8, tzinfo=UTC)
HERE = (118.9, 31.33)
STALE = timedelta(minutes=5)


def at(
    seconds: float,
    lon: float = HERE[0],
    lat: float = HERE[1],
    unit: str = UNIT,
    on_shift: bool | None = True,
    **more: Any,
) -> Position:
    return Position(unit, lon, lat, START + timedelta(seconds=seconds), on_shift=on_shift, **more)


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
    # His tracker goes on, which says nothing of it.
    tell(fleet, at(80_000, on_shift=None), now=START + timedelta(seconds=80_000))
    assert not fleet.stand(UNIT).on_shift
    assert fleet.nearest(DISTRICT.units[UNIT].team, *HERE, ()).count(UNIT) == 0
    tell(fleet, at(90_000), now=START + timedelta(seconds=90_000))
    assert fleet.stand(UNIT).on_shift


fixes = st.builds(
    at,
    st.integers(0, 40).map(lambda n: n * 13.0),
    st.integers(0, 6).map(lambda n: HERE[0] + n * 0.0005),
    unit=st.sampled_from([UNIT, OTHER]),
    on_shift=st.sampled_from([True, None, None, False]),
)


TWO = replace(DISTRICT, units=MappingProxyType({code: DISTRICT.units[code] for code in (UNIT, OTHER)}))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(fixes, max_size=8), max_size=8))
def test_each_position_is_told_what_became_of_it(batches: list[list[Position]]) -> None:
    """Against a reading that remembers everything and takes each by itself, oldest of a batch first."""
    fleet = Fleet(TWO, STALE)
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
            held = before is None or bool(before.on_shift)
            now = replace(one, on_shift=held if one.on_shift is None else one.on_shift)
            expected[i], last[one.unit] = Fate.TAKEN, now
            old = kept.get(one.unit)
            far = old and abs(one.lon - old.lon) * 95_090 >= TRACK_M
            if not old or far or one.at - old.at >= TRACK_EVERY or now.on_shift != old.on_shift:
                kept[one.unit] = now
                track.append(one)
        sifted = fleet.sift(batch)
        assert list(sifted.fates) == [expected[i] for i in range(len(batch))]
        fleet.learn(sifted.known, START + timedelta(minutes=10))
        found += sifted.track
        assert {unit: fleet.last(unit) for unit in last} == last
    assert found == track


def test_another_edition_keeps_what_is_known_of_its_units() -> None:
    fleet = Fleet(DISTRICT, STALE)
    tell(fleet, at(0), at(0, unit=OTHER))
    fewer = replace(DISTRICT, units=MappingProxyType({c: u for c, u in DISTRICT.units.items() if c != OTHER}))
    fleet.adopt(fewer, START)
    assert fleet.stand(UNIT).seen_at == START
    assert set(fleet.live) == {UNIT}
    assert set(fleet.units) == set(DISTRICT.units) - {OTHER}
    with pytest.raises(KeyError):
        fleet.stand(OTHER)


def test_what_the_database_holds_that_has_no_place_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet(DISTRICT, STALE)
    wrong = [(30.0, 0.0), (float("nan"), 31.3), (float("inf"), 31.3), (1e308, -1e308)]
    rows = [Known(one, one) for one in (*(at(n, *xy) for n, xy in enumerate(wrong)), at(0, unit=OTHER))]
    assert fleet.learn(rows, START) == [OTHER]
    assert (fleet.last(UNIT), fleet.stand(UNIT).seen_at) == (None, None)
    assert [record.levelname for record in caplog.records] == ["ERROR"] * len(wrong)
    tell(fleet, at(1))
    assert fleet.stand(UNIT).seen_at is not None


# --- what a decision makes of it ---------------------------------------------------------------------------------

TEAM = DISTRICT.units[UNIT].team
MATES = [code for code, unit in DISTRICT.units.items() if unit.team == TEAM and unit.mode is Mode.VEHICLE]
RULE = Rule("R0", "", "", "", "", "", TEAM, "", "")


def decided(fleet: Fleet, now: datetime = START, busy: tuple[str, ...] = ()) -> Any:
    candidates = ground().candidates(TEAM, *HERE, fleet, now, busy)
    ruling = Ruling(RULE, TEAM, ())
    return routing.decide(version="x", ruling=ruling, place={}, candidates=candidates, busy=busy)


def test_the_unit_that_is_near_now_is_sent_and_it_is_said_from_where() -> None:
    fleet = Fleet(DISTRICT, STALE)
    from_base = decided(fleet)
    assert {verdict.seen_s for verdict in from_base.units} == {None}
    other = next(code for code in MATES if code != from_base.unit)
    tell(fleet, at(-120, HERE[0] + 0.002, HERE[1], unit=other))
    from_there = decided(fleet)
    assert from_there.unit == other
    assert from_there.eta_s < from_base.eta_s
    assert {v.unit: v.seen_s for v in from_there.units if v.seen_s is not None} == {other: 120}
    assert [v["seen_s"] for v in routing.as_json(from_there)["units"]] == [v.seen_s for v in from_there.units]
    fleet.expire(START + STALE)
    assert decided(fleet, START + STALE) == from_base


def test_a_unit_off_shift_is_not_sent_and_it_is_said_why() -> None:
    fleet = Fleet(DISTRICT, STALE)
    near = at(0, unit=MATES[0], on_shift=False)
    tell(fleet, near)
    found = decided(fleet)
    assert found.unit not in {None, MATES[0]}
    assert next(v.reason for v in found.units if v.unit == MATES[0]) == "off_shift"
    units = [unit.code for unit in DISTRICT.units.values() if unit.team == TEAM]
    tell(fleet, *(at(1, unit=code, on_shift=False) for code in units))
    assert decided(fleet).unit is None
    assert decided(fleet).notes == ("no_unit_free",)


def test_a_unit_from_where_no_way_is_known_is_counted_from_its_base() -> None:
    fleet = Fleet(DISTRICT, STALE)
    expected = decided(fleet)
    tell(fleet, at(0, 119.9, 32.5, unit=MATES[0]))
    assert decided(fleet) == expected


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_of_a_large_team_the_nearest_that_are_free_are_weighed(data: st.DataObject) -> None:
    units = [Unit(f"X{n:03d}", "", "", TEAM, Mode.BOAT if n % 3 == 0 else Mode.VEHICLE, "B01", 2) for n in range(60)]
    many = replace(DISTRICT, units=MappingProxyType({unit.code: unit for unit in units}))
    fleet = Fleet(many, STALE)
    spots = st.tuples(st.integers(0, 30), st.integers(0, 30))
    places = {u.code: data.draw(spots) for u in units}
    tell(fleet, *(at(0, 118.8 + x / 200, 31.25 + y / 200, unit=code) for code, (x, y) in places.items()))
    busy = data.draw(st.sets(st.sampled_from(sorted(places)), max_size=50))
    metres = {code: (dict(fleet._units.near(*HERE, 100)))[code] for code in places}
    expected = set()
    for mode in Mode:
        free = [u.code for u in units if u.mode is mode and u.code not in busy]
        expected |= set(sorted(free, key=lambda code: (metres[code], code))[: Fleet.MOST // 2])
    assert set(fleet.nearest(TEAM, *HERE, busy)) == expected


# --- the interface -----------------------------------------------------------------------------------------------


def put(client: httpx.Client, code: str, **body: Any) -> dict[str, Any]:
    answer = client.put(f"/api/units/{code}/position", json={"lon": HERE[0], "lat": HERE[1], **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def unit(client: httpx.Client, code: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/units/{code}").json()
    return found


def until(true: Callable[[], bool], seconds: float = 60) -> float:
    """How many seconds it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not come about"
        time.sleep(0.01)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def url(postgis: Any, template_database: str) -> Iterator[str]:
    """A server of its own: units that have moved would change what other tests see decided."""
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE moving TEMPLATE {template_database}")
    with serving(Settings(database_url=postgis.url_of("moving"))) as made:
        yield made


@pytest.fixture(scope="module")
def other_worker(url: str, postgis: Any) -> Iterator[str]:
    """A second worker on the same database, for which a position is stale after five seconds."""
    assert url
    with serving(Settings(database_url=postgis.url_of("moving"), position_stale_s=5)) as made:
        yield made


@pytest.fixture
def moving(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.mark.parametrize("datum", list(Datum))
def test_every_datum_lands_in_the_same_place(moving: httpx.Client, datum: Datum) -> None:
    lon, lat = from_wgs84(*HERE, datum)
    assert put(moving, UNIT, lon=lon, lat=lat, datum=datum.value)["fate"] == "taken"
    found = unit(moving, UNIT)
    assert (found["lon"], found["lat"]) == pytest.approx(HERE, abs=1e-6)
    assert found["seen_at"] is not None
    line = json.dumps({"unit": UNIT, "lon": lon, "lat": lat, "datum": datum.value})
    assert moving.post("/api/units/positions", content=line).json()["taken"] == 1
    assert (unit(moving, UNIT)["lon"], unit(moving, UNIT)["lat"]) == pytest.approx(HERE, abs=1e-6)


def test_what_comes_late_or_twice_changes_nothing_and_is_told(moving: httpx.Client) -> None:
    now = datetime.now(UTC)
    first = put(moving, OTHER, at=now.isoformat(), lon=118.95)
    assert first["fate"] == "taken"
    assert put(moving, OTHER, at=now.isoformat(), lon=118.96)["fate"] == "known"
    late = put(moving, OTHER, at=(now - timedelta(seconds=1)).isoformat(), lon=118.97)
    assert (late["fate"], late["lon"], late["seen_at"]) == ("older", 118.95, first["seen_at"])
    assert put(moving, OTHER, at=(now + timedelta(seconds=1)).isoformat(), lon=118.98)["lon"] == 118.98


def test_bad_positions_are_refused_by_name(moving: httpx.Client) -> None:
    def code(who: str = UNIT, **body: Any) -> tuple[int, str]:
        sent = json.dumps({"lon": HERE[0], "lat": HERE[1], **body})
        answer = moving.put(f"/api/units/{who}/position", content=sent, headers={"Content-Type": "application/json"})
        return answer.status_code, answer.json()["code"]

    assert code("nobody") == (404, "unit_not_listed")
    assert code(lon=0, lat=0) == (422, "coordinates_zero")
    assert code(lon=HERE[1], lat=HERE[0]) == (422, "coordinates_swapped")
    assert code(lon=500, lat=12) == (422, "coordinates_out_of_range")
    assert code(lon=30, lat=0) == (422, "outside_district")
    assert code(lon=-60.9, lat=-31.33) == (422, "outside_district")
    assert code(lon=118.9, lat=20.0) == (422, "outside_district")
    assert code(at=(datetime.now(UTC) + timedelta(hours=1)).isoformat()) == (422, "fix_in_future")
    assert code(at="0001-01-01T00:00:00+08:00") == (422, "fix_too_old")
    assert code(at=(datetime.now(UTC) - timedelta(days=91)).isoformat()) == (422, "fix_too_old")
    assert code(at="9999-12-31T23:59:59-12:00") == (422, "fix_in_future")
    for wrong in ({"lon": float("nan")}, {"at": "2026-11-23T08:00:00"}, {"datum": "x"}, {"accuracy_m": -1}, {"x": 1}):
        assert code(**wrong) == (422, "invalid_input")
    assert moving.get("/api/units/nobody").status_code == 404
    assert moving.get("/api/units/nobody/track").status_code == 404


def test_each_line_of_many_is_answered(moving: httpx.Client) -> None:
    code = list(DISTRICT.units)[5]
    yesterday = datetime.now(UTC) - timedelta(days=1)
    put(moving, code)
    lines = [
        b"\xef\xbb\xbf",
        json.dumps({"unit": code, "lon": 118.9, "lat": 31.3}).encode(),
        b"",
        b"no json",
        b'{"unit": "\xff", "lon": 118.9, "lat": 31.3}',
        b'{"unit": "nobody", "lon": 118.9, "lat": 31.3}',
        json.dumps({"unit": code, "lon": 118.9, "lat": 31.3, "at": yesterday.isoformat()}).encode(),
        b'{"unit": "T01-V1"}\r',
        b"[1, 2]",
        json.dumps({"unit": code, "lon": 118.9, "lat": 31.3, "at": "0001-01-01T00:00:00+08:00"}).encode(),
        json.dumps({"unit": code, "lon": 30, "lat": 0}).encode(),
    ]
    body = moving.post("/api/units/positions", content=b"\n".join(lines)).json()
    told = {line["line"]: line.get("fate") or line["code"] for line in body["lines"]}
    assert told == {
        1: "invalid_input",
        2: "taken",
        4: "invalid_input",
        5: "invalid_input",
        6: "unit_not_listed",
        7: "older",
        8: "invalid_input",
        9: "invalid_input",
        10: "fix_too_old",
        11: "outside_district",
    }
    assert (body["taken"], body["ignored"], body["refused"]) == (1, 1, 8)
    assert moving.post("/api/units/positions", content=b"\n \n").json()["code"] == "empty_file"
    many = moving.post("/api/units/positions", content=b"{}\n" * 10_001)
    assert (many.status_code, many.json()["code"]) == (413, "batch_too_large")


_ODD = [0, -1, 1e308, -1e308, 5e-324, 180, -180, 90, -90, 181, 10**400, "118.9", None, True, [], {}, "NaN"]
odd_numbers = st.sampled_from(_ODD) | st.floats() | st.integers()
odd_times = (
    st.sampled_from(
        [
            "0001-01-01T00:00:00+08:00",
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59.999999-23:59",
            "9999-12-31T23:59:59Z",
            "1970-01-01T00:00:00-00:00",
            "2026-02-30T00:00:00Z",
            "2026-11-23T24:00:00Z",
            "-0001-01-01T00:00:00Z",
            "infinity",
        ]
    )
    | st.datetimes(timezones=st.timezones()).map(lambda when: when.isoformat())
    | odd_numbers
)
odd_lines = st.fixed_dictionaries(
    {"unit": st.sampled_from([UNIT, OTHER, "nobody", "", "\x00", 5]), "lon": odd_numbers, "lat": odd_numbers},
    optional={
        "at": odd_times,
        "accuracy_m": odd_numbers,
        "datum": st.sampled_from([*Datum, "x", 1]),
        "on_shift": st.sampled_from([True, False, None, "yes", 2]),
    },
)
plausible_lines = st.fixed_dictionaries(
    {"unit": st.sampled_from([UNIT, OTHER]), "lon": st.just(118.9), "lat": st.just(31.3), "at": odd_times}
)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(odd_lines | plausible_lines, min_size=1, max_size=12))
def test_no_line_however_odd_stops_another(url: str, lines: list[dict[str, Any]]) -> None:
    with httpx.Client(base_url=url, timeout=30) as client:
        text = "\n".join(json.dumps(line) for line in [*lines, {"unit": OTHER, "lon": 118.9, "lat": 31.3}])
        answer = client.post("/api/units/positions", content=text)
        assert answer.status_code == 200, (answer.text, text)
        told = answer.json()["lines"]
        assert [line["line"] for line in told] == list(range(1, len(lines) + 2))
        assert told[-1].get("fate") in set(Fate)
        assert all(("fate" in line) is not ("code" in line) for line in told)
        assert {one["code"] for one in client.get("/api/units", params={"limit": 1000}).json()["items"]} > {UNIT, OTHER}


def test_the_way_of_a_unit_is_kept_thinned_and_paged(moving: httpx.Client) -> None:
    code = list(DISTRICT.units)[7]
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=50)
    # 30 m every ten seconds for ten minutes, then it stands for twenty: sent out of order in one go.
    fixes = [(10 * n, 118.9 + 0.0003155 * n) for n in range(60)] + [(600 + 10 * n, 118.92) for n in range(120)]
    lines = [
        json.dumps({"unit": code, "lon": lon, "lat": 31.3, "at": (begin + timedelta(seconds=s)).isoformat()})
        for s, lon in fixes
    ]
    assert moving.post("/api/units/positions", content="\n".join(lines[::-1])).json()["taken"] == len(fixes)
    whole = moving.get(f"/api/units/{code}/track").json()["items"]
    times = [datetime.fromisoformat(row["at"]) for row in whole]
    assert times == sorted(times)
    driven = [row for row, t in zip(whole, times, strict=True) if t < begin + timedelta(seconds=600)]
    steps = [b["lon"] - a["lon"] for a, b in pairwise(driven)]
    assert len(driven) == 15
    assert all(100 < step * 95_140 < 130 for step in steps)
    assert len(whole) - len(driven) in {10, 11}  # standing: every two minutes
    paged: list[Any] = []
    cursor: dict[str, str] = {}
    while cursor.get("cursor", "") is not None:
        page = moving.get(f"/api/units/{code}/track", params={"limit": 4, **cursor}).json()
        paged += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert paged == whole
    since = times[5]
    some = moving.get(f"/api/units/{code}/track", params={"from": since.isoformat(), "to": times[9].isoformat()}).json()
    assert some["items"] == whole[5:9]
    assert moving.get(f"/api/units/{OTHER}/track", params=cursor).json()["code"] == "invalid_cursor"


class Following:
    """A client of the live stream, in a thread."""

    def __init__(self, url: str, **headers: str) -> None:
        self.frames: list[tuple[str, str | None, Any]] = []
        self._thread = threading.Thread(target=self._run, args=(url, headers), daemon=True)
        self._thread.start()
        until(lambda: bool(self.frames))

    def _run(self, url: str, headers: dict[str, str]) -> None:
        with suppress(httpx.HTTPError), httpx.stream("GET", f"{url}/api/events", headers=headers, timeout=60) as lines:
            kind, told = "", None
            for line in lines.iter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    told = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    self.frames.append((kind, told, json.loads(value)))
                elif not line:
                    kind, told = "", None

    def where(self, code: str) -> list[dict[str, Any]]:
        """Everything it was told of a unit."""
        return [
            one
            for kind, told, data in list(self.frames)
            if kind == "positions" and told is None
            for one in data["positions"]
            if one["unit"] == code
        ]


def test_two_workers_and_those_who_listen_agree_mostly_within_a_second(url: str, other_worker: str) -> None:
    code = list(DISTRICT.units)[9]
    workers = [httpx.Client(base_url=one, timeout=30) for one in (url, other_worker)]
    ears = [Following(url), Following(other_worker)]
    took = []
    for n in range(6):
        here, there = workers[n % 2], workers[1 - n % 2]
        lon = round(118.9 + n / 1000, 3)
        assert put(here, code, lon=lon)["fate"] == "taken"
        began = time.monotonic()
        until(lambda: unit(there, code)["lon"] == lon)  # noqa: B023
        until(lambda: all(ear.where(code)[-1:] and ear.where(code)[-1]["lon"] == lon for ear in ears))  # noqa: B023
        took.append(time.monotonic() - began)
        time.sleep(0.2)
    print(f"agreed after {', '.join(f'{one * 1000:.0f}' for one in took)} ms")
    assert sorted(took)[len(took) // 2] < 1.0
    # Each takes what the other would have thought new.
    assert put(workers[0], code, at=(datetime.now(UTC) - timedelta(seconds=30)).isoformat())["fate"] == "older"


def test_who_comes_back_is_told_where_units_are_now_and_not_where_they_were(url: str, moving: httpx.Client) -> None:
    code = list(DISTRICT.units)[11]
    ear = Following(url)
    (place,) = {told for kind, told, _ in ear.frames if kind == "hello"}
    for n in range(5):
        put(moving, code, lon=118.9 + n / 1000)
    back = Following(url, **{"Last-Event-ID": str(place)})
    until(lambda: bool(back.where(code)))
    # Once by the greeting; once more if the move was still on its way to everybody. Never where it had been.
    assert {round(one["lon"], 3) for one in back.where(code)} == {118.904}


def test_a_tracker_that_says_nothing_puts_nobody_back_on_shift(url: str, other_worker: str, postgis: Any) -> None:
    """Not even at a worker that has not heard that he went off, nor after a start."""
    code = list(DISTRICT.units)[15]
    workers = [httpx.Client(base_url=one, timeout=30) for one in (url, other_worker)]
    assert put(workers[0], code)["on_shift"] is True
    for n in range(4):
        here, there = workers[n % 2], workers[1 - n % 2]
        assert put(here, code, on_shift=False)["on_shift"] is False
        assert put(there, code)["on_shift"] is False  # at once, from the other
        line = json.dumps({"unit": code, "lon": HERE[0], "lat": HERE[1]})
        assert here.post("/api/units/positions", content=line).json()["taken"] == 1
        assert unit(here, code)["on_shift"] is False
        with psycopg.connect(postgis.conninfo("moving"), autocommit=True) as connection:
            query = "SELECT on_shift FROM unit_position WHERE unit = %s"
            assert connection.execute(query, (code,)).fetchone() == (False,)
        assert put(there, code, on_shift=True)["on_shift"] is True
        assert put(here, code)["on_shift"] is True
    # Several at once, the one that says it first.
    now = datetime.now(UTC)
    both = [
        {"at": (now + timedelta(milliseconds=n)).isoformat(), **said} for n, said in ((2, {}), (1, {"on_shift": False}))
    ]
    text = "\n".join(json.dumps({"unit": code, "lon": HERE[0], "lat": HERE[1], **one}) for one in both)
    assert workers[0].post("/api/units/positions", content=text).json()["taken"] == 2
    assert unit(workers[0], code)["on_shift"] is False


def test_a_position_that_is_stale_gives_way_to_the_base_and_that_is_told(url: str, other_worker: str) -> None:
    code = list(DISTRICT.units)[13]
    base = DISTRICT.bases[DISTRICT.units[code].base]
    ear = Following(other_worker)
    with httpx.Client(base_url=other_worker, timeout=60) as client:
        put(client, code)
        assert unit(client, code)["seen_at"]
        until(lambda: unit(client, code)["seen_at"] is None)
        assert unit(client, code)["lon"] == pytest.approx(base.lon, abs=1e-6)
    until(lambda: ear.where(code)[-1:] == [{**ear.where(code)[-1], "seen_at": None}] if ear.where(code) else False)
    assert httpx.get(f"{url}/api/units/{code}", timeout=60).json()["seen_at"]


def test_a_report_goes_to_who_is_near_and_the_answer_says_so(moving: httpx.Client) -> None:
    free = [u["code"] for u in moving.get("/api/units", params={"team": TEAM, "free": True}).json()["items"]]
    mine = [code for code in MATES if code in free]
    for n, code in enumerate(mine):
        put(moving, code, lon=HERE[0] + 0.03 * (n + 1))
    near = mine[-1]
    put(moving, near, lon=HERE[0] + 0.001)
    sent = {"id": str(uuid4()), "lon": HERE[0], "lat": HERE[1], "matter": "0101"}
    answer = moving.post("/api/reports", json=sent).json()
    assert answer["team"]["code"] == TEAM
    assert answer["unit"]["code"] == near
    chosen = next(c for c in answer["decision"]["candidates"] if c["kind"] == "unit" and c["chosen"])
    assert 0 <= chosen["seen_s"] < 60
    why = moving.get(f"/api/cases/{answer['case']}/why").json()
    assert any("从刚才所在位置出发" in step for step in why["zh"]["steps"])
    assert any("from where it was just now" in step for step in why["en"]["steps"])
    here = moving.get("/api/units", params={"bbox": "118.9005,31.3295,118.9015,31.3305"}).json()["items"]
    assert near in {one["code"] for one in here}
    busy = {"id": str(uuid4()), "action": "return", "note": "x"}
    moving.post(f"/api/cases/{answer['case']}/actions", json=busy)
    put(moving, near, lon=HERE[0] + 0.001, on_shift=False)
    again = moving.post("/api/reports", json={**sent, "id": str(uuid4())}).json()
    assert again["unit"]["code"] != near
    reasons = {c["code"]: c["reason"] for c in again["decision"]["candidates"] if c["kind"] == "unit"}
    assert reasons[near] == "off_shift"


def test_positions_are_no_part_of_the_record(postgis: Any, moving: httpx.Client) -> None:
    put(moving, UNIT)
    with psycopg.connect(postgis.conninfo("moving"), autocommit=True) as connection:
        (said,) = connection.execute("SELECT count(*) FROM event WHERE data::text LIKE '%position%'").fetchone() or (1,)
        (kept,) = connection.execute("SELECT count(*) FROM unit_position").fetchone() or (0,)
    assert said == 0
    assert kept > 3


def test_a_worker_that_starts_knows_where_everyone_was(postgis: Any, moving: httpx.Client) -> None:
    put(moving, UNIT, lon=118.987)
    with serving(Settings(database_url=postgis.url_of("moving"))) as later:
        assert httpx.get(f"{later}/api/units/{UNIT}", timeout=60).json()["lon"] == 118.987


def test_what_is_in_the_database_stops_no_start_and_who_is_listed_no_more_is_forgotten(
    postgis: Any, moving: httpx.Client
) -> None:
    code, far, old = list(DISTRICT.units)[17:20]
    gone, lately = "gone for long", "gone lately"
    put(moving, code)
    rows = [
        (far, 30, 0, "now()"),
        (old, 118.9, 31.3, "'0001-01-01 00:00:00+00'"),
        (gone, 118.9, 31.3, "now() - interval '91 days'"),
        (lately, 118.9, 31.3, "now() - interval '89 days'"),
    ]
    with psycopg.connect(postgis.conninfo("moving"), autocommit=True) as connection:
        for name, lon, lat, when in rows:
            connection.execute(
                "INSERT INTO unit_position (unit, geom, at, received_at, on_shift, kept_at, kept_geom, kept_on_shift) "
                f"SELECT %s, g, {when}, now(), true, {when}, g, true "
                "FROM (SELECT ST_SetSRID(ST_MakePoint(%s, %s), 4326) AS g) AS one",
                (name, lon, lat),
            )
        with (
            serving(Settings(database_url=postgis.url_of("moving"))) as later,
            httpx.Client(base_url=later, timeout=60) as client,
        ):
            assert unit(client, code)["seen_at"]
            assert unit(client, far)["seen_at"] is None
            assert put(client, far, lon=118.95)["lon"] == 118.95
            assert put(client, old, lon=118.95)["lon"] == 118.95

            def left() -> set[str]:
                return {row[0] for row in connection.execute("SELECT unit FROM unit_position").fetchall()}

            until(lambda: gone not in left())
            assert {lately, code} <= left()
            assert client.get("/api/health").status_code == 200
    assert put(moving, code)["fate"] == "taken"
