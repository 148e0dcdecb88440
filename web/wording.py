"""A decision in words, Chinese and English: data in, sentences out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from dispatch.competence import PLACE_LAYERS
from dispatch.district import District
from dispatch.errors import Language
from dispatch.model import CaseRow
from dispatch.rota import split

Say = Callable[[str, str], str]

REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "nearest": ("最快到达", "gets there first"),
    "farther": ("到达更晚", "would get there later"),
    "busy": ("正在处理其他案件", "is on another case"),
    "off_duty": ("此时不当班", "is not on duty at that hour"),
    "off_shift": ("已自报下班", "said that it is off shift"),
    "unskilled": ("不具备该事项要求的技能", "does not have the skill that the matter asks for"),
    "unreachable": ("无法到达该点", "cannot get there"),
    "on_it": ("已在处理本案", "is on this case already"),
    "most_specific": ("规定最具体", "the most specific row"),
    "less_specific": ("规定较笼统", "less specific"),
}

NOTES: Final[Mapping[str, tuple[str, str]]] = {
    "datum_converted": ("坐标由 {datum} 转换为 WGS 84。", "The position was converted from {datum} to WGS 84."),
    "snapped": (
        "上报位置在区界外 {snapped_m} 米，小于定位误差，已移至区界内。",
        "The place was {snapped_m} m outside the district, less than its accuracy, and was moved to the border.",
    ),
    "placed_by_zone": (
        "来件没有坐标，按其所写的区域“{placed_by}”定位：取区内一点，误差为能盖住该区域的半径（最多 10 公里）。",
        "No position came: placed in the zone {placed_by}; its accuracy is the radius that covers it (10 km at most).",
    ),
    "placed_by_camera": (
        "位置由摄像机“{placed_by}”推得：视野中部，或按方位和距离推算。",
        "The place is what the camera {placed_by} looks at: the middle of its field, or by bearing and distance.",
    ),
    "water_decides": (
        "此类事项只发生在水上或水边：误差圈内有水面，只按水面计算份额，陆地不计。",
        "The matter only makes sense on water or beside it: there is water in the circle, so only the water counts.",
    ),
    "confirm_place": (
        "最大份额 {largest_share:.1%} 低于本区规定的 {confirm_share:.1%}：先行派遣，位置待确认。",
        (
            "The largest share, {largest_share:.1%}, is below the district's {confirm_share:.1%}: sent all the same, "
            "and the place is to be confirmed."
        ),
    ),
    "relocated": (
        "位置已更正（移动 {moved_m} 米），按新位置重新判定；原判定保留在处理过程中。",
        "The place was corrected (by {moved_m} m) and decided again from there; the decision before is in its history.",
    ),
    "settled_by_choice": (
        (
            "误差圈内属于哪一部分由人工选定（该部分份额 {chosen_share:.1%}）："
            "位置取该部分距上报点最近处（{moved_m} 米），并非实测，精度仍是误差圈的半径；原判定保留在处理过程中。"
        ),
        (
            "Somebody chose which part of the circle is meant (its share is {chosen_share:.1%}): the case is shown at "
            "the point of it nearest to the reported one ({moved_m} m away), which nobody measured, and is known no "
            "better than the circle; the decision before is in its history."
        ),
    ),
    "stays_reassigned": (
        "此前已人工改派：新位置的判定与原判定是同一队伍，因此仍由改派后的队伍负责。",
        "It had been reassigned by hand: the new place leads to the same team as before, so it stays where it was.",
    ),
    "held": (
        "此来源的上报先经审核，审核后派遣。",
        "Reports of this source are looked at first; a unit is sent after that.",
    ),
    "joins": (
        "上报人确认与一件未办结的案件为同一件，随上报并入该案，不另派遣。",
        "Its reporter said that it is the same as an open case: merged into that at once; nobody else is sent.",
    ),
    "calendar_assumed": (
        "时限跨入放假安排尚未公布的年份，暂按周一至周五为工作日计算。",
        "Its limit reaches days whose holidays are not announced yet: counted by the day of the week.",
    ),
    "over_load": (
        "该队伍在办案件 {open_cases} 件，已超过上限 {max_open} 件。",
        "The team has {open_cases} cases open, more than its limit of {max_open}.",
    ),
    "stand_in": (
        "此时责任队伍无人当班，由{stand_in_zh}替班出动；责任仍在该队伍。",
        "Nobody of the responsible team is on duty: units of {stand_in_en} stand in. It stays responsible.",
    ),
    "off_duty": (
        "能去的单元此时都不当班，等待派遣。{crew_zh}",
        "Those who could go are not on duty: it waits for one. {crew_en}",
    ),
    "no_unit_able": (
        "该队伍没有具备此事项要求技能的单元。",
        "None of the team's units has the skill that it asks for.",
    ),
    "no_unit_free": ("该队伍暂无空闲单元，等待派遣。", "None of the team's units is free: it waits for one."),
    "no_unit_can_reach": ("该队伍没有能到达的单元。", "None of the team's units can get there."),
}

MODES: Final[Mapping[str, tuple[str, str]]] = {"vehicle": ("车", "by vehicle"), "boat": ("船", "by boat")}


def why(
    case: CaseRow, decision: Mapping[str, Any], district: District, in_force: District, language: Language
) -> dict[str, Any]:
    """Headline and steps: the place, the matter, the row of the table, the rows passed over, the units weighed.

    district: the edition that decided, in whose words it is told (`in_force`, when that one is lost).
    """

    def say(zh: str, en: str) -> str:
        return zh if language == "zh" else en

    team = _team(decision["team"], district, say)
    matter = _matter(case.matter, district, say)
    steps = [
        _place(decision, district, say),
        *_circle(decision, district, team, say),
        say(f"事项：{matter}（{case.matter}）。", f"Matter: {matter} ({case.matter})."),
        _rule(decision, district, team, say),
        *_passed_over(decision, say),
        *_units(decision, district, say),
        *_notes(decision, district, language),
        *([NOTES["calendar_assumed"][0 if language == "zh" else 1]] if case.clock and case.clock["assumed"] else []),
        *_edition(decision, district, in_force, say),
    ]
    if case.team != decision["team"]:
        name = _team(case.team, in_force, say)
        steps.append(
            say(f"此后已改派，现由{name}负责，见处理过程。", f"It was reassigned since: {name}; see its history.")
        )
    elif case.unit != decision["unit"]:
        steps.append(_sent_since(case.unit, in_force, say))
    return {"headline": _headline(decision, district, team, matter, say), "steps": steps}


def _sent_since(unit: str | None, in_force: District, say: Say) -> str:
    if unit is None:
        return say("此后该单元已撤出，见处理过程。", "Its unit left it since; see its history.")
    name = _unit(unit, in_force, say)
    return say(f"此后由{name}出动，见处理过程。", f"Since then {name} goes; see its history.")


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


def _team(code: str, district: District, say: Say) -> str:
    team = district.teams.get(code)
    return say(team.name, team.name_en) if team else code


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
    zones = _zones(decision["zones"], district, say)
    return say(f"地点：{zones}。", f"Place: {zones}.")


def _zones(zones: Sequence[Mapping[str, str]], district: District, say: Say) -> str:
    named = []
    for zone in zones:
        layer = district.layers.get(zone["layer"])
        if layer is None or zone["layer"] == "district":
            continue
        label = say(layer.label, layer.label_en)
        found = next((z for z in layer.zones if z.code == zone["code"]), None)
        name = say(zone["name"], found.name_en if found and found.name_en else zone["name"])
        named.append(say(f"{label}{name}", f"{label}: {name}"))
    return say("；", "; ").join(named)


def _circle(decision: Mapping[str, Any], district: District, team: str, say: Say) -> list[str]:
    """What 'the same team all over the circle' rests on, or how the circle is shared out."""
    if decision.get("radius_m") is None:
        return []  # decided before positions were circles
    metres, outcomes = f"{decision['radius_m']:g}", decision["outcomes"]
    if outcomes:
        shares = [
            (f"{one['share']:.1%}", _team(one["team"], district, say), one["rule"], _zones(one["zones"], district, say))
            for one in outcomes
        ]
        zh = "；".join(f"{name} {share}（{where}，第 {rule} 条）" for share, name, rule, where in shares)
        en = "; ".join(f"{name} {share} ({where}; row {rule})" for share, name, rule, where in shares)
        by_hand = "settled_by_choice" in decision["notes"]
        chosen_zh = f"由人工选定{team}。" if by_hand else "取份额最大的。"
        chosen_en = f"Somebody chose {team}." if by_hand else "The largest share is chosen."
        return [
            say(
                f"位置是半径 {metres} 米的误差圈，圈内责任队伍不同，按区内面积：{zh}。{chosen_zh}",
                f"The position is a circle of {metres} m in which the teams differ, by area in the district: {en}. "
                f"{chosen_en}",
            )
        ]
    looked = [layer for name in PLACE_LAYERS if (layer := district.layers.get(name))]
    labels = say("、".join(one.label for one in looked), ", ".join(one.label_en for one in looked))
    if decision["kinds"] == 1:
        return [
            say(
                f"位置是半径 {metres} 米的误差圈：职责清单所看的各层（{labels}）在圈内没有分界，处处是同一队伍。",
                f"The position is a circle of {metres} m: none of the layers that the decision table looks at "
                f"({labels}) changes within it, so it is the same team all over.",
            )
        ]
    return [
        say(
            f"位置是半径 {metres} 米的误差圈：圈内有 {decision['kinds']} 种地点（按{labels}），"
            f"职责清单对此事项在每一种都指定{team}。",
            f"The position is a circle of {metres} m: it meets {decision['kinds']} kinds of place (by {labels}), and "
            f"for this matter the decision table names {team} in each of them.",
        )
    ]


def _edition(decision: Mapping[str, Any], district: District, in_force: District, say: Say) -> list[str]:
    """By which edition it was decided, where that is not the one in force."""
    version = decision["version"]
    if version == in_force.version:
        return []
    if district.version == version:
        return [
            say(
                f"按看到当时施行的数据版次 {version} 研判；现行版次为 {in_force.version}。",
                f"Decided by the edition {version}, in force when it was seen; now it is {in_force.version}.",
            )
        ]
    return [
        say(
            f"按数据版次 {version} 研判，该版次已不在库中；以上名称按现行版次，职责条目的说明从略。",
            f"Decided by the edition {version}, which is no longer kept: names are those of the one in force, "
            "and what the row says is left out.",
        )
    ]


def _rule(decision: Mapping[str, Any], district: District, team: str, say: Say) -> str:
    rules = district.rules if district.version == decision["version"] else ()
    rule = next((r for r in rules if r.code == decision["rule"]), None)
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


def _notes(decision: Mapping[str, Any], district: District, language: Language) -> list[str]:
    facts = {**decision["facts"], **_duty(decision["facts"], district)}
    return [NOTES[code][0 if language == "zh" else 1].format_map(facts).strip() for code in decision["notes"]]


def _duty(facts: Mapping[str, Any], district: District) -> dict[str, str]:
    """Whose units stand in, and when the next crew comes, in words."""
    teams = split(str(facts.get("stand_in", "")))
    said = {
        "stand_in_zh": "、".join(_team(code, district, lambda zh, _: zh) for code in teams),
        "stand_in_en": ", ".join(_team(code, district, lambda _, en: en) for code in teams),
        "crew_zh": "",
        "crew_en": "",
    }
    if begins := facts.get("next_crew_at"):
        at = datetime.fromisoformat(begins).astimezone(ZoneInfo(district.timezone))
        said["crew_zh"] = f"下一班 {at:%m-%d %H:%M} 到岗。"
        said["crew_en"] = f"The next crew comes on at {at:%m-%d %H:%M}."
    return said
