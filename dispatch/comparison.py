"""Two editions of a district's data against each other: zones, tables, settings, and who is responsible. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final

import shapely

from dispatch.competence import PLACE_LAYERS
from dispatch.district import District, Roads
from dispatch.handover import Handover, handover
from dispatch.manifest import FILE
from dispatch.power_file import cells
from geo.changes import FieldChange, LayerChange, compare_fields, compare_layers
from geo.grid import Metric

TABLES: Final = (
    *("departments", "classes", "matters", "teams", "units", "bases", "rules"),
    *("powers", "shifts", "calendar", "cameras", "source_matters"),
)


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row of a table before (None: added) and after (None: removed)."""

    code: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    fields: tuple[FieldChange, ...]
    """What differs, where it is in both."""

    @property
    def kind(self) -> str:
        """`added`, `removed` or `changed`."""
        return "added" if self.old is None else "removed" if self.new is None else "changed"


@dataclass(frozen=True, slots=True)
class TableChange:
    """The rows of a table that differ, by code."""

    name: str
    """One of `TABLES`."""
    rows: tuple[RowChange, ...]
    same: int

    def counts(self) -> dict[str, int]:
        """How many rows were added, removed, changed."""
        return {kind: sum(row.kind == kind for row in self.rows) for kind in ("added", "removed", "changed")}


@dataclass(frozen=True, slots=True)
class RoadChange:
    """Roads have no codes: a line with its class is there or is not. Lengths in the metric CRS."""

    added: int
    removed: int
    added_km: float
    removed_km: float


@dataclass(frozen=True)
class Comparison:
    """Everything in which two editions differ."""

    old: District
    new: District
    layers: tuple[LayerChange, ...]
    """Those that differ."""
    tables: tuple[TableChange, ...]
    """Those that differ."""
    settings: tuple[FieldChange, ...]
    """Entries of district.toml; those of a layer under its name."""
    roads: RoadChange
    handover: Handover

    @cached_property
    def nothing(self) -> bool:
        """Whether nothing at all is different, but what the edition is called."""
        written = any(change.field not in ("district.edition", "district.holds_from") for change in self.settings)
        return not (self.layers or self.tables or written or self.roads.added or self.roads.removed)


def compare(old: District, new: District) -> Comparison:
    """Two editions, both of them loaded whole. Areas and lengths in the new one's metric CRS. Seconds."""
    metric = Metric(new.metric_crs)
    names = dict.fromkeys((*old.layers, *new.layers))
    layers = (compare_layers(old.layers.get(name), new.layers.get(name), metric) for name in names)
    tables = (_table(name, old, new) for name in TABLES)
    return Comparison(
        old=old,
        new=new,
        layers=tuple(one for one in layers if one.zones or one.old is None or one.new is None),
        tables=tuple(one for one in tables if one.rows),
        settings=compare_fields(_written(old), _written(new)),
        roads=_roads(old.roads, new.roads, metric),
        handover=handover(old, new),
    )


def deciding(layer: LayerChange) -> bool:
    """Whether the decision table can speak of the layer's zones, or it is the district itself."""
    return layer.layer.name in ("district", *PLACE_LAYERS)


def _table(name: str, old: District, new: District) -> TableChange:
    before, after = _rows(old, name), _rows(new, name)
    rows: list[RowChange] = []
    same = 0
    for code in sorted({*before, *after}):
        a, b = before.get(code), after.get(code)
        fields = compare_fields(a, b) if a is not None and b is not None else ()
        if a is not None and b is not None and not fields:
            same += 1
        else:
            rows.append(RowChange(code, a, b, fields))
    return TableChange(name, tuple(rows), same)


def _rows(district: District, name: str) -> dict[str, dict[str, Any]]:
    if name == "rules":
        return {rule.code: asdict(rule) for rule in district.rules}
    if name == "powers":
        return {code: {**cells(power)} for code, power in district.powers.items()}
    return {code: asdict(row) for code, row in getattr(district, name).items()}


def _written(district: District) -> dict[str, Any]:
    """Every entry of district.toml under a name of its own."""
    return dict(_entries("", tomllib.loads(district.contents[FILE].decode("utf-8"))))


def _entries(above: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _entries(f"{above}.{name}" if above else name, below)
    elif isinstance(value, list) and all(isinstance(one, dict) and "name" in one for one in value):
        for one in value:
            yield from _entries(f"{above}.{one['name']}", {k: v for k, v in one.items() if k != "name"})
    else:
        yield above, value


def _roads(old: Roads, new: Roads, metric: Metric) -> RoadChange:
    before, after = (
        {(shapely.normalize(line).wkb, kind, bridge): line for line, kind, bridge in r} for r in (old, new)
    )
    km = [
        sum(float(shapely.transform(one[key], metric.points).length) for key in one.keys() - other.keys()) / 1000
        for one, other in ((after, before), (before, after))
    ]
    return RoadChange(len(after.keys() - before.keys()), len(before.keys() - after.keys()), *km)
