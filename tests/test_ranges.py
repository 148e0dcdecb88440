"""Sums of money as lists of discretion write them: read where they cannot mean anything else, and else not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.powers.ranges import amount, money
from tests.sample import sample

READ = {
    "处200元以上1000元以下罚款": (200, 1000),
    "处以二百元以上二千元以下的罚款": (200, 2000),
    "５０００元以上３万元以下": (5000, 30000),
    "5千元以上3万元以下罚款": (5000, 30000),
    "1.5万元以上2.25万元以下": (15000, 22500),
    "1,000元以上20,000元以下": (1000, 20000),
    "1至3万元": (10000, 30000),
    "一至三万元": (10000, 30000),
    "5000至3万元": (5000, 30000),
    "20-30万元": (200000, 300000),
    "1元至3万元": (1, 30000),
    "50～200元": (50, 200),
    "三百元以下": (0, 300),
    "可以处200元以下罚款": (0, 200),
    "警告，可以并处200元以下罚款": (0, 200),
    "责令限期改正，处1万元以上5万元以下罚款": (10000, 50000),
    "给予警告，并处五百元罚款": (500, 500),
    "罚款50元（示意）": (50, 50),
    "不予处罚（示意）": (0, 0),
    "警告": (0, 0),
}
NOT_READ = (
    "",
    "低幅度（示意）",
    "违法所得1倍以上3倍以下",
    "每平方米50元以上100元以下",
    "5000元以上",
    "1万元以上不足5万元",
    "个人处50元以上200元以下罚款，单位处500元以上2000元以下罚款",
    "给予警告，可以并处五百元以上二千元以下罚款",
    "3万元以上1万元以下",
    "二百五元以下",
    "三万五元以下",
    "货值金额10%以上30%以下",
    "一二三元",
    "万元以下",
    "处拘留",
)


@pytest.mark.parametrize(("text", "range_"), READ.items())
def test_what_is_read(text: str, range_: tuple[int, int]) -> None:
    assert money(text) == tuple(map(Decimal, range_))


@pytest.mark.parametrize("text", NOT_READ)
def test_what_is_left_to_people(text: str) -> None:
    assert money(text) is None


def written(number: int) -> str:
    """A number under a hundred million as it is written out, slowly: place by place, one 零 for a gap."""
    if number >= 10_000:
        rest = number % 10_000
        return written(number // 10_000) + "万" + (("零" if rest < 1000 else "") + written(rest) if rest else "")
    text, gap = "", False
    for place, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // place % 10
        if digit:
            text += ("零" if gap and text else "") + "零一二三四五六七八九"[digit] + unit
        gap = not digit
    return text or "零"


@given(st.integers(0, 99_999_999))
def test_a_number_that_is_written_out_is_read_back(number: int) -> None:
    assert amount(written(number)) == number
    assert amount(str(number)) == number


@given(st.text("零一二两三五十百千万元以上下至处罚款1250.-，", max_size=14))
def test_whatever_is_written_is_a_range_or_nothing(text: str) -> None:
    found = money(text)
    assert found is None or Decimal(0) <= found[0] <= found[1]


def test_the_samples_tiers_are_made_and_say_no_sum() -> None:
    ranges = {money(tier.range) for power in sample().powers.values() for tier in power.tiers}
    assert ranges == {None, (Decimal(0), Decimal(0))}
