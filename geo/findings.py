"""What can be wrong with a district folder, each thing by name, with its place; wording in Chinese and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType
from typing import Any, Final, Literal

import shapely
from shapely.geometry.base import BaseGeometry

WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        # shapes
        "not_polygon": ("要素 {feature} 不是多边形：{problem}", "feature {feature} is no polygon: {problem}"),
        "invalid_ring": ("{zones} 的边界无效：{problem}", "{zones} has an invalid boundary: {problem}"),
        "gap": ("区内有无人负责的空隙", "a gap that no zone covers"),
        "overlap": ("{zones} 相互重叠", "{zones} overlap"),
        "outside_district": ("{zones} 超出区界", "{zones} reaches outside the district"),
        "outside_parent": ("{zones} 超出上级 {parent}", "{zones} reaches outside its parent {parent}"),
        "union_area_off": (
            "合计面积应为 {expected} ± {tolerance} km²，实为 {found} km²",
            "the union must measure {expected} ± {tolerance} km² and measures {found} km²",
        ),
        "empty_layer": ("没有任何要素", "there is no feature"),
        "not_one": ("应恰有一个要素，实有 {found} 个", "there must be exactly one feature, not {found}"),
        "outside_degrees": ("{zones} 的坐标不是经纬度", "{zones} is not in degrees of longitude and latitude"),
        "not_line": ("要素 {feature} 不是折线：{problem}", "feature {feature} is no line: {problem}"),
        "not_point": ("要素 {feature} 不是点：{problem}", "feature {feature} is no point: {problem}"),
        "base_outside": ("驻地 {code_} 在区界之外", "base {code_} lies outside the district"),
        "camera_outside": ("摄像机 {code_} 在区界之外", "camera {code_} lies outside the district"),
        "pier_ashore": (
            "船艇 {unit} 的码头 {code_} 离水 {metres} 米",
            "the pier {code_} of boat {unit} lies {metres} m from any water",
        ),
        # codes
        "bad_property": (
            "要素 {feature} 的属性 {field} 无效：{value}",
            "feature {feature}: property {field} is not valid: {value}",
        ),
        "duplicate_code": ("编码 {code_} 重复：{places}", "code {code_} stands more than once: {places}"),
        "orphan_parent": ("{zones} 的上级 {parent} 不存在", "{zones} names a parent {parent} that is not there"),
        "bad_grid_code": (
            "网格编码 {code_} 应为 {digits} 位数字，并以上级编码 {parent} 开头",
            "grid code {code_} must have {digits} digits and begin with its parent's {parent}",
        ),
        # files
        "folder_missing": ("没有这个文件夹", "there is no such folder"),
        "file_missing": ("文件不存在", "the file is missing"),
        "not_utf8": (
            "不是 UTF-8（第 {row} 行，第 {byte} 字节）{guess_zh}",
            "is not UTF-8 (line {row}, byte {byte}){guess}",
        ),
        "bad_toml": ("TOML 有误：{problem}", "is not valid TOML: {problem}"),
        "bad_json": ("不是有效的 GeoJSON：{problem}", "is not valid GeoJSON: {problem}"),
        "bad_csv": ("第 {row} 行：CSV 有误：{problem}", "row {row}: not valid CSV: {problem}"),
        "columns_missing": ("缺少列：{columns}", "columns are missing: {columns}"),
        "ragged_row": ("第 {row} 行有 {found} 格，应有 {expected} 格", "row {row} has {found} cells, not {expected}"),
        "bad_value": (
            "第 {row} 行 {field} 的值“{value}”无效，应为：{expected}",
            'row {row}: {field} is "{value}", which must be: {expected}',
        ),
        "bad_setting": (
            "{field} 无效或缺少，应为：{expected}",
            "{field} is missing or not valid, it must be: {expected}",
        ),
        "unknown_reference": (
            "{where} 的 {field} 指向不存在的 {target}：{value}",
            "{where}: {field} names a {target} that is not there: {value}",
        ),
        "nobody_on_duty": (
            "{zones} {times}（{kind_zh}）无人值班，也没有指定替班队伍（另有 {more} 处）",
            "{zones}: nobody on duty {times} ({kind}), and no team stands in (and {more} more such times)",
        ),
        # the decision table
        "rule_cell_unknown": (
            "规则 {rules} 的格子无所指：{detail}",
            "rule {rules}: a cell names nothing known: {detail}",
        ),
        "rule_team_unknown": (
            "规则 {rules} 的队伍不存在：{detail}",
            "rule {rules} names a team that is not there: {detail}",
        ),
        "rule_zone_without_team": (
            "规则 {rules} 会派给没有指定队伍的区域：{detail}",
            "rule {rules} reaches zones that name no team: {detail}",
        ),
        "rule_duplicate": ("规则 {rules} 所指完全相同", "rules {rules} speak of exactly the same"),
        "rule_tie": ("规则 {rules} 对事项 {matter} 不分先后", "rules {rules} tie on matter {matter}"),
        "rule_hole": ("事项 {matter} 在此无规则可依", "no rule speaks of matter {matter} here"),
        # the power list
        "power_without_team": (
            "权力事项 {where} 没有队伍可以行使（队伍类型：{kinds}）",
            "item {where} is held by no team (kinds of team: {kinds})",
        ),
        "power_twice": (
            "权力事项重复（名称、部门、依据相同）“{name}”：{places}",
            'items of the same name, department and basis, "{name}": {places}',
        ),
        "team_without_power": (
            "事项 {matter} 依规则 {rows} 派给 {teams}，但这类队伍（{kind}）没有相应权力；别类队伍的权力事项：{items}",
            "matter {matter} goes by {rows} to {teams}: teams of kind {kind} have no power for it; others have {items}",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a district folder.

    `data` holds the figures of its sentence; `geometry` (EPSG:4326) is where; `area_km2` is in the metric CRS.
    """

    code: str
    layer: str
    """The layer's name, or the file's where it is no layer."""
    zones: tuple[str, ...] = ()
    data: Mapping[str, object] = field(default_factory=dict)
    area_km2: float | None = None
    geometry: BaseGeometry | None = None

    def text(self, language: Literal["zh", "en"]) -> str:
        """One line: the layer, what is wrong, how large, where."""
        facts = {**self.data, "zones": ", ".join(self.zones)}
        parts = [WORDS[self.code][0 if language == "zh" else 1].format_map(facts)]
        if self.area_km2 is not None:
            parts.append(_area(self.area_km2))
        if self.geometry is not None and not self.geometry.is_empty:
            at = self.geometry.representative_point()
            parts.append(f"{'位于' if language == 'zh' else 'at'} {at.x:.6f}, {at.y:.6f}")
        return f"{self.layer}: " + ("，" if language == "zh" else ", ").join(parts)


def _area(km2: float) -> str:
    if km2 >= 0.01:
        return f"{km2:.3f} km²"
    return f"{km2 * 1e6:.0f} m²" if km2 >= 1e-5 else f"{km2 * 1e6:.2f} m²"


def findings_geojson(findings: Iterable[Finding]) -> dict[str, Any]:
    """A FeatureCollection of the findings, to be looked at on a map; those without a place have a null geometry."""
    return {"type": "FeatureCollection", "features": [_feature(f) for f in findings]}


def _feature(finding: Finding) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": None if finding.geometry is None else shapely.geometry.mapping(finding.geometry),
        "properties": {
            "code": finding.code,
            "layer": finding.layer,
            "zones": list(finding.zones),
            "area_km2": finding.area_km2,
            "zh": finding.text("zh"),
            "en": finding.text("en"),
            **{k: v if isinstance(v, int | float) and isfinite(v) else str(v) for k, v in finding.data.items()},
        },
    }
