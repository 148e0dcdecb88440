"""A made stream of reports of which it is known what each one is of. Everything in it is made (示意)."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

START: Final = datetime(2026, 11, 2, tzinfo=UTC)
"""Of the hours that are measured."""

IN_SPOTS: Final = 0.6
SPOT_M: Final = 400.0
"""Six in ten things lie in one of some dense places (one sigma, metres), the others anywhere."""
TWIN_M: Final = (30.0, 200.0)
"""How far a thing lies from another one of the same matter that was put beside it on purpose."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a stream plays."""

    open_cases: int
    """At any time."""
    side_m: float
    """Of the square in which they lie."""
    spots: int
    twins: float
    """Share of the things beside which another one of the same matter is put, first seen while the first is open."""


DAILY: Final = Setting(2_000, 28_000.0, 40, 0.08)
"""A district of 790 km² with about two thousand reports a day, and two thousand open cases."""
CROWDED: Final = Setting(2_000, 28_000.0, 40, 0.2)
"""With many more things of the same matter beside one another."""
DENSE: Final = Setting(2_000, 8_900.0, 4, 0.08)
"""As dense as twenty thousand open cases in that district."""

OPEN_H: Final = (30.0, 0.8)
"""How long a case is open: median (hours) and sigma of a lognormal."""
REPORTS: Final = (0.60, 0.18, 0.09, 0.05, 0.03, 0.02, 0.01, 0.01, 0.01)
"""How many reports there are of a thing: one, two, … nine."""
PHONE_M: Final = (15.0, 0.7)
HOTLINE_M: Final = 100.0
BY_HOTLINE: Final = 0.15
"""A phone's accuracy is lognormal; what is called in is placed by its address."""
OUTLIERS: Final = 0.04
"""Positions three times as far off as they say."""
STANDS_OFF: Final = 0.12
"""Of the radius of its matter: how far from the thing its reporter stands (one sigma)."""
WRONG_DATUM: Final = 0.005
"""Positions in another datum than they say: about half a kilometre off."""
OTHER_MATTER: Final = 0.08
OTHER_CLASS: Final = 0.015
"""Reports of the same thing under another matter of the class, or of another class."""
NO_TEXT: Final = 0.15
NUMBERED: Final = 0.3
SAYS_NUMBER: Final = 0.6
WRONG_NUMBER: Final = 0.05
TYPO: Final = 0.04
"""Of the characters."""
SAME_PHOTO: Final = 0.03
"""Reports with the picture of an earlier one, passed on."""


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


ROADS: Final = _listed(
    "人民路 解放路 建设路 和平路 新华路 中山路 文化路 胜利街 友谊街 滨河路 环城路 团结路 幸福街 朝阳路 工农路"
)
MARKS: Final = _listed(
    "菜场门口 小学东侧 超市旁边 桥头 公交站台 加油站对面 卫生院后面 村委会门前 停车场入口 小区北门 "
    "水闸边 河堤上 路口西南角 工地围挡外 银行门口 药店旁 广场边上 厂区后门 变电站旁 老街口"
)
DETAILS: Final = _listed(
    "味道很大 堵了半边路 有五六个人 好几天没人管 影响通行 晚上更严重 老人小孩不好走 地上全是水 面积不小 越来越多 "
    "有孩子在附近玩 已经很久了 声音很吵 车子开不过去 看着很危险 早上开始的 旁边住户都在说 路人只能绕着走 颜色发黑 "
    "一直没有清理 占了人行道 下雨以后更糟 有人受伤 灯也不亮 靠近水边 每天都这样 刚刚发现 十几米宽 堆得很高 到处都是"
)
OPENINGS: Final = ("", "", "反映", "市民来电称", "巡查发现", "你好", "麻烦处理一下", "群众举报")
ENDINGS: Final = ("", "", "请尽快处理", "望有关部门重视", "请派人来看看", "谢谢")
TYPOS: Final = "的了在是有不这大上个们到说时要就出会也年"


@dataclass(frozen=True, slots=True)
class MadeReport:
    """A report, and the thing that it is of."""

    thing: int
    lon: float
    lat: float
    accuracy_m: float
    seen_at: datetime
    matter: str
    text: str
    photos: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that is there, from its first report until its case is closed."""

    number: int
    lon: float
    lat: float
    matter: str
    begins: datetime
    ends: datetime
    place: str
    house: int | None
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A stream: things by number, reports by time."""

    things: Sequence[Thing]
    reports: Sequence[MadeReport]


def made_stream(
    seed: int,
    matters: Mapping[str, str],
    radius_m: Mapping[str, float],
    setting: Setting = DAILY,
    middle: tuple[float, float] = (118.9, 31.3),
    hours: float = 36.0,
) -> Made:
    """Reports until `hours` after `START`.

    matters: code to name; radius_m: of each; middle: of the square, in degrees. Things whose cases are closed by
    `START` are left out.
    """
    rng = random.Random(seed)  # noqa: S311 - nothing secret
    mean_open_h = OPEN_H[0] * math.exp(OPEN_H[1] ** 2 / 2)
    before_h = OPEN_H[0] * math.exp(2.3 * OPEN_H[1])  # nearly all that is open at the start began since
    count = round(setting.open_cases / mean_open_h * (before_h + hours))
    east_m = 111_320 * math.cos(math.radians(middle[1]))
    half = setting.side_m / 2
    bounds = (
        middle[0] - half / east_m,
        middle[1] - half / 111_000,
        middle[0] + half / east_m,
        middle[1] + half / 111_000,
    )
    spots = [_anywhere(rng, bounds) for _ in range(setting.spots)]
    codes = list(matters)
    things: list[Thing] = []
    while len(things) < count:
        at = _anywhere(rng, bounds)
        if rng.random() < IN_SPOTS:
            at = _off(rng, rng.choice(spots), SPOT_M, east_m)
        begins = START + timedelta(hours=rng.uniform(-before_h, hours))
        thing = _thing(rng, len(things), at, rng.choice(codes), begins)
        things.append(thing)
        if rng.random() < setting.twins:
            far = math.exp(rng.uniform(*map(math.log, TWIN_M)))
            turn = rng.uniform(0, 2 * math.pi)
            beside = (at[0] + far * math.cos(turn) / east_m, at[1] + far * math.sin(turn) / 111_000)
            later = begins + (thing.ends - begins) * rng.random()
            things.append(_thing(rng, len(things), beside, thing.matter, later, thing.place))
    reports = [
        report
        for thing in things
        if thing.ends > START
        for report in _reports(rng, thing, codes, matters, radius_m, east_m)
    ]
    return Made(things, sorted(reports, key=lambda report: report.seen_at))


def _anywhere(rng: random.Random, bounds: tuple[float, float, float, float]) -> tuple[float, float]:
    west, south, east, north = bounds
    return rng.uniform(west, east), rng.uniform(south, north)


def _off(rng: random.Random, at: tuple[float, float], sigma_m: float, east_m: float) -> tuple[float, float]:
    return at[0] + rng.gauss(0, sigma_m) / east_m, at[1] + rng.gauss(0, sigma_m) / 111_000


def _thing(
    rng: random.Random, number: int, at: tuple[float, float], matter: str, begins: datetime, place: str = ""
) -> Thing:
    # Things beside one another are described by the same road and landmark.
    block = random.Random(f"{at[0]:.3f} {at[1]:.3f}")  # noqa: S311 - nothing secret
    return Thing(
        number=number,
        lon=at[0],
        lat=at[1],
        matter=matter,
        begins=begins,
        ends=begins + timedelta(hours=rng.lognormvariate(math.log(OPEN_H[0]), OPEN_H[1])),
        place=place or block.choice(ROADS) + "|" + block.choice(MARKS),
        house=rng.randrange(1, 400) if rng.random() < NUMBERED else None,
        details=tuple(rng.sample(DETAILS, 4)),
    )


def _reports(
    rng: random.Random,
    thing: Thing,
    codes: Sequence[str],
    matters: Mapping[str, str],
    radius_m: Mapping[str, float],
    east_m: float,
) -> list[MadeReport]:
    many = rng.choices(range(1, len(REPORTS) + 1), REPORTS)[0]
    lasts = thing.ends - thing.begins
    times = [thing.begins, *(thing.begins + lasts * rng.betavariate(1, 2.5) for _ in range(many - 1))]
    out: list[MadeReport] = []
    for seen_at in sorted(times):
        accuracy = HOTLINE_M
        if rng.random() >= BY_HOTLINE:
            accuracy = min(rng.lognormvariate(math.log(PHONE_M[0]), PHONE_M[1]), 150.0)
        true = accuracy * rng.uniform(0.5, 1.3) * (3 if rng.random() < OUTLIERS else 1)
        # An accuracy is the radius of 68 of 100 positions: 1.5 times the sigma of either axis.
        sigma = math.hypot(true / 1.5, STANDS_OFF * radius_m[thing.matter])
        lon, lat = _off(rng, (thing.lon, thing.lat), sigma, east_m)
        if rng.random() < WRONG_DATUM:
            lon, lat = lon + 0.0052, lat - 0.0021
        matter = thing.matter
        if rng.random() < OTHER_MATTER:
            matter = rng.choice([code for code in codes if code[:2] == matter[:2]])
        elif rng.random() < OTHER_CLASS:
            matter = rng.choice(codes)
        photos = [f"{rng.getrandbits(256):064x}"]
        if out and rng.random() < SAME_PHOTO:
            photos.append(rng.choice(out).photos[0])
        text = _text(rng, thing, matters[matter])
        out.append(MadeReport(thing.number, lon, lat, round(accuracy, 1), seen_at, matter, text, tuple(photos)))
    return out


def _text(rng: random.Random, thing: Thing, matter: str) -> str:
    """What one of many would write: some of what could be said, in some order, with slips."""
    if rng.random() < NO_TEXT:
        return ""
    road, mark = thing.place.split("|")
    where = "".join(part for part in (road, mark) if rng.random() < 0.65)
    if thing.house is not None and rng.random() < SAYS_NUMBER:
        where += f"{thing.house if rng.random() >= WRONG_NUMBER else rng.randrange(1, 400)}号"
    what = matter if rng.random() < 0.6 else rng.choice((matter[:2], matter[-2:], "有问题", "情况"))
    said = rng.sample(thing.details, rng.randrange(0, 4))
    if rng.random() < 0.25:
        said.append(rng.choice(DETAILS))
    rng.shuffle(said)
    parts = [f"{where}有{what}" if rng.random() < 0.7 else f"{what}，{where}", *said]
    whole = "，".join(p for p in (rng.choice(OPENINGS), *parts, rng.choice(ENDINGS)) if p)
    return "".join(rng.choice((rng.choice(TYPOS), "")) if rng.random() < TYPO else c for c in whole)
