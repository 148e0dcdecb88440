"""A case's whole life through the page: suspended, merged, disputed, penalised, closed; several at once; a phone."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect
from psycopg import sql

from dispatch.database import DATABASE, Running
from dispatch.settings import Settings
from tests.serving import serving
from tests.web.console import (
    AWAITED,
    CHINESE,
    PHONE,
    TOWN,
    WALL,
    WITHOUT_MAP,
    Open,
    act,
    becomes,
    counter,
    desks,
    figure,
    get,
    nothing_open,
    one_day,
    ready,
    report,
    sit,
)

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LAW = ".enforcement"


@pytest.fixture(scope="module")
def server(postgis: Running) -> Iterator[str]:
    """As for every page, but with a checkpoint every second."""
    with psycopg.connect(postgis.conninfo("postgres"), autocommit=True) as connection:
        copy = sql.SQL("CREATE DATABASE pages_actions TEMPLATE {}").format(sql.Identifier(DATABASE))
        connection.execute(copy)
    with serving(Settings(database_url=postgis.url_of("pages_actions"), checkpoint_minutes=1 / 60)) as url:
        yield url


@pytest.fixture
def desk(browser: Browser, server: str) -> Iterator[Open]:
    with desks(browser, server) as take:
        yield take


def begin(page: Page, action: str, part: str = ".orders") -> Locator:
    """Opens the form of an action, under the lid or not."""
    button = page.locator(f"{part} .buttons button[aria-expanded]", has_text=re.compile(f"^{action}$"))
    button.wait_for(state="attached")
    if button.is_hidden():
        page.locator(f"{part} details.more summary").click()
    button.click()
    return page.locator(f"{part} form.order")


def send(page: Page, done: str, part: str = ".orders") -> None:
    page.locator(f"{part} form.order button[type=submit]").click()
    expect(page.locator(f"{part} .notice.done")).to_contain_text(f"已记录：{done}")


def do(page: Page, role: str, action: str, note: str = "", part: str = ".orders") -> None:
    sit(page, role)
    form = begin(page, action, part)
    if note:
        form.locator("textarea").last.fill(note)
    send(page, action, part)


def open_case(page: Page, case: str) -> None:
    page.evaluate(f"location.hash = 'case={case}'")
    expect(page.locator(".panel .number")).to_contain_text(case)
    expect(page.locator(".history li")).not_to_have_count(0)


def suspended(page: Page, server: str, case: str) -> None:
    sit(page, "dispatcher")
    form = begin(page, "挂起")
    form.locator("input[type=date]").fill("2000-01-01")
    form.locator("textarea").fill("等待雨停")
    form.locator("button[type=submit]").click()
    assert get(server, f"/api/cases/{case}")["state"] == "accepted", "the browser refuses a day that is over"
    form.locator("input[type=date]").fill("2099-12-31")
    send(page, "挂起")
    expect(page.locator(".chips")).to_contain_text("挂起至 2099-12-31")
    do(page, "dispatcher", "恢复")


def merged(page: Page, case: str, twin: str) -> None:
    """The twin, chosen from those nearby; from it one comes to the other."""
    open_case(page, twin)
    form = begin(page, "并案")
    form.locator(".near label", has_text=case).click()
    send(page, "并案")
    page.locator(".chips button", has_text=case).click()
    expect(page.locator(".joined li")).to_contain_text("同一处彩钢棚")


def disputed(page: Page, server: str, case: str) -> None:
    """Returned twice; both grounds, the list, the ruling, and the row by which it does not come again."""
    team = get(server, f"/api/cases/{case}")["team"]
    other = next(t["code"] for t in get(server, "/api/teams")["items"] if t["code"] != team)
    sit(page, "team")
    form = begin(page, "退回")
    form.get_by_label("退回原因").select_option("not_our_place")
    form.get_by_label("应属队伍").select_option(other)
    form.locator("textarea").fill("在邻队辖区")
    send(page, "退回")
    act(server, case, "reassign", team=other, note="请核实")
    expect(page.locator(".history li.reassign")).to_be_visible()
    form = begin(page, "退回")
    expect(form).to_contain_text("再次退回即成争议")
    form.locator("textarea").fill("不是我队的")
    send(page, "退回")
    expect(page.locator(".chips")).to_contain_text("争议待裁定")
    expect(counter(page, "disputed")).to_have_text("1")
    for side in (team, other):
        form = begin(page, "陈述理由")
        form.get_by_label("陈述一方").select_option(side)
        form.locator("textarea").fill(f"{side} 的理由")
        send(page, "陈述理由")
    expect(page.locator(".dispute article")).to_have_count(2)
    expect(page.locator(".dispute .sides")).to_contain_text(f"{team} 的理由")
    page.locator(".counter.disputed").click()
    page.get_by_role("button", name="争议清单").click()
    page.get_by_role("dialog").locator("li button", has_text=case).click()
    sit(page, "coordinator")
    form = begin(page, "裁定")
    form.get_by_label("裁定归属").select_option(team)
    form.locator("textarea").fill("在其辖区内")
    send(page, "裁定")
    expect(page.locator(".dispute .draft")).to_contain_text("职责清单草案行")
    page.locator(".counter.open").click()


def penalised(page: Page, artefacts: Path) -> None:
    """The general procedure of a major case, each step with what it needs."""
    do(page, "team", "立案", "违法搭建属实", LAW)
    form = begin(page, "调查取证", LAW)
    form.get_by_label("第 1 人").get_by_label("执法证号").fill("示意-1")
    form.get_by_label("第 2 人").get_by_label("执法证号").fill("示意-2")
    picture = {"name": "现场.png", "mimeType": "image/png", "buffer": PIXEL}
    notes = {"name": "笔录.txt", "mimeType": "text/plain", "buffer": "示意笔录".encode()}
    form.locator("input[type=file]").set_input_files([picture, notes])  # type: ignore[list-item]
    expect(form.locator(".pieces li.kept")).to_have_count(2)
    expect(form.locator(".pieces img")).to_have_count(1)
    form.locator("textarea").fill("现场勘验")
    send(page, "调查取证", LAW)
    sit(page, "legal")
    form = begin(page, "法制审核", LAW)
    form.get_by_label("重大案件").check()
    form.locator("textarea").fill("案情重大")
    send(page, "法制审核", LAW)
    do(page, "leader", "集体讨论", "示意纪要", LAW)
    form = begin(page, "处罚决定", LAW)
    form.get_by_role("combobox", name="权力事项").fill("SY-0101")
    expect(form.get_by_role("option")).to_contain_text(["SY-0101"])
    page.keyboard.press("Enter")
    form.get_by_label("裁量档次").select_option(index=2)
    expect(form).to_contain_text("幅度")
    form.get_by_label("金额").fill("500.00")
    form.locator("textarea").fill("事实清楚")
    page.screenshot(path=artefacts / "actions-1-decision.png")
    send(page, "处罚决定", LAW)
    sit(page, "team")
    form = begin(page, "送达", LAW)
    form.get_by_label("送达方式").select_option("direct")
    send(page, "送达", LAW)
    do(page, "team", "执行", "已缴清", LAW)
    do(page, "team", "归档", part=LAW)
    expect(page.locator(".steps li.done")).to_have_count(8)


def test_a_case_lives_its_whole_life_on_the_page(desk: Open, server: str, artefacts: Path) -> None:
    one_day()
    body = {"id": str(uuid4()), "matter": "0101", "text": "搭建彩钢棚", **TOWN}
    contact = {"name": "示意上报人", "phone": "000-0000"}
    case = str(httpx.post(f"{server}/api/reports", json={**body, "contact": contact}, timeout=30).json()["case"])
    twin = report(server, "同一处彩钢棚", place={"lon": TOWN["lon"] + 0.0002, "lat": TOWN["lat"]})
    page = ready(desk(f"/#case={case}", screen=WALL, script=WITHOUT_MAP))

    # Who is waited for is said; that role is a click away.
    expect(page.locator(".orders .waits")).to_contain_text("等待执法队伍：接受")
    page.get_by_role("button", name="以执法队伍身份操作").click()
    expect(page.locator(".orders .primary")).to_have_text("接受")
    do(page, "team", "接受")
    suspended(page, server, case)
    merged(page, case, twin)
    disputed(page, server, case)
    for action in ("accept", "set_out", "arrive"):
        act(server, case, action)
    expect(page.locator(".history li.arrive")).to_be_visible()
    penalised(page, artefacts)
    do(page, "team", "处置完成", "棚已拆除")
    do(page, "dispatcher", "核查通过")
    closed = figure(page, "closed_today")
    do(page, "dispatcher", "结案")
    expect(counter(page, "closed_today")).to_have_text(str(closed + 1))

    # The contact is told for a reason, and that is recorded.
    page.get_by_role("button", name="查看联系方式").first.click()
    page.get_by_label("查看理由（必填）").fill("回访")
    page.get_by_role("button", name="记录并查看").click()
    expect(page.locator(".contact dl")).to_contain_text("示意上报人")
    expect(page.locator(".history li.disclose")).to_contain_text("回访")
    do(page, "dispatcher", "重新打开", "又搭起来了")
    expect(counter(page, "closed_today")).to_have_text(str(closed))


def test_the_record_is_shown_to_be_whole(desk: Open, server: str, artefacts: Path) -> None:
    case = report(server, "记录")
    page = ready(desk(f"/#case={case}", screen=WALL, script=WITHOUT_MAP, awaited=AWAITED))
    record = page.locator(".record")
    expect(record).to_contain_text("本页的 1 步首尾相接")
    becomes(page, lambda: httpx.get(f"{server}/api/cases/{case}/proof", timeout=30).is_success, wanted=True)
    record.get_by_role("button", name="查检查点").click()
    expect(record).to_contain_text("由本浏览器算到检查点的根，相符")
    record.scroll_into_view_if_needed()
    page.screenshot(path=artefacts / "actions-2-record.png")
    with page.expect_download() as saved:
        record.get_by_role("link", name="下载存在证明").click()
    assert saved.value.suggested_filename == f"proof-{case}.json"


def test_one_action_for_several(desk: Open, server: str, artefacts: Path) -> None:
    nothing_open(server)
    mark = str(uuid4())
    cases = [report(server, mark) for _ in range(3)]
    act(server, cases[0], "return", note="不属本队职责")
    page = ready(desk(f"/#q={mark}", screen=WALL, script=WITHOUT_MAP))
    page.get_by_role("button", name="批量").click()
    page.get_by_role("button", name="选上所列").click()
    expect(page.locator(".row.chosen")).to_have_count(3)
    bulk = page.locator(".bulk")
    bulk.get_by_label("统一操作").select_option("escalate")
    bulk.locator("textarea").fill("同一来源")

    def faster(route: Route) -> None:
        """Somebody else takes one of them a moment before."""
        act(server, cases[1], "accept")
        route.continue_()

    page.route("**/api/cases/actions", faster, times=1)
    bulk.get_by_role("button", name="对 3 件执行：升级督办").click()
    expect(bulk.locator(".answers")).to_contain_text("完成 2 件，未成 1 件")
    expect(bulk.locator(".answers .refused")).to_contain_text("接受")
    expect(page.locator(f"#row-{cases[1]} .state")).to_have_text("已接受")
    page.screenshot(path=artefacts / "actions-3-bulk.png")
    bulk.get_by_role("button", name="重试未成的 1 件").click()
    expect(bulk.locator(".answers")).to_contain_text("完成 1 件，未成 0 件")
    assert [get(server, f"/api/cases/{case}")["level"] for case in cases] == [1, 1, 1]
    bulk.get_by_role("button", name="完成").click()
    sit(page, "team", ".bulk")
    bulk.get_by_label("统一操作").select_option("accept")
    bulk.get_by_role("button", name="对 1 件执行：接受").click()
    expect(bulk.locator(".answers")).to_contain_text("完成 1 件，未成 0 件")
    page.locator("#queue").focus()
    page.keyboard.press("Escape")
    expect(bulk).to_have_count(0)


def test_forms_on_a_phone(desk: Open, server: str, artefacts: Path) -> None:
    case = report(server, "手机上办理")
    for action in ("accept", "arrive"):
        act(server, case, action)
    page = ready(desk(f"/#case={case}", screen=PHONE, script=WITHOUT_MAP, is_mobile=True, has_touch=True))
    sit(page, "team")
    page.screenshot(path=artefacts / "actions-4-phone.png")
    form = begin(page, "当场处罚", LAW)
    form.get_by_role("combobox", name="权力事项").tap()
    expect(form.get_by_role("option").first).to_be_visible()
    page.screenshot(path=artefacts / "actions-5-phone-power.png")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="English").tap()
    expect(form.locator("legend").first).to_have_text("Officers (two at least)")
    asked = page.locator(".orders, .enforcement").locator("label > span, legend, button, summary, .hint, h3")
    becomes(page, lambda: [said for said in asked.all_inner_texts() if CHINESE.search(said)], [])
    unnamed = "es => es.filter(e => !e.labels?.length && !e.ariaLabel).map(e => e.outerHTML)"
    fields = page.locator(".panel input, .panel select, .panel textarea")
    assert fields.evaluate_all(unnamed) == [], "each field has a name that is read out"
