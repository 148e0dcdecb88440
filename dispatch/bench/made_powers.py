"""A made power list (示意) of any size, for measuring and for tests: no item of it is anybody's."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import product
from typing import Final

from dispatch.model import TeamKind
from dispatch.powers.model import Basis, Origin, Power, PowerKind, Procedure, Tier

ITEMS: Final = 3882
"""As many as were merged in the article that the project implements."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_DEPARTMENTS: Final = _words(
    """
    城市管理局 市场监督管理局 交通运输局 应急管理局 农业农村局 水务局 文化和旅游局
    生态环境局 住房和城乡建设局 规划和自然资源分局 公安分局 消防救援大队 民政局
    卫生健康委员会 教育局 人力资源和社会保障局 发展和改革委员会 工业和信息化局
    商务局 财政局 统计局 医疗保障局
    """
)
_HOW: Final = _words(
    """
    擅自 未经批准 未按规定 拒不 逾期不 违反规定 以欺骗手段 在禁止区域内
    超过许可范围 未取得许可证 伪造证件 隐瞒情况 不按标准 未及时 指使他人 重复
    无正当理由 变相 超出期限
    """
)
_DO: Final = _words(
    """
    占用 挖掘 堆放 排放 倾倒 运输 经营 销售 生产 储存 拆除 改建 张贴 捕捞
    采挖 转让 出租 使用 安装 焚烧
    """
)
_WHAT: Final = _words(
    """
    城市道路 河道堤防 建筑垃圾 生活污水 危险化学品 食品添加剂 户外广告 公共绿地
    农作物种子 渔业资源 河道砂石 特种设备 医疗器械 文物 出版物 客运车辆 消防设施
    燃气管道 地下水 档案资料
    """
)
_END: Final = {PowerKind.PENALTY: "的处罚（示意）", PowerKind.COERCION: "的强制措施（示意）"}
_TENTH: Final = 0.1


def departments() -> Mapping[str, str]:
    """Twenty-two: code -> name."""
    return {f"D{number:02d}": name for number, name in enumerate(_DEPARTMENTS, 1)}


def made_powers(count: int = ITEMS, seed: int = 1) -> list[Power]:
    """So many made items (at most 7,600) over all departments, in the order of their codes; all different."""
    rng = random.Random(seed)  # noqa: S311 - nothing secret
    names = list(product(_HOW, _DO, _WHAT))
    rng.shuffle(names)
    codes = list(departments())
    out: list[Power] = []
    for number, words in enumerate(names[:count], 1):
        kind = PowerKind.COERCION if rng.random() < _TENTH else PowerKind.PENALTY
        summary = kind is PowerKind.PENALTY and rng.random() < _TENTH
        bases = {
            Basis(f"示意{rng.choice('甲乙丙丁戊')}条例", f"第{rng.randint(1, 99)}条"): None
            for _ in range(rng.randint(1, 3))
        }
        out.append(
            Power(
                f"SY{3200000 + number}",
                "".join(words) + _END[kind],
                "",
                rng.choice(codes),
                kind,
                tuple(bases),
                tuple(Tier(how, f"示意幅度{step}") for step, how in enumerate(("轻微", "一般", "严重"), 1)),
                Procedure.SUMMARY if summary else Procedure.GENERAL,
                (f"{rng.randint(1, 5):02d}{rng.randint(1, 4):02d}",),
                tuple(sorted({rng.choice(list(TeamKind)), TeamKind.SPECIALIST})),
                rng.random() < 3 * _TENTH,
                Origin.MADE,
            )
        )
    return out
