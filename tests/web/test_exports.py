"""The analysts' page in a real browser: what is chosen, seen beforehand, and taken away."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import geopandas as gpd
import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.web.console import one_day

LAKE = {"lon": 118.905, "lat": 31.283}
"""On 固城湖, in the district that the tests serve."""


@pytest.fixture
def desk(browser: Browser, server: str) -> Iterator[Page]:
    """The page on an analyst's screen, its preview drawn; three cases of today are there to be counted."""
    one_day()
    for _ in range(3):
        report = {"id": str(uuid4()), "matter": "2103", "text": "导出", **LAKE}
        httpx.post(f"{server}/api/reports", json=report, timeout=30).raise_for_status()
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN", accept_downloads=True)
    page = context.new_page()
    page.goto(f"{server}/exports")
    page.get_by_role("button", name="本月至今").click()
    yield page
    context.close()


def download(page: Page, suffix: str, folder: Path) -> Path:
    with page.expect_download(timeout=120_000) as started:
        page.locator(f'[data-format="{suffix}"]').click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    assert path.suffix == f".{suffix}"
    return path


def test_every_file_opens(desk: Page, tmp_path: Path, artefacts: Path) -> None:
    outside: list[str] = []
    here = urlsplit(desk.url).netloc
    desk.on("request", lambda r: outside.append(r.url) if urlsplit(r.url).netloc not in (here, "") else None)
    frame = desk.frame_locator("iframe")
    expect(frame.locator(".leaflet-container")).to_be_visible(timeout=120_000)
    desk.wait_for_timeout(500)  # for the picture alone
    desk.screenshot(path=artefacts / "exports-1-desk.png")

    html = download(desk, "html", tmp_path).read_text("utf-8")
    assert "leaflet" in html
    assert Image.open(download(desk, "png", tmp_path)).width > 800
    counted = json.loads(download(desk, "geojson", tmp_path).read_text("utf-8"))["features"]
    assert len(counted) > 100
    assert not gpd.read_file(download(desk, "gpkg", tmp_path), layer="grid_counts").empty
    with download(desk, "csv", tmp_path).open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))
    assert len(rows) > 100
    expect(desk.locator(".outcome.saved")).to_have_count(5)
    assert outside == []


def test_what_is_chosen_is_asked_for(desk: Page) -> None:
    expect(desk.locator("iframe")).to_be_visible(timeout=120_000)
    desk.get_by_label("事项").select_option("21")
    desk.get_by_label("队伍").select_option(index=1)
    expect(desk.locator("optgroup[label='水域'] option").first).to_be_attached(timeout=120_000)
    zone = desk.locator("optgroup[label='水域'] option").first.get_attribute("value")
    desk.get_by_label("范围").select_option(zone)
    with desk.expect_request("**/heatmap.csv?*") as asked:
        desk.locator('[data-format="csv"]').click()
    words = {key: value for key, [value] in parse_qs(urlsplit(asked.value.url).query).items()}
    assert words["matter"] == "21"
    assert words["zone"] == zone
    assert words["zone"].startswith("water:")
    # The whole of the last day, in the district's own time.
    zone_time = ZoneInfo("Asia/Shanghai")
    today = datetime.now(zone_time).replace(hour=0, minute=0, second=0, microsecond=0)
    assert datetime.fromisoformat(words["from"]).astimezone(zone_time) == today.replace(day=1)
    assert datetime.fromisoformat(words["to"]).astimezone(zone_time) == today + timedelta(days=1)


def test_what_cannot_be_is_said_plainly(desk: Page, artefacts: Path) -> None:
    expect(desk.locator("iframe")).to_be_visible(timeout=120_000)
    desk.get_by_label("起").fill("2026-11-02")
    desk.get_by_label("止").fill("2026-11-01")
    expect(desk.get_by_text("结束日期早于开始日期")).to_be_visible()
    expect(desk.locator('[data-format="csv"]')).to_be_disabled()
    desk.get_by_role("button", name="上个月").click()
    desk.context.set_offline(True)
    desk.locator('[data-format="csv"]').click()
    expect(desk.locator(".outcome.refused")).to_contain_text("连不上服务器")
    expect(desk.locator(".over .wrong")).to_contain_text("连不上服务器")
    desk.screenshot(path=artefacts / "exports-2-no-network.png")
    desk.context.set_offline(False)
    desk.locator(".over").get_by_role("button", name="重试").click()
    expect(desk.frame_locator("iframe").locator(".leaflet-container")).to_be_visible(timeout=120_000)


def test_the_servers_own_reason_is_shown(desk: Page) -> None:
    problem = {"code": "unknown_zone", "status": 422, "detail": "没有这个范围。", "hint": "请重新选择。"}
    desk.route(
        "**/heatmap.png?*",
        lambda route: route.fulfill(status=422, content_type="application/problem+json", body=json.dumps(problem)),
    )
    desk.locator('[data-format="png"]').click()
    expect(desk.locator(".outcome.refused")).to_have_text("没有成功：没有这个范围。 请重新选择。")


def test_on_a_phone_and_in_english(browser: Browser, server: str, artefacts: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(f"{server}/exports?lang=en")
    expect(page.get_by_role("heading", name="Heatmaps and counts to take away")).to_be_visible()
    expect(page.get_by_text("works without a network")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.screenshot(path=artefacts / "exports-3-phone.png")
    context.close()
