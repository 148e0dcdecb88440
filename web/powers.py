"""The list of powers and duties (权责清单): the proved matrix as a page to publish, as CSV, and for the terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dispatch.competence import PLACE_LAYERS
from dispatch.duties import Duties
from dispatch.model import Matter, MatterClass, Mode, Rule, Team
from dispatch.proof import shortened
from dispatch.spare_rows import Spare
from geo.grid import Layer
from web.powers_map import drawn

ASSETS = Path(__file__).parent / "assets"
SPARE_WORDS = {
    "never_speaks": ("本区没有符合其地点条件的地方", "no place of the district is such"),
    "always_beaten": ("凡适用处都有更具体的规则 {others}", "wherever it speaks, {others} is more specific"),
    "changes_nothing": ("去掉它，由 {others} 得出的队伍相同", "without it {others} would name the same team"),
    "mergeable": ("仅“{column}”一列不同，合为一条结果不变", "they differ in {column} only, and one row would say it"),
}


@dataclass(frozen=True, slots=True)
class Clause:
    """Who is responsible for a matter, by one row of the table."""

    where: str
    where_en: str
    teams: tuple[Team, ...]
    rule: Rule
    km2: float
    layer: Layer
    """By whose zones the teams differ, where they do; else the townships."""


def page(duties: Duties) -> str:
    """One HTML page, Chinese first: opens without a network, prints on A4."""
    district = duties.ground.district
    layers = [layer for name, layer in district.layers.items() if name in ("district", *PLACE_LAYERS)]
    return (
        _environment()
        .get_template("powers.html.j2")
        .render(
            css=(ASSETS / "powers.css").read_text("utf-8"),
            district=district,
            duties=duties,
            drawing=drawn(duties),
            figures=duties.figures(),
            schematic=[layer for layer in layers if not layer.real],
            entries=[(matter, list(_clauses(duties, matter.code))) for matter in _listed(duties)],
            teams=list(_teams(duties)),
            kinds=duties.proof.places.kinds,
            groups=[(f"G{n:02d}", _group_title(duties, codes)) for n, codes in enumerate(duties.proof.groups, 1)],
            cells=_cells(duties),
            spare=[(one, *_spare_words(one)) for one in duties.spare],
        )
    )


def table(duties: Duties) -> str:
    """CSV: a matter a row, a kind of place a column, in each cell the team and the row of the decision table."""
    out = io.StringIO()
    write = csv.writer(out)
    kinds = duties.proof.places.kinds
    head = ["事项编码 code", "事项 matter", "matter (en)", "主管部门 department"]
    write.writerow([*head, *(f"{kind.code} {kind.name} {kind.area_km2:.3f} km²" for kind in kinds)])
    teams, rules = duties.ground.district.teams, duties.proof.table.rules
    group_of = _group_of(duties)
    for matter in _listed(duties):
        group = group_of[matter.code]
        row = [matter.code, matter.name, matter.name_en, _department(duties, matter)]
        for number, line in enumerate(duties.proof.winners):
            team = duties.proof.team(number, group)
            row.append(f"{team} {teams[team].name} ({rules[line[group]].code})" if team else "✗ 未定 unsettled")
        write.writerow(row)
    return out.getvalue()


def text(duties: Duties) -> str:
    """The matrix as lines to read: kinds of place, then each lot of matters with its teams, then what is wrong."""
    proof, figures = duties.proof, duties.figures()
    district = duties.ground.district
    lines = [f"{district.name}执法权责清单 / Powers and duties: {district.name_en}  {district.version}", ""]
    lines.append("地点类型 / kinds of place")
    lines += [f"  {k.code} {k.area_km2:>11.4f} km²  {k.name} / {k.name_en}" for k in proof.places.kinds]
    sums = (figures["area_km2"], figures["district_km2"], figures["left_m2"])
    lines.append("  合计 / sum {:.6f} km²；区域 / district {:.6f} km²；相差 / left {:.6f} m²".format(*sums))
    lines += ["", "事项与队伍 / matters and teams"]
    for codes in proof.groups:
        lines.append(f"  {_group_title(duties, codes)}")
        for clause in _clauses(duties, codes[0]):
            lines.append(
                f"    {clause.rule.code} {clause.where} / {clause.where_en}（{clause.km2:.3f} km²）"
                f"→ {', '.join(team.code for team in clause.teams)}"
            )
    if duties.spare:
        lines += ["", "多余的规则 / rows that say nothing of their own"]
        for one in duties.spare:
            zh, en = _spare_words(one)
            lines.append(f"  {'、'.join(one.rules)}：{zh} / {en}")
    lines.append("")
    for failure in duties.failures:
        lines += [f"✗ {failure.text('zh')}", f"    {failure.text('en')}"]
    lines.append(
        f"{'✓' if duties.passed else '✗'} {figures['place_kinds']} 类地点 × {figures['matters']} 项事项"
        f"（另 {figures['classes']} 个大类）= {figures['pairs']} 组，失败 {len(duties.failures)} / "
        f"{figures['place_kinds']} kinds of place × {figures['matters']} matters (and {figures['classes']} classes), "
        f"{len(duties.failures)} failures"
    )
    return "\n".join(lines)


# --- what the three share ------------------------------------------------------------------------------------------


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(ASSETS)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _listed(duties: Duties) -> list[Matter | MatterClass]:
    """Each class, then its matters."""
    district = duties.ground.district
    return [district.classes.get(c) or district.matters[c] for c in sorted({*district.classes, *district.matters})]


def _department(duties: Duties, matter: Matter | MatterClass) -> str:
    if isinstance(matter, MatterClass):
        return ""
    return duties.ground.district.departments[matter.department].name


def _group_of(duties: Duties) -> dict[str, int]:
    return {code: number for number, codes in enumerate(duties.proof.groups) for code in codes}


def _group_title(duties: Duties, codes: Sequence[str]) -> str:
    district = duties.ground.district
    named = [
        district.matters[c].name if c in district.matters else f"{district.classes[c].name}（大类）" for c in codes
    ]
    shown = "、".join(f"{code} {name}" for code, name in list(zip(codes, named, strict=True))[:6])
    return shown if len(codes) <= 6 else f"{shown} 等 {len(codes)} 项"


def _clauses(duties: Duties, code: str) -> Iterator[Clause]:
    """The rows that win for a matter somewhere, the widest first."""
    proof, teams = duties.proof, duties.ground.district.teams
    group = _group_of(duties)[code]
    met: dict[int, tuple[set[str], float]] = {}
    for number, (kind, line) in enumerate(zip(proof.places.kinds, proof.winners, strict=True)):
        team = proof.team(number, group)
        if team is not None:
            codes, km2 = met.get(line[group], (set(), 0.0))
            met[line[group]] = (codes | {team}, km2 + kind.area_km2)
    for row, (codes, km2) in sorted(met.items(), key=lambda one: -one[1][1]):
        rule = proof.table.rules[row]
        where, where_en = _where(duties, rule, alone=len(met) == 1)
        layer = duties.ground.district.layers[rule.team[1:] if rule.team.startswith("@") else "township"]
        yield Clause(where, where_en, tuple(teams[team] for team in sorted(codes)), rule, km2, layer)


def _where(duties: Duties, rule: Rule, *, alone: bool) -> tuple[str, str]:
    """The place cells of a row in words."""
    zh: list[str] = []
    en: list[str] = []
    for name in PLACE_LAYERS:
        cell, layer = getattr(rule, name), duties.ground.district.layers.get(name)
        if not cell or layer is None:
            continue
        if cell in ("*", "-"):
            zh.append(f"{layer.label}{'内' if cell == '*' else '以外'}")
            en.append(f"{'in' if cell == '*' else 'outside'} {layer.label_en}")
            continue
        zones = {zone.code: zone for zone in layer.zones}
        one = cell.split("|")
        zh.append("、".join(zones[c].name if c in zones else f"{layer.label}（{c[1:]}）" for c in one) + "内")
        en.append("in " + ", ".join(zones[c].name_en if c in zones else f"{layer.label_en} ({c[1:]})" for c in one))
    if not zh:
        return ("全区", "everywhere") if alone else ("其他各处", "everywhere else")
    return "，".join(zh), "; ".join(en)


@dataclass(frozen=True, slots=True)
class TeamWork:
    """A team with what it has and what falls to it."""

    team: Team
    vehicles: int
    boats: int
    matters: int
    km2: float
    share: float
    """Of the kinds of place where something falls to it, by area, what its units reach."""


def _teams(duties: Duties) -> Iterator[TeamWork]:
    proof, district = duties.proof, duties.ground.district
    matters: dict[str, set[int]] = {}
    for kind in range(len(proof.places.kinds)):
        for group in range(len(proof.groups)):
            team = proof.team(kind, group)
            if team is not None:
                matters.setdefault(team, set()).add(group)
    for code, team_value in district.teams.items():
        units = duties.ground.units_of.get(code, ())
        ways = [(proof.places.kinds[k].area_km2, way.share) for (team, k), way in duties.reach.items() if team == code]
        km2 = sum(area for area, _ in ways)
        known = [m for group in matters.get(code, ()) for m in proof.groups[group] if m in district.matters]
        yield TeamWork(
            team_value,
            sum(unit.mode is Mode.VEHICLE for unit in units),
            sum(unit.mode is Mode.BOAT for unit in units),
            len(known),
            km2,
            sum(area * share for area, share in ways) / km2 if km2 else 0.0,
        )


def _cells(duties: Duties) -> list[list[tuple[str, str, str]]]:
    """For each kind and group: the team's code, its kind (for the colour), the row."""
    teams, rules = duties.ground.district.teams, duties.proof.table.rules
    lines = []
    for number, line in enumerate(duties.proof.winners):
        found = [duties.proof.team(number, group) for group in range(len(line))]
        lines.append(
            [
                (team, teams[team].kind.value, rules[row].code) if team else ("✗", "none", "")
                for team, row in zip(found, line, strict=True)
            ]
        )
    return lines


def _spare_words(one: Spare) -> tuple[str, str]:
    facts = {"others": shortened(one.others), "column": one.column}
    zh, en = SPARE_WORDS[one.code]
    return zh.format_map(facts), en.format_map(facts)
