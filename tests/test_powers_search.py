"""Searching the power list: what a slow and obvious reading of the rules finds, in its order."""

from __future__ import annotations

import unicodedata

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from dispatch.bench import powers as bench
from dispatch.bench.made_powers import departments, made_powers
from dispatch.powers.model import Power
from dispatch.powers.search import PowerSearch
from tests.sample import sample

LIST = made_powers(60, seed=5)
SAMPLE = list(sample().powers.values())
NAMES = {code: department.name for code, department in sample().departments.items()}


def plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def slow(powers: list[Power], names: dict[str, str], query: str) -> list[tuple[str, str]]:
    """Item by item, word by word: the rules as they stand in docs/powers.md."""
    asked = plain(query)
    words, solid = asked.split(), asked.replace(" ", "")
    order = ("code", "name", "words", "initials", "initials_within", "pinyin")
    found = []
    for power in powers:
        name = plain(power.name)
        texts = [plain(power.code), name, plain(names.get(power.department, ""))]
        texts += [plain(f"《{basis.law}》{basis.article}") for basis in power.bases]
        read = [one for one in lazy_pinyin(name, errors=list) if one.isascii() and one.isalnum()]  # type: ignore[arg-type]
        initials = "".join(one[0] for one in read)
        reasons = []
        for word in words:
            if any(word in text for text in texts) or any(
                (" " + plain(power.name_en))[i:].startswith(" " + word) for i in range(len(power.name_en) + 1)
            ):
                reasons.append("words")
            elif word.isascii() and word.isalnum() and initials.startswith(word):
                reasons.append("initials")
            elif word.isascii() and word.isalnum() and word in initials:
                reasons.append("initials_within")
            elif (
                word.isascii() and word.isalnum() and any("".join(read[i:]).startswith(word) for i in range(len(read)))
            ):
                reasons.append("pinyin")
            else:
                reasons.append("")
        if not solid or plain(power.code).startswith(solid):
            why = "code"
        elif name.startswith((asked, solid)) or plain(power.name_en).startswith(asked):
            why = "name"
        elif all(reasons):
            why = max(reasons, key=order.index)
        else:
            continue
        found.append((order.index(why), power.code, why))
    return [(code, why) for _, code, why in sorted(found)]


def fast(search: PowerSearch, query: str) -> list[tuple[str, str]]:
    return [(hit.power.code, hit.why.name.lower()) for hit in search.find(query, limit=10**6).hits]


_queries = st.one_of(
    st.sampled_from([power.name for power in [*LIST, *SAMPLE]]).flatmap(
        lambda name: st.integers(0, len(name) - 1).flatmap(
            lambda at: st.integers(1, 6).map(lambda length: name[at : at + length])
        )
    ),
    st.sampled_from([power.name for power in [*LIST, *SAMPLE]]).flatmap(
        lambda name: st.tuples(st.integers(0, 5), st.integers(1, 5), st.booleans()).map(
            lambda cut: "".join(one if cut[2] else one[0] for one in lazy_pinyin(name)[cut[0] : cut[0] + cut[1]])
        )
    ),
    st.sampled_from([power.code for power in [*LIST, *SAMPLE]]).flatmap(
        lambda code: st.integers(1, len(code)).map(lambda length: code[:length].lower())
    ),
    st.text("擅自占道 的sz示意 第十条FLＡ０1《》a", max_size=6),
    st.lists(
        st.sampled_from(("擅自", "sz", "焚烧", "fs", "水务局", "penalty", "Bur", "made", "第三十四条", "de")),
        max_size=3,
    ).map(" ".join),
)


@settings(max_examples=150, deadline=None)
@given(query=_queries)
def test_the_made_list_is_searched_as_the_slow_reading_says(query: str) -> None:
    names = dict(departments())
    assert fast(MADE, query) == slow(LIST, names, query)


@settings(max_examples=80, deadline=None)
@given(query=_queries)
def test_the_sample_is_searched_as_the_slow_reading_says(query: str) -> None:
    assert fast(SHIPPED, query) == slow(SAMPLE, NAMES, query)


MADE = PowerSearch(LIST, departments())
SHIPPED = PowerSearch(SAMPLE, NAMES)


@pytest.mark.parametrize(
    ("query", "first", "why"),
    [
        ("FL-0008", "违反机动车停放、临时停车规定的处罚", "code"),
        ("ｆｌ－０００８", "违反机动车停放、临时停车规定的处罚", "code"),
        ("违反机动车", "违反机动车停放、临时停车规定的处罚", "name"),
        ("机动车 拖移", "违法停放、妨碍通行的机动车拖移", "words"),
        ("道路交通安全法 拖移", "违法停放、妨碍通行的机动车拖移", "words"),
        ("wfjdc", "违反机动车停放、临时停车规定的处罚", "initials"),
        ("cjly", "在长江流域未依法取得许可从事采砂活动的处罚", "initials_within"),
        ("changjiang", "在长江流域未依法取得许可从事采砂活动的处罚", "pinyin"),
        ("towing", "违法停放、妨碍通行的机动车拖移", "name"),
    ],
)
def test_what_one_types_finds_what_one_means(query: str, first: str, why: str) -> None:
    hits = SHIPPED.find(query).hits
    assert first in {hit.power.name for hit in hits[:2]}
    assert hits[0].why.name.lower() == why


def test_the_limit_cuts_and_the_total_counts_all() -> None:
    found = MADE.find("示意", limit=7)
    assert found.total == 60
    assert len(found.hits) == 7
    some = LIST[0].department
    assert {hit.power.department for hit in MADE.find("", department=some, limit=60).hits} == {some}


def test_the_measurement_measures() -> None:
    result = bench.run(lambda _line: None, items=200, queries=400)
    assert result.name == "bench powers"
    assert result.figures["items"] == 200
    assert result.figures["p99_ms"] >= result.figures["median_ms"] > 0
    assert 0 < result.figures["queries_that_found_nothing"] < 400


# --- over HTTP --------------------------------------------------------------------------------------------------------


def test_the_list_is_searched_over_http(client: httpx.Client) -> None:
    body = client.get("/api/powers", params={"q": "wfjdc", "limit": 1}).json()
    assert body["version"] == sample().version
    assert body["total"] >= 1
    (item,) = body["items"]
    assert (item["code"], item["why"], item["origin"]) == ("FL-0008", "initials", "law")
    assert item["department_name"] == "公安分局"
    assert item["matters"] == [{"code": "0505", "name": "机动车乱停放", "name_en": "Motor vehicle badly parked"}]
    assert client.get("/api/powers", params={"q": "wfjdc", "department": "D01"}).json()["total"] == 0
    whole = client.get("/api/powers", params={"limit": 100}).json()
    assert whole["total"] == len(whole["items"]) == len(SAMPLE)
    assert {one["why"] for one in whole["items"]} == {None}


def test_one_item_over_http(client: httpx.Client) -> None:
    body = client.get("/api/powers/FL-0001").json()
    assert body["bases"] == [{"law": "中华人民共和国城乡规划法（2019年修正）", "article": "第六十四条"}]
    assert body["kind"] == "penalty"
    missing = client.get("/api/powers/none")
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_power")
    assert client.get("/api/powers", params={"limit": 0}).status_code == 422
