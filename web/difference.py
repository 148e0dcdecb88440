"""What two editions differ in, in words: text for the terminal, and what the page shares with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from dispatch.comparison import Comparison, TableChange
from dispatch.handover import Transfer
from dispatch.replay import Answer, Replay
from geo.changes import FieldChange, LayerChange, ZoneChange

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "added": ("新增", "added"),
    "removed": ("取消", "removed"),
    "moved": ("界线移动", "moved"),
    "recoded": ("改码", "re-coded"),
    "renamed": ("改名", "renamed"),
    "edited": ("属性改动", "edited"),
    "changed": ("改动", "changed"),
}
TABLES: Final[Mapping[str, tuple[str, str]]] = {
    "departments": ("部门", "departments"),
    "classes": ("大类", "classes"),
    "matters": ("事项", "matters"),
    "teams": ("队伍", "teams"),
    "units": ("单元", "units"),
    "bases": ("驻地", "bases"),
    "rules": ("职责规则", "rows of the decision table"),
    "shifts": ("班次", "shifts"),
    "calendar": ("本区日历", "the district's own days"),
    "powers": ("权力事项", "items of the power list"),
    "cameras": ("摄像机", "cameras"),
    "source_matters": ("类别对照", "what other systems call matters"),
}
WHY_NONE: Final[Mapping[str, tuple[str, str]]] = {
    "outside": ("区外", "outside the district"),
    "unlisted": ("清单无此事项", "matter not listed"),
}
_SHOWN: Final = 8
"""So many of a kind stand in the text; all of them in JSON."""


def area(km2: float) -> str:
    """Square kilometres, or square metres where that is too little."""
    if km2 >= 0.01:
        return f"{km2:.3f} km²"
    return f"{km2 * 1e6:.0f} m²" if km2 >= 1e-5 else f"{km2 * 1e6:.3g} m²"


def team_name(comparison: Comparison, code: str | None, why_none: str = "outside") -> tuple[str, str]:
    """A team's code and name, in Chinese and English; what it means that there is none."""
    if code is None:
        return WHY_NONE[why_none]
    team = comparison.new.teams.get(code) or comparison.old.teams[code]
    return f"{code} {team.name}", f"{code} {team.name_en or team.name}"


def counted(counts: Mapping[str, int]) -> str:
    """Those that are not none, e.g. `新增 added 2`."""
    return "，".join(f"{KINDS[kind][0]} {KINDS[kind][1]} {n}" for kind, n in counts.items() if n)


def shown(value: Any) -> str:
    """A field's value as it is written; nothing as a dash."""
    if value is None or value == "":
        return "—"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


# --- text ------------------------------------------------------------------------------------------------------------


def text(comparison: Comparison, replay: Replay | None) -> str:
    """The terminal's answer: short, the widest changes first."""
    lines = [f"{comparison.old.version} → {comparison.new.version}"]
    if comparison.nothing:
        lines.append("内容相同 / nothing is different")
    if comparison.layers:
        lines += ["", "图层 / layers"]
        for layer in comparison.layers:
            lines += _layer_lines(layer)
    roads = comparison.roads
    if roads.added or roads.removed:
        lines.append(
            f"  道路 / roads: +{roads.added}（{roads.added_km:.3f} km）−{roads.removed}（{roads.removed_km:.3f} km）"
        )
    if comparison.tables:
        lines += ["", "数据表 / tables"]
        for table in comparison.tables:
            lines += _table_lines(table)
    if comparison.settings:
        lines += ["", "district.toml"]
        lines += [f"  {_field(change)}" for change in comparison.settings]
    lines += ["", "负责队伍的变化 / who is responsible", *_handover_lines(comparison)]
    if replay is not None:
        lines += ["", "历史案件 / past cases", *_replay_lines(comparison, replay)]
    return "\n".join(lines)


def _layer_lines(layer: LayerChange) -> Iterator[str]:
    name = f"{layer.layer.label} / {layer.layer.label_en}"
    whole = "（新图层 new layer）" if layer.old is None else "（图层取消 layer removed）" if layer.new is None else ""
    yield f"  {name}{whole}: {counted(layer.counts())}，不变 same {layer.same}；涉及 region {area(layer.region_km2)}"
    for zone in islice(layer.zones, _SHOWN):
        fields = "，".join(_field(change) for change in zone.fields)
        yield f"    {zone_title(zone)} {'、'.join(KINDS[kind][0] for kind in zone.kinds)}{_km2(zone)} {fields}".rstrip()
    if len(layer.zones) > _SHOWN:
        yield f"    … 另 {len(layer.zones) - _SHOWN} 处 / more"


def zone_title(zone: ZoneChange) -> str:
    """Its code, both where it was re-coded, and its name."""
    codes = [one.code for one in (zone.old, zone.new) if one is not None]
    return f"{' → '.join(dict.fromkeys(codes))} {zone.zone.name}"


def _km2(zone: ZoneChange) -> str:
    gained = f" +{area(zone.gained_km2)}" if zone.gained_km2 else ""
    return gained + (f" −{area(zone.lost_km2)}" if zone.lost_km2 else "")


def _table_lines(table: TableChange) -> Iterator[str]:
    yield f"  {' / '.join(TABLES[table.name])}: {counted(table.counts())}，不变 same {table.same}"
    for row in islice(table.rows, _SHOWN):
        values = row.new or row.old or {}
        what = "，".join(_field(change) for change in row.fields)
        yield f"    {row.code} {values.get('name') or values.get('note') or ''} {what or KINDS[row.kind][0]}"
    if len(table.rows) > _SHOWN:
        yield f"    … 另 {len(table.rows) - _SHOWN} 行 / more"


def _field(change: FieldChange) -> str:
    return f"{change.field}: {shown(change.old)} → {shown(change.new)}"


def _handover_lines(comparison: Comparison) -> Iterator[str]:
    found = comparison.handover
    if not found.transfers:
        yield "  各处各事项均不变 / the same everywhere, for every matter"
    for one in islice(found.transfers, 2 * _SHOWN):
        (old, _), (new, _) = team_name(comparison, one.old), team_name(comparison, one.new)
        where = area(one.km2) if one.faces else "仅界线上 on a line only"
        codes = ", ".join(one.matters[:4]) + (" …" if len(one.matters) > 4 else "")
        yield f"  {old} → {new}: {where}，{len(one.matters)} 项 matters ({codes})，例 e.g. {_at(one)}"
    if len(found.transfers) > 2 * _SHOWN:
        yield f"  … 另 {len(found.transfers) - 2 * _SHOWN} 处 / more"
    for side, lacking in (("旧版独有 only old", found.only_old), ("新版独有 only new", found.only_new)):
        if lacking:
            yield f"  清单{side}: {', '.join(lacking)}"
    yield f"  变化 changed {area(found.changed_km2)}，不变 same {area(found.same_km2)}"


def _at(one: Transfer) -> str:
    return f"{one.at[0]:.6f}, {one.at[1]:.6f}"


def _replay_lines(comparison: Comparison, replay: Replay) -> Iterator[str]:
    for (old, new), n in replay.pairs().items():
        yield f"  {_side(comparison, old)} → {_side(comparison, new)}: {n} 件 cases"
    for one in islice(replay.rerouted, _SHOWN):
        case, matter = one.case, _matter(comparison, one.case.matter)
        yield (
            f"    {case.case_no}  {case.lon:.6f}, {case.lat:.6f}  {case.matter} {matter}  "
            f"{_side(comparison, one.old)} → {_side(comparison, one.new)}"
        )
    if len(replay.rerouted) > _SHOWN:
        yield f"    … 另 {len(replay.rerouted) - _SHOWN} 件 / more (--json)"
    yield f"  {replay.cases} 件案件，{len(replay.rerouted)} 件改由他队负责 / cases, so many of them would go elsewhere"
    if replay.unlike:
        ours = sum(one.same_edition for one in replay.unlike)
        yield (
            f"  {len(replay.unlike)} 件当时的研判与旧版今日所答不同（由其他版次研判 {len(replay.unlike) - ours}，"
            f"由旧版研判 {ours}） / were decided otherwise than the old edition says (by another edition, by itself)"
        )


def _side(comparison: Comparison, answer: Answer) -> str:
    return team_name(comparison, answer.team, answer.why_none)[0]


def _matter(comparison: Comparison, code: str) -> str:
    for district in (comparison.new, comparison.old):
        known = district.matters.get(code) or district.classes.get(code)
        if known is not None:
            return known.name
    return ""
