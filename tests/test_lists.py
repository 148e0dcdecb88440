"""Lists over HTTP: every walk of pages is the whole list, every filter what a slow reading of the list says."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Point, box
from shapely.geometry import shape

from tests.sample import ground, sample
from web.maplayers import MapLayers, ZoneFilter
from web.paging import cut, page_by_code, read_cursor

LISTS = ("teams", "units", "matters")
LAYERS = ("district", "township", "grid", "dedicated", "water", "joint", "roads", "bases")
SOME = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def items(client: httpx.Client, path: str, **params: Any) -> list[Any]:
    answer = client.get(f"/api/{path}", params=params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["features"] if path.startswith("zones/") else body["items"]


def walk(client: httpx.Client, path: str, limit: int, **params: Any) -> list[Any]:
    """All pages, one after another; none is longer than asked for, only the last may be shorter."""
    rows: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        body = client.get(f"/api/{path}", params={**params, "limit": limit, **cursor}).json()
        page = body["features"] if path.startswith("zones/") else body["items"]
        rows += page
        if body["next"] is None:
            assert len(page) <= limit
            return rows
        assert len(page) == limit
        cursor = {"cursor": body["next"]}


@SOME
@given(path=st.sampled_from(LISTS), limit=st.integers(1, 70))
def test_all_pages_are_the_whole_list(client: httpx.Client, path: str, limit: int) -> None:
    whole = items(client, path)
    assert len(whole) > 10
    assert walk(client, path, limit) == sorted(whole, key=lambda row: row["code"])


@SOME
@given(layer=st.sampled_from(LAYERS), share=st.floats(0.05, 1.2))
def test_all_pages_are_the_whole_layer(client: httpx.Client, layer: str, share: float) -> None:
    whole = items(client, f"zones/{layer}")
    pages = walk(client, f"zones/{layer}", max(1, min(1000, int(len(whole) * share))))
    assert sorted(map(json.dumps, pages)) == sorted(map(json.dumps, whole))


def test_a_page_of_a_layer_is_geojson_that_says_what_it_is(client: httpx.Client) -> None:
    answer = client.get("/api/zones/grid", params={"limit": 5})
    assert answer.headers["content-type"] == "application/geo+json"
    body = answer.json()
    assert body["type"] == "FeatureCollection"
    assert body["real"] is False
    assert body["label"]
    assert "next" not in client.get("/api/zones/grid").json()
    assert "etag" in client.get("/api/zones/grid").headers


@pytest.mark.parametrize("path", ["cases", *LISTS, "zones/grid"])
def test_a_cursor_that_is_none_of_this_list_is_refused(client: httpx.Client, path: str) -> None:
    def written(*parts: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()

    good = client.get("/api/zones/water", params={"limit": 1}).json()["next"]
    odd = ["x", "%00", "=", "0" * 400, "é", written(), written(path), written(path, 1, 2), written(path, "a", "b")]
    odd += [written(path, None), written(path, "2026-11-23T00:00:00", "1"), good, base64.b64encode(b"null").decode()]
    for cursor in odd:
        answer = client.get(f"/api/{path}", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor"), cursor
        assert answer.json()["where"] == {"field": "cursor"}
    for limit in ("0", "-1", "1001", "x"):
        assert client.get(f"/api/{path}", params={"limit": limit}).json()["code"] == "invalid_input"


CODES = st.sets(st.text("abc0", min_size=1, max_size=4), max_size=30)


@given(before=CODES, after=CODES, limit=st.integers(1, 10))
def test_what_stays_is_told_once_whatever_comes_and_goes(before: set[str], after: set[str], limit: int) -> None:
    first, cursor = page_by_code("things", before, limit, None, lambda code: code)
    told = list(first)
    while cursor is not None:
        page, cursor = page_by_code("things", after, limit, cursor, lambda code: code)
        told += page
    assert len(told) == len(set(told))
    assert told == sorted(told)
    stays = before & after if len(before) > limit else before
    assert stays <= set(told)


@given(st.lists(st.text(max_size=5), min_size=2, max_size=5), st.integers(1, 4))
def test_a_cursor_reads_back_as_it_was_written(key: list[str], limit: int) -> None:
    page, cursor = cut("rows", range(10), limit, lambda _: tuple(key))
    assert list(page) == list(range(limit))
    assert read_cursor("rows", len(key), cursor) == tuple(key)


def boxes(places: list[tuple[float, float]]) -> st.SearchStrategy[tuple[float, float, float, float]]:
    """Boxes of which some have a place on their very corner."""
    x, y = [lon for lon, _ in places], [lat for _, lat in places]
    lons = st.sampled_from(x) | st.floats(min(x), max(x))
    lats = st.sampled_from(y) | st.floats(min(y), max(y))
    corners = st.tuples(lons, lats, lons, lats)
    return corners.map(lambda c: (min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3])))


DISTRICT = sample()
BASES = [(base.lon, base.lat) for base in DISTRICT.bases.values()]


def joined(bounds: tuple[float, ...]) -> str:
    return ",".join(map(repr, bounds))


@SOME
@given(bounds=boxes(BASES), kind=st.sampled_from([None, "township", "water", "joint", "specialist"]))
def test_teams_are_filtered_as_a_slow_reading_says(client: httpx.Client, bounds: Any, kind: str | None) -> None:
    area = box(*bounds)
    slow = [
        team["code"]
        for team in items(client, "teams")
        if kind in (None, team["kind"]) and area.covers(Point(team["base"]["lon"], team["base"]["lat"]))
    ]
    found = items(client, "teams", bbox=joined(bounds), **({"kind": kind} if kind else {}))
    assert [team["code"] for team in found] == slow


def test_the_teams_of_a_matter_are_those_that_decide_somewhere(client: httpx.Client) -> None:
    """Asked of the table itself at a point of each zone, against the zones that hold it by shapely."""
    layers = [DISTRICT.layers[name] for name in ("township", "dedicated", "water", "joint")]
    points = [zone.geometry.representative_point() for layer in layers for zone in layer.zones]
    places = [{layer.name: [z for z in layer.zones if z.geometry.covers(at)] for layer in layers} for at in points]
    for matter in ("0101", "0110", "0501", "2101", "2103"):
        slow = {verdict.team for place in places for verdict in ground().table.decide(place, matter).verdicts}
        assert {team["code"] for team in items(client, "teams", matter=matter)} == slow, matter
    by_class = {team["code"] for team in items(client, "teams", matter="21")}
    each = [m["code"] for m in items(client, "matters", **{"class": "21"})]
    assert by_class == {team["code"] for code in each for team in items(client, "teams", matter=code)}
    assert client.get("/api/teams", params={"matter": "9999"}).json()["code"] == "unknown_matter"


@SOME
@given(
    bounds=boxes(BASES),
    mode=st.sampled_from([None, "vehicle", "boat"]),
    team=st.sampled_from([None, "nobody", *DISTRICT.teams]),
    free=st.sampled_from([None, True, False]),
)
def test_units_are_filtered_as_a_slow_reading_says(
    client: httpx.Client, bounds: Any, mode: str | None, team: str | None, free: bool | None
) -> None:
    area = box(*bounds)
    slow = [
        unit["code"]
        for unit in items(client, "units")
        if mode in (None, unit["mode"])
        and team in (None, unit["team"])
        and free in (None, unit["case"] is None)
        and area.covers(Point(unit["lon"], unit["lat"]))
    ]
    asked = {"mode": mode, "team": team, "free": free, "bbox": joined(bounds)}
    found = items(client, "units", **{name: value for name, value in asked.items() if value is not None})
    assert [unit["code"] for unit in found] == slow


def test_a_unit_on_a_case_is_not_free(client: httpx.Client) -> None:
    point = DISTRICT.layers["township"].zones[0].geometry.representative_point()
    sent = {"id": str(uuid4()), "lon": point.x, "lat": point.y, "matter": "0101"}
    answer = client.post("/api/reports", json=sent).json()
    busy = items(client, "units", free=False)
    assert all(unit["case"] for unit in busy)
    if answer["unit"]:
        assert answer["unit"]["code"] in {unit["code"] for unit in busy}
        assert answer["unit"]["code"] not in {unit["code"] for unit in items(client, "units", free=True)}


@SOME
@given(
    matter_class=st.sampled_from([None, "01", "21", "77"]),
    department=st.sampled_from([None, *DISTRICT.departments]),
    q=st.sampled_from([None, "垃圾", "  垃圾  暴露 ", "WATER", "010", "没有", "\x00"]),
)
def test_matters_are_filtered_as_a_slow_reading_says(
    client: httpx.Client, matter_class: str | None, department: str | None, q: str | None
) -> None:
    slow = [
        row["code"]
        for row in items(client, "matters")
        if matter_class in (None, row["class"])
        and department in (None, row["department"])
        and all(
            w.lower() in (row["code"] + " " + row["name"] + " " + row["name_en"]).lower() for w in (q or "").split()
        )
    ]
    asked = {"class": matter_class, "department": department, "q": q}
    found = items(client, "matters", **{name: value for name, value in asked.items() if value is not None})
    assert [row["code"] for row in found] == slow


MAP = MapLayers(DISTRICT)


@settings(max_examples=30, deadline=None)
@given(
    layer=st.sampled_from(("grid", "dedicated", "water", "joint", "roads", "bases")),
    bounds=st.none() | boxes(BASES),
    township=st.sampled_from([None, *(zone.code for zone in DISTRICT.layers["township"].zones)]),
    team=st.sampled_from([None, "T01", "W01"]),
)
def test_zones_are_filtered_as_a_slow_reading_says(
    layer: str, bounds: Any, township: str | None, team: str | None
) -> None:
    towns = {zone.code: zone.geometry for zone in DISTRICT.layers["township"].zones}
    slow = []
    for feature in json.loads(MAP.whole(layer)[0])["features"]:
        drawn = shape(feature["geometry"])
        inside = (
            township is None
            or drawn.within(towns[township])
            or (drawn.intersects(towns[township]) and not drawn.touches(towns[township]))
        )
        if (
            inside
            and (bounds is None or drawn.intersects(box(*bounds)))
            and team in (None, feature["properties"].get("team"))
        ):
            slow.append(feature)
    wanted = ZoneFilter(bounds, township, team)
    assert json.loads(MAP.filtered(layer, wanted))["features"] == slow
    paged = json.loads(MAP.page(layer, wanted, 100_000, None))["features"]
    assert sorted(map(json.dumps, paged)) == sorted(map(json.dumps, slow))


def test_every_grid_is_in_one_township(client: httpx.Client) -> None:
    found = [
        [zone["properties"]["code"] for zone in items(client, "zones/grid", township=town.code)]
        for town in DISTRICT.layers["township"].zones
    ]
    assert sorted(code for codes in found for code in codes) == [z.code for z in DISTRICT.layers["grid"].zones]
    assert client.get("/api/zones/grid", params={"township": "x"}).json()["code"] == "unknown_zone"
