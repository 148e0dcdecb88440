"""The grid worker's page in a real browser: four taps and a photo, with the network there, gone, or lying."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from tests.sample import ground
from tests.test_outcomes import IN_WATER, shore
from tests.web.console import becomes, nothing_open

PHONE = {"width": 390, "height": 844}
LAKE = (118.905, 31.283)
"""On 固城湖, in the district that the tests serve."""
FAR_AWAY = (116.4, 39.9)

Json = dict[str, Any]
Phone = Callable[..., Page]


def get(server: str, path: str) -> Json:
    found: Json = httpx.get(server + path, timeout=60).raise_for_status().json()
    return found


def cases(server: str, text: str) -> list[Json]:
    """The cases whose report says `text`."""
    return [case for case in get(server, "/api/cases?limit=1000")["items"] if case["text"] == text]


def body_of(request: Request) -> Json:
    body: Json = json.loads(request.post_data or "{}")
    return body


@pytest.fixture(autouse=True)
def _nothing_open(server: str) -> None:
    """What an earlier test reported at the same place would be offered as the same."""
    nothing_open(server)


@pytest.fixture
def phone(browser: Browser, server: str) -> Iterator[Phone]:
    """Opens the page as a phone at a place would, its worker installed; each call is another phone."""
    contexts: list[BrowserContext] = []

    def take(place: tuple[float, float] | None = LAKE, accuracy: float = 40, tab: str = "") -> Page:
        context = browser.new_context(
            viewport=PHONE,  # type: ignore[arg-type]
            has_touch=True,
            is_mobile=True,
            locale="zh-CN",
            permissions=["geolocation"] if place else [],
        )
        context.set_default_timeout(60_000)
        if place:
            context.set_geolocation({"longitude": place[0], "latitude": place[1], "accuracy": accuracy})
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{server}/field{tab}")
        return page

    yield take
    for context in contexts:
        context.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A photo as a phone makes it: large, lying on its side, with the place where it was taken in its EXIF."""
    image = Image.effect_noise((3000, 2250), 40).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif[0x010F] = "A maker"
    exif.get_ifd(0x8825)[2] = (31.0, 18.0, 0.0)
    path = tmp_path / "photo.jpg"
    image.save(path, quality=80, exif=exif)
    return path


def choose(page: Page, code: str = "2103", text: str = "") -> None:
    """Class, matter, and a few words."""
    name = get_class(page, code)
    page.get_by_role("button", name=name, exact=True).tap()
    page.locator(f'[data-matter="{code}"]').tap()
    if text:
        page.locator("textarea").fill(text)


def get_class(page: Page, code: str) -> str:
    classes = page.evaluate("() => fetch('/api/matters').then((answer) => answer.json())")["classes"]
    return next(str(one["name"]) for one in classes if one["code"] == code[:2])


def shot(page: Page, artefacts: Path, name: str) -> None:
    page.screenshot(path=artefacts / f"field-{name}.png")


def installed(page: Page) -> None:
    """Wait until the page would open without a network."""
    page.evaluate("() => navigator.serviceWorker.ready.then(() => undefined)")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    page.wait_for_selector(".place-map[data-ready]")


def test_four_taps_and_a_photo(phone: Phone, server: str, picture: Path, artefacts: Path) -> None:
    page = phone()
    outside: list[str] = []
    page.on("request", lambda r: outside.append(r.url) if not r.url.startswith((server, "blob:", "data:")) else None)
    expect(page.get_by_text("精度约 40 米")).to_be_visible()
    page.wait_for_selector(".place-map[data-ready]")
    shot(page, artefacts, "1-where")
    text = f"两条船 {uuid4()}"
    choose(page, text=text)
    shot(page, artefacts, "2-chosen")
    page.locator(".camera input").set_input_files(picture)
    expect(page.locator(".previews img")).to_have_count(1)
    shot(page, artefacts, "3-photo")
    page.locator(".send").tap()
    expect(page.locator(".sent-card.delivered .case-number strong")).to_have_text(re.compile(r"^\d{10,}$"))
    expect(page.locator(".sent-card .who").first).to_be_visible()
    expect(page.locator(".sent-card .why")).to_be_visible()
    shot(page, artefacts, "4-who-comes")

    [case] = cases(server, text)
    assert case["case"] == page.locator(".case-number strong").text_content()
    assert case["accuracy_m"] == 40
    assert case["source"] == "grid_worker"
    assert abs(case["lon"] - LAKE[0]) < 1e-6
    [photo] = case["photos"]
    kept = Image.open(io.BytesIO(httpx.get(f"{server}/api/photos/{photo}", timeout=60).content))
    assert kept.size == (1536, 2048), "turned upright, at most 2048 px"
    assert not kept.getexif()
    assert outside == []


def test_without_a_network(phone: Phone, server: str, picture: Path, artefacts: Path) -> None:
    page = phone()
    installed(page)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator(".offline")).to_be_visible()
    page.wait_for_selector(".place-map[data-ready]")
    expect(page.locator(".zones")).not_to_have_text("")
    text = f"断网 {uuid4()}"
    choose(page, text=text)
    page.locator(".camera input").set_input_files(picture)
    page.locator(".send").tap()
    expect(page.get_by_text("已存在手机里")).to_be_visible()
    expect(page.locator(".sent-head .chip")).to_have_text("待发送")
    expect(page.locator(".waiting-line")).to_contain_text("连不上服务器")
    expect(page.locator(".badge")).to_have_text("1")
    shot(page, artefacts, "5-offline")
    assert cases(server, text) == []

    # The phone dies and comes back, still without a network; then there is one.
    context = page.context
    page.goto("about:blank")  # a page that is being closed has its network back for its last moments
    page.close()
    page = context.new_page()
    page.goto(f"{server}/field#sent")
    expect(page.locator(".record .chip")).to_have_text("待发送")
    context.set_offline(False)
    expect(page.locator(".record.delivered .case-number strong")).to_be_visible(timeout=60_000)
    shot(page, artefacts, "6-sent")
    [case] = cases(server, text)
    # A photo that was tried in the last moment without a network follows its report.
    becomes(page, lambda: len(case["photos"]) + len(followed(server, case["case"])), 1)


def followed(server: str, case: str) -> list[str]:
    """The photos that came after the report."""
    history = get(server, f"/api/cases/{case}")["history"]
    return [one["sha256"] for event in history for one in event["details"].get("evidence", ())]


def test_a_report_does_not_wait_for_its_photos(phone: Phone, server: str, picture: Path) -> None:
    page = phone()
    page.route("**/api/photos", lambda route: route.abort())
    page.route("**/api/evidence", lambda route: route.abort())
    text = f"照片传不上去 {uuid4()}"
    choose(page, text=text)
    page.locator(".camera input").set_input_files(picture)
    expect(page.locator(".previews img")).to_have_count(1)
    page.locator(".send").tap()
    expect(page.locator(".sent-card.delivered .case-number strong")).to_be_visible()
    [case] = cases(server, text)
    assert case["photos"] == []
    page.goto(f"{server}/field#sent")
    owed = page.locator(".record.waiting, .record.sending").filter(has_text="附证据")
    expect(owed.locator("img")).to_have_count(1)
    page.unroute("**/api/evidence")
    owed.get_by_role("button", name="现在重试").tap()
    becomes(page, lambda: len(followed(server, case["case"])), 1)
    expect(owed).to_have_count(0)


def test_lost_answers_make_one_case(phone: Phone, server: str) -> None:
    page = phone()
    sent: list[str] = []

    def lose_twice(route: Route) -> None:
        sent.append(body_of(route.request)["id"])
        if len(sent) <= 2:
            assert route.fetch().status in (200, 201)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/api/reports", lose_twice)
    text = f"回执丢失 {uuid4()}"
    choose(page, text=text)
    page.locator(".send-bare").tap()
    expect(page.locator(".sent-card.delivered .case-number")).to_be_visible(timeout=60_000)
    assert len(sent) == 3
    assert len(set(sent)) == 1
    assert len(cases(server, text)) == 1


@pytest.mark.parametrize("locks", ["web-locks", "no-web-locks"])
def test_two_tabs_send_once(phone: Phone, server: str, locks: str) -> None:
    """Whatever calls the tabs to send while the answer is on its way: one attempt leaves the phone."""
    page = phone()
    context = page.context
    if locks == "no-web-locks":  # as on a page that is served over plain HTTP by name
        context.add_init_script("delete Navigator.prototype.locks")
        page.reload()
    installed(page)
    other = context.new_page()
    other.goto(f"{server}/field#sent")
    assert other.evaluate("() => 'locks' in navigator") == (locks == "web-locks")
    context.set_offline(True)
    text = f"两个窗口 {uuid4()}"
    choose(page, text=text)
    page.locator(".send-bare").tap()
    expect(other.locator(".record .chip")).to_have_text("待发送", timeout=60_000)
    # Held before they leave: an attempt that fails for want of a network is over by now, or waits here for the network.
    attempts: list[Route] = []

    def hold(route: Route) -> None:
        attempts.append(route)

    context.route("**/api/reports", hold)
    context.set_offline(False)
    expect(other.locator(".record .chip")).to_have_text("发送中", timeout=60_000)
    for tab in (other, page, other):
        tab.evaluate("() => window.dispatchEvent(new Event('online'))")
        tab.evaluate("() => window.dispatchEvent(new Event('pageshow'))")
        tab.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        tab.wait_for_timeout(400)
    assert cases(server, text) == []
    for attempt in attempts:
        attempt.continue_()
    expect(other.locator(".record.delivered .case-number")).to_be_visible(timeout=60_000)
    expect(page.locator(".sent-card.delivered")).to_be_visible(timeout=60_000)
    assert len(attempts) == 1, [attempt.request.failure for attempt in attempts]
    answer = attempts[0].request.response()
    assert answer
    assert answer.status == 201
    assert len(cases(server, text)) == 1


def test_a_refusal_is_kept_mended_and_sent(phone: Phone, server: str, artefacts: Path) -> None:
    page = phone(place=FAR_AWAY)
    text = f"区外 {uuid4()}"
    choose(page, text=text)
    page.locator(".send-bare").tap()
    expect(page.locator(".sent-card.rejected .refusal")).to_be_visible()
    shot(page, artefacts, "7-refused")
    page.reload()
    page.get_by_role("link", name="记录").tap()
    expect(page.locator(".record.rejected")).to_have_count(1)
    page.get_by_role("button", name="修改后重发").tap()
    expect(page.locator("textarea")).to_have_value(text)
    page.context.set_geolocation({"longitude": LAKE[0], "latitude": LAKE[1], "accuracy": 15})
    page.get_by_role("button", name="重新定位").tap()
    expect(page.get_by_text("精度约 15 米")).to_be_visible()
    page.locator(".send-bare").tap()
    expect(page.locator(".sent-card.delivered")).to_be_visible()
    assert len(cases(server, text)) == 1


def test_a_sign_in_page_is_no_answer(phone: Phone, server: str) -> None:
    page = phone()

    def portal(route: Route) -> None:
        route.fulfill(status=200, content_type="text/html", body="<html>请登录 Wi-Fi</html>")

    page.route("**/api/reports", portal)
    text = f"登录页 {uuid4()}"
    choose(page, text=text)
    page.locator(".send-bare").tap()
    expect(page.locator(".sent-card.waiting")).to_be_visible()
    with page.expect_request("**/api/reports"):
        page.get_by_role("button", name="现在重试").tap()
    assert cases(server, text) == []
    page.unroute("**/api/reports")
    expect(page.locator(".sent-card.delivered")).to_be_visible(timeout=60_000)
    assert len(cases(server, text)) == 1


DRAFTS = """async () => {
  if (!(await indexedDB.databases()).some(({ name }) => name === "onegrid-field")) return [];
  const asked = (request) => new Promise((done, no) => {
    request.onsuccess = () => done(request.result);
    request.onerror = no;
  });
  const db = await asked(indexedDB.open("onegrid-field"));
  const entries = await asked(db.transaction("entries").objectStore("entries").getAll());
  db.close();
  return entries.map(({ draft, photos }) => [draft.text, photos.length]);
}"""
"""What the phone keeps of what is being written."""


def test_a_draft_outlives_the_page(phone: Phone, picture: Path) -> None:
    """Opening the camera makes a small phone close the page: what was begun is there again."""
    page = phone()
    choose(page, text="写了一半")
    page.locator(".camera input").set_input_files(picture)
    expect(page.locator(".previews img")).to_have_count(1)
    becomes(page, lambda: page.evaluate(DRAFTS), [["写了一半", 1]])
    page.reload()
    expect(page.locator("textarea")).to_have_value("写了一半")
    expect(page.locator(".previews img")).to_have_count(1)


def test_without_leave_to_locate_the_map_is_tapped(phone: Phone, server: str) -> None:
    page = phone(place=None)
    expect(page.get_by_text("没有定位权限")).to_be_visible()
    text = f"点图 {uuid4()}"
    choose(page, text=text)
    page.locator(".send-bare").tap()
    expect(page.get_by_text("还没有位置")).to_be_visible()
    page.wait_for_selector(".place-map[data-ready]")
    page.locator(".place-map").tap()
    expect(page.get_by_text("手动放置")).to_be_visible()
    page.locator(".send-bare").tap()
    expect(page.locator(".sent-card.delivered")).to_be_visible()
    assert len(cases(server, text)) == 1


def test_a_phone_that_speaks_gcj02(phone: Phone, server: str) -> None:
    page = phone()
    page.get_by_text("定位坐标系").tap()
    page.get_by_text("GCJ-02（").tap()
    text = f"火星坐标 {uuid4()}"
    choose(page, text=text)
    with page.expect_request("**/api/reports") as sent:
        page.locator(".send-bare").tap()
    body = body_of(sent.value)
    assert body["datum"] == "gcj02"
    assert (body["lon"], body["lat"]) == LAKE
    expect(page.locator(".sent-card.delivered")).to_be_visible()
    [case] = cases(server, text)
    assert 200 < abs(case["lon"] - LAKE[0]) * 95_000 < 900, "moved by the known few hundred metres"


@pytest.fixture(scope="module")
def bank() -> tuple[float, float]:
    """On the bank of the lake, where it is not sure whose a dead animal is to within 40 m."""
    for lon, lat in shore(60):
        found = ground().weigh(lon, lat, 40, ground().locator.at(lon, lat), IN_WATER)
        if "confirm_place" in found.notes and len(found.outcomes) == 2:
            return lon, lat
    raise AssertionError("no such place")


def test_one_tap_settles_where_it_was(phone: Phone, server: str, bank: tuple[float, float], artefacts: Path) -> None:
    page = phone(place=bank)
    expect(page.get_by_text("精度约 40 米")).to_be_visible()
    text = f"岸边 {uuid4()}"
    choose(page, code=IN_WATER, text=text)
    page.locator(".send-bare").tap()
    expect(page.locator(".confirm h2")).to_have_text("请确认位置：在哪一边？")
    expect(page.locator(".confirm-choices button")).to_have_count(2)
    [case] = cases(server, text)
    assert "confirm_place" in case["notes"]
    page.wait_for_selector(".confirm .place-map[data-ready]")
    expect(page.locator(".confirm .mark")).to_have_count(2)
    page.wait_for_timeout(600)  # for the picture alone: the map moves
    shot(page, artefacts, "11-confirm")
    first, second = get(server, f"/api/cases/{case['case']}")["decision"]["outcomes"]
    assert case["team"] == first["team"]
    page.locator(f'.confirm-choices [data-team="{second["team"]}"]').tap()
    expect(page.locator(".confirmed")).to_have_text(f"位置已确认：{second['team_name']}")
    shot(page, artefacts, "12-confirmed")
    settled = get(server, f"/api/cases/{case['case']}")
    assert (settled["team"], settled["accuracy_m"]) == (second["team"], case["accuracy_m"])
    assert "settled_by_choice" in settled["notes"]
    assert [event["action"] for event in settled["history"]] == ["report", "relocate"]
    expect(page.locator(".receipt .who strong").first).to_have_text(second["team_name"])


def test_a_tap_without_a_network_is_kept_and_sent(phone: Phone, server: str, bank: tuple[float, float]) -> None:
    page = phone(place=bank)
    installed(page)
    text = f"岸边断网 {uuid4()}"
    choose(page, code=IN_WATER, text=text)
    page.locator(".send-bare").tap()
    expect(page.locator(".confirm-choices button")).to_have_count(2)
    page.wait_for_selector(".confirm .place-map[data-ready]")
    [case] = cases(server, text)
    page.context.set_offline(True)
    page.locator(".confirm .mark").first.tap()
    expect(page.locator(".confirmed")).to_contain_text("有信号时自动发送")
    expect(page.locator(".badge")).to_have_text("1")
    context = page.context
    page.goto("about:blank")  # a page that is being closed has its network back for its last moments
    page.close()
    page = context.new_page()
    page.goto(f"{server}/field#sent")
    expect(page.locator(".confirmed")).to_contain_text("有信号时自动发送")
    assert get(server, f"/api/cases/{case['case']}")["seq"] == 1
    context.set_offline(False)
    expect(page.locator(".confirmed")).to_contain_text("位置已确认", timeout=60_000)
    settled = get(server, f"/api/cases/{case['case']}")
    assert (settled["team"], settled["seq"]) == (case["team"], 2)
    assert "confirm_place" not in settled["notes"]


def test_the_team_accepts_goes_and_handles(phone: Phone, server: str, artefacts: Path) -> None:
    worker = phone()
    text = f"处置 {uuid4()}"
    choose(worker, text=text)
    worker.locator(".send-bare").tap()
    expect(worker.locator(".sent-card.delivered")).to_be_visible()
    [case] = cases(server, text)
    team = next(one for one in get(server, "/api/teams")["items"] if one["code"] == case["team"])

    crew = phone(tab="#tasks")
    crew.get_by_role("button", name=team["name"], exact=True).tap()
    crew.locator(f'[data-case="{case["case"]}"]').tap()
    shot(crew, artefacts, "8-task")
    crew.locator('[data-action="accept"]').tap()
    crew.locator('[data-action="arrive"]').tap()
    crew.locator('[data-action="handle"]').tap()
    crew.get_by_role("button", name="提交处置结果").tap()
    expect(crew.get_by_text("请写一句话")).to_be_visible()
    crew.get_by_role("button", name="已劝离").tap()
    shot(crew, artefacts, "9-handling")
    crew.get_by_role("button", name="提交处置结果").tap()
    expect(crew.get_by_text("等待指挥中心")).to_be_visible()
    expect(crew.locator(".pending")).to_have_count(0)
    detail = get(server, f"/api/cases/{case['case']}")
    assert detail["state"] == "handled"
    assert [event["action"] for event in detail["history"]][-3:] == ["accept", "arrive", "handle"]
    # The worker takes the phone out of the pocket.
    worker.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(worker.locator(".case-number .case-state")).to_have_text("已处置", timeout=90_000)


def test_a_crew_suspends_resumes_gives_evidence_and_returns(
    phone: Phone, server: str, picture: Path, artefacts: Path
) -> None:
    text = f"挂起 {uuid4()}"
    sent = {"id": str(uuid4()), "matter": "0101", "text": text, "lon": 118.9, "lat": 31.345}
    httpx.post(f"{server}/api/reports", json=sent, timeout=30).raise_for_status()
    [case] = cases(server, text)
    teams = get(server, "/api/teams")["items"]
    team = next(one for one in teams if one["code"] == case["team"])
    other = next(one for one in teams if one["code"] != case["team"])
    crew = phone(tab="#tasks")
    crew.get_by_role("button", name=team["name"], exact=True).tap()
    crew.locator(f'[data-case="{case["case"]}"]').tap()
    crew.locator('[data-action="accept"]').tap()
    crew.get_by_role("button", name="更多").tap()
    crew.locator('[data-action="suspend"]').tap()
    crew.get_by_role("button", name="等待天气好转").tap()
    crew.get_by_role("button", name="提交挂起").tap()
    expect(crew.get_by_text("请选日期。")).to_be_visible()
    crew.get_by_label("挂起至").fill("2099-12-31")
    shot(crew, artefacts, "11-suspending")
    crew.get_by_role("button", name="提交挂起").tap()
    expect(crew.get_by_text("挂起至 2099-12-31")).to_be_visible()
    crew.locator('[data-action="resume"]').tap()
    expect(crew.locator('[data-action="arrive"]')).to_be_visible()
    crew.get_by_role("button", name="更多").tap()
    crew.locator('[data-action="evidence"]').tap()
    crew.locator(".writer input[type=file]").set_input_files(picture)
    crew.get_by_role("button", name="提交证据").tap()
    expect(crew.locator(".pending")).to_have_count(0)
    crew.get_by_role("button", name="退回", exact=True).tap()
    crew.get_by_role("button", name="不在本队辖区").tap()
    crew.get_by_label("应属队伍").select_option(other["code"])
    shot(crew, artefacts, "12-returning")
    crew.get_by_role("button", name="退回给指挥中心").tap()
    expect(crew.get_by_text("等待指挥中心")).to_be_visible()
    expect(crew.locator(".pending")).to_have_count(0)
    history = get(server, f"/api/cases/{case['case']}")["history"]
    assert [event["action"] for event in history][1:] == ["accept", "suspend", "resume", "evidence", "return"]
    assert {event["details"]["role"] for event in history[1:]} == {"team"}
    kept = history[-2]["details"]["evidence"][0]["sha256"]
    assert kept == hashlib.sha256(picture.read_bytes()).hexdigest(), "as it came from the camera"
    assert history[-1]["details"] | {"role": ""} == {"role": "", "reason": "not_our_place", "whose": other["code"]}


def test_deeds_without_a_network_arrive_in_order(phone: Phone, server: str) -> None:
    worker = phone()
    text = f"离线处置 {uuid4()}"
    choose(worker, text=text)
    worker.locator(".send-bare").tap()
    expect(worker.locator(".sent-card.delivered")).to_be_visible()
    [case] = cases(server, text)
    team = next(one for one in get(server, "/api/teams")["items"] if one["code"] == case["team"])
    crew = phone(tab="#tasks")
    crew.evaluate("() => navigator.serviceWorker.ready.then(() => undefined)")
    crew.get_by_role("button", name=team["name"], exact=True).tap()
    crew.locator(f'[data-case="{case["case"]}"]').tap()
    crew.context.set_offline(True)
    crew.locator('[data-action="accept"]').tap()
    crew.locator('[data-action="arrive"]').tap()
    expect(crew.locator(".pending")).to_have_count(2)
    crew.context.set_offline(False)
    expect(crew.locator(".pending")).to_have_count(0, timeout=90_000)
    detail = get(server, f"/api/cases/{case['case']}")
    assert [event["action"] for event in detail["history"]] == ["report", "accept", "arrive"]


def test_the_other_language(phone: Phone, artefacts: Path) -> None:
    page = phone()
    page.get_by_role("button", name="English").tap()
    expect(page.get_by_text("accurate to about 40 m")).to_be_visible()
    page.wait_for_selector(".place-map[data-ready]")
    shot(page, artefacts, "10-english")
    main = page.locator("nav.tabs").inner_text()
    assert not re.search(r"[一-鿿]", main)
