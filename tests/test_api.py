"""The interface, asked over HTTP of a real server with a real PostGIS."""

from __future__ import annotations

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from PIL import Image

from geo.datum import Datum, from_wgs84


@pytest.fixture(scope="module")
def places(server: str) -> dict[str, tuple[float, float]]:
    """A point well inside one zone of each layer, as PostGIS sees it in what the server serves."""
    from shapely.geometry import shape

    found = {}
    for layer in ("township", "water", "joint"):
        zones = httpx.get(f"{server}/api/zones/{layer}", timeout=60).json()["features"]
        point = shape(max(zones, key=lambda z: z["properties"]["area_km2"])["geometry"]).representative_point()
        found[layer] = (point.x, point.y)
    return found


def report(place: tuple[float, float], matter: str, **more: object) -> dict[str, Any]:
    return {"id": str(uuid4()), "lon": place[0], "lat": place[1], "matter": matter, **more}


@pytest.fixture(scope="module")
def matters(server: str) -> dict[str, dict[str, Any]]:
    return {row["code"]: row for row in httpx.get(f"{server}/api/matters", timeout=60).json()["items"]}


@pytest.fixture(scope="module")
def on_water(matters: dict[str, dict[str, Any]]) -> str:
    return next(code for code, row in matters.items() if row["on_water"] and row["name"] == "非法捕捞")


def test_health_names_every_version(client: httpx.Client) -> None:
    body = client.get("/api/health").json()
    assert body["status"] == "ok"
    assert body["postgis"].startswith("3.")
    assert body["district"]["version"].startswith(body["district"]["code"] + "@")


def test_a_report_is_answered_whole_in_one_round_trip(client: httpx.Client, places: Any, on_water: str) -> None:
    sent = report(places["water"], on_water, accuracy_m=10, source="grid_worker", text="有船夜间捕鱼")
    answer = client.post("/api/reports", json=sent)
    assert answer.status_code == 201
    body = answer.json()
    assert body["report"] == sent["id"]
    assert body["team"]["kind"] == "water"
    assert body["filled"] == ["datum", "seen_at"]
    assert "water" in {zone["layer"] for zone in body["decision"]["zones"]}
    assert sum(c["chosen"] for c in body["decision"]["candidates"] if c["kind"] == "rule") == 1
    again = client.post("/api/reports", json=sent)
    assert (again.status_code, again.json()["case"]) == (200, body["case"])
    other = client.post("/api/reports", json={**sent, "text": "别的内容"})
    assert (other.status_code, other.json()["code"]) == (409, "report_conflicts")


def test_only_position_and_matter_are_needed(client: httpx.Client, places: Any, matters: Any) -> None:
    lon, lat = places["township"]
    body = client.post("/api/reports", json={"lon": lon, "lat": lat, "matter": next(iter(matters))}).json()
    assert body["filled"] == ["id", "datum", "accuracy_m", "seen_at", "source"]
    by_class = client.post("/api/reports", json={"lon": lon, "lat": lat, "matter": next(iter(matters))[:2]})
    assert by_class.status_code == 201


@pytest.mark.parametrize("datum", list(Datum))
def test_every_datum_lands_in_the_same_place(client: httpx.Client, places: Any, on_water: str, datum: Datum) -> None:
    lon, lat = (float(value) for value in from_wgs84(*places["water"], datum))
    body = client.post("/api/reports", json=report((lon, lat), on_water, datum=datum)).json()
    case = client.get(f"/api/cases/{body['case']}").json()
    assert case["lon"] == pytest.approx(places["water"][0], abs=2e-6)
    assert case["lat"] == pytest.approx(places["water"][1], abs=2e-6)


def bad(client: httpx.Client, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    answer = client.post("/api/reports", content=content, headers={"Content-Type": "application/json", **headers})
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()


def test_bad_positions_are_told_apart(client: httpx.Client, places: Any, matters: Any) -> None:
    matter = next(iter(matters))
    lon, lat = places["township"]
    codes = {
        "swapped": (lat, lon),
        "zero": (0, 0),
        "range": (500, 12),
        "far": (116.4, 39.9),
    }
    found = {name: bad(client, report(place, matter))[1]["code"] for name, place in codes.items()}
    assert found == {
        "swapped": "coordinates_swapped",
        "zero": "coordinates_zero",
        "range": "coordinates_out_of_range",
        "far": "outside_district",
    }
    text = json.dumps(report((lon, lat), matter)).replace(repr(lon), "NaN")
    assert bad(client, text)[1]["code"] == "invalid_input"


def test_outside_by_less_than_its_accuracy_is_snapped_and_more_is_refused(
    client: httpx.Client, server: str, matters: Any
) -> None:
    from shapely.geometry import shape

    outline = shape(httpx.get(f"{server}/api/zones/district", timeout=60).json()["features"][0]["geometry"])
    _, south, _, _ = outline.bounds
    lowest = min(outline.exterior.coords if hasattr(outline, "exterior") else [], key=lambda c: c[1])
    place = (lowest[0], south - 20 / 111_000)
    matter = next(iter(matters))
    body = client.post("/api/reports", json=report(place, matter, accuracy_m=50)).json()
    assert "snapped" in body["decision"]["notes"]
    assert 10 < body["decision"]["facts"]["snapped_m"] < 30
    why = client.get(f"/api/cases/{body['case']}/why").json()
    assert any("移至区界内" in step for step in why["zh"]["steps"])
    status, refused = bad(client, report(place, matter, accuracy_m=5))
    assert (status, refused["code"]) == (422, "outside_district")
    assert 10 < refused["where"]["distance_m"] < 30


def test_a_point_that_only_fits_as_gcj02_gets_a_hint(client: httpx.Client, server: str, matters: Any) -> None:
    from shapely.geometry import Point, shape

    outline = shape(httpx.get(f"{server}/api/zones/district", timeout=60).json()["features"][0]["geometry"])
    for lon, lat in outline.exterior.coords:
        shifted = tuple(float(value) for value in from_wgs84(lon - 0.0005, lat, Datum.GCJ02))
        if outline.contains(Point(lon - 0.0005, lat)) and outline.distance(Point(shifted)) > 0.002:
            break
    _, refused = bad(client, report(shifted, next(iter(matters)), accuracy_m=5))
    assert refused["where"]["reads_as"] == "gcj02"
    assert "gcj02" in refused["hint"]


def test_bad_times_matters_and_bodies(client: httpx.Client, places: Any, matters: Any) -> None:
    here, matter = places["township"], next(iter(matters))
    now = datetime.now(UTC)
    refused = {
        "seen_in_future": report(here, matter, seen_at=(now + timedelta(hours=1)).isoformat()),
        "seen_too_long_ago": report(here, matter, seen_at=(now - timedelta(days=3653)).isoformat()),
        "unknown_matter": report(here, "9999"),
        "unknown_photo": report(here, matter, photos=["0" * 64]),
    }
    for code, body in refused.items():
        assert bad(client, body)[1]["code"] == code
    for body in (
        report(here, matter, seen_at="2026-11-23T09:00:00"),
        {"lon": 1},
        [],
        "{",
        "",
        report(here, matter, x=1),
    ):
        assert bad(client, body)[1]["code"] == "invalid_input"
    english = bad(client, report(here, "9999"), **{"Accept-Language": "en"})[1]
    chinese = bad(client, report(here, "9999"))[1]
    assert english["title"].startswith("No matter")
    assert chinese["title"].startswith("清单中没有")


def test_the_same_report_from_many_at_once_is_one_case(client: httpx.Client, places: Any, matters: Any) -> None:
    sent = report(places["township"], next(iter(matters)))
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: client.post("/api/reports", json=sent), range(48)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert sum(answer.status_code == 201 for answer in answers) == 1
    assert len({answer.json()["case"] for answer in answers}) == 1


def test_no_unit_is_sent_to_two_cases(client: httpx.Client, places: Any, on_water: str, server_database: str) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: client.post("/api/reports", json=report(places["water"], on_water)).json(), range(32))
        )
    assert len({answer["case"] for answer in answers}) == 32
    units = [answer["unit"]["code"] for answer in answers if answer["unit"]]
    assert len(units) == len(set(units))
    waiting = [answer for answer in answers if answer["unit"] is None]
    assert waiting
    assert all("no_unit_free" in answer["decision"]["notes"] for answer in waiting)
    # One comes back; who accepts a case that waits is given it, and nobody else is.
    freed = next(answer for answer in answers if answer["unit"])
    assert order(client, freed["case"], "return", note="不在现场").json()["unit"] is None
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda answer: order(client, answer["case"], "accept").json()["unit"], waiting))
    assert [unit for unit in taken if unit] == [freed["unit"]["code"]]


def order(client: httpx.Client, case: str, action: str, **more: object) -> httpx.Response:
    return client.post(
        f"/api/cases/{case}/actions", json={"id": str(uuid4()), "action": action, "actor": "测试", **more}
    )


def test_a_case_from_report_to_close(client: httpx.Client, places: Any, matters: Any) -> None:
    body = client.post("/api/reports", json=report(places["township"], next(iter(matters)))).json()
    case = body["case"]
    refused = order(client, case, "close")
    assert (refused.status_code, refused.json()["code"]) == (409, "action_not_allowed")
    assert order(client, case, "return").json()["code"] == "action_needs"
    assert order(client, case, "return", note="不属于本队").json()["state"] == "returned"
    other = next(t["code"] for t in client.get("/api/teams").json()["items"] if t["code"] != body["team"]["code"])
    moved = order(client, case, "reassign", team=other, note="指挥中心改派").json()
    assert (moved["state"], moved["team"]) == ("assigned", other)
    assert order(client, case, "reassign", team="none", note="x").json()["code"] == "unknown_team"
    picture = io.BytesIO()
    Image.new("RGB", (60, 40), "green").save(picture, "PNG")
    sha256 = client.post("/api/photos", files={"file": ("done.png", picture.getvalue())}).json()["sha256"]
    for action, state in (("accept", "accepted"), ("arrive", "on_scene"), ("handle", "handled"), ("close", "closed")):
        photos = [sha256] if action == "handle" else []
        assert order(client, case, action, note="已处置", photos=photos).json()["state"] == state
    whole = client.get(f"/api/cases/{case}").json()
    assert [step["action"] for step in whole["history"]] == [
        "report", "return", "reassign", "accept", "arrive", "handle", "close",
    ]  # fmt: skip
    assert [step["prev"] for step in whole["history"][1:]] == [step["sealed"] for step in whole["history"][:-1]]
    assert [one["action"] for one in whole["actions"]] == ["reopen"]
    assert [step["photos"] for step in whole["history"] if step["action"] == "handle"] == [[sha256]]
    assert order(client, case, "reassign", team=other, note="x", photos=["0" * 64]).json()["code"] == "unknown_photo"


def test_an_action_is_done_once_and_a_late_one_is_told(client: httpx.Client, places: Any, matters: Any) -> None:
    case = client.post("/api/reports", json=report(places["township"], next(iter(matters)))).json()["case"]
    sent = {"id": str(uuid4()), "action": "accept", "actor": "甲", "seq": 1}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post(f"/api/cases/{case}/actions", json=sent), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(client.get(f"/api/cases/{case}").json()["history"]) == 2
    late = client.post(f"/api/cases/{case}/actions", json={**sent, "id": str(uuid4())}).json()
    assert late["code"] == "case_moved_on"
    assert "甲" in late["detail"]
    assert "甲" not in late["title"]
    clash = client.post(f"/api/cases/{case}/actions", json={**sent, "action": "arrive"})
    assert clash.json()["code"] == "action_conflicts"
    assert order(client, "nothing", "accept").status_code == 404


def test_lists_are_paged_and_filtered(client: httpx.Client, places: Any, on_water: str) -> None:
    for _ in range(7):
        client.post("/api/reports", json=report(places["water"], on_water))
    seen: list[str] = []
    cursor = None
    while True:
        page = client.get(
            "/api/cases", params={"limit": 3, "matter": on_water} | ({"cursor": cursor} if cursor else {})
        )
        seen += [row["case"] for row in page.json()["items"]]
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    whole = client.get("/api/cases", params={"limit": 1000, "matter": on_water}).json()["items"]
    assert seen == [row["case"] for row in whole]
    lon, lat = places["water"]
    box = f"{lon - 1e-4},{lat - 1e-4},{lon + 1e-4},{lat + 1e-4}"
    near = client.get("/api/cases", params={"bbox": box, "limit": 1000}).json()["items"]
    assert near
    assert all(abs(row["lon"] - lon) <= 1e-4 for row in near)
    assert client.get("/api/cases", params={"bbox": "nonsense"}).json()["code"] == "invalid_input"
    assert client.get("/api/cases", params={"cursor": "nonsense"}).json()["code"] == "invalid_cursor"
    assert client.get("/api/cases", params={"from": "2000-01-01", "to": "2000-01-02"}).json()["items"] == []
    assert client.get("/api/cases", params={"from": "someday"}).json()["code"] == "invalid_input"


class Following:
    """A client of the live stream, in a thread."""

    def __init__(self, url: str, **headers: str) -> None:
        self.events: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.kinds: list[str] = []
        self.ready = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(url, headers), daemon=True)
        self._thread.start()
        assert self.ready.wait(60)

    def _run(self, url: str, headers: dict[str, str]) -> None:
        # The session's server stops before this client does, and may do so in mid-stream.
        with (
            suppress(httpx.HTTPError),
            httpx.stream("GET", f"{url}/api/events", headers=headers, timeout=120) as response,
        ):
            kind = ""
            for line in response.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                    self.kinds.append(kind)
                elif name == "id":
                    self.ids.append(value)
                elif name == "data" and kind == "case":
                    self.events.append(json.loads(value))
                self.ready.set()
                if self._stop.is_set():
                    return

    def until(self, wanted: set[str]) -> None:
        for _ in range(1200):
            if wanted <= {event["case"]["case"] for event in self.events}:
                return
            threading.Event().wait(0.05)
        raise AssertionError(f"not told of {wanted - {event['case']['case'] for event in self.events}}")


@pytest.fixture
def following(server: str) -> Following:
    return Following(server)


def test_events_come_live_and_what_was_missed_comes_after(
    client: httpx.Client, server: str, following: Following, places: Any, matters: Any
) -> None:
    first = client.post("/api/reports", json=report(places["township"], next(iter(matters)), contact={"phone": "1"}))
    following.until({first.json()["case"]})
    assert following.kinds[0] == "hello"
    told = next(event for event in following.events if event["case"]["case"] == first.json()["case"])
    assert told["action"] == "report"
    assert "contact" not in json.dumps(told)
    came = following.ids[-1]
    missed = {
        client.post("/api/reports", json=report(places["township"], next(iter(matters)))).json()["case"]
        for _ in range(20)
    }
    back = Following(server, **{"Last-Event-ID": came})
    back.until(missed)
    assert Following(server, **{"Last-Event-ID": "nonsense"}).kinds[0] == "reset"


def test_zones_are_geojson_with_an_etag(client: httpx.Client) -> None:
    answer = client.get("/api/zones/water")
    assert answer.json()["type"] == "FeatureCollection"
    assert client.get("/api/zones/water", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    one = answer.json()["features"][0]
    lon, lat = one["geometry"]["coordinates"][0][0][:2] if one["geometry"]["type"] == "Polygon" else (0, 0)
    near = client.get("/api/zones/water", params={"bbox": f"{lon},{lat},{lon},{lat}"}).json()["features"]
    assert one["properties"]["code"] in {feature["properties"]["code"] for feature in near}
    assert client.get("/api/zones/nothing").json()["code"] == "unknown_layer"


def test_the_record_is_append_only(server_database: str, client: httpx.Client) -> None:
    with psycopg.connect(server_database.replace("+psycopg", ""), autocommit=True) as connection:
        for statement in ("UPDATE event SET actor = 'x'", "DELETE FROM event", "TRUNCATE event"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_what_cannot_be_stored_is_refused(client: httpx.Client, places: Any, matters: Any) -> None:
    sent = report(places["township"], next(iter(matters)), text="a\x00b")
    assert bad(client, sent)[0] == 422
    assert client.get("/api/cases", params={"team": "\x00"}).status_code == 422
    assert bad(client, b'{"text": "\xff"}')[1]["code"] in {"unreadable_body", "invalid_input"}


def test_a_note_with_nul_is_refused_and_the_stream_goes_on(
    client: httpx.Client, following: Following, places: Any, matters: Any
) -> None:
    case = client.post("/api/reports", json=report(places["township"], next(iter(matters)))).json()["case"]
    assert order(client, case, "accept", note="x\x00y").json()["code"] == "invalid_input"
    after = client.post("/api/reports", json=report(places["township"], next(iter(matters)))).json()["case"]
    following.until({case, after})


def test_a_handled_case_is_reassigned_though_its_unit_has_gone_on(
    client: httpx.Client, places: Any, matters: Any
) -> None:
    matter = next(iter(matters))
    team = client.post("/api/reports", json=report(places["township"], matter)).json()["team"]["code"]
    for row in client.get("/api/cases", params={"team": team, "open": True, "limit": 1000}).json()["items"]:
        if row["state"] in {"assigned", "accepted", "on_scene"}:
            order(client, row["case"], "return", note="清空")
    first = client.post("/api/reports", json=report(places["township"], matter)).json()
    for action in ("accept", "arrive", "handle"):
        order(client, first["case"], action, note="x")
    second = client.post("/api/reports", json=report(places["township"], matter)).json()
    assert second["unit"]["code"] == first["unit"]["code"]
    again = order(client, first["case"], "reassign", team=team, note="未处置干净").json()
    assert again["state"] == "assigned"
    assert again["unit"] != second["unit"]["code"]


def test_an_actions_id_is_no_reports_id(client: httpx.Client, places: Any, matters: Any) -> None:
    case = client.post("/api/reports", json=report(places["township"], next(iter(matters)))).json()["case"]
    taken = str(uuid4())
    assert order(client, case, "return", note="x", id=taken).status_code == 200
    clash = client.post("/api/reports", json={**report(places["township"], next(iter(matters))), "id": taken})
    assert (clash.status_code, clash.json()["code"]) == (409, "report_conflicts")


def test_an_id_of_another_database_is_told_to_start_over(server: str) -> None:
    assert Following(server, **{"Last-Event-ID": "999999999"}).kinds[0] == "reset"
    assert Following(server, **{"Last-Event-ID": "9" * 40}).kinds[0] == "reset"


def test_only_names_of_this_machine_are_served(client: httpx.Client) -> None:
    assert client.get("/api/health", headers={"Host": "elsewhere.example"}).status_code == 400
    assert client.get("/api/health", headers={"Host": "localhost:8000"}).status_code == 200
