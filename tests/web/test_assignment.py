"""The command centre in a real browser: many who wait are planned for at once, and a part of the plan is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from dispatch.database import Running
from tests.sample import ground
from tests.waiting import wait
from tests.web.console import WALL, Open, act, desks, get, ready

UNITS = {
    "T01-V1": (118.881, 31.309),
    "T01-V2": (118.884, 31.359),
    "T01-V3": (118.915, 31.314),
    "T02-V1": (118.903, 31.394),
    "T02-V2": (118.854, 31.401),
}
CASES = [
    (118.929, 31.333),
    (118.934, 31.322),
    (118.887, 31.353),
    (118.915, 31.314),
    (118.862, 31.377),
    (118.901, 31.386),
]


@pytest.fixture
def desk(browser: Browser, server: str) -> Iterator[Open]:
    with desks(browser, server) as take:
        yield take


@pytest.fixture
def waiting(server: str, postgis: Running) -> list[str]:
    """Of the towns' teams, with units about that are free."""
    found = wait(
        postgis.url_of("pages_test_assignment"),
        ground(),
        [{"lon": lon, "lat": lat, "matter": "0101" if n % 2 else "0102"} for n, (lon, lat) in enumerate(CASES)],
        [50, 40, 30, 20, 10, 5],
    )
    for unit, (lon, lat) in UNITS.items():
        body = {"lon": lon, "lat": lat, "on_shift": True}
        httpx.put(f"{server}/api/units/{unit}/position", json=body, timeout=30).raise_for_status()
    return found


def test_a_plan_is_looked_at_and_accepted_in_part(desk: Open, server: str, waiting: list[str], artefacts: Path) -> None:
    plan = get(server, "/api/assignment")
    goes = {pair["case"]: pair["unit"] for pair in plan["pairs"]}
    assert len(goes) + len(plan["left"]) == len(waiting) == plan["waiting"]
    page = ready(desk(screen=WALL))
    expect(page.locator(".assign-all .long")).to_have_text(f"统筹派遣 {len(waiting)} 件")
    page.keyboard.press("a")
    panel = page.get_by_role("complementary", name="统筹派遣")
    rows = panel.locator(".pairs li:has(input)")
    expect(rows).to_have_count(len(goes))
    expect(panel.locator(".gain")).to_be_visible()
    rows.nth(1).hover()
    page.wait_for_timeout(600)  # for the picture alone: the map moves
    page.screenshot(path=artefacts / "assignment.png")

    kept, taken = plan["pairs"][0]["case"], plan["pairs"][1]
    rows.nth(0).get_by_role("checkbox").uncheck()
    act(server, taken["case"], "reassign", team=taken["team"], unit=taken["unit"], note="我去")
    expect(rows.nth(1).locator(".fate.moved")).to_be_visible()
    page.get_by_role("button", name=f"采用 {len(goes) - 2} 件").click()
    expect(panel.locator(".notice.done")).to_have_text(f"已派遣 {len(goes) - 2} 件。")
    expect(panel.locator("li.done")).to_have_count(len(goes) - 2)
    page.screenshot(path=artefacts / "assignment-accepted.png")
    for case, unit in goes.items():
        assert get(server, f"/api/cases/{case}")["unit"] == (None if case == kept else unit)

    rows.nth(0).get_by_role("button").click()
    expect(page.get_by_role("complementary", name="案件", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
