"""Whom it concerns is told on the page: at the desk, and on a crew's phone, whichever tab is open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.web.console import PHONE, Open, act, desks, get, ready, report


@pytest.fixture
def desk(browser: Browser, server: str) -> Iterator[Open]:
    with desks(browser, server) as take:
        yield take


def test_the_desk_is_told_what_comes_back_and_counts_what_was_not_read(
    desk: Open, server: str, artefacts: Path
) -> None:
    case = report(server)
    team = get(server, f"/api/cases/{case}")["team"]
    everything, one_team = ready(desk()), ready(desk(f"/#team={team}"))
    another = report(server)
    # Given to the team: that is news to it, and none to the centre.
    expect(one_team.locator(".bell .unread")).to_have_text("1")
    expect(one_team.locator(".bell-fresh")).to_contain_text("新案件派给")
    act(server, case, "return", note="不属本队职责")
    expect(everything.locator(".bell .unread")).to_have_text("1")
    expect(everything.locator(".bell-fresh")).to_contain_text("退回，等待改派")
    everything.screenshot(path=artefacts / "console-notice.png")
    everything.reload()
    ready(everything)
    expect(everything.locator(".bell .unread")).to_have_text("1")
    everything.get_by_role("button", name="1 条未读提醒").click()
    everything.screenshot(path=artefacts / "console-notices.png")
    everything.locator(f'[data-notice="{case}"]').click()
    expect(everything.locator(".bell .unread")).to_have_count(0)
    assert f"case={case}" in everything.url
    # What is done at this desk is no news to it.
    act(server, another, "reassign", team="W01", note="改派")
    expect(one_team.locator(".bell .unread")).to_have_text("2")
    one_team.get_by_role("button", name="2 条未读提醒").click()
    one_team.get_by_role("button", name="全部已读").click()
    expect(one_team.locator(".bell .unread")).to_have_count(0)
    expect(one_team.locator(".notice-line.taken")).to_contain_text(another)


def test_a_crew_is_told_what_is_given_to_it_and_taken_from_it(browser: Browser, server: str, artefacts: Path) -> None:
    context = browser.new_context(viewport=PHONE, locale="zh-CN")  # type: ignore[arg-type]
    context.add_init_script("localStorage.setItem('onegrid.field.team', 'W01 W01-B5')")
    page = context.new_page()
    # The lists, of the team and of the unit, are asked for once the line stands: what happens from then on is news.
    with (
        page.expect_response(lambda answer: "/api/cases?" in answer.url and "team=W01" in answer.url),
        page.expect_response(lambda answer: "/api/cases?" in answer.url and "unit=W01-B5" in answer.url),
    ):
        page.goto(f"{server}/field")
    case, other = report(server), report(server)
    act(server, other, "reassign", team="W01", unit="W01-B4", note="给另一艘艇")
    act(server, case, "reassign", team="W01", unit="W01-B5", note="给这艘艇")
    notice = page.locator(".field-notice")
    expect(notice).to_have_count(1)
    expect(notice).to_contain_text("新案件派给您")
    expect(notice).to_contain_text(case)
    page.screenshot(path=artefacts / "field-notice.png")
    act(server, case, "reassign", team="T01", note="改派")
    expect(notice).to_contain_text("不再由您负责")
    expect(page.locator('nav.tabs a[href="#tasks"] .badge')).to_have_text("1")
    page.get_by_role("button", name="知道了").click()
    expect(notice).to_have_count(0)
    act(server, other, "cancel", note="重复")
    act(server, case, "reassign", team="W01", unit="W01-B5", note="还是这艘")
    expect(notice).to_contain_text("新案件派给您")
    page.get_by_role("button", name="查看").click()
    expect(notice).to_have_count(0)
    expect(page.locator(f'.task[data-case="{case}"]')).to_be_visible()
    context.close()
