"""What the tests of the command centre share: pages that are watched, and what stands on them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
from playwright.sync_api import Browser, Locator, Page, Request, expect

WALL = {"width": 1920, "height": 1080}
DESK = {"width": 1366, "height": 768}
"""Drawn without a graphics card in a third of the time that the wall takes."""
PHONE = {"width": 390, "height": 844}
LAKE = {"lon": 118.905, "lat": 31.283}
"""On 固城湖, in the district that the tests serve."""
TOWN = {"lon": 118.9, "lat": 31.345}

Json = dict[str, Any]
Open = Callable[..., Page]

WATCH = """() => {
  window.__violations = [];
  document.addEventListener("securitypolicyviolation", (e) => window.__violations.push(e.blockedURI));
}"""
# Where an answer is awaited that says no, or none at all, the browser itself writes a line: that is no fault of ours.
AWAITED = "Failed to load resource"
CHINESE = re.compile(r"[一-鿿]")


def get(server: str, path: str) -> Json:
    found: Json = httpx.get(server + path, timeout=120).raise_for_status().json()
    return found


def report(server: str, text: str = "", matter: str = "0101", place: Mapping[str, float] = TOWN) -> str:
    """Number of a new case."""
    body = {"id": str(uuid4()), "matter": matter, "text": text, **place}
    return str(httpx.post(f"{server}/api/reports", json=body, timeout=120).raise_for_status().json()["case"])


def act(server: str, case: str, action: str, **more: str) -> None:
    body = {"id": str(uuid4()), "action": action, "actor": "一队", **more}
    httpx.post(f"{server}/api/cases/{case}/actions", json=body, timeout=120).raise_for_status()


def nothing_open(server: str) -> None:
    """Every unit is free, and nothing is there that a report could be the same as."""
    for case in get(server, "/api/cases?open=true&limit=1000")["items"]:
        for action in ("cancel", "close"):
            body = {"action": action, "note": "测试"}
            if httpx.post(f"{server}/api/cases/{case['case']}/actions", json=body, timeout=60).status_code == 200:
                break


WITHOUT_MAP = """(() => {
  const get = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
    return kind.startsWith("webgl") ? null : get.call(this, kind, ...more);
  };
})()"""
"""A browser that cannot draw the map, whose page is all the quicker: for tests that look at the case alone."""


def sit(page: Page, role: str, part: str = ".orders") -> None:
    """As whom one acts from now on, and what that role is offered is on the screen."""
    page.locator(f"{part} .seat select").select_option(role)
    settle(page)


def settle(page: Page) -> None:
    """What was just done is drawn: the store tells at the next frame."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def ready(page: Page) -> Page:
    """Lists read and shown, map standing, and what happens from now on is told."""
    page.evaluate("() => window.__onegrid.ready")
    expect(page.locator(".link.open")).to_be_attached()
    expect(counter(page, "open")).not_to_have_text("–")
    settle(page)
    return page


def becomes(page: Page, ask: Callable[[], object], wanted: object, within: float = 45) -> None:
    """Asks until the answer is the wanted one, for so many seconds: what no `expect` can ask."""
    limit = time.monotonic() + within
    while (found := ask()) != wanted and time.monotonic() < limit:
        page.wait_for_timeout(50)
    assert found == wanted


def whole(page: Page) -> Page:
    """All that comes after `ready` is there as well: every layer of the map."""
    ready(page)
    expect(page.locator(".layers li")).to_have_count(10)
    page.wait_for_function("() => performance.getEntriesByType('resource').some(e => e.name.endsWith('/zones/grid'))")
    return page


def drawn(page: Page, case: str, within: float = 60_000) -> float:
    """When the map first showed a case, in seconds since the epoch."""
    page.wait_for_function("id => window.__onegrid.drawn(id)", arg=case, timeout=within)
    return float(page.evaluate("id => window.__onegrid.drawn(id)", case)) / 1000


def one_day() -> None:
    """Midnight is not before the test is over: what is counted is of one day."""
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    left = (now.replace(hour=23, minute=59, second=59) - now).total_seconds()
    if left < 150:
        time.sleep(left + 2)


PACE = """() => {
  const began = performance.now();
  let sum = 0;
  for (let n = 0; n < 2e7; n++) sum = (sum * 31 + n) % 1000003;
  return sum < 0 ? 0 : performance.now() - began;
}"""
USUAL_PACE_MS = 200


def slower(page: Page) -> float:
    """How many times slower this machine is now than one that the promises of speed are made for; at least 1."""
    return max(1.0, float(page.evaluate(PACE)) / USUAL_PACE_MS)


def counter(page: Page, name: str) -> Locator:
    return page.locator(f".counter.{name} .figure")


def figure(page: Page, name: str) -> int:
    return int((counter(page, name).text_content() or "").replace(",", ""))


@contextmanager
def desks(browser: Browser, server: str) -> Iterator[Open]:
    """Opens the page on a desk or another screen; afterwards nothing may have gone wrong or gone outside."""
    contexts = []
    requests: list[Request] = []
    wrong: list[str] = []

    def take(
        tail: str = "/", base: str = server, screen: Json = DESK, awaited: str = "", script: str = "", **more: Any
    ) -> Page:
        context = browser.new_context(viewport=screen, locale="zh-CN", timezone_id="Asia/Shanghai", **more)  # type: ignore[arg-type]
        context.set_default_timeout(60_000)
        context.add_init_script(f"({WATCH})();{script}")
        context.on("request", lambda request: requests.append(request))  # noqa: PLW0108
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda said: (
                wrong.append(said.text)
                if said.type == "error" and not (awaited and said.text.startswith(awaited))
                else None
            ),
        )
        page.goto(base + tail)
        return page

    yield take
    violations = [one for context in contexts for page in context.pages for one in page.evaluate("window.__violations")]
    for context in contexts:
        context.close()
    outside = [one.url for one in requests if urlsplit(one.url).scheme not in ("blob", "data")]
    outside = [url for url in outside if urlsplit(url).hostname != "127.0.0.1"]
    assert (wrong, violations, outside) == ([], [], [])
