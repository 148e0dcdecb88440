"""The same thing reported again, in a browser: told before it is sent, merged by one press, and many on the map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.console import PHONE, Open, act, desks, get, ready, report
from tests.web.test_field import choose

PIER = {"lon": 118.9051, "lat": 31.2832}
"""On 固城湖; each test has a place of its own."""
YARD = {"lon": 118.921, "lat": 31.352}
FLOOD = {"lon": 118.96, "lat": 31.38}

PATIENT = """(() => {
  const timeout = AbortSignal.timeout;
  AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms * 20);
})()"""
"""A page that asks first and sends unasked after seconds: on a busy machine the answer may take longer."""


@pytest.fixture
def desk(browser: Browser, server: str) -> Iterator[Open]:
    with desks(browser, server) as take:
        yield take


@pytest.fixture
def worker(browser: Browser, server: str) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        has_touch=True,
        is_mobile=True,
        locale="zh-CN",
        permissions=["geolocation"],
    )
    context.set_geolocation({"longitude": PIER["lon"], "latitude": PIER["lat"], "accuracy": 12})
    context.add_init_script(PATIENT)
    page = context.new_page()
    page.goto(f"{server}/field")
    yield page
    context.close()


def test_the_worker_is_told_before_it_is_sent_and_answered_after(worker: Page, server: str, artefacts: Path) -> None:
    lead = report(server, "两条船在下网", "2103", PIER)
    expect(worker.get_by_text("精度约 12 米")).to_be_visible()
    choose(worker, "2103", "有两条船下网")
    worker.locator(".send-bare").tap()
    offered = worker.locator(f'.same li[data-case="{lead}"]')
    expect(offered).to_contain_text("相距")
    expect(offered).to_contain_text("两条船在下网")
    worker.screenshot(path=artefacts / "same-1-told.png")
    worker.locator(".same .ghost").tap()
    expect(worker.locator("textarea")).to_have_value("有两条船下网")
    worker.locator(".send-bare").tap()
    offered.locator(".join").tap()
    expect(worker.locator(".sent-card.delivered .joined")).to_contain_text(lead)
    worker.screenshot(path=artefacts / "same-2-joined.png")
    reporters = get(server, f"/api/cases/{lead}/reporters")["items"]
    assert len(reporters) == 2
    own = reporters[1]["case"]
    assert get(server, f"/api/cases/{own}")["merged_into"] == lead

    for action in ("accept", "arrive", "handle", "close"):
        act(server, lead, action, note="已劝离")
    worker.locator('.tabs a[href="#sent"]').tap()
    record = worker.locator(".record").filter(has_text=own)
    expect(record.locator(".case-state")).to_have_text("已结案", timeout=90_000)
    expect(record.locator(".joined")).to_contain_text(lead)
    worker.screenshot(path=artefacts / "same-3-answered.png")


def test_another_is_sent_as_another_and_nobody_is_asked_without_a_network(worker: Page, server: str) -> None:
    lead = report(server, "有人撒网", "2103", PIER)
    expect(worker.get_by_text("精度约 12 米")).to_be_visible()
    choose(worker, "2103", "别处的船")
    worker.locator(".send-bare").tap()
    expect(worker.locator(f'.same li[data-case="{lead}"]')).to_be_visible()
    worker.locator(".same .another").tap()
    expect(worker.locator(".sent-card.delivered")).to_be_visible()
    expect(worker.locator(".joined")).to_have_count(0)
    worker.get_by_role("button", name="再报一件").tap()
    choose(worker, "2103", "没有信号")
    worker.context.set_offline(True)
    worker.locator(".send-bare").tap()
    expect(worker.locator(".sent-card.waiting")).to_be_visible()
    worker.context.set_offline(False)
    expect(worker.locator(".sent-card.delivered")).to_be_visible(timeout=90_000)
    assert len(get(server, f"/api/cases/{lead}/reporters")["items"]) == 1


def test_the_dispatcher_merges_by_one_press_or_says_it_is_not_the_same(
    desk: Open, server: str, artefacts: Path
) -> None:
    lead = report(server, "院门口搭了铁皮棚", "0101", YARD)
    again = report(server, "铁皮棚占了路", "0101", YARD)
    other = report(server, "院门口又搭一个", "0101", YARD)
    page = ready(desk(f"/#case={other}"))
    offered = page.locator(f'.duplicates li[data-case="{lead}"]')
    expect(offered).to_contain_text("事项相同")
    offered.locator(".apart").click()
    expect(offered).to_have_count(0)
    expect(page.locator(f'.duplicates li[data-case="{again}"]')).to_be_visible()

    page.evaluate("id => { location.hash = `#case=${id}`; }", again)
    expect(page.locator(".number")).to_contain_text(again)
    page.screenshot(path=artefacts / "same-4-offered.png")
    page.locator(f'.duplicates li[data-case="{lead}"] .join').click()
    expect(page.locator(".number")).to_contain_text(lead)
    assert get(server, f"/api/cases/{again}")["merged_into"] == lead
    expect(page.locator(".joined h3")).to_have_text(re.compile("^共 2 次上报"))
    expect(page.locator(f'.duplicates li[data-case="{other}"]')).to_have_count(0)
    page.screenshot(path=artefacts / "same-5-merged.png")


def test_many_close_together_have_a_place_of_their_own(desk: Open, server: str, artefacts: Path) -> None:
    places = [{"lon": FLOOD["lon"] + i * 4e-4, "lat": FLOOD["lat"]} for i in range(7)]
    cases = [report(server, f"积水 {i}", "0405", place) for i, place in enumerate(places[:6])]
    page = ready(desk())
    mark = page.locator(".incident-mark")
    expect(mark).to_have_text("6")
    cases.append(report(server, "又一处积水", "0405", places[6]))
    expect(mark).to_have_text("7")
    mark.click()
    box = page.locator(".incident-box")
    expect(box.locator("li")).to_have_count(7)
    page.screenshot(path=artefacts / "same-6-incident.png")
    box.get_by_role("button", name=cases[3]).click()
    expect(page.locator(".number")).to_contain_text(cases[3])
    act(server, cases[0], "cancel", note="误报")
    expect(mark).to_have_text("6")
