"""The way of a case's unit, asked of a real server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from shapely.geometry import shape

from dispatch.database import Running
from dispatch.settings import Settings
from tests.sample import ground
from tests.serving import serving
from tests.test_outcomes import OF_WATER, shore


@pytest.fixture(scope="module")
def client(postgis: Running) -> Iterator[httpx.Client]:
    """Of a server of its own: its boats are at nobody else's cases."""
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE ways TEMPLATE onegrid")
    with serving(Settings(database_url=postgis.url_of("ways"))) as url, httpx.Client(base_url=url, timeout=30) as made:
        yield made


def reported(client: httpx.Client, mode: str) -> dict[str, Any]:
    """A case whose unit goes by the mode."""
    matters = {row["code"]: row for row in client.get("/api/matters").json()["items"]}
    layer = "water" if mode == "boat" else "township"
    zones = client.get(f"/api/zones/{layer}").json()["features"]
    for zone in sorted(zones, key=lambda one: -one["properties"]["area_km2"]):
        point = shape(zone["geometry"]).representative_point()
        matter = next(code for code, row in matters.items() if row["on_water"] == (mode == "boat"))
        sent = {"id": str(uuid4()), "lon": point.x, "lat": point.y, "matter": matter, "accuracy_m": 5}
        body: dict[str, Any] = client.post("/api/reports", json=sent).json()
        if body["unit"] and body["unit"]["mode"] == mode:
            return body | {"lon": point.x, "lat": point.y}
    raise AssertionError(f"no unit goes by {mode}")


@pytest.mark.parametrize("mode", ["vehicle", "boat"])
def test_the_way_leads_from_the_base_to_the_case(client: httpx.Client, mode: str) -> None:
    case = reported(client, mode)
    answer = client.get(f"/api/cases/{case['case']}/way")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/geo+json")
    way = answer.json()
    told = way["properties"]
    assert (told["case"], told["unit"], told["mode"], told["seen_at"]) == (
        case["case"],
        case["unit"]["code"],
        mode,
        None,
    )
    assert told["seconds"] == pytest.approx(case["unit"]["eta_s"], abs=1)
    assert told["metres"] == pytest.approx(case["unit"]["distance_m"], abs=1)
    base = ground().district.bases[case["unit"]["base"]]
    line = way["geometry"]["coordinates"]
    assert line[0] == pytest.approx([base.lon, base.lat], abs=1e-6)
    assert line[-1] == pytest.approx([case["lon"], case["lat"]], abs=1e-6)
    assert len(line) > 2


def test_it_begins_where_the_unit_is_now(client: httpx.Client) -> None:
    case = reported(client, "vehicle")
    unit = case["unit"]["code"]
    here = client.get("/api/teams").json()["items"][0]["base"]
    # Stale in a few seconds: other tests count it from its base.
    then = datetime.now(UTC) - timedelta(seconds=280)
    position = {"lon": here["lon"], "lat": here["lat"], "accuracy_m": 5, "at": then.isoformat()}
    assert client.put(f"/api/units/{unit}/position", json=position).status_code == 200
    way = client.get(f"/api/cases/{case['case']}/way").json()
    assert way["properties"]["seen_at"] is not None
    assert way["geometry"]["coordinates"][0] == pytest.approx([here["lon"], here["lat"]], abs=1e-6)


@pytest.fixture
def from_the_bank(client: httpx.Client) -> dict[str, Any]:
    """A matter of water that was reported from the bank: a boat goes to the water of the circle."""
    for lon, lat in shore(200, 2e-4):
        found = ground().weigh(lon, lat, 40, ground().locator.at(lon, lat), OF_WATER)
        if "water_decides" not in found.notes:
            continue
        sent = {"id": str(uuid4()), "lon": lon, "lat": lat, "accuracy_m": 40, "matter": OF_WATER}
        case: dict[str, Any] = client.post("/api/reports", json=sent).json()
        if case["unit"] and case["unit"]["mode"] == "boat":
            return case | {"lon": lon, "lat": lat}
    raise AssertionError("no boat goes to the bank")


def test_the_way_ends_where_the_eta_was_counted_to(client: httpx.Client, from_the_bank: dict[str, Any]) -> None:
    water = from_the_bank["decision"]["outcomes"][0]
    target = from_the_bank["decision"]["target"]
    assert target == {"lon": water["lon"], "lat": water["lat"]}
    assert ground().locator.at(target["lon"], target["lat"])["water"]
    way = client.get(f"/api/cases/{from_the_bank['case']}/way").json()
    assert way["geometry"]["coordinates"][-1] == pytest.approx([target["lon"], target["lat"]], abs=1e-6)
    assert way["properties"]["seconds"] == pytest.approx(from_the_bank["unit"]["eta_s"], abs=1)
    assert client.get(f"/api/cases/{from_the_bank['case']}").json()["lon"] == pytest.approx(from_the_bank["lon"])


def test_who_takes_the_case_later_goes_there_too(client: httpx.Client, from_the_bank: dict[str, Any]) -> None:
    number = from_the_bank["case"]

    def do(action: str, **more: str) -> dict[str, Any]:
        order = {"id": str(uuid4()), "action": action, "actor": "测试", **more}
        answer = client.post(f"/api/cases/{number}/actions", json=order)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    do("return", note="换人")
    again = do("reassign", team=from_the_bank["team"]["code"], note="还是本队")
    assert again["unit"]
    way = client.get(f"/api/cases/{number}/way").json()
    target = from_the_bank["decision"]["target"]
    assert way["geometry"]["coordinates"][-1] == pytest.approx([target["lon"], target["lat"]], abs=1e-6)
    assert way["properties"]["seconds"] == pytest.approx(again["eta_s"], abs=1)
    ashore = from_the_bank["decision"]["outcomes"][1]
    land = do("reassign", team=ashore["team"], note="在岸上")
    if land["unit"]:
        way = client.get(f"/api/cases/{number}/way").json()
        end = way["geometry"]["coordinates"][-1]
        assert end == pytest.approx([ashore["lon"], ashore["lat"]], abs=1e-6), "to its own part of the circle"
        assert way["properties"]["seconds"] == pytest.approx(land["eta_s"], abs=1)


def test_a_case_that_is_not_there(client: httpx.Client) -> None:
    answer = client.get("/api/cases/3201180000000000000/way")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_case")
