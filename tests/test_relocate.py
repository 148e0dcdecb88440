"""The place of an open case is corrected: decided again, both decisions kept, the record still holds."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from pyproj import Geod
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner

from dispatch import district
from dispatch.cli import app
from dispatch.database import Running
from dispatch.model import Past
from dispatch.replay import Answers
from dispatch.settings import Settings
from dispatch.store.past import past_cases
from tests.sample import ground, sample
from tests.serving import serving
from tests.test_editions import CUT, body, edition, grids, worker
from tests.test_outcomes import IN_WATER, OF_WATER, shore

Json = dict[str, Any]
WGS84 = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def url(postgis: Running) -> str:
    """A database for this file, to be looked at and tampered with at the end."""
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE relocated TEMPLATE onegrid")
    return postgis.url_of("relocated")


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    with serving(Settings(database_url=url)) as server, httpx.Client(base_url=server, timeout=30) as client:
        yield client


@pytest.fixture
def on_the_bank(http: httpx.Client) -> Json:
    """The answer to a report on the bank of the lake that is to be confirmed."""
    for lon, lat in shore(60):
        found = ground().weigh(lon, lat, 40, ground().locator.at(lon, lat), IN_WATER)
        if "confirm_place" in found.notes and len(found.outcomes) == 2:
            body = {"id": str(uuid4()), "lon": lon, "lat": lat, "accuracy_m": 40, "matter": IN_WATER}
            return sent(http.post("/api/reports", json=body), 201)
    raise AssertionError("no such place")


def sent(answer: httpx.Response, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    return body


def do(http: httpx.Client, case: str, action: str, **more: object) -> httpx.Response:
    order = {"id": str(uuid4()), "action": action, "actor": "测试", **more}
    return http.post(f"/api/cases/{case}/actions", json=order)


def at(outcome: Json) -> Json:
    return {"lon": outcome["lon"], "lat": outcome["lat"], "accuracy_m": min(5, outcome["clear_m"])}


def replayed(url: str, number: str) -> str | None:
    """The team that the edition in force names for the case, as it lies by now."""

    async def gathered() -> list[Past]:
        engine = create_async_engine(url)
        try:
            async with engine.connect() as connection:
                return [one async for batch in past_cases(connection) for one in batch]
        finally:
            await engine.dispose()

    [case] = [one for one in asyncio.run(gathered()) if one.case_no == number]
    answers = Answers(sample())
    return answers.weighed(case, answers.at_points([case])[0]).team


def verified(url: str) -> Json:
    result = CliRunner().invoke(app, ["audit", "verify", "--json"], env={"ONEGRID_DATABASE_URL": url})
    said: Json = json.loads(result.stdout)
    return said


def test_one_tap_settles_it(http: httpx.Client, on_the_bank: Json, url: str) -> None:
    number, decision = on_the_bank["case"], on_the_bank["decision"]
    assert "confirm_place" in decision["notes"]
    first, other = decision["outcomes"]
    assert on_the_bank["team"]["code"] == first["team"]
    assert first["share"] + other["share"] == pytest.approx(1, abs=1e-3)
    assert {first["team_name"], other["team_name"]} == {sample().teams[one["team"]].name for one in (first, other)}
    before = sent(http.get(f"/api/cases/{number}"))
    assert before["zones"], "a case on the bank lies somewhere"

    order = {"id": str(uuid4()), "action": "relocate", "actor": "网格员", **at(other)}
    case = sent(http.post(f"/api/cases/{number}/actions", json=order))
    assert (case["team"], case["state"], case["seq"]) == (other["team"], "assigned", 2)
    assert (case["lon"], case["lat"]) == (other["lon"], other["lat"])
    assert case["accuracy_m"] == order["accuracy_m"]
    assert "confirm_place" not in case["notes"]
    assert "relocated" in case["notes"]
    there = ground().locator.at(other["lon"], other["lat"])
    assert case["township"] == there["township"][0].code
    assert case["grid"] == there["grid"][0].code
    if case["unit"]:
        assert sample().units[case["unit"]].team == other["team"]
        assert case["eta_s"] > 0
    assert sent(http.post(f"/api/cases/{number}/actions", json=order)) == case, "the same tap twice is one"

    detail = sent(http.get(f"/api/cases/{number}"))
    assert (detail["report"]["given_lon"], detail["report"]["accuracy_m"]) == (before["lon"], 40), "a report stays"
    [opened, moved] = detail["history"]
    assert moved["was"] == {
        "lon": before["lon"],
        "lat": before["lat"],
        "accuracy_m": 40,
        "rule": first["rule"],
        "team": first["team"],
    }
    assert moved["place"] == {name: case[name] for name in ("lon", "lat", "accuracy_m")}
    assert opened["place"]["lon"] == before["lon"]
    assert detail["decision"]["rule"] == other["rule"]
    assert detail["decision"]["outcomes"] == []
    why = sent(http.get(f"/api/cases/{number}/why"))
    assert any("位置已更正" in step for step in why["zh"]["steps"])
    assert any("place was corrected" in step for step in why["en"]["steps"])
    assert any("半径" in step for step in why["zh"]["steps"])
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT data FROM event WHERE case_no = %s AND seq = 2", [number]).fetchone()
    assert row is not None
    assert row[0]["was"]["decision"]["outcomes"][0]["team"] == first["team"], "both decisions are sealed"
    assert row[0]["decision"]["team"] == other["team"]
    assert verified(url)["passed"]


def test_a_choice_is_no_measurement(http: httpx.Client, on_the_bank: Json, url: str) -> None:
    number, (first, other) = on_the_bank["case"], on_the_bank["decision"]["outcomes"]
    before = sent(http.get(f"/api/cases/{number}"))
    order = {"id": str(uuid4()), "action": "relocate", "actor": "网格员", "settles": other["team"]}
    case = sent(http.post(f"/api/cases/{number}/actions", json=order))
    assert case["team"] == other["team"]
    assert case["accuracy_m"] == before["accuracy_m"] == 40, "nobody measured anything"
    _, _, moved = WGS84.inv(before["lon"], before["lat"], case["lon"], case["lat"])
    _, _, middle = WGS84.inv(before["lon"], before["lat"], other["lon"], other["lat"])
    assert moved <= middle
    assert moved <= 40.1, "shown inside the circle that was reported"
    there = ground().locator.at(case["lon"], case["lat"])
    assert ground().table.team(there, IN_WATER) == other["team"], "and where that team is responsible"
    assert case["grid"] == there["grid"][0].code
    assert "settled_by_choice" in case["notes"]
    assert not {"confirm_place", "relocated"} & set(case["notes"])
    assert sent(http.post(f"/api/cases/{number}/actions", json=order)) == case, "the same tap twice is one"

    detail = sent(http.get(f"/api/cases/{number}"))
    decision = detail["decision"]
    assert [one["team"] for one in decision["outcomes"]] == [other["team"], first["team"]], "the chosen one first"
    assert detail["history"][-1]["was"]["team"] == first["team"]
    if case["unit"]:
        way = sent(http.get(f"/api/cases/{number}/way"))
        end = decision["target"] or {"lon": case["lon"], "lat": case["lat"]}
        assert way["geometry"]["coordinates"][-1] == pytest.approx([end["lon"], end["lat"]], abs=1e-6)
        assert way["properties"]["seconds"] == pytest.approx(case["eta_s"], abs=1)
    why = sent(http.get(f"/api/cases/{number}/why"))
    name, name_en = sample().teams[other["team"]].name, sample().teams[other["team"]].name_en
    assert any(f"由人工选定{name}" in step for step in why["zh"]["steps"])
    assert any(f"Somebody chose {name_en}" in step for step in why["en"]["steps"])
    assert any("并非实测" in step for step in why["zh"]["steps"])
    assert any("nobody measured" in step for step in why["en"]["steps"])
    assert verified(url)["passed"]
    assert replayed(url, number) == other["team"], "a replay says what was chosen"

    back = sent(do(http, number, "relocate", settles=first["team"]))
    assert back["team"] == first["team"], "who tapped the wrong one taps the other"
    _, _, moved = WGS84.inv(before["lon"], before["lat"], back["lon"], back["lat"])
    assert moved <= 40.1, "of the circle that was reported, not of one around the choice before"
    again = sent(do(http, number, "relocate", settles=other["team"]))
    assert (again["lon"], again["lat"]) == pytest.approx((case["lon"], case["lat"]), abs=1e-9)
    assert verified(url)["passed"]


def test_what_is_settled_already_is_not_chosen_once_more(http: httpx.Client, on_the_bank: Json) -> None:
    number, (first, other) = on_the_bank["case"], on_the_bank["decision"]["outcomes"]
    nobody = next(code for code in sample().teams if code not in (first["team"], other["team"]))
    refused = do(http, number, "relocate", settles=nobody)
    assert (refused.status_code, refused.json()["code"]) == (409, "unknown_outcome")
    both = do(http, number, "relocate", settles=other["team"], **at(other))
    assert both.status_code == 422
    sent(do(http, number, "relocate", **at(first)))
    late = do(http, number, "relocate", settles=other["team"])
    assert (late.status_code, late.json()["code"]) == (409, "unknown_outcome"), "a pin was put down meanwhile"


def test_why_says_what_the_shares_are(http: httpx.Client, on_the_bank: Json) -> None:
    why = sent(http.get(f"/api/cases/{on_the_bank['case']}/why"))
    for one in on_the_bank["decision"]["outcomes"]:
        team = sample().teams[one["team"]]
        assert any(f"{team.name} {one['share']:.1%}" in step for step in why["zh"]["steps"])
        assert any(f"{team.name_en} {one['share']:.1%}" in step for step in why["en"]["steps"])
    assert any("待确认" in step and "70.0%" in step for step in why["zh"]["steps"])


def test_a_tap_on_the_chosen_one_keeps_team_unit_and_state(http: httpx.Client, on_the_bank: Json) -> None:
    number, first = on_the_bank["case"], on_the_bank["decision"]["outcomes"][0]
    before = sent(do(http, number, "accept"))
    case = sent(do(http, number, "relocate", **at(first)))
    assert (case["team"], case["unit"], case["state"]) == (before["team"], before["unit"], "accepted")
    assert "confirm_place" not in case["notes"]
    if case["unit"]:
        decision = sent(http.get(f"/api/cases/{number}"))["decision"]
        [chosen] = [one for one in decision["candidates"] if one["kind"] == "unit" and one["chosen"]]
        assert (chosen["code"], chosen["reason"]) == (case["unit"], "on_it")
    on_scene = sent(do(http, number, "arrive"))
    assert on_scene["state"] == "on_scene"


def test_another_team_begins_again_wherever_the_first_one_was(http: httpx.Client, on_the_bank: Json, url: str) -> None:
    number, (first, other) = on_the_bank["case"], on_the_bank["decision"]["outcomes"]
    held = sent(do(http, number, "accept"))["unit"]
    do(http, number, "arrive")
    case = sent(do(http, number, "relocate", note="在水上", **at(other)))
    assert (case["team"], case["state"]) == (other["team"], "assigned")
    units = {unit["code"]: unit["case"] for unit in sent(http.get("/api/units?limit=1000"))["items"]}
    if held:
        assert units[held] != number, "the first unit is free again"
    if case["unit"]:
        assert units[case["unit"]] == number
    back = sent(do(http, number, "relocate", **at(first)))
    assert (back["team"], back["state"]) == (first["team"], "assigned")
    assert verified(url)["passed"]


def test_what_a_dispatcher_decided_by_hand_stays_unless_the_place_says_otherwise(
    http: httpx.Client, on_the_bank: Json
) -> None:
    number, (first, other) = on_the_bank["case"], on_the_bank["decision"]["outcomes"]
    by_hand = next(code for code in sample().teams if code not in (first["team"], other["team"]))
    do(http, number, "reassign", team=by_hand, note="商定").raise_for_status()
    case = sent(do(http, number, "relocate", **at(first)))
    assert case["team"] == by_hand
    assert "stays_reassigned" in case["notes"]
    assert sent(do(http, number, "relocate", **at(other)))["team"] == other["team"]


def test_a_returned_case_goes_out_again_from_its_new_place(http: httpx.Client, on_the_bank: Json) -> None:
    number, first = on_the_bank["case"], on_the_bank["decision"]["outcomes"][0]
    do(http, number, "return", note="不在本队辖区").raise_for_status()
    case = sent(do(http, number, "relocate", **at(first)))
    assert (case["team"], case["state"]) == (first["team"], "assigned")


def test_what_cannot_be(http: httpx.Client, on_the_bank: Json) -> None:
    number, first = on_the_bank["case"], on_the_bank["decision"]["outcomes"][0]
    without = do(http, number, "relocate")
    assert (without.status_code, without.json()["code"]) == (422, "action_needs")
    half = do(http, number, "relocate", lon=first["lon"])
    assert (half.status_code, half.json()["code"]) == (422, "action_needs")
    outside = do(http, number, "relocate", lon=116.4, lat=39.9)
    assert (outside.status_code, outside.json()["code"]) == (422, "outside_district")
    swapped = do(http, number, "relocate", lon=first["lat"], lat=first["lon"])
    assert (swapped.status_code, swapped.json()["code"]) == (422, "coordinates_swapped")
    late = do(http, number, "relocate", seq=9, **at(first))
    assert (late.status_code, late.json()["code"]) == (409, "case_moved_on")
    assert sent(http.get(f"/api/cases/{number}"))["seq"] == 1, "nothing was written"
    for action in ("accept", "arrive"):
        do(http, number, action).raise_for_status()
    do(http, number, "handle", note="已处置").raise_for_status()
    assert do(http, number, "relocate", **at(first)).json()["code"] == "action_not_allowed"


def test_an_edition_that_was_enacted_meanwhile_decides(database_url: str, tmp_path: Path) -> None:
    """Also where no call ever reached the worker: what it writes is checked."""
    before, after = (
        edition(tmp_path / name, name, CUT[side]) for name, side in (("before", "west"), ("after", "east"))
    )
    with worker(database_url, before) as address, httpx.Client(base_url=address, timeout=30) as http:
        opened = sent(http.post("/api/reports", json=body(lon=120.02)), 201)
        assert opened["team"]["code"] == "T1"
        grids(database_url, "load", after, "--from", (datetime.now(UTC) + timedelta(days=9)).isoformat())
        time.sleep(1)
        with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
            connection.execute(
                "INSERT INTO enactment (version, holds_from, enacted_at) VALUES (%s, now() - interval '1 day', now())",
                [district.load(after).version],
            )
        case = sent(do(http, opened["case"], "relocate", lon=120.065, lat=30.05, accuracy_m=5))
        decision = sent(http.get(f"/api/cases/{opened['case']}"))["decision"]
        assert (decision["version"], case["team"]) == (district.load(after).version, "T1")


def test_the_datum_of_a_pin_is_heard(http: httpx.Client, on_the_bank: Json) -> None:
    from geo.datum import Datum, from_wgs84

    number, other = on_the_bank["case"], on_the_bank["decision"]["outcomes"][1]
    lon, lat = from_wgs84(other["lon"], other["lat"], Datum.GCJ02)
    case = sent(do(http, number, "relocate", lon=float(lon), lat=float(lat), datum="gcj02", accuracy_m=0))
    assert case["lon"] == pytest.approx(other["lon"], abs=2e-7)
    assert case["team"] == other["team"]


def test_lists_have_the_case_where_it_is_now(http: httpx.Client, on_the_bank: Json) -> None:
    number, other = on_the_bank["case"], on_the_bank["decision"]["outcomes"][1]
    far = max(shore(60), key=lambda one: abs(one[0] - other["lon"]))
    box = f"{far[0] - 1e-3},{far[1] - 1e-3},{far[0] + 1e-3},{far[1] + 1e-3}"
    sent(do(http, number, "relocate", lon=far[0], lat=far[1], accuracy_m=1))
    listed = {case["case"]: case for case in sent(http.get(f"/api/cases?limit=1000&bbox={box}"))["items"]}
    assert listed[number]["grid"] == ground().locator.at(*far)["grid"][0].code
    places = http.get("/exports/heatmap.geojson", params={"matter": IN_WATER}).json()["features"]
    assert places
    told = sent(http.get(f"/api/cases/{number}"))["history"][-1]
    assert told["place"]["lon"] == pytest.approx(far[0])


def test_a_matter_of_water_is_not_asked_about(http: httpx.Client) -> None:
    for lon, lat in shore(60):
        found = ground().weigh(lon, lat, 40, ground().locator.at(lon, lat), OF_WATER)
        if found.notes == ("water_decides",):
            body = {"id": str(uuid4()), "lon": lon, "lat": lat, "accuracy_m": 40, "matter": OF_WATER}
            answer = sent(http.post("/api/reports", json=body), 201)
            assert answer["team"]["kind"] == "water"
            assert "water_decides" in answer["decision"]["notes"]
            assert "confirm_place" not in answer["decision"]["notes"]
            return
    raise AssertionError("no such place")


TAMPERING = {
    "back to the report's place": "UPDATE case_file c SET geom = r.geom FROM report r WHERE r.id = c.report_id",
    "accuracy": "UPDATE case_file c SET accuracy_m = 40",
    "township": "UPDATE case_file c SET township = '000'",
    "no longer to be confirmed": "UPDATE case_file c SET notes = '{}'",
}


@pytest.mark.parametrize("what", TAMPERING)
def test_whoever_moves_a_pin_past_the_record_is_found(
    http: httpx.Client, on_the_bank: Json, url: str, what: str
) -> None:
    number, other = on_the_bank["case"], on_the_bank["decision"]["outcomes"][1]
    sent(do(http, number, "relocate", **at(other)))
    assert verified(url)["passed"]
    clause = " AND " if "WHERE" in TAMPERING[what] else " WHERE "
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM case_file WHERE case_no = %s", [number])
        connection.execute(TAMPERING[what] + clause + "c.case_no = %s", [number])
        connection.commit()
        said = verified(url)
        connection.execute(
            "UPDATE case_file c SET geom = kept.geom, accuracy_m = kept.accuracy_m, township = kept.township, "
            "notes = kept.notes FROM kept WHERE kept.case_no = c.case_no"
        )
        connection.commit()
    assert not said["passed"]
    assert said["figures"]["broken"] == {"case": number, "seq": 2, "problem": "projection"}
    assert verified(url)["passed"]
