"""The command centre in a real browser: what is seen, by whom, and how soon."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.sample import ground
from tests.test_outcomes import IN_WATER, shore
from tests.web.console import (
    AWAITED,
    CHINESE,
    LAKE,
    PHONE,
    WALL,
    WATCH,
    Open,
    act,
    becomes,
    counter,
    desks,
    drawn,
    figure,
    get,
    nothing_open,
    one_day,
    ready,
    report,
    settle,
    sit,
    slower,
    whole,
)


@pytest.fixture
def desk(browser: Browser, server: str) -> Iterator[Open]:
    """Opens the page; afterwards nothing may have gone wrong or gone outside."""
    with desks(browser, server) as take:
        yield take


def test_nothing_leaves_the_house(desk: Open, server: str, artefacts: Path) -> None:
    case = report(server, matter="2103", place=LAKE)
    page = whole(desk(screen=WALL))
    page.goto(f"{server}/#case={case}")
    page.reload()
    whole(page)
    expect(page.locator(".why .because")).not_to_be_empty()
    assert page.locator(".bar .demonstration").count() == 0, "these cases are no demonstration"
    page.screenshot(path=artefacts / "console-1-wall.png")


def test_the_browser_itself_would_hold_it_back(browser: Browser, server: str) -> None:
    page = browser.new_page()
    page.add_init_script(f"({WATCH})()")
    page.goto(server)
    ways = """() => Promise.allSettled([
      fetch("http://127.0.0.2:9/fetched"),
      new Promise((_, no) => { const i = new Image(); i.onerror = no; i.src = "http://127.0.0.2:9/pictured"; }),
    ]).then(() => undefined)"""
    page.evaluate(ways)
    blocked = ["http://127.0.0.2:9/fetched", "http://127.0.0.2:9/pictured"]
    becomes(page, lambda: sorted(page.evaluate("window.__violations")), blocked)
    page.close()


def test_a_place_to_be_confirmed_is_seen_found_and_settled(desk: Open, server: str, artefacts: Path) -> None:
    for lon, lat in shore(60):
        found = ground().weigh(lon, lat, 120, ground().locator.at(lon, lat), IN_WATER)
        if "confirm_place" in found.notes and len(found.outcomes) == 2:
            break
    case = report(server, matter=IN_WATER, place={"lon": lon, "lat": lat, "accuracy_m": 120})
    report(server, "别处")
    page = ready(desk("/", screen=WALL))
    expect(page.locator(f"#row-{case} .unsure")).to_have_text("待确认位置")
    page.get_by_label("只看待确认位置").check()
    expect(page.locator(".queue .row")).to_have_count(1)
    expect(page).to_have_url(re.compile("confirm=1"))
    page.locator(f"#row-{case}").click()
    expect(page.locator(".panel .confirm li")).to_have_count(2)
    page.get_by_role("button", name="在地图上居中").click()
    page.wait_for_timeout(600)  # for the picture alone: the map moves
    page.screenshot(path=artefacts / "console-10-confirm.png")
    [_, second] = get(server, f"/api/cases/{case}")["decision"]["outcomes"]
    page.locator(".panel .confirm li button").nth(1).click()
    expect(page.locator(".pin-line")).to_contain_text("误差仍为 120 米")
    expect(page.locator(".map .pin")).to_have_count(0)
    page.get_by_role("button", name="确认更正位置").click()
    expect(page.locator(".panel .notice.done")).to_contain_text("更正位置")
    expect(page.locator(".map .pin")).to_have_count(0)
    expect(page.locator(".panel .confirm")).to_have_count(0)
    detail = get(server, f"/api/cases/{case}")
    assert (detail["team"], detail["accuracy_m"]) == (second["team"], 120)
    assert "settled_by_choice" in detail["notes"]
    expect(page.locator(".queue .row")).to_have_count(0)


IN_THE_MIDDLE = """() => {
  const pin = document.querySelector(".map .pin")?.getBoundingClientRect();
  const map = document.querySelector(".map .canvas").getBoundingClientRect();
  return pin && Math.hypot(pin.x + (pin.width - map.width) / 2 - map.x, pin.bottom - map.y - map.height / 2) < 4;
}"""
"""The map has come to rest with the case in its middle."""


def test_a_dispatcher_moves_the_pin_on_the_map(desk: Open, server: str, artefacts: Path) -> None:
    case = report(server, "位置不对")
    page = ready(desk(f"/#case={case}", screen=WALL))
    page.get_by_role("button", name="在地图上居中").click()
    page.get_by_role("button", name="更正位置", exact=True).click()
    page.wait_for_function(IN_THE_MIDDLE)
    confirm = page.get_by_role("button", name="确认更正位置")
    expect(confirm).to_be_disabled()
    expect(page.locator(".pin-line")).to_contain_text("点一下实际位置")
    box = page.locator(".map .canvas").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2 + 120, box["y"] + box["height"] / 2 - 60)
    expect(page.locator(".pin-line")).to_contain_text("新位置")
    page.get_by_label("纬度").fill("31.3482")
    page.get_by_label("纬度").press("Tab")
    expect(page.locator(".pin-line")).to_contain_text("误差 10 米")
    page.screenshot(path=artefacts / "console-11-pin.png")
    before = get(server, f"/api/cases/{case}")
    confirm.click()
    expect(page.locator(".panel .notice.done")).to_contain_text("更正位置")
    after = get(server, f"/api/cases/{case}")
    assert after["lon"] > before["lon"]
    assert (after["lat"], after["accuracy_m"]) == (31.3482, 10), "the figures that were typed last"
    assert after["report"]["given_lon"] == before["report"]["given_lon"]
    expect(page.locator(".history .relocate .did")).to_have_text("更正位置")


def test_a_report_is_there_without_a_reload(desk: Open, server: str) -> None:
    one_day()
    page = ready(desk("/#sort=newest"))
    page.evaluate("() => { window.__mark = 1; }")
    before = {name: figure(page, name) for name in ("open", "received_today", "returned")}
    started = time.time()
    case = report(server, "路口东侧堆放建筑材料，占用人行道。")
    took = drawn(page, case) - started
    expect(page.locator(".row").first).to_have_id(f"row-{case}")
    expect(counter(page, "open")).to_have_text(str(before["open"] + 1))
    expect(counter(page, "received_today")).to_have_text(str(before["received_today"] + 1))
    assert took < 5 * slower(page)
    act(server, case, "return", note="不属本队职责")
    expect(page.locator(f"#row-{case} .state")).to_have_text("已退回")
    expect(counter(page, "returned")).to_have_text(str(before["returned"] + 1))

    page.locator(".counter.returned").click()
    expect(page.locator(".counter.returned")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f"#row-{case}")).to_be_visible()
    expect(page.locator(".row:not(.returned)")).to_have_count(0)
    becomes(page, lambda: page.evaluate("location.hash"), "#show=returned&sort=newest")
    # The page counts by itself what the server counts.
    theirs = get(server, "/api/counters")
    shown = [name for name in theirs if page.locator(f".counter.{name}").count()]
    assert len(shown) >= 7

    def apart() -> list[str]:
        theirs = get(server, "/api/counters")
        return [name for name in shown if figure(page, name) != theirs[name]]

    becomes(page, apart, [])
    assert page.evaluate("window.__mark") == 1


def test_what_is_late_comes_with_time_alone(desk: Open, server: str) -> None:
    case = report(server, matter="2103", place=LAKE)
    page = ready(desk(f"/#q={case}"))
    row = page.locator(f"#row-{case}")
    expect(row.locator(".state")).to_have_text(re.compile("已派遣|待派单元"))
    was = figure(page, "late")
    page.clock.install()
    page.clock.set_system_time(time.time() + 40 * 86400)
    expect(row).to_have_class(re.compile(r"\blate\b"))
    becomes(page, lambda: figure(page, "late") > was, wanted=True)
    page.locator(".counter.late").click()
    expect(page.locator(".counter.late")).to_have_attribute("aria-pressed", "true")
    colours = "b => [getComputedStyle(b.querySelector('.figure')).color, getComputedStyle(b).backgroundColor]"
    becomes(page, lambda: contrast(*page.locator(".counter.late").evaluate(colours)) >= 4.5, wanted=True)


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it, of two `rgb(r, g, b)`."""

    def luminance(colour: str) -> float:
        parts = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_most_pressing_stands_first(desk: Open, server: str) -> None:
    mark = str(uuid4())
    cases = [report(server, mark, matter="2103", place=LAKE) for _ in range(3)]
    act(server, cases[0], "accept")
    act(server, cases[1], "return", note="不属本队职责")
    page = whole(desk(f"/#q={mark}"))
    expect(page.locator(".row")).to_have_count(3)
    looks = [str(row.get_attribute("class")).split()[1] for row in page.locator(".row").all()]
    order = ["late", "returned", "waiting", "unclaimed", "assigned", "accepted", "on_scene", "handled"]
    assert looks[0] == "returned"
    assert looks == sorted(looks, key=order.index) or set(looks[1:]) <= {"assigned", "accepted"}
    # However long the names, which unit it is can be read.
    page.get_by_role("button", name="English").click()
    expect(page.locator(".counter.late .label")).to_have_text("Late")
    settle(page)
    for unit in page.locator(".row .unit").all():
        cut = unit.evaluate(
            "u => u.scrollWidth > u.clientWidth || u.getBoundingClientRect().right > "
            "u.closest('.row').querySelector('.when').getBoundingClientRect().left"
        )
        assert not cut, unit.text_content()


def test_the_keyboard_is_enough(desk: Open, server: str) -> None:
    mark = str(uuid4())
    first, second = (report(server, f"{mark} {n}", matter="2103", place=LAKE) for n in (1, 2))
    page = ready(desk())
    page.keyboard.press("/")
    expect(page.locator("#filter-words")).to_be_focused()
    page.keyboard.type(mark)
    expect(page.locator(".row")).to_have_count(2)
    top, below = [str(row.get_attribute("id")) for row in page.locator(".row").all()]
    assert {top, below} == {f"row-{first}", f"row-{second}"}
    page.keyboard.press("Escape")
    expect(page.locator("#queue")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(f"#{top}")).to_have_class(re.compile(r"\bat\b"))
    page.keyboard.press("j")
    expect(page.locator(f"#{below}")).to_have_class(re.compile(r"\bat\b"))
    page.keyboard.press("k")
    page.keyboard.press("Enter")

    panel = page.locator(".panel")
    case = get(server, f"/api/cases/{top.removeprefix('row-')}")
    why = get(server, f"/api/cases/{case['case']}/why")["zh"]
    expect(panel.locator("h2")).to_have_text(case["matter_name"])
    expect(panel.locator(".number")).to_contain_text(case["case"])
    expect(panel.locator(".because")).to_have_text(why["headline"])
    expect(panel.locator(".why li")).to_have_text(why["steps"])
    expect(panel.locator(".history li")).to_have_count(1)
    expect(panel.locator(".orders > .buttons button")).to_have_text(["改派", "更正位置"])
    expect(panel.locator(".orders .more button")).to_have_text(["挂起", "并案", "撤销", "升级督办", "附证据"])
    page.keyboard.press("j")
    expect(panel.locator(".number")).to_contain_text(below.removeprefix("row-"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_two_desks_see_the_same(desk: Open, server: str, artefacts: Path) -> None:
    nothing_open(server)
    case = report(server, "两个席位", matter="2103", place=LAKE)
    one = ready(desk(f"/#case={case}&q={case}", screen=WALL, awaited=AWAITED))
    other = ready(desk(f"/#case={case}&q={case}"))
    sit(one, "team")

    def do(page: Page, action: str) -> None:
        page.locator(".orders > .buttons button", has_text=action).click()

    do(one, "接受")
    one.locator(".order button[type=submit]").click()
    expect(one.locator(".notice.done")).to_contain_text("已记录：接受（第 2 步")
    expect(other.locator(".history li.accept")).to_be_visible()
    expect(other.locator(f"#row-{case} .state")).to_have_text("已接受")

    # Somebody else was faster: nothing is recorded, and what happened is told.
    do(one, "到场")
    act(server, case, "arrive")
    expect(one.locator(".history li.arrive")).to_be_visible()
    one.locator(".order button[type=submit]").click()
    expect(one.locator(".notice.problem")).to_contain_text("没有记录。")
    expect(one.locator(".notice.problem")).to_contain_text("到场")
    one.screenshot(path=artefacts / "console-2-conflict.png")
    assert get(server, f"/api/cases/{case}")["seq"] == 3

    do(one, "退回")
    expect(one.locator(".order button[type=submit]")).to_be_disabled()
    one.locator(".order textarea").fill("不属本队职责")
    one.locator(".order button[type=submit]").click()
    expect(other.locator(f"#row-{case} .state")).to_have_text("已退回")
    expect(other.locator(".history li.return")).to_contain_text("不属本队职责")

    do(other, "改派")
    to = next(t for t in get(server, "/api/teams")["items"] if t["kind"] == "specialist")
    other.get_by_label("改派到").select_option(to["code"])
    other.locator(".order textarea").fill("改由专业队办理")
    other.locator(".order button[type=submit]").click()
    expect(one.locator(".history li.reassign")).to_contain_text(to["name"])
    expect(one.locator(".facts")).to_contain_text(to["name"])
    done = [event["action"] for event in get(server, f"/api/cases/{case}")["history"]]
    assert done == ["report", "accept", "arrive", "return", "reassign"]


def test_the_address_holds_the_filter(desk: Open, server: str) -> None:
    case = report(server, "筛选", matter="2103", place=LAKE)
    report(server, "筛选", matter="0101")
    act(server, case, "accept")
    team = get(server, f"/api/cases/{case}")["team"]
    page = ready(desk())
    page.get_by_label("全部队伍").select_option(team)
    page.get_by_label("全部事项").select_option("21")
    page.get_by_label("全部状态").select_option("accepted")
    page.get_by_label("全部时间").select_option("4h")
    becomes(page, lambda: page.evaluate("location.hash"), f"#team={team}&matter=21&state=accepted&since=4h")
    page.reload()
    ready(page)
    chosen = {"全部队伍": team, "全部事项": "21", "全部状态": "accepted", "全部时间": "4h"}
    for name, value in chosen.items():
        expect(page.get_by_label(name)).to_have_value(value)
    expect(page.locator(f"#row-{case}")).to_be_visible()
    expect(page.locator(".row:not(.accepted)")).to_have_count(0)
    theirs = get(server, f"/api/cases?open=true&team={team}&state=accepted&limit=1000")["items"]
    expect(page.locator(".row")).to_have_count(len([one for one in theirs if one["matter"].startswith("21")]))
    page.get_by_role("button", name="清除筛选").click()
    becomes(page, lambda: page.evaluate("location.hash"), "")


def labels(page: Page) -> list[str]:
    """What the page itself says: not what was reported, nor the button that names the other language."""
    script = """() => {
      const data = ".report, .history p, .by, option[value=''] ~ optgroup, button[lang='zh-CN'], script, style";
      const said = [];
      for (const e of document.body.querySelectorAll("*")) {
        if (e.closest(data)) continue;
        for (const a of ["aria-label", "placeholder", "alt"]) if (e.getAttribute(a)) said.push(e.getAttribute(a));
        if (e.title && !e.closest(".layers")) said.push(e.title);
        for (const n of e.childNodes) if (n.nodeType === 3 && n.data.trim()) said.push(n.data.trim());
      }
      return [...said, document.title];
    }"""
    found: list[str] = page.evaluate(script)
    return found


def test_the_other_language_everywhere(desk: Open, server: str, artefacts: Path) -> None:
    def still_chinese() -> list[str]:
        return [said for said in labels(page) if CHINESE.search(said)]

    case = report(server, "两种语言", matter="2103", place=LAKE)
    act(server, case, "accept")
    page = whole(desk(f"/#case={case}", screen=WALL))
    expect(page.locator(".map-note")).to_contain_text("示意")
    expect(page.locator(".because")).to_have_text(CHINESE)
    page.locator(".orders > .buttons button").last.click()
    expect(page.locator("form.order")).to_be_visible()
    chinese = labels(page)
    page.get_by_role("button", name="English").click()
    expect(page.locator(".because")).not_to_have_text(CHINESE)
    expect(page.locator(".counter.late .label")).to_have_text("Late")
    becomes(page, still_chinese, [])
    page.locator("button.key").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    becomes(page, still_chinese, [])
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.screenshot(path=artefacts / "console-3-english.png")
    page.reload()
    whole(page)
    expect(page.locator(".counter.late .label")).to_have_text("Late")
    page.get_by_role("button", name="中文").click()
    expect(page.locator(".because")).to_have_text(CHINESE)
    page.locator(".orders > .buttons button").last.click()
    static = {said for said in chinese if not re.search(r"\d", said)}
    becomes(page, lambda: static - set(labels(page)), set())


def test_on_a_phone(desk: Open, server: str, artefacts: Path) -> None:
    case = report(server, "手机上看", matter="2103", place=LAKE)
    page = ready(desk(f"/#q={case}", screen=PHONE, is_mobile=True, has_touch=True))
    expect(page.locator(".row")).to_have_count(1)
    page.screenshot(path=artefacts / "console-5-phone-queue.png")
    page.locator(".row").tap()
    expect(page.locator(".because")).to_be_visible()
    page.screenshot(path=artefacts / "console-6-phone-case.png")
    page.get_by_role("button", name="在地图上居中").tap()
    expect(page.locator(".panel")).to_have_count(0)
    expect(page.locator(".map .canvas").first).to_be_visible()
    settle(page)
    page.screenshot(path=artefacts / "console-7-phone-map.png")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
