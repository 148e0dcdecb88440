"""Rows of a district's own file made into zones: columns, codes, parents, degrees. Every value changed is noted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from dispatch.errors import BadMapping, DuplicateCodes, UnreadableSource
from dispatch.importing.mapping import FIELDS, LayerMap
from dispatch.importing.places import Noted, Notes, to_degrees
from dispatch.importing.sources import Drawing, Row
from dispatch.importing.texts import as_code, as_name
from geo.grid import Layer, Zone


def zones(drawing: Drawing, told: LayerMap, notes: Notes) -> tuple[Zone, ...]:
    """The layer's zones in ascending order of code, EPSG:4326, areas not measured yet.

    A parent is there only where a column or a prefix names it.

    Raises `BadMapping`, `UnreadableSource`, `DuplicateCodes`.
    """
    missing = [c for c in (*told.columns.values(), *told.keep, *told.where) if c not in drawing.columns]
    if missing:
        raise BadMapping(
            file=notes.mapping,
            field=f"{told.name}.columns",
            problem_zh=f"{drawing.file} 没有列 {missing}，有：{list(drawing.columns)}",
            problem=f"{drawing.file} has no columns {missing}; it has: {list(drawing.columns)}",
        )
    rows = [row for row in drawing.rows if _chosen(row, told.where)]
    if not rows:
        raise UnreadableSource(file=drawing.file, problem_zh="没有符合条件的要素。", problem="no feature is chosen.")
    shapes = to_degrees([row.shape for row in rows], drawing, told, notes)
    polygons = _polygons(rows, shapes, drawing, told, notes)
    values = [_values(row, drawing, told, notes) for row, _ in polygons]
    _label(values, polygons, drawing, told, notes)
    _complete(values, polygons, drawing, told)
    made = [
        Zone(
            told.name,
            value["code"],
            value["name"],
            value["name_en"],
            value["kind"],
            value["parent"] or None,
            shape,
            0.0,
            MappingProxyType({**value, **{column: row.cells[column] for column in told.keep}, "row": row.number}),
        )
        for value, (row, shape) in zip(values, polygons, strict=True)
    ]
    return tuple(sorted(_one_each(made, drawing, told, notes), key=lambda zone: zone.code))


def _chosen(row: Row, where: Mapping[str, str]) -> bool:
    return all(row.cells[column].strip() == value for column, value in where.items())


# --- shapes ---------------------------------------------------------------------------------------------------------


def _polygons(
    rows: Sequence[Row], shapes: Sequence[BaseGeometry | None], drawing: Drawing, told: LayerMap, notes: Notes
) -> list[tuple[Row, Polygon | MultiPolygon]]:
    """Rows with their polygons. Closed lines are polygons too; all lines cut faces where the mapping says so."""
    found: list[tuple[Row, Polygon | MultiPolygon]] = []
    lines: list[BaseGeometry] = []
    wrong: list[int] = []
    for row, shape in zip(rows, shapes, strict=True):
        if isinstance(shape, Polygon | MultiPolygon):
            found.append((row, shape))
        elif shape is not None and shape.geom_type in {"LineString", "MultiLineString"} and told.polygonize:
            lines.append(shape)
        elif isinstance(shape, LineString) and shape.is_closed and len(shape.coords) > 3:
            found.append((row, Polygon(shape.coords)))
            notes.values.append(
                Noted(told.name, drawing.file, row.number, "geometry", "LineString", "Polygon", "line_closed")
            )
        elif not isinstance(shape, Point):
            wrong.append(row.number)
    if wrong:
        rows_zh = ", ".join(map(str, wrong[:10]))
        raise UnreadableSource(
            file=drawing.file,
            problem_zh=f"共 {len(wrong)} 个要素不是多边形也不是闭合线：{rows_zh}",
            problem=f"{len(wrong)} features are neither polygons nor closed lines: {rows_zh}",
        )
    if lines:
        blank = MappingProxyType(dict.fromkeys(drawing.columns, ""))
        faces = shapely.get_parts(shapely.polygonize([shapely.union_all(lines)]))
        found += [(Row(number, blank, None), face) for number, face in enumerate(faces, len(drawing.rows) + 1)]
        notes.values.append(
            Noted(told.name, drawing.file, 0, "geometry", f"{len(lines)} lines", f"{len(faces)} faces", "polygonized")
        )
    return found


# --- values ---------------------------------------------------------------------------------------------------------


def _values(row: Row, drawing: Drawing, told: LayerMap, notes: Notes) -> dict[str, str]:
    values: dict[str, str] = {}
    for name in FIELDS:
        if name in told.columns:
            before = row.cells[told.columns[name]]
            values[name] = _clean(before, name, row.number, drawing, told, notes)
        else:
            values[name] = told.values.get(name, "")
    if row.number in told.recode:
        code = told.recode[row.number]
        notes.values.append(Noted(told.name, drawing.file, row.number, "code", values["code"], code, "recoded"))
        values["code"] = code
    if told.parent_digits is not None:
        values["parent"] = values["code"][: told.parent_digits]
        notes.values.append(
            Noted(told.name, drawing.file, row.number, "parent", "", values["parent"], "parent_by_prefix")
        )
    return values


def _clean(text: str, name: str, number: int, drawing: Drawing, told: LayerMap, notes: Notes) -> str:
    after = as_code(text) if name in {"code", "parent", "team"} else as_name(text)
    if after != text:
        notes.values.append(Noted(told.name, drawing.file, number, name, text, after, "normalised"))
    return after


def _label(
    values: Sequence[dict[str, str]],
    polygons: Sequence[tuple[Row, BaseGeometry]],
    drawing: Drawing,
    told: LayerMap,
    notes: Notes,
) -> None:
    """Texts that lie in a polygon name it. Two different texts for one field in one polygon are refused."""
    for label in told.labels:
        texts = [
            row
            for row in drawing.rows
            if isinstance(row.shape, Point)
            and all(row.cells.get(column, "").strip() == value for column, value in label.where.items())
        ]
        points = to_degrees([row.shape for row in texts], drawing, told, notes)
        tree = shapely.STRtree([shape for _, shape in polygons])
        at, which = tree.query([point or Point() for point in points], predicate="within")
        for text, zone in zip(at.tolist(), which.tolist(), strict=True):
            row = texts[text]
            cell = _clean(row.cells[label.column], label.into, row.number, drawing, told, notes)
            if values[zone][label.into] not in {"", cell}:
                raise UnreadableSource(
                    file=drawing.file,
                    problem_zh=f"一个多边形内有两个标注：“{values[zone][label.into]}”与“{cell}”。",
                    problem=f"two texts lie in one polygon: '{values[zone][label.into]}' and '{cell}'.",
                )
            values[zone][label.into] = cell
            notes.values.append(Noted(told.name, drawing.file, row.number, label.into, "", cell, "labelled"))


def _complete(
    values: Sequence[dict[str, str]], polygons: Sequence[tuple[Row, BaseGeometry]], drawing: Drawing, told: LayerMap
) -> None:
    """Every zone has a code and a name. Raises `UnreadableSource`, naming the rows that do not."""
    for name, zh in (("code", "编码"), ("name", "名称")):
        rows = [str(row.number) for value, (row, _) in zip(values, polygons, strict=True) if not value[name]]
        if rows:
            some = ", ".join(rows[:10]) + ("…" if len(rows) > 10 else "")
            raise UnreadableSource(
                file=drawing.file,
                problem_zh=f"图层 {told.name} 有 {len(rows)} 个要素没有{zh}：{some}",
                problem=f"layer {told.name}: {len(rows)} features have no {name}: {some}",
            )


def _one_each(made: Sequence[Zone], drawing: Drawing, told: LayerMap, notes: Notes) -> list[Zone]:
    """One zone a code: the mapping says how. Raises `DuplicateCodes` where it does not."""
    by_code: dict[str, list[Zone]] = {}
    for zone in made:
        by_code.setdefault(zone.code, []).append(zone)
    several = {code: same for code, same in by_code.items() if len(same) > 1}
    if several and told.duplicates == "refuse":
        some = [f"{code}（{_rows(same)}）" for code, same in list(several.items())[:10]]
        raise DuplicateCodes(layer=f"{told.name} ({drawing.file})", codes="；".join(some))
    out: list[Zone] = []
    for code, same in by_code.items():
        if len(same) > 1:
            parts = [part for zone in same for part in shapely.get_parts(shapely.make_valid(zone.geometry))]
            whole = _polygonal(shapely.union_all([part for part in parts if isinstance(part, Polygon)]))
            notes.values.append(Noted(told.name, drawing.file, _number(same[0]), "code", _rows(same), code, "merged"))
            out.append(dataclasses.replace(same[0], geometry=whole))
        else:
            out.append(same[0])
    return out


def _polygonal(shape: BaseGeometry) -> Polygon | MultiPolygon:
    parts = [part for part in shapely.get_parts(shape) if isinstance(part, Polygon)]
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _rows(same: Sequence[Zone]) -> str:
    return "、".join(f"{_number(zone)} {zone.name}" for zone in same)


def _number(zone: Zone) -> int:
    return int(str(zone.properties["row"]))


def with_parents(layer: Layer, above: Layer, notes: Notes) -> Layer:
    """Zones that name no parent get the one that holds most of them; noted."""
    tree = shapely.STRtree([zone.geometry for zone in above.zones])
    out: list[Zone] = []
    for zone in layer.zones:
        if zone.parent:
            out.append(zone)
            continue
        shape = shapely.make_valid(zone.geometry)
        near = tree.query(shape, predicate="intersects")
        shares = [shape.intersection(shapely.make_valid(above.zones[i].geometry)).area for i in near]
        code = above.zones[near[int(np.argmax(shares))]].code if shares else None
        number = int(str(zone.properties.get("row", 0)))
        notes.values.append(Noted(layer.name, "", number, "parent", "", code or "", "parent_by_place"))
        out.append(dataclasses.replace(zone, parent=code))
    return dataclasses.replace(layer, zones=tuple(out))
