"""The sample district's power list: a dozen items by laws that are certain, and one made item for each matter.

A `law` row's law and article are certain, in the edition that is named; who holds the item here, by which matter one
comes to it and whether townships have it is schematic, as are all `made` rows (示意). No discretion tier is real.
"""

# ruff: noqa: E501 — the table is data, a line a row

from __future__ import annotations

import csv
from pathlib import Path

from build_tables import MATTERS, RULES, rows_of

HEADER = "code,name,name_en,department,kind,bases,tiers,procedure,matters,team_kinds,delegated,origin"
PLANNING = "中华人民共和国城乡规划法（2019年修正）"
CLEANNESS = "城市市容和环境卫生管理条例（2017年修订）"
TRAFFIC = "中华人民共和国道路交通安全法（2021年修正）"
WATER = "中华人民共和国水法（2016年修正）"
YANGTZE = "中华人民共和国长江保护法"
# name, English name, department, kind, law, article, procedure, matter
LAW = (
    ("未取得建设工程规划许可证或者未按照建设工程规划许可证的规定进行建设的处罚", "Building without or against a construction planning permit", "D10", "penalty", PLANNING, "第六十四条", "general", "0101"),
    ("当事人不停止违法建设或者逾期不拆除的，查封施工现场、强制拆除", "Sealing or pulling down illegal building that goes on", "D10", "coercion", PLANNING, "第六十八条", "general", "0101"),
    ("乡、村庄规划区内违法建设逾期不改正的拆除", "Pulling down illegal building in a village planning area", "D10", "coercion", PLANNING, "第六十五条", "general", "0101"),
    ("在城市建筑物、设施以及树木上涂写、刻画或者未经批准张挂、张贴宣传品等的处罚", "Writing or unapproved posting on buildings, facilities and trees", "D01", "penalty", CLEANNESS, "第三十四条", "general", "0201"),
    ("运输液体、散装货物不作密封、包扎、覆盖，造成泄漏、遗撒的处罚", "Spilling an uncovered load", "D01", "penalty", CLEANNESS, "第三十四条", "general", "0110"),
    ("未经批准擅自饲养家畜家禽影响市容和环境卫生的处罚", "Keeping livestock without leave, against the city's cleanness", "D01", "penalty", CLEANNESS, "第三十五条", "general", "0115"),
    ("未经批准擅自在街道两侧和公共场地堆放物料，影响市容的处罚", "Piling up goods along streets and in public places without leave", "D01", "penalty", CLEANNESS, "第三十六条", "general", "0507"),
    ("违反机动车停放、临时停车规定的处罚", "Parking against the rules", "D11", "penalty", TRAFFIC, "第九十三条", "summary", "0505"),
    ("违法停放、妨碍通行的机动车拖移", "Towing away a vehicle that is in the way", "D11", "coercion", TRAFFIC, "第九十三条", "general", "0505"),
    ("在河道管理范围内建设妨碍行洪的建筑物、构筑物的处罚", "Building in a river's channel against the passage of floods", "D06", "penalty", WATER, "第六十五条", "general", "2106"),
    ("在长江流域未依法取得许可从事采砂活动的处罚", "Sand mining in the Yangtze basin without a licence", "D06", "penalty", YANGTZE, "第九十一条", "general", "2104"),
    ("在长江流域水生生物保护区内或者重点水域禁捕期间捕捞的处罚", "Fishing in Yangtze reserves or closed waters", "D05", "penalty", YANGTZE, "第八十六条", "general", "2103"),
)  # fmt: skip
TIERS = "轻微，及时改正（示意）→不予处罚（示意）|一般（示意）→低幅度（示意）|严重或再次发生（示意）→高幅度（示意）"


def kinds_of(matter: str) -> list[str]:
    """The kinds of team to which the decision table sends a matter somewhere."""
    usual, more = "township", {"water"}
    for _, township, dedicated, water, joint, matters, team, *_ in rows_of(RULES):
        if not matter.startswith(matters or " "):
            continue
        kind = {"@": team[1:], "W": "water", "J": "joint", "T": "township"}.get(team[0], "specialist")
        if township or dedicated or joint or water != "-":
            more.add(kind)
        else:
            usual = kind
    return [kind for kind in ("township", "water", "joint", "specialist") if kind in {usual, *more}]


def write_powers(folder: Path) -> None:
    """powers.csv."""
    out: list[list[str]] = []
    for number, (name, english, department, kind, law, article, procedure, matter) in enumerate(LAW, 1):
        kinds = kinds_of(matter)
        delegated = "true" if "township" in kinds else "false"
        out.append(
            [
                f"FL-{number:04d}",
                name,
                english,
                department,
                kind,
                f"《{law}》{article}",
                "",
                procedure,
                matter,
                "|".join(kinds),
                delegated,
                "law",
            ]
        )
    for group, text in MATTERS.items():
        for number, (name, english, department, urgency, *_) in enumerate(rows_of(text), 1):
            matter = f"{group}{number:02d}"
            kinds = kinds_of(matter)
            delegated = "true" if "township" in kinds else "false"
            procedure = "summary" if urgency == "3" else "general"
            out.append(
                [
                    f"SY-{matter}",
                    f"{name}的处罚（示意）",
                    f"{english}: penalty (made)",
                    department,
                    "penalty",
                    "",
                    TIERS,
                    procedure,
                    matter,
                    "|".join(kinds),
                    delegated,
                    "made",
                ]
            )
    with (folder / "powers.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(HEADER.split(","))
        rows.writerows(out)


if __name__ == "__main__":
    write_powers(Path(__file__).parent)
