"""The page of what a new edition changes, opened in a real browser with the network off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from dispatch.comparison import compare
from dispatch.district import load
from dispatch.model import Past
from dispatch.replay import Replay
from tests.small_district import feature, square, write_features, write_small_district
from web.changes import CHANGED, page

WIDE, NARROW = (1920, 1080), (390, 844)


@pytest.fixture(params=[WIDE, NARROW], ids=["wall", "phone"])
def opened(request: pytest.FixtureRequest, chromium: str | None, tmp_path: Path) -> Iterator[Page]:
    """The page of two small editions and one case; nothing may be asked for, and nothing may go wrong."""
    old, new = write_small_district(tmp_path / "old"), write_small_district(tmp_path / "new")
    write_features(
        new / "townships.geojson",
        feature(square(120, 30, 120.06, 30.1), code="990001001", name="西<b>镇</b>{{ 7 * 7 }}", team="T1"),
        feature(square(120.06, 30, 120.1, 30.1), code="990001002", name="东镇", team="T2"),
    )
    comparison = compare(load(old), load(new))
    replay = Replay(comparison)
    replay.take([Past("C1", 120.055, 30.05, "0101", 10.0, "T2", comparison.old.version)])
    file = tmp_path / "page.html"
    file.write_text(page(comparison, replay), encoding="utf-8")
    width, height = request.param
    asked: list[str] = []
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        sheet = browser.new_page(viewport={"width": width, "height": height})
        sheet.on("request", lambda one: asked.append(one.url) if not one.url.startswith(("file:", "data:")) else None)
        sheet.on("console", lambda one: wrong.append(one.text) if one.type == "error" else None)
        sheet.on("pageerror", lambda error: wrong.append(str(error)))
        sheet.goto(file.as_uri())
        sheet.wait_for_selector(".leaflet-changed-pane path", state="attached")
        yield sheet
        browser.close()
    assert asked == []
    assert wrong == []


def test_the_page_says_and_shows_what_changed(opened: Page) -> None:
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    moves = opened.locator(".moves tbody tr").first.inner_text()
    assert "T2 东队" in moves
    assert "T1 西队" in moves
    assert "10.6" in moves, "km² of the strip"
    assert "西<b>镇</b>{{ 7 * 7 }}" in opened.locator(".panel").inner_text(), "text stays text"
    assert CHANGED in opened.locator(".leaflet-control-layers").inner_text()
    assert opened.locator(".leaflet-changed-pane path").count() == 1
    assert opened.locator(".leaflet-edges-pane path").count() == 2, "the old border and the new one"
    assert opened.locator(".leaflet-cases-pane path").count() == 1
    assert "1 / 1" in opened.locator(".facts").inner_text()


HEIGHT = "path => path.getBoundingClientRect().height"


def test_a_line_of_the_table_goes_to_its_place(opened: Page) -> None:
    opened.locator(".folium-map .leaflet-control-zoom-out").click()
    expect(opened.locator(".leaflet-zoom-anim")).to_have_count(0, timeout=30_000)
    path = opened.locator(".leaflet-changed-pane path").element_handle()
    before = path.evaluate(HEIGHT)
    opened.locator(".moves button").first.click()
    opened.wait_for_function(f"([path, before]) => ({HEIGHT})(path) > before", arg=[path, before])
