"""Is it the same thing again: the score, the search by the index, what is offered, and who is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from dispatch import district
from dispatch.bench import duplicate_stream, duplicate_truth
from dispatch.bench import duplicates as bench
from dispatch.database import Running
from dispatch.duplicates import (
    FEATURES,
    MOST_ACCURACY_M,
    OFFER_AT,
    Known,
    Reach,
    Sameness,
    Sighting,
    alike,
    degrees_around,
    metres,
    numbers_of,
    rank,
    weigh,
    within,
    words_of,
)
from dispatch.store import duplicates as store
from dispatch.store.engine import connect, migrate, open_engine
from tests.life import Json, do, done, opened, refused, small_server, verified, walk
from tests.small_district import TOML, write_small_district

GEOD = Geod(ellps="WGS84")
NOON = datetime(2026, 11, 2, 4, tzinfo=UTC)
MATTERS = {"0101": "私搭乱建", "0102": "暴露垃圾", "0401": "路面塌陷", "0405": "道路积水"}
SAMENESS = Sameness(Reach(80, 72), {"04": Reach(150, 12), "0405": Reach(250, 6)})


def sighting(**more: Any) -> Sighting:
    given_: dict[str, Any] = {
        "lon": 118.9,
        "lat": 31.3,
        "accuracy_m": 10.0,
        "seen_at": NOON,
        "matter": "0102",
        "words": frozenset[str](),
        "numbers": frozenset[str](),
        "photos": frozenset[str](),
        **more,
    }
    return Sighting(**given_)


def score(new: Sighting, other: Sighting, sameness: Sameness = SAMENESS) -> float:
    match = weigh(new, "1", [other], sameness)
    return match.score if match else 0.0


lons, lats = st.floats(70, 140), st.floats(-60, 60)
off = st.floats(-0.02, 0.02)


@settings(deadline=None)
@given(lons, lats, off, off)
def test_metres_are_those_of_the_ellipsoid(lon: float, lat: float, east: float, north: float) -> None:
    exact = GEOD.inv(lon, lat, lon + east, lat + north)[2]
    assert metres(lon, lat, lon + east, lat + north) == pytest.approx(exact, rel=1e-5, abs=1e-3)


@settings(deadline=None)
@given(lons, lats, st.floats(1, 2000), st.floats(0, 360))
def test_the_box_holds_what_is_within(lon: float, lat: float, far: float, azimuth: float) -> None:
    x, y, _ = GEOD.fwd(lon, lat, azimuth, far)
    east, north = degrees_around(lat, far)
    assert abs(x - lon) <= east
    assert abs(y - lat) <= north


sightings = st.builds(
    sighting,
    lon=st.floats(118.898, 118.902),
    lat=st.floats(31.298, 31.302),
    accuracy_m=st.floats(0, 300),
    seen_at=st.integers(0, 5000).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    matter=st.sampled_from([*MATTERS, "01", "04"]),
    words=st.frozensets(st.sampled_from(["桥头", "头有", "味道", "很大", "堵住"])),
    numbers=st.frozensets(st.sampled_from(["12", "38"]), max_size=1),
    photos=st.frozensets(st.sampled_from(["a", "b"]), max_size=1),
)


@settings(deadline=None)
@given(sightings, sightings)
def test_it_does_not_matter_which_of_the_two_came_first(one: Sighting, other: Sighting) -> None:
    assert score(one, other) == pytest.approx(score(other, one))


@settings(max_examples=60, deadline=None)
@given(sightings, st.lists(st.tuples(st.sampled_from("ABC"), sightings), max_size=8))
def test_ranked_by_what_all_sightings_of_each_case_say(new: Sighting, known: list[tuple[str, Sighting]]) -> None:
    found = rank(new, [Known(case, one) for case, one in known], SAMENESS, 0.1)
    slow = {}
    for case, _ in known:
        match = weigh(new, case, [one for of, one in known if of == case], SAMENESS)
        slow[case] = match.score if match else 0.0
    assert {m.case: m.score for m in found} == {case: s for case, s in slow.items() if s >= 0.1}
    assert all(a.score >= b.score for a, b in pairwise(found))


def test_nearer_sooner_liker_is_likelier() -> None:
    at = sighting(words=words_of("桥头垃圾堵住半边路"), photos=frozenset("p"))
    steps = [0, 10, 25, 50, 90]
    by_place = [score(at, sighting(lon=118.9 + m / 95_000)) for m in steps]
    by_time = [score(at, sighting(seen_at=NOON + timedelta(hours=h))) for h in (0, 5, 24, 70)]
    assert by_place == sorted(by_place, reverse=True)
    assert by_time == sorted(by_time, reverse=True)
    assert by_place[0] > OFFER_AT > by_place[-1]
    twice = weigh(at, "1", [sighting(lon=118.9 + 30 / 95_000), sighting(lon=118.9 - 30 / 95_000)], SAMENESS)
    assert twice
    assert twice.distance_m < 0.1, "in the middle of the case's sightings"
    assert score(at, sighting(words=words_of("桥头的垃圾堵住路"))) > score(
        at, sighting(words=words_of("学校门口流浪狗"))
    )
    assert score(at, sighting(matter="0101")) < by_place[0]
    assert score(at, sighting(photos=frozenset("p"))) > by_place[0]
    numbered = sighting(numbers=frozenset(["12"]))
    assert score(numbered, numbered) > score(numbered, sighting(numbers=frozenset(["38"])))


def near(one: Sighting, other: Sighting) -> bool:
    assert (
        within(one, other, SAMENESS) == within(other, one, SAMENESS) == (weigh(one, "1", [other], SAMENESS) is not None)
    )
    return within(one, other, SAMENESS)


def test_out_of_reach_is_not_weighed() -> None:
    at = sighting()
    assert not near(at, sighting(matter="0401")), "another class"
    assert not near(at, sighting(seen_at=NOON + timedelta(hours=72.1)))
    assert near(at, sighting(seen_at=NOON + timedelta(hours=71.9)))
    east = degrees_around(31.3, 1)[0] / 1.001
    assert not near(at, sighting(lon=118.9 + 101 * east)), "80 m, and 10 m of either"
    assert near(at, sighting(lon=118.9 + 99 * east))
    assert near(at, sighting(lon=118.9 + 160 * east, accuracy_m=80))
    assert near(at, sighting(lon=118.9 + 160 * east, moved_m=80)), "snapped so far"
    flood = sighting(matter="0405")
    assert near(flood, sighting(matter="0405", lon=118.9 + 260 * east))
    assert not near(flood, sighting(matter="0401", lon=118.9 + 260 * east)), "narrower"


def test_words_and_numbers() -> None:
    assert words_of("桥头，垃圾") == {"桥头", "垃圾"}, "no pair goes across a comma"
    assert words_of("ＡＢ桥") == words_of("ab桥"), "width and case do not count"
    assert words_of("桥头有暴露垃圾", "暴露垃圾") == {"桥头", "头有", "有暴"}
    assert alike(frozenset(), frozenset({"桥头"})) is None
    assert numbers_of("宝塔路１２号，3栋旁") == {"12", "3"}
    assert numbers_of("11月13号起，一共300米，13800001111号") == frozenset()
    assert numbers_of("苏A12345 停在路口") == {"苏a12345"}


# --- the store against a slow model --------------------------------------------------------------------------------


def small_stream(seed: int) -> duplicate_stream.Made:
    setting = duplicate_stream.Setting(300, 1500.0, 2, 0.3)
    return duplicate_stream.made_stream(seed, MATTERS, dict.fromkeys(MATTERS, 80.0), setting, hours=4)


def filled(url: str, made: duplicate_stream.Made) -> psycopg.Connection[Any]:
    async def schema() -> None:
        engine = open_engine(url, 1)
        await migrate(engine)
        await engine.dispose()

    asyncio.run(schema())
    connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
    bench.fill(connection, made, over=500)
    return connection


def test_the_index_finds_what_a_walk_over_all_pairs_finds(database_url: str) -> None:
    """All pairs in Python, with distances of the ellipsoid; some cases merged into others, some into merged ones."""
    made = small_stream(5)
    names = bench.store_name(MATTERS)
    with filled(database_url, made) as connection:
        total = len(made.reports)
        merged = {f"M{i:07d}": f"M{i - 1:07d}" for i in range(1, total, 7)}
        merged |= {f"M{i - 1:07d}": f"M{i + 1:07d}" for i in range(8, total - 1, 21)}
        for case, into in merged.items():
            query = "UPDATE case_file SET state = 'merged', merged_into = %s WHERE case_no = %s"
            connection.execute(query, (into, case))
        gone = {f"M{i:07d}" for i in range(3, total, 11)} - merged.keys()
        connection.execute("UPDATE case_file SET state = 'closed' WHERE case_no = ANY(%s)", (list(gone),))

    def lead(case: str) -> str:
        return lead(merged[case]) if case in merged else case

    seen = [duplicate_truth.sighting_of(report, MATTERS) for report in made.reports]
    known = [Known(lead(f"M{i:07d}"), one) for i, one in enumerate(seen)]
    known = [one for one in known if one.case not in gone]
    new = seen[::9]
    assert len(new) > 40

    async def asked() -> list[list[Known]]:
        engine = open_engine(database_url, 1)
        async with connect(engine) as connection:
            found = await store.open_near(connection, new, SAMENESS, names)
        await engine.dispose()
        return found

    some = 0
    for one, near in zip(new, asyncio.run(asked()), strict=True):
        slow = []
        for other in known:
            far = GEOD.inv(one.lon, one.lat, other.sighting.lon, other.sighting.lat)[2]
            reaches = [SAMENESS.reach(x.matter) for x in (one, other.sighting)]
            sure = sum(min(x.accuracy_m, MOST_ACCURACY_M) for x in (one, other.sighting))
            hours = abs((one.seen_at - other.sighting.seen_at).total_seconds()) / 3600
            if (
                one.matter[:2] == other.sighting.matter[:2]
                and far <= min(reach.radius_m for reach in reaches) + sure
                and hours <= min(reach.hours for reach in reaches)
            ):
                slow.append(other)
        assert {x for x in near if within(one, x.sighting, SAMENESS)} == set(slow)
        assert rank(one, near, SAMENESS, 0) == rank(one, slow, SAMENESS, 0)
        some += len(slow)
    assert some > 400


def test_the_spatial_index_is_used(database_url: str) -> None:
    made = small_stream(6)
    with filled(database_url, made):
        pass
    values = store.boxes([duplicate_truth.sighting_of(made.reports[-1], MATTERS)], SAMENESS)

    async def explained() -> str:
        engine = open_engine(database_url, 1)
        async with connect(engine) as connection:
            rows = await connection.exec_driver_sql("SET enable_seqscan = on")
            assert rows is not None
            from sqlalchemy import text

            plan = await connection.execute(text(f"EXPLAIN {store.NEAR.text}"), values)
            found = "\n".join(str(row[0]) for row in plan)
        await engine.dispose()
        return found

    plan = asyncio.run(explained())
    assert "ix_case_file_geom" in plan, plan


# --- over HTTP -----------------------------------------------------------------------------------------------------

NEAR_BY = "\n[duplicates]\nradius_m = 60\nhours = 48\n\n[incidents]\nradius_m = 200\nhours = 2\ncases = 3\n"


@pytest.fixture(scope="module")
def address(
    postgis: Running, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    folder = write_small_district(tmp_path_factory.mktemp("duplicates") / "small")
    (folder / "district.toml").write_text(TOML + NEAR_BY, encoding="utf-8")
    with small_server(postgis, "duplicates", folder) as both:
        yield both


@pytest.fixture
def http(address: tuple[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address[1], timeout=30) as made:
        yield made


def draft(lon: float, lat: float, **more: object) -> Json:
    return {
        "lon": lon,
        "lat": lat,
        "accuracy_m": 8,
        "matter": "0101",
        "text": "桥头 12 号旁搭了铁皮棚，占了半边路",
        **more,
    }


def report(http: httpx.Client, body: Json) -> tuple[str, str]:
    answer = http.post("/api/reports", json={"id": str(uuid4()), **body})
    assert answer.status_code == 201, answer.text
    return answer.json()["case"], answer.json()["report"]


def offered(http: httpx.Client, path: str, body: Json | None = None) -> list[Json]:
    found = done(http.get(path) if body is None else http.post(path, json=body))
    items: list[Json] = found["items"]
    return items


def test_reported_nine_times_joined_and_all_answered(http: httpx.Client, address: tuple[str, str]) -> None:
    lead, first = report(http, draft(120.012, 30.012, contact={"name": "示意", "phone": "000"}))
    before = done(http.get("/api/counters"))["open"]
    again = draft(120.01208, 30.01204, text="铁皮棚占了半边路，桥头那里")
    (item,) = offered(http, "/api/reports/duplicates", again)
    assert item["case"] == lead
    assert item["score"] >= OFFER_AT
    assert item["distance_m"] == pytest.approx(GEOD.inv(120.012, 30.012, 120.01208, 30.01204)[2], abs=0.1)
    assert {"same_place", "same_matter", "same_words"} <= set(item["why"])
    assert "contact" not in item
    assert done(http.get("/api/counters"))["open"] == before, "asking keeps nothing"
    assert offered(http, "/api/reports/duplicates", draft(120.02, 30.012)) == []

    others = [report(http, {**again, "lon": 120.012 + i * 1e-5}) for i in range(3)]
    for case, _ in others:
        assert lead in {one["case"] for one in offered(http, f"/api/cases/{case}/duplicates")}
    listed = {one["case"]: one["items"] for one in offered(http, "/api/duplicates")}
    assert {case for case, _ in others} <= listed.keys()
    assert lead not in listed, "the oldest is what the others are the same as"

    # Into one another, and that into the first.
    done(do(http, others[0][0], "merge", into=others[1][0]))
    done(do(http, others[1][0], "merge", into=lead))
    assert offered(http, f"/api/cases/{others[0][0]}/duplicates") == [], "it is joined already"
    (item, other) = offered(http, "/api/reports/duplicates", again)
    assert {item["case"], other["case"]} == {lead, others[2][0]}, "what is merged is its leading case"
    done(do(http, others[2][0], "merge", into=lead))

    reporters = done(http.get(f"/api/cases/{lead}/reporters"))["items"]
    assert [one["report"] for one in reporters] == [first, *(r for _, r in others)]
    assert [one["has_contact"] for one in reporters] == [True, False, False, False]
    assert "phone" not in str(reporters)

    walk(http, lead, "accept", "arrive", "handle", "close")
    for case, told in [(lead, first), *others]:
        standing = done(http.get(f"/api/reports/{told}"))
        assert (standing["case"], standing["lead"], standing["state"], standing["over"]) == (case, lead, "closed", True)
        assert "已结案" in standing["zh"]
        assert ("并案" in standing["zh"]) == (case != lead)
    assert offered(http, "/api/reports/duplicates", again) == [], "it is closed"
    assert verified(address[0])[0]


def test_refused(http: httpx.Client) -> None:
    assert refused(http.get("/api/cases/none/duplicates")) == (404, "unknown_case")
    assert refused(http.get("/api/cases/none/reporters")) == (404, "unknown_case")
    assert refused(http.get(f"/api/reports/{uuid4()}")) == (404, "unknown_report")
    assert refused(http.post("/api/reports/duplicates", json=draft(0, 0))) == (422, "coordinates_zero")
    assert refused(http.get("/api/duplicates", params={"cursor": "x"})) == (422, "invalid_cursor")


def test_an_older_one_is_named_however_many_newer_are_nearer(http: httpx.Client) -> None:
    at = [report(http, draft(120.016 + i * 2e-5, 30.016))[0] for i in (3, 0, 0, 0, 0, 0, 0, 0)]
    listed = {one["case"]: [same["case"] for same in one["items"]] for one in offered(http, "/api/duplicates")}
    assert listed[at[1]] == [at[0]], "of seven that it may be the same as, one is older"


def test_the_queue_is_walked_page_by_page(http: httpx.Client) -> None:
    for i in range(3):
        opened(http, {"lon": 120.03 + i * 1e-5, "lat": 30.03})
    whole = {one["case"] for one in offered(http, "/api/duplicates")}
    pages, cursor = set[str](), None
    while True:
        page = done(http.get("/api/duplicates", params={"limit": 1, **({"cursor": cursor} if cursor else {})}))
        pages |= {one["case"] for one in page["items"]}
        if (cursor := page["next"]) is None:
            break
    assert pages == whole
    assert len(whole) >= 2


def test_a_burst_is_an_incident(http: httpx.Client) -> None:
    place = {"lon": 120.07, "lat": 30.07}
    cases = [opened(http, {"lon": 120.07 + i * 1e-3, "lat": 30.07}) for i in range(4)]
    found = [one for one in offered(http, "/api/incidents") if set(cases) & set(one["cases"])]
    assert [one["cases"] for one in found] == [cases]
    assert found[0]["open"] == 4
    ring = found[0]["outline"]["coordinates"][0]
    assert min(x for x, _ in ring) < place["lon"] < max(x for x, _ in ring)
    done(do(http, cases[1], "merge", into=cases[0]))
    done(do(http, cases[3], "cancel", note="示意"))
    assert not [one for one in offered(http, "/api/incidents") if set(cases) & set(one["cases"])], "two are no burst"


# --- the folder ----------------------------------------------------------------------------------------------------


def read(tmp_path: Path, toml: str) -> tuple[Any, list[Any]]:
    folder = write_small_district(tmp_path / "d")
    (folder / "district.toml").write_text(TOML + toml, encoding="utf-8")
    return district.read(folder)


def test_a_folder_may_say_what_is_near(tmp_path: Path) -> None:
    said, findings = read(
        tmp_path,
        "\n[duplicates]\nradius_m = 50\n[duplicates.of.01]\nhours = 5\n[duplicates.of.0101]\nradius_m = 200\n"
        "[incidents]\ncases = 9\n[incidents.of.01]\nradius_m = 1000\n",
    )
    assert not findings
    assert said.sameness.reach("0101") == Reach(200, Sameness().default.hours)
    assert said.sameness.reach("0199") == Reach(50, 5)
    assert said.sameness.reach("0999").radius_m == 50
    assert said.bursts.kind("0101") == ("01", said.bursts.of["01"])
    assert (said.bursts.of["01"].cases, said.bursts.of["01"].radius_m) == (9, 1000)
    assert said.bursts.kind("0901")[0] == "0901"


def test_a_folder_that_does_not_say_goes_by_the_usual(tmp_path: Path) -> None:
    said, findings = read(tmp_path, "")
    assert not findings
    assert said.sameness == Sameness()


@pytest.mark.parametrize(
    ("toml", "field"),
    [
        ("[duplicates]\nradius_m = -1", "duplicates.radius_m"),
        ('[duplicates]\nhours = "5"', "duplicates.hours"),
        ("[duplicates.of.0999]\nhours = 5", "duplicates.of.0999"),
        ("[duplicates]\nof = 3", "duplicates.of"),
        ("[incidents]\ncases = 1", "incidents.cases"),
        ("[incidents.of.01]\ncases = true", "incidents.of.01.cases"),
    ],
)
def test_what_is_wrong_there_is_named(tmp_path: Path, toml: str, field: str) -> None:
    _, findings = read(tmp_path, "\n" + toml + "\n")
    assert [(one.code, one.data["field"]) for one in findings] == [("bad_setting", field)]


# --- the measurement -----------------------------------------------------------------------------------------------


def test_the_made_stream_is_the_same_each_time_and_its_curve_is_one() -> None:
    made = small_stream(7)
    assert made == small_stream(7) != small_stream(8)
    asked = list(duplicate_truth.replayed(made, MATTERS, SAMENESS, 10_000))
    assert 0.2 < sum(one.is_repeat for one in asked) / len(asked) < 0.8
    points = duplicate_truth.curve(asked, SAMENESS, (0.05, 0.5, 0.95))
    assert [p.recall for p in points] == sorted((p.recall for p in points), reverse=True)
    assert points[-1].precision > points[0].precision
    weights = dict(zip(FEATURES, duplicate_truth.fit(asked, SAMENESS), strict=True))
    assert weights["since"] < 0 < weights["text"], "time speaks against, like words speak for it"
