"""Names and numbers of the sample district: what is published stands apart from what was made up."""

# ruff: noqa: E501 — the lists of names are data

from __future__ import annotations

from dataclasses import dataclass, field

from shapely.geometry.base import BaseGeometry

DISTRICT = "320118"


@dataclass(frozen=True, slots=True)
class Township:
    """A township of the district, with the area it is tuned to and its communities as (name, pinyin)."""

    code: str
    name: str
    name_en: str
    seat: tuple[float, float]
    area_km2: float
    area_published: bool
    communities: tuple[tuple[str, str], ...]
    villages: tuple[tuple[str, str], ...]
    schematic: int
    """How many communities more there are whose names were not found."""
    polder: bool

    @property
    def short(self) -> str:
        """Its name without 街道 or 镇."""
        return self.name.removesuffix("街道").removesuffix("镇")


@dataclass(slots=True)
class Made:
    """One zone on its way to a file."""

    code: str
    name: str
    name_en: str
    kind: str
    parent: str
    geometry: BaseGeometry
    more: dict[str, object] = field(default_factory=dict)


def _names(text: str) -> tuple[tuple[str, str], ...]:
    words = text.split()
    return tuple(zip(words[::2], words[1::2], strict=True))


TOWNSHIPS = (
    Township(
        DISTRICT + "001",
        "淳溪街道",
        "Chunxi Subdistrict",
        (118.881, 31.336),
        82.6,
        True,
        _names(
            "凤岭 Fengling 淳西 Chunxi 河滨 Hebin 南漪 Nanyi 栗园 Liyuan 淳安 Chun'an 北漪 Beiyi 大桥 Daqiao 王村 Wangcun "
            "西舍 Xishe 八字角 Bazijiao 姜家 Jiangjia 渭凤 Weifeng 宝塔 Baota 戴村 Daicun 河城 Hecheng 甫头 Futou 渔业 Yuye "
            "甘村 Gancun 南塘 Nantang 驼头 Tuotou 双进 Shuangjin 薛城 Xuecheng 南湖 Nanhu 大丰 Dafeng 淳东 Chundong"
        ),
        _names("杨家 Yangjia 花奔 Huaben 荣复 Rongfu 临城 Lincheng 邢丰 Xingfeng 长乐 Changle"),
        0,
        True,
    ),
    Township(
        DISTRICT + "002",
        "古柏街道",
        "Gubai Subdistrict",
        (118.909, 31.372),
        112.0,
        False,
        _names(
            "段曲头 Duanqutou 戴家城 Daijiacheng 联合 Lianhe 丁檀 Dingtan 江张 Jiangzhang 古柏 Gubai 袁村 Yuancun "
            "永宋 Yongsong 卫棠 Weitang 韩村 Hancun"
        ),
        _names("武家嘴 Wujiazui 凤纬 Fengwei 双红 Shuanghong 唐翔 Tangxiang 三保 Sanbao"),
        0,
        False,
    ),
    Township(
        DISTRICT + "003",
        "漆桥街道",
        "Qiqiao Subdistrict",
        (118.982, 31.372),
        75.0,
        False,
        _names("漆桥 Qiqiao 双游 Shuangyou 双联 Shuanglian"),
        _names("中心 Zhongxin 和平 Heping 茅山 Maoshan 荆溪 Jingxi"),
        0,
        False,
    ),
    Township(
        DISTRICT + "004",
        "固城街道",
        "Gucheng Subdistrict",
        (118.985, 31.305),
        83.47,
        True,
        _names(
            "固城 Gucheng 桥头 Qiaotou 花联 Hualian 蒋山 Jiangshan 前进 Qianjin 游山 Youshan 双全 Shuangquan 九龙 Jiulong "
            "槽塘 Caotang"
        ),
        _names("禅林 Chanlin 振兴 Zhenxing 义保 Yibao 花庙 Huamiao 双岗 Shuanggang 庙岗 Miaogang 曙光 Shuguang"),
        1,
        False,
    ),
    Township(DISTRICT + "005", "东坝街道", "Dongba Subdistrict", (119.045, 31.290), 100.0, False, (), (), 12, False),
    Township(DISTRICT + "006", "桠溪街道", "Yaxi Subdistrict", (119.140, 31.360), 145.0, False, (), (), 16, False),
    Township(DISTRICT + "101", "阳江镇", "Yangjiang Town", (118.810, 31.330), 118.7, False, (), (), 18, True),
    Township(DISTRICT + "102", "砖墙镇", "Zhuanqiang Town", (118.790, 31.255), 75.85, True, (), (), 17, True),
)
"""Seats are approximate (漆桥's moved 1.5 km south, into the boundary). Codes 003 to 006 in this order are unverified."""

PINYIN = {"东坝": "Dongba", "桠溪": "Yaxi", "阳江": "Yangjiang", "砖墙": "Zhuanqiang", "固城": "Gucheng"}


def communities(town: Township) -> list[tuple[str, str, str, bool]]:
    """Code, name, English name and whether the name is made up: residents' communities from 001, villages from 201."""
    out = [
        (f"{town.code}{i:03d}", f"{zh}社区", f"{en} Community", False) for i, (zh, en) in enumerate(town.communities, 1)
    ]
    out += [(f"{town.code}{i:03d}", f"{zh}村", f"{en} Village", False) for i, (zh, en) in enumerate(town.villages, 201)]
    out += [
        (f"{town.code}{i:03d}", f"{town.short}示意{k:02d}村", f"{PINYIN[town.short]} village {k:02d} (schematic)", True)
        for k, i in enumerate(range(201 + len(town.villages), 201 + len(town.villages) + town.schematic), 1)
    ]
    return out
