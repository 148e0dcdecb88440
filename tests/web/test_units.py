"""The command centre in a real browser: units that move are seen to move, without anybody asking."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.console import TOWN, WALL, Open, desks, get, ready, report


@pytest.fixture
def desk(browser: Browser, server: str) -> Iterator[Open]:
    with desks(browser, server) as take:
        yield take


def move(server: str, unit: str, lon: float, lat: float = TOWN["lat"]) -> None:
    body = {"lon": lon, "lat": lat}
    httpx.put(f"{server}/api/units/{unit}/position", json=body, timeout=30).raise_for_status()


def is_at(page: Page, unit: str, lon: float, within: float = 60_000) -> None:
    page.wait_for_function(
        "([unit, lon]) => window.__onegrid.where(unit)?.lon === lon", arg=[unit, lon], timeout=within
    )


def test_units_are_seen_to_move_and_a_report_goes_to_the_nearest(desk: Open, server: str, artefacts: Path) -> None:
    asked: list[str] = []
    page = ready(desk(screen=WALL))
    page.on("request", lambda request: asked.append(request.url))
    units = [unit["code"] for unit in get(server, "/api/units?mode=vehicle&team=T01")["items"]]
    began = time.monotonic()
    for n, unit in enumerate(units):
        move(server, unit, round(118.87 + n / 100, 3))
    for n, unit in enumerate(units):
        is_at(page, unit, round(118.87 + n / 100, 3))
    print(f"moved and seen after {time.monotonic() - began:.2f} s")
    assert [url for url in asked if "/api/units" in url] == []
    near = units[-1]
    move(server, near, TOWN["lon"])
    is_at(page, near, TOWN["lon"])
    case = report(server, "近处的单元", place=TOWN)
    assert get(server, f"/api/cases/{case}")["unit"] == near
    page.goto(f"{server}/#case={case}")
    expect(page.get_by_text("按当前位置").first).to_be_visible()
    expect(page.get_by_text("从刚才所在位置出发").first).to_be_visible()
    page.screenshot(path=artefacts / "units.png")


def test_after_a_cut_line_units_are_where_they_are_now(desk: Open, server: str) -> None:
    page = ready(desk(awaited="Failed to load resource"))
    unit = get(server, "/api/units?mode=vehicle&team=T02")["items"][0]["code"]
    move(server, unit, 118.91)
    is_at(page, unit, 118.91)
    page.context.set_offline(True)
    for lon in (118.911, 118.912, 118.913):
        move(server, unit, lon)
    page.context.set_offline(False)
    is_at(page, unit, 118.913, within=90_000)
