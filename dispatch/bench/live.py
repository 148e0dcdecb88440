"""From POST to the marker on an open map, with many open cases, in a real browser."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import httpx

from dispatch.bench import Result, Tell
from dispatch.bench.points import bodies, inside, matters
from dispatch.bench.serving import private_postgis, server
from dispatch.ground import Ground

BAR_MS: Final = 300.0
CASES: Final = 5000
PER_S: Final = 20
SECONDS: Final = 30
SETTLE_S: Final = 5.0
"""How long the last markers are waited for."""
SENDERS: Final = 8


class PlaywrightMissing(RuntimeError):
    """Playwright is a development dependency and is not installed: uv pip install playwright."""


def run(ground: Ground, district: Path, tell: Tell, cases: int = CASES, seconds: float = SECONDS) -> Result:
    """Open the command centre on `cases` open cases, send reports, ask the page when each was drawn."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise PlaywrightMissing(str(PlaywrightMissing.__doc__)) from error

    with private_postgis() as postgis, server("real", postgis.url, district) as port:
        url = f"http://127.0.0.1:{port}"
        tell(f"{cases} open cases first")
        _fill(ground, url, cases)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_chromium())
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            began = time.perf_counter()
            page.goto(url)
            page.wait_for_function("() => window.__onegrid !== undefined")
            page.evaluate("() => window.__onegrid.ready")
            ready_s = time.perf_counter() - began
            page.wait_for_timeout(3000)
            tell(f"the map stands after {ready_s:.1f} s; {PER_S} reports a second for {seconds:g} s")
            sent = _send(ground, url, seconds, page.wait_for_timeout)
            page.wait_for_timeout(SETTLE_S * 1000)
            drawn = page.evaluate("cases => cases.map(one => window.__onegrid.drawn(one) ?? null)", list(sent))
            browser.close()
    shown = [at - sent[case] for case, at in zip(sent, drawn, strict=True) if at is not None]
    missing = len(sent) - len(shown)
    middle = median(shown) if shown else float("inf")
    return Result(
        "bench live",
        middle < BAR_MS and missing == 0 and len(sent) == round(PER_S * seconds),
        {
            "median_ms": round(middle, 1) if shown else None,
            "bar_ms": BAR_MS,
            "p95_ms": round(quantiles(shown, n=20)[18], 1) if len(shown) > 1 else None,
            "max_ms": round(max(shown), 1) if shown else None,
            "sent": len(sent),
            "not_drawn": missing,
            "reports_per_s": PER_S,
            "open_cases_before": cases,
            "grids": len(ground.locator.layers["grid"].zones) if "grid" in ground.locator.layers else 0,
            "page_ready_s": round(ready_s, 2),
        },
    )


def _chromium() -> str | None:
    named = os.environ.get("ONEGRID_CHROMIUM")
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return named or next((path for path in found if path), None)


def _fill(ground: Ground, url: str, count: int) -> None:
    lon, lat = inside(ground, count, seed=3)
    codes = list(ground.district.matters)
    chosen = matters(ground, count, seed=4)
    lines = [f"{x:.7f},{y:.7f},{codes[m]}" for x, y, m in zip(lon, lat, chosen.tolist(), strict=True)]
    text = "lon,lat,matter\n" + "\n".join(lines) + "\n"
    answer = httpx.post(
        f"{url}/api/reports/batch", content=text.encode(), headers={"Content-Type": "text/csv"}, timeout=1200
    )
    answer.raise_for_status()
    if answer.json()["accepted"] != count:
        raise RuntimeError(f"only {answer.json()['accepted']} of {count} cases were opened")


def _send(ground: Ground, url: str, seconds: float, wait_ms: Callable[[float], Any]) -> dict[str, float]:
    """Case -> when its report began to be sent (milliseconds since the epoch). `wait_ms` lets the browser live."""
    some = bodies(ground, round(PER_S * seconds), seed=5)
    with httpx.Client(base_url=url, timeout=30) as client, ThreadPoolExecutor(SENDERS) as pool:

        def post(body: bytes) -> tuple[str, float]:
            began = time.time() * 1000
            answer = client.post("/api/reports", content=body, headers={"Content-Type": "application/json"})
            answer.raise_for_status()
            return json.loads(answer.content)["case"], began

        start = time.monotonic()
        sending: list[Future[tuple[str, float]]] = []
        for number, body in enumerate(some):
            late = start + number / PER_S - time.monotonic()
            if late > 0:
                wait_ms(late * 1000)
            sending.append(pool.submit(post, body))
        return dict(one.result() for one in sending)
