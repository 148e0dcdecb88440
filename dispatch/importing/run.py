"""Import: read what there is, repair if asked, write the folder with everything that was done, and check it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import shapely
from shapely import MultiPolygon, Polygon

from dispatch import district
from dispatch.errors import BadMapping, OutputNotEmpty, UnreadableSource
from dispatch.importing import rest, sources, write
from dispatch.importing.features import with_parents, zones
from dispatch.importing.mapping import HABITS, LayerMap, Mappings, read_mapping
from dispatch.importing.places import Noted, Notes
from geo.findings import Finding
from geo.grid import Layer, Metric, Zone
from geo.repair import Repaired, outline, repair
from geo.rings import mend

_TOUCHING_M: Final = 0.001
"""Where nothing is to be repaired, borders that are this near still meet in the district's outline."""
_KEPT: Final = ("code", "name", "name_en", "metric_crs", "timezone")
"""What a new edition takes over from the template's `[district]`."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of it."""

    folder: Path
    report: Mapping[str, Any]
    findings: tuple[Finding, ...]
    """Of `grids check` on the folder."""
    warnings: tuple[str, ...]


def import_grids(
    paths: Sequence[Path], out: Path, mapping: Path, repair_m: float | None = None, template: Path | None = None
) -> Imported:
    """Write the district folder `out` from the files, and say what was done.

    Raises `BadMapping`, `UnreadableSource`, `GarbledText`, `DuplicateCodes`, `OutputNotEmpty`, `BrokenDistrict`
    (of the template); nothing is written then.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputNotEmpty(folder=str(out))
    told = read_mapping(mapping)
    there = rest.read_template(template)
    notes = Notes(mapping.name)
    read: dict[str, Any] = {}
    with sources.opened(paths) as files:
        drawn = [_layer(files, layer, told, there, notes, read) for layer in told.layers]
    whole = next((layer for layer in drawn if layer.name == "district"), None)
    layers = _ordered([layer for layer in drawn if layer.name != "district"], there, told, mapping.name)
    layers = _homes(layers, notes)
    head = _head(told, there, layers, whole, mapping.name)
    metric = Metric(str(head["metric_crs"]))
    township = next(layer for layer in layers if layer.name == "township")
    boundary = (
        _sound(whole.zones[0]) if whole else outline(township, metric, repair_m or _TOUCHING_M, enclaves=told.enclaves)
    )
    done = (
        repair(layers, boundary, metric, repair_m)
        if repair_m is not None
        else Repaired(boundary, tuple(layers), (), ())
    )
    files_of_rest, layers = _staffed(done.layers, there, notes)
    out.mkdir(parents=True, exist_ok=True)
    facts = {
        "repair_m": repair_m,
        "sources": read,
        "crs": notes.crs,
        "warnings": notes.warnings,
        "template": template.name if template else None,
        "layers": {layer.name: len(layer.zones) for layer in layers},
    }
    _write(out, head, told, there, done, layers, files_of_rest)
    report = write.write_report(out / "import", done.changes, done.balances, notes.values, facts)
    return Imported(out, report, tuple(district.check(out)), tuple(notes.warnings))


def _sound(zone: Zone) -> Polygon | MultiPolygon:
    """The district's own boundary, made valid."""
    found = mend(zone.geometry)
    if found is None:
        return zone.geometry
    if found.shape is None:
        raise UnreadableSource(file=zone.name, problem_zh="区界没有面积。", problem="the boundary has no area.")
    return found.shape


def _layer(
    files: Mapping[str, Path], layer: LayerMap, told: Mappings, there: rest.Template, notes: Notes, read: dict[str, Any]
) -> Layer:
    path = sources.chosen(files, layer, notes.mapping)
    drawing = sources.read(path, layer)
    read[layer.name] = {
        "file": drawing.file,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "features": len(drawing.rows),
        "encoding": drawing.encoding,
    }
    known = {other.name for other in told.layers} | {entry.name for entry, _ in there.layers}
    parent = next((name for name in HABITS[layer.name].parents if name in known), None)
    source = layer.source or f"导入自 / imported from {drawing.file}"
    about = (layer.name, layer.label, layer.label_en, layer.cover, parent, layer.real, source)
    return Layer(*about, zones(drawing, layer, notes))


def _ordered(drawn: Sequence[Layer], there: rest.Template, told: Mappings, mapping: str) -> list[Layer]:
    """The mapped layers and those of the template that are not mapped, parents first."""
    names = {layer.name for layer in drawn}
    taken = [layer for _, layer in there.layers if layer.name not in names and layer.name in HABITS]
    every = [*drawn, *taken]
    if all(layer.name != "township" for layer in every):
        raise BadMapping(
            file=mapping,
            field="layers",
            problem_zh="缺少 township（街道、镇）图层",
            problem="the layer township is missing",
        )
    order = list(HABITS)
    known = {layer.name for layer in every}
    return [
        dataclasses.replace(layer, parent=layer.parent if layer.parent in known else None)
        for layer in sorted(every, key=lambda layer: order.index(layer.name))
    ]


def _homes(layers: Sequence[Layer], notes: Notes) -> list[Layer]:
    """Zones without a parent get the one they lie in."""
    done: dict[str, Layer] = {}
    for layer in layers:
        above = done.get(layer.parent or "")
        done[layer.name] = with_parents(layer, above, notes) if above else layer
    return list(done.values())


def _head(
    told: Mappings, there: rest.Template, layers: Sequence[Layer], whole: Layer | None, mapping: str
) -> dict[str, Any]:
    """`[district]`: of the mapping, else of the boundary's own feature, else of the template."""
    zone = whole.zones[0] if whole else None
    drawn = (
        {"code": zone.code, "name": zone.name, "name_en": zone.name_en, "real": whole.real} if zone and whole else {}
    )
    middle = shapely.box(*shapely.total_bounds([z.geometry for layer in layers for z in layer.zones])).centroid.x
    usual = {
        "name_en": "",
        "edition": "1",
        "metric_crs": f"EPSG:{4534 + min(max(round((middle - 75) / 3), 0), 20)}",
        "timezone": "Asia/Shanghai",
        "source": (whole.source if whole else "由街道（镇）图层合成 / put together from the townships"),
        "real": False,
    }
    kept = {key: value for key, value in there.head.get("district", {}).items() if key in _KEPT}
    merged = {**usual, **kept, **drawn, **told.head}
    for key in ("code", "name"):
        if not merged.get(key):
            raise BadMapping(file=mapping, field=f"district.{key}", problem_zh="缺少", problem="it is missing")
    merged["name_en"] = merged["name_en"] or merged["name"]
    try:
        Metric(str(merged["metric_crs"]))
    except ValueError as error:
        raise BadMapping(
            file=mapping, field="district.metric_crs", problem_zh=str(error), problem=str(error)
        ) from error
    return merged


def _staffed(layers: Sequence[Layer], there: rest.Template, notes: Notes) -> tuple[dict[str, bytes], list[Layer]]:
    """The other files of the folder, and the layers with the team of each zone."""
    files = {file: there.files[file] for file in rest.LISTS} if there.has(rest.LISTS) else rest.lists()
    told = [_filled(layer, there.zones(layer.name), notes) for layer in layers]
    if there.has(rest.PEOPLE):
        files |= {file: there.files[file] for file in (*rest.PEOPLE, *rest.WITH_PEOPLE) if file in there.files}
    else:
        made, teams = rest.people({layer.name: layer for layer in layers})
        files |= made
        told = [_with_teams(layer, teams.get(layer.name, {}), notes) for layer in told]
    files |= {file: there.files[file] for file in rest.ALONE if file in there.files}
    return files, told


def _filled(layer: Layer, known: Mapping[str, Zone], notes: Notes) -> Layer:
    """What a zone does not say and the template's zone of the same code and name does."""
    out: list[Zone] = []
    for zone in layer.zones:
        old = known.get(zone.code)
        if old is None or old is zone or old.name != zone.name:
            out.append(zone)
            continue
        team = str(zone.properties.get("team") or "") or str(old.properties.get("team") or "")
        full = dataclasses.replace(
            zone,
            name_en=zone.name_en or old.name_en,
            kind=zone.kind or old.kind,
            properties=MappingProxyType({**zone.properties, "team": team}),
        )
        for name, before, after in (
            ("name_en", zone.name_en, full.name_en),
            ("kind", zone.kind, full.kind),
            ("team", zone.properties.get("team") or "", team),
        ):
            if before != after:
                _note(notes, layer, zone, name, str(before), after, "from_template")
        out.append(full)
    return dataclasses.replace(layer, zones=tuple(out))


def _with_teams(layer: Layer, teams: Mapping[str, str], notes: Notes) -> Layer:
    """The teams that were made: what stood there named teams that are not at hand."""
    out: list[Zone] = []
    for zone in layer.zones:
        team, before = teams.get(zone.code, ""), str(zone.properties.get("team") or "")
        if before != team:
            _note(notes, layer, zone, "team", before, team, "team_schematic")
        out.append(dataclasses.replace(zone, properties=MappingProxyType({**zone.properties, "team": team})))
    return dataclasses.replace(layer, zones=tuple(out))


def _note(notes: Notes, layer: Layer, zone: Zone, field: str, before: str, after: str, why: str) -> None:
    row = int(str(zone.properties.get("row", 0)))
    notes.values.append(Noted(layer.name, "", row, field, before, after, why))


def _write(
    out: Path,
    head: Mapping[str, Any],
    told: Mappings,
    there: rest.Template,
    done: Repaired,
    layers: Sequence[Layer],
    files: Mapping[str, bytes],
) -> None:
    words = {"code": head["code"], "name": head["name"], "name_en": head["name_en"]}
    write.write_features(out / "district.geojson", [(words, done.district)])
    entries = {entry.name: entry for entry, _ in there.layers}
    listed: list[tuple[str, Layer, Mapping[str, Any]]] = []
    for layer in layers:
        count = sum(change.layer == layer.name for change in done.changes)
        source = layer.source + (
            f"；导入时修复 {count} 处，见 import/ / repaired in {count} places, see import/" if count else ""
        )
        entry = entries.get(layer.name)
        more = (
            {"expect_union_km2": entry.expect_union_km2, "tolerance_km2": entry.tolerance_km2}
            if entry and entry.expect_union_km2 is not None and layer.name not in {map_.name for map_ in told.layers}
            else {}
        )
        file = HABITS[layer.name].file
        write.write_layer(out / file, layer.zones)
        listed.append((file, dataclasses.replace(layer, source=source), more))
    settings = {**write.SETTINGS, **there.head.get("settings", {}), **told.settings}
    grid_code = told.grid_code or there.head.get("grid_code", {})
    time = {name: there.head[name] for name in ("working_time", "deadlines") if name in there.head}
    write.write_manifest(out / "district.toml", head, settings, grid_code, time, listed)
    for file, content in files.items():
        (out / file).write_bytes(content)
    (out / "README.md").write_text(_readme(head, listed, there), encoding="utf-8")


def _readme(
    head: Mapping[str, Any], listed: Sequence[tuple[str, Layer, Mapping[str, Any]]], there: rest.Template
) -> str:
    """Of each layer whether it is real, and from what."""
    lines = [f"# {head['name']} {head['name_en']}", "", "| file | real | source |", "| --- | --- | --- |"]
    lines += [f"| `{file}` | {'real 真实' if la.real else 'schematic 示意'} | {la.source} |" for file, la, _ in listed]
    for files in (rest.LISTS, rest.PEOPLE):
        here = files[0] in there.files
        origin = (
            f"{there.folder.name}" if here and there.folder else "示意，仅为能载入 / schematic, only so that it loads"
        )
        lines.append(f"| {', '.join(f'`{file}`' for file in files)} | — | {origin} |")
    return "\n".join([*lines, "", "`import/`：导入时的全部改动 / everything that the import changed.", ""])
