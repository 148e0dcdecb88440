"""The mapping file: which file, layer and columns of a district's own data become which layer of ours."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from dispatch.errors import BadMapping
from geo.datum import Datum
from geo.grid import Cover

FIELDS: Final = ("code", "name", "name_en", "kind", "parent", "team")
"""What a zone has."""
Duplicates = Literal["refuse", "merge"]


@dataclass(frozen=True, slots=True)
class Habit:
    """How a layer is if the mapping does not say."""

    file: str
    label: str
    label_en: str
    cover: Cover
    parents: tuple[str, ...]
    """The first of them that is there is its parent layer."""


HABITS: Final[Mapping[str, Habit]] = MappingProxyType(
    {
        "district": Habit("district.geojson", "区", "District", Cover.PARTITION, ()),
        "township": Habit("townships.geojson", "街道（镇）", "Townships", Cover.PARTITION, ()),
        "community": Habit(
            "communities.geojson", "社区（村）", "Communities and villages", Cover.PARTITION, ("township",)
        ),
        "grid": Habit("grids.geojson", "综合网格", "Comprehensive grids", Cover.PARTITION, ("community", "township")),
        "dedicated": Habit("dedicated.geojson", "专属网格", "Dedicated grids", Cover.OVERLAP, ("township",)),
        "water": Habit("water.geojson", "水域", "Waters", Cover.DISJOINT, ()),
        "joint": Habit("joint.geojson", "城警联勤区", "Joint police-city areas", Cover.DISJOINT, ("township",)),
    }
)


@dataclass(frozen=True, slots=True)
class Labels:
    """Texts that lie inside the shapes and name them (drawings have no columns)."""

    where: Mapping[str, str]
    column: str
    into: str


@dataclass(frozen=True, slots=True)
class LayerMap:
    """One `[[layers]]` entry."""

    name: str
    file: str | None
    source_layer: str | None
    where: Mapping[str, str]
    crs: str | None
    datum: Datum | None
    towgs84: tuple[float, ...]
    """The district's own 3 or 7 parameters to WGS 84: metres, arc seconds, parts per million."""
    encoding: str | None
    columns: Mapping[str, str]
    values: Mapping[str, str]
    keep: tuple[str, ...]
    parent_digits: int | None
    duplicates: Duplicates
    recode: Mapping[int, str]
    """New codes by row."""
    labels: tuple[Labels, ...]
    polygonize: bool
    cover: Cover
    label: str
    label_en: str
    real: bool
    source: str


@dataclass(frozen=True, slots=True)
class Mappings:
    """The whole file. `head`, `settings` and `grid_code` are written on as they stand."""

    head: Mapping[str, Any]
    settings: Mapping[str, Any]
    grid_code: Mapping[str, Any]
    enclaves: bool
    layers: tuple[LayerMap, ...]


def read_mapping(path: Path) -> Mappings:
    """The mapping file. Raises `BadMapping`, naming the entry."""
    try:
        raw = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadMapping(file=path.name, field="TOML", problem=str(error), problem_zh=str(error)) from error
    top = _Entry(path.name, "", raw)
    top.only("district", "settings", "grid_code", "layers")
    head = _Entry(path.name, "district", raw.get("district", {}))
    entries = raw.get("layers")
    if not isinstance(entries, list) or not entries:
        raise top.wrong("layers", "至少要有一个 [[layers]]", "at least one [[layers]] is needed")
    layers = [_layer(_Entry(path.name, f"layers[{i}]", entry)) for i, entry in enumerate(entries, 1)]
    names = [layer.name for layer in layers]
    if len(set(names)) < len(names):
        raise top.wrong("layers", f"图层重复：{names}", f"a layer stands twice: {names}")
    order = list(HABITS)
    head.only(
        "code", "name", "name_en", "edition", "metric_crs", "timezone", "source", "real", "enclaves", "holds_from"
    )
    return Mappings(
        MappingProxyType({key: value for key, value in head.raw.items() if key != "enclaves"}),
        MappingProxyType(dict(_Entry(path.name, "settings", raw.get("settings", {})).raw)),
        MappingProxyType(dict(_Entry(path.name, "grid_code", raw.get("grid_code", {})).raw)),
        head.truth("enclaves"),
        tuple(sorted(layers, key=lambda layer: order.index(layer.name))),
    )


class _Entry:
    """One table of the file; what is wrong is raised with the name of the entry."""

    def __init__(self, file: str, name: str, raw: object) -> None:
        self.file, self.name = file, name
        if not isinstance(raw, dict):
            raise self.wrong("", "应为表", "must be a table")
        self.raw: dict[str, Any] = raw

    def wrong(self, key: str, problem_zh: str, problem: str) -> BadMapping:
        field = ".".join(part for part in (self.name, key) if part)
        return BadMapping(file=self.file, field=field, problem_zh=problem_zh, problem=problem)

    def only(self, *known: str) -> None:
        for key in self.raw:
            if key not in known:
                choices = ", ".join(known)
                raise self.wrong(key, f"没有这一项，可写：{choices}", f"there is no such entry; there are: {choices}")

    def text(self, key: str) -> str | None:
        value = self.raw.get(key)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise self.wrong(key, "应为文字", "must be text")
        return value

    def truth(self, key: str) -> bool:
        value = self.raw.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "应为 true 或 false", "must be true or false")
        return value

    def choice(self, key: str, known: tuple[str, ...], default: str) -> str:
        value = self.raw.get(key, default)
        if value not in known:
            raise self.wrong(key, f"应为 {' | '.join(known)}", f"must be one of {' | '.join(known)}")
        return str(value)

    def texts(self, key: str) -> Mapping[str, str]:
        value = self.raw.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(v, str | int) for v in value.values()):
            raise self.wrong(key, "应为 { 名 = 值 }", "must be { name = value }")
        return MappingProxyType({k: str(v) for k, v in value.items()})


_KNOWN: Final = (
    *("name", "file", "source_layer", "where", "crs", "datum", "towgs84", "encoding", "columns", "values", "keep"),
    *("parent_digits", "duplicates", "recode", "labels", "polygonize", "cover", "label", "label_en", "real", "source"),
)


def _layer(entry: _Entry) -> LayerMap:
    entry.only(*_KNOWN)
    name = entry.choice("name", tuple(HABITS), "")
    habit = HABITS[name]
    fields = (entry.texts("columns"), entry.texts("values"))
    for key in (key for found in fields for key in found if key not in FIELDS):
        raise entry.wrong(f"columns.{key}", f"应为 {FIELDS}", f"must be one of {FIELDS}")
    digits = entry.raw.get("parent_digits")
    if digits is not None and not (isinstance(digits, int) and digits > 0):
        raise entry.wrong("parent_digits", "应为大于 0 的整数", "must be a whole number above 0")
    keep = entry.raw.get("keep", [])
    if not isinstance(keep, list) or not all(isinstance(column, str) for column in keep):
        raise entry.wrong("keep", "应为列名的列表", "must be a list of columns")
    datum = entry.choice("datum", ("", *Datum), "")
    duplicates: Duplicates = (
        "merge" if entry.choice("duplicates", ("refuse", "merge"), "refuse") == "merge" else "refuse"
    )
    return LayerMap(
        name,
        entry.text("file"),
        entry.text("source_layer"),
        entry.texts("where"),
        entry.text("crs"),
        Datum(datum) if datum else None,
        _towgs84(entry),
        entry.text("encoding"),
        *fields,
        tuple(keep),
        digits,
        duplicates,
        _recode(entry),
        _labels(entry),
        entry.truth("polygonize"),
        Cover(entry.choice("cover", tuple(Cover), habit.cover)),
        entry.text("label") or habit.label,
        entry.text("label_en") or habit.label_en,
        entry.truth("real"),
        entry.text("source") or "",
    )


def _towgs84(entry: _Entry) -> tuple[float, ...]:
    told = entry.raw.get("towgs84", [])
    if not isinstance(told, list) or len(told) not in {0, 3, 7} or not all(isinstance(n, int | float) for n in told):
        raise entry.wrong("towgs84", "应为 3 个或 7 个数", "must be 3 or 7 numbers")
    return tuple(map(float, told))


def _recode(entry: _Entry) -> Mapping[int, str]:
    told = entry.raw.get("recode", [])
    try:
        return MappingProxyType({int(one["row"]): str(one["code"]) for one in told})
    except (TypeError, KeyError, ValueError) as error:
        raise entry.wrong("recode", '应为 [{ row = 17, code = "…" }]', 'must be [{ row = 17, code = "…" }]') from error


def _labels(entry: _Entry) -> tuple[Labels, ...]:
    told = entry.raw.get("labels", [])
    found: list[Labels] = []
    for i, one in enumerate(told if isinstance(told, list) else [told], 1):
        label = _Entry(entry.file, f"{entry.name}.labels[{i}]", one)
        label.only("where", "column", "into")
        into = label.choice("into", FIELDS, "code")
        found.append(Labels(label.texts("where"), label.text("column") or "Text", into))
    return tuple(found)
