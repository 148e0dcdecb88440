"""The page, opened in a real browser with the network off."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Route, expect, sync_playwright

from dispatch.district import load
from dispatch.errors import PageNotBuilt
from tests.analyst import SAMPLE, cases_at, november, small_district, some_cases
from web import maps, offline
from web.legend import count_classes, density_levels
from web.maps import page
from web.tally import tally

ARTEFACTS = Path(__file__).parent / "artefacts"
LAYERS = [
    "水域 Waters",
    "案件数 Counts",
    "核密度 Kernel density",
    "热力 Heat",
    "冷热点 Hot and cold spots",
    "网格线 Grid lines",
]


@pytest.fixture(scope="module")
def browser(chromium: str | None) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


DRAWN = """async () => {
  await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
}"""
"""What stands on the page is drawn: the heat is, in the frame after it was put there."""


@dataclass
class Opened:
    """A page, and all it complained of and asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def on_route(self, route: Route, request: Request) -> None:
        if request.url.startswith("file:"):
            route.continue_()
        else:
            self.requests.append(request.url)
            route.abort()

    def canvas_pixels(self) -> int:
        """Pixels of the heat canvas that are not clear."""
        return int(
            self.page.evaluate(
                """() => { const c = document.querySelector('canvas.leaflet-heatmap-layer');
                           const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
                           let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n; }"""
            )
        )

    def point_at(self, what: Locator) -> tuple[float, float]:
        """Move the pointer to the middle of something; where that is."""
        box = what.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        return x, y

    def legends(self) -> list[str]:
        return [
            str(name)
            for name in self.page.eval_on_selector_all(".legend:not([hidden])", "l => l.map(x => x.dataset.layer)")
        ]


Opener = Callable[[str], Opened]


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Opens a page's text offline; afterwards, whatever it did, it must not have asked for anything or complained."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    context.set_offline(True)
    all_opened: list[Opened] = []

    def opened(html: str) -> Opened:
        path = tmp_path / f"page{len(all_opened)}.html"
        path.write_text(html, "utf-8")
        one = Opened(context.new_page())
        one.page.on("console", one.on_console)
        one.page.on("pageerror", lambda error: one.complaints.append(str(error)))
        one.page.route("**/*", one.on_route)
        one.page.goto(path.as_uri())
        one.page.wait_for_selector("canvas.leaflet-heatmap-layer", state="attached")
        one.page.evaluate(DRAWN)
        all_opened.append(one)
        return one

    yield opened
    for one in all_opened:
        assert one.requests == []
        assert one.complaints == []
    context.close()


@cache
def _page(n: int, **chosen: str | bool) -> str:
    district = small_district()
    return page(tally(some_cases(district, n), district, november(**chosen)))


def test_the_page_draws_offline(open_page: Opener) -> None:
    opened = open_page(_page(400))
    ARTEFACTS.mkdir(exist_ok=True)
    opened.page.screenshot(path=ARTEFACTS / "heatmap.png")
    assert opened.canvas_pixels() > 5000
    assert opened.page.locator("h1").inner_text() == "试验区案件热力图"
    assert "400 件" in opened.page.locator(".facts").inner_text()
    assert "示意" in opened.page.locator(".warning").inner_text()
    labels = opened.page.locator(".leaflet-control-layers-overlays label").all_inner_texts()
    assert [label.strip() for label in labels] == LAYERS
    assert opened.page.locator(".leaflet-grid-pane path").count() == 96
    assert opened.page.locator(".place.township").count() == 2

    # Legends follow the layers.
    assert opened.legends() == ["热力 Heat", "冷热点 Hot and cold spots"]
    boxes = opened.page.locator(".leaflet-control-layers-overlays input")
    for name in ("热力 Heat", "案件数 Counts", "核密度 Kernel density"):
        boxes.nth(LAYERS.index(name)).click()
    assert opened.legends() == ["核密度 Kernel density", "案件数 Counts", "冷热点 Hot and cold spots"]
    assert opened.page.locator("canvas.leaflet-heatmap-layer").count() == 0
    coloured = opened.page.locator(".leaflet-counts-pane path").count()
    district = small_district()
    assert coloured == (tally(some_cases(district, 400), district, november()).counts.count > 0).sum()
    drawn = opened.page.locator(".leaflet-density-pane img")
    opened.page.evaluate(DRAWN)
    assert drawn.evaluate("image => image.complete && image.naturalWidth") == 720


def test_the_page_answers_the_pointer(open_page: Opener) -> None:
    opened = open_page(_page(400))
    district = small_district()
    found = tally(some_cases(district, 400), district, november())
    cell = opened.page.locator(".leaflet-grid-pane path").nth(26)
    before = opened.point_at(cell)
    expect(opened.page.locator(".leaflet-tooltip")).to_contain_text("G026", timeout=30_000)
    said = opened.page.locator(".leaflet-tooltip").inner_text()
    assert "东镇" in said
    assert re.search(rf"案件 Cases\s+{found.counts.count[26]}\b", said)
    assert "热点 hot" in said
    # A name in a table goes to its place.
    opened.page.locator("td button").last.click()
    limit = time.monotonic() + 30
    while opened.point_at(cell) == before:
        assert time.monotonic() < limit
        opened.page.wait_for_timeout(50)


def test_an_empty_period_is_a_good_page_that_says_so(open_page: Opener) -> None:
    opened = open_page(_page(0))
    assert "本期没有符合条件的案件" in opened.page.locator(".empty").inner_text()
    assert opened.canvas_pixels() == 0
    assert opened.page.locator(".leaflet-grid-pane path").count() == 96


def test_a_selected_zone_is_what_the_map_shows(open_page: Opener) -> None:
    opened = open_page(_page(200, zone="900001", demonstration=True))
    assert opened.page.locator(".leaflet-grid-pane path").count() == 48
    assert "虚构" in opened.page.locator(".warning").first.inner_text()
    assert "区域：西镇" in opened.page.locator(".facts").inner_text()


NASTY = ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>", "{{ 7*7 }}", "{% raw %}`${1}`", "{#"]


def test_names_and_codes_are_text_and_nothing_else(open_page: Opener) -> None:
    district = small_district()
    layers = dict(district.layers)
    for layer in ("grid", "township", "water"):
        nasty = [
            replace(z, name=n, name_en=n, code=f"{n}{z.code}") for z, n in zip(layers[layer].zones, NASTY, strict=False)
        ]
        layers[layer] = replace(layers[layer], zones=(*nasty, *layers[layer].zones[len(nasty) :]))
    nasty_district = replace(district, name=NASTY[1], name_en=NASTY[2], layers=layers)
    middles = [zone.geometry.representative_point() for zone in layers["grid"].zones[: len(NASTY)]]
    rows = cases_at([at.x for at in middles], [at.y for at in middles], nasty_district)
    opened = open_page(page(tally(rows, nasty_district, november())))
    opened.page.on("dialog", lambda dialog: opened.complaints.append(dialog.message))
    assert NASTY[1] in opened.page.locator("h1").inner_text()
    assert NASTY[0] in opened.page.locator(".place.township").all_inner_texts()[0]
    listed = opened.page.locator("table").last.inner_text()
    for k, name in enumerate(NASTY):
        assert name in listed
        opened.point_at(opened.page.locator(".leaflet-grid-pane path").nth(k))
        expect(opened.page.locator(".leaflet-tooltip")).to_contain_text(name, timeout=30_000)


def test_a_district_of_a_thousand_grids_and_five_thousand_cases_stays_under_three_megabytes(open_page: Opener) -> None:
    district = load(SAMPLE)
    middles = [zone.geometry.representative_point() for zone in district.layers["grid"].zones]
    near = [(at.x + 0.0003 * (k % 7), at.y + 0.0003 * (k % 5)) for k in range(5) for at in middles][:5000]
    rows = cases_at([x for x, _ in near], [y for _, y in near], district)
    html = page(tally(rows, district, november()))
    assert len(html.encode()) < 3_000_000
    opened = open_page(html)
    ARTEFACTS.mkdir(exist_ok=True)
    opened.page.screenshot(path=ARTEFACTS / "heatmap-sample.png")
    assert opened.canvas_pixels() > 50_000


def test_no_address_of_any_host_is_loaded() -> None:
    html = _page(10)
    assert not re.findall(
        r"""(?:src|href)\s*=\s*["'](?!data:|#)[^"']+""", html.partition("<body>")[0].split("</style>")[-1]
    )
    assert not re.findall(r"url\((?!data:)[^)]*\.(?:png|svg|woff2?)", html)
    assert "<link" not in html
    assert "default-src 'none'" in html


def test_an_asset_nobody_knows_is_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"surprise\.js"):
        offline.self_contained(
            '<html><head></head><script src="https://example.org/a/surprise.js"></script></html>', "x"
        )


def test_an_unbuilt_page_is_said_plainly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(offline, "LEAFLET", tmp_path)
    with pytest.raises(PageNotBuilt):
        _page(1)


@pytest.mark.parametrize("most", [0, 1, 2, 3, 4, 5, 6, 7, 9, 30, 200, 5000, 10**6])
def test_count_classes_hold_every_count_once(most: int) -> None:
    classes = count_classes(most)
    assert len(classes) <= 5
    bounds = [(step.low, step.high) for step in classes]
    assert all(low <= high for low, high in bounds)
    assert [low for low, _ in bounds[1:]] == [high + 1 for _, high in bounds[:-1]]
    assert (bounds[0][0], bounds[-1][1]) == (1, most) if most else not bounds
    assert len({step.colour for step in classes}) == len(classes)


@pytest.mark.parametrize("peak", [0.0, 1e-6, 0.03, 0.7, 1.0, 1.9, 12, 140, 5e4])
def test_density_levels_rise_and_stay_below_the_peak(peak: float) -> None:
    levels = density_levels(peak)
    assert levels == sorted(set(levels))
    assert len(levels) <= 7
    assert all(0 < level < peak for level in levels)
    assert bool(levels) == (peak > 0)


def test_what_the_page_shows_at_first_are_layers_it_has() -> None:
    names = {maps.HEAT, maps.DENSITY, maps.COUNTS, maps.SPOTS, maps.GRID, maps.WATER}
    shown = json.loads(re.search(r"new Set\((\[.*?\])\)", _page(5)).group(1))  # type: ignore[union-attr]
    assert set(shown) <= names == set(LAYERS)
