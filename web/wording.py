"""A decision in words, Chinese and English: data in, sentences out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from dispatch.district import District
from dispatch.errors import Language
from dispatch.store.cases import CaseRow

Say = Callable[[str, str], str]

REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "nearest": ("最快到达", "gets there first"),
    "farther": ("到达更晚", "would get there later"),
    "busy": ("正在处理其他案件", "is on another case"),
    "off_shift": ("不在班", "is off shift"),
    "unreachable": ("无法到达该点", "cannot get there"),
    "most_specific": ("规定最具体", "the most specific row"),
    "less_specific": ("规定较笼统", "less specific"),
}

NOTES: Final[Mapping[str, tuple[str, str]]] = {
    "datum_converted": ("坐标由 {datum} 转换为 WGS 84。", "The position was converted from {datum} to WGS 84."),
    "snapped": (
        "上报位置在区界外 {snapped_m} 米，小于定位误差，已移至区界内。",
        "The place was {snapped_m} m outside the district, less than its accuracy, and was moved to the border.",
    ),
    "no_unit_free": ("该队伍暂无空闲单元，等待派遣。", "None of the team's units is free: it waits for one."),
    "no_unit_can_reach": ("该队伍没有能到达的单元。", "None of the team's units can get there."),
}

MODES: Final[Mapping[str, tuple[str, str]]] = {"vehicle": ("车", "by vehicle"), "boat": ("船", "by boat")}


def why(case: CaseRow, decision: Mapping[str, Any], district: District, language: Language) -> dict[str, Any]:
    """Headline and steps: the place, the matter, the row of the table, the rows passed over, the units weighed."""

    def say(zh: str, en: str) -> str:
        return zh if language == "zh" else en

    first_team = district.teams.get(decision["team"])
    team = say(first_team.name, first_team.name_en) if first_team else decision["team"]
    matter = _matter(case.matter, district, say)
    steps = [
        _place(decision, district, say),
        say(f"事项：{matter}（{case.matter}）。", f"Matter: {matter} ({case.matter})."),
        _rule(decision, district, team, say),
        *_passed_over(decision, say),
        *_units(decision, district, say),
        *_notes(decision, language),
    ]
    if (case.team, case.unit) != (decision["team"], decision["unit"]):
        now = district.teams.get(case.team)
        name = say(now.name, now.name_en) if now else case.team
        steps.append(
            say(f"此后已改派，现由{name}负责，见处理过程。", f"It was reassigned since: {name}; see its history.")
        )
    return {"headline": _headline(decision, district, team, matter, say), "steps": steps}


def minutes(seconds: float, say: Say) -> str:
    """Seconds as a dispatcher says them."""
    whole = max(1, round(seconds / 60))
    return say(f"{whole} 分钟", f"{whole} min")


def _matter(code: str, district: District, say: Say) -> str:
    found = district.matters.get(code) or district.classes.get(code)
    return say(found.name, found.name_en) if found else code


def _unit(code: str, district: District, say: Say) -> str:
    unit = district.units.get(code)
    return say(unit.name, unit.name_en) if unit else code


def _headline(decision: Mapping[str, Any], district: District, team: str, matter: str, say: Say) -> str:
    if not decision["unit"]:
        return say(f"{matter}由{team}负责，暂无可派单元。", f"{matter}: {team} is responsible; no unit can go yet.")
    unit = _unit(decision["unit"], district, say)
    by = say(*MODES[decision["mode"]])
    eta = minutes(decision["eta_s"], say)
    return say(
        f"{matter}由{team}负责，{unit}（{by}）约 {eta}到达。",
        f"{matter}: {team} is responsible; {unit} comes {by} in about {eta}.",
    )


def _place(decision: Mapping[str, Any], district: District, say: Say) -> str:
    named = []
    for zone in decision["zones"]:
        layer = district.layers.get(zone["layer"])
        if layer is None or zone["layer"] == "district":
            continue
        label = say(layer.label, layer.label_en)
        found = next((z for z in layer.zones if z.code == zone["code"]), None)
        name = say(zone["name"], found.name_en if found and found.name_en else zone["name"])
        named.append(say(f"{label}{name}", f"{label}: {name}"))
    return say(f"地点：{'；'.join(named)}。", f"Place: {'; '.join(named)}.")


def _rule(decision: Mapping[str, Any], district: District, team: str, say: Say) -> str:
    rule = next((r for r in district.rules if r.code == decision["rule"]), None)
    note = say(rule.note, rule.note_en or rule.note) if rule else ""
    tail = say(f"（{note}）", f" ({note})") if note else ""
    return say(
        f"按职责清单第 {decision['rule']} 条{tail}，由{team}负责。",
        f"By row {decision['rule']} of the decision table{tail}, {team} is responsible.",
    )


def _passed_over(decision: Mapping[str, Any], say: Say) -> list[str]:
    rest = [verdict["rule"] for verdict in decision["rules"] if not verdict["chosen"]]
    if not rest:
        return []
    rows = say("、", ", ").join(rest)
    return [say(f"第 {rows} 条也适用，但规定较笼统。", f"Rows {rows} speak of it too, but are less specific.")]


def _units(decision: Mapping[str, Any], district: District, say: Say) -> list[str]:
    steps = []
    for verdict in decision["units"]:
        unit, reason = _unit(verdict["unit"], district, say), say(*REASONS[verdict["reason"]])
        if verdict["eta_s"] is None:
            steps.append(say(f"{unit}：{reason}。", f"{unit}: {reason}."))
            continue
        eta, kilometres = minutes(verdict["eta_s"], say), f"{verdict['distance_m'] / 1000:.1f}"
        by, begin = say(*MODES[verdict["mode"]]), _begin(verdict.get("seen_s"), say)
        steps.append(
            say(
                f"{unit}（{by}，{begin}）：{eta}，{kilometres} 公里，{reason}。",
                f"{unit} ({by}, {begin}): {eta}, {kilometres} km, {reason}.",
            )
        )
    return steps


def _begin(seen_s: float | None, say: Say) -> str:
    """Which position of a unit its way was counted from."""
    if seen_s is None:
        return say("从驻点出发", "from its base")
    if seen_s < 60:
        return say("从刚才所在位置出发", "from where it was just now")
    return say(f"从 {minutes(seen_s, say)}前所在位置出发", f"from where it was {minutes(seen_s, say)} before")


def _notes(decision: Mapping[str, Any], language: Language) -> list[str]:
    return [NOTES[code][0 if language == "zh" else 1].format_map(decision["facts"]) for code in decision["notes"]]
