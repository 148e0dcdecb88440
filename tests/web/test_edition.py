"""A new edition comes into force while the command centre is open: told, and loaded when the dispatcher says so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.test_editions import CUT, edition, grids, worker


def test_the_dispatcher_is_told_and_loads_it_at_a_word(database_url: str, tmp_path: Path, chromium: str | None) -> None:
    before = edition(tmp_path / "before", "before", CUT["west"])
    after = edition(tmp_path / "after", "after", CUT["east"])
    with worker(database_url, before) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
        page.goto(address)
        page.wait_for_function("() => window.__onegrid !== undefined")
        page.evaluate("() => window.__onegrid.ready")
        told = page.locator(".superseded")
        expect(told).to_have_count(0)
        with ThreadPoolExecutor(1) as elsewhere:  # a command has an event loop of its own, and so has this thread
            elsewhere.submit(grids, database_url, "load", after, "--from", datetime.now(UTC).isoformat()).result()
        expect(told).to_be_visible(timeout=60_000)
        expect(told).to_contain_text("新版次已生效")
        page.screenshot(path=tmp_path / "edition.png")
        with page.expect_navigation():
            told.get_by_role("button", name="载入新版").click()
        page.wait_for_function("() => window.__onegrid !== undefined")
        page.evaluate("() => window.__onegrid.ready")
        expect(told).to_have_count(0)
        browser.close()
