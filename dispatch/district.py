"""A district folder as values: loaded whole or refused whole, with everything that is wrong in it named.

The format is `docs/data-format.md`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import shapely
from shapely import LineString, Point

from dispatch import competence, power_file, proof, source_files, timetable
from dispatch.deadlines import Rules
from dispatch.duplicates import Sameness
from dispatch.errors import BrokenDistrict
from dispatch.folder import CODE, TEXT, TRUTH, Column, Reading, Table, digits, one_of, optional, whole
from dispatch.incidents import Bursts
from dispatch.manifest import FILE, DistrictSettings, LayerEntry, Manifest, read_manifest
from dispatch.model import (
    Base,
    Camera,
    Department,
    Matter,
    MatterClass,
    Mode,
    Rule,
    Source,
    SourceMatter,
    Team,
    TeamKind,
    Unit,
)
from dispatch.powers.book import PowerList
from dispatch.rota import Rota, Shift
from dispatch.sameness import read_bursts, read_sameness
from geo.coverage import check_codes, check_layer, union_km2
from geo.findings import Finding, findings_geojson
from geo.grid import Cover, Layer, Metric, in_degrees, read_lines, read_zones

__all__ = ["District", "DistrictSettings", "check", "findings_geojson", "load"]

Roads = tuple[tuple[LineString, str, bool], ...]
T = TypeVar("T")

_NAMED: Final = {"name": CODE, "name_en": TEXT}
_TABLES: Final[Mapping[str, Mapping[str, Column]]] = {
    "departments.csv": {"code": CODE, **_NAMED},
    "classes.csv": {"code": digits(2), **_NAMED},
    "matters.csv": {
        "code": digits(4),
        **_NAMED,
        "department": CODE,
        "legal_basis": TEXT,
        "urgency": whole(1, 3),
        **timetable.LIMIT,
        "on_water": TRUTH,
        "skill": Column(str, "", absent=""),
    },
    "teams.csv": {
        "code": CODE,
        **_NAMED,
        "kind": one_of([kind.value for kind in TeamKind]),
        "base": CODE,
        "stand_in": Column(str, "", absent=""),
        "max_open": optional(whole(1, 100_000)),
    },
    "units.csv": {
        "code": CODE,
        **_NAMED,
        "team": CODE,
        "mode": one_of([mode.value for mode in Mode]),
        "base": CODE,
        "crew": whole(1, 100),
        "skills": Column(str, "", absent=""),
    },
    "rules.csv": {
        "code": CODE,
        **dict.fromkeys(("township", "dedicated", "water", "joint", "matter"), TEXT),
        "team": CODE,
        "note": TEXT,
        "note_en": TEXT,
    },
}
_NOT_PROVABLE: Final = {"invalid_ring", "not_polygon", "outside_degrees", "bad_property", "empty_layer", "not_one"}
"""Findings in a layer after which the decision table cannot be proved on it."""
_UNREAD: Final = {"ragged_row", "bad_value", "duplicate_code", "bad_setting"}
"""Findings in a table after which what names its rows cannot be judged."""
PIER_M: Final = 50.0
"""A pier lies in the water or at most this far from it."""


@dataclass(frozen=True, slots=True)
class District:
    """One edition of a district's data. `layers` has `district` first, then as `district.toml` lists them."""

    code: str
    name: str
    name_en: str
    version: str
    """`code@edition+hash`: the hash is of every file that was read."""
    folder: Path
    metric_crs: str
    timezone: str
    settings: DistrictSettings
    layers: Mapping[str, Layer]
    roads: Roads
    """Line (EPSG:4326), class, whether it is a bridge."""
    bases: Mapping[str, Base]
    departments: Mapping[str, Department]
    classes: Mapping[str, MatterClass]
    matters: Mapping[str, Matter]
    teams: Mapping[str, Team]
    units: Mapping[str, Unit]
    rules: tuple[Rule, ...]
    powers: PowerList
    """The power list; empty where the folder has none."""
    calendar: Mapping[str, timetable.OwnDay]
    """The district's own working days and holidays, by date; empty where the folder has none."""
    deadlines: Rules
    """Its working time, and when a case is warned of and escalated."""
    shifts: Mapping[str, Shift]
    """Empty where the folder has none: then everybody is always on duty."""
    rota: Rota
    """Who is on duty by them."""
    cameras: Mapping[str, Camera]
    """Of the video network; empty where the folder has none."""
    source_matters: Mapping[str, SourceMatter]
    """What other systems call matters; empty where the folder does not say."""
    sameness: Sameness
    """How near one thing is to itself."""
    bursts: Bursts
    """How many cases of one kind, how close together, are an incident."""
    holds_from: datetime | None
    """As `district.toml` says; None: from when it is loaded."""
    contents: Mapping[str, bytes]
    """Every file that was read, by its name: enough to load the same edition somewhere else."""


def load(folder: Path) -> District:
    """The folder's district. Raises `BrokenDistrict` with every finding if anything at all is wrong with it."""
    district, findings = read(folder)
    if district is None or findings:
        raise BrokenDistrict(folder.name, findings)
    return district


def check(folder: Path) -> list[Finding]:
    """Everything that is wrong with the folder, by the very reading that `load` does."""
    return read(folder)[1]


def read(folder: Path) -> tuple[District | None, list[Finding]]:
    """The folder's district as far as it can be read, and everything that is wrong with it; `load` gives it whole."""
    reading = Reading(folder)
    if not folder.is_dir():
        reading.wrong("folder_missing", str(folder))
        return None, reading.findings
    manifest = read_manifest(reading)
    tables = {file: reading.table(file, columns) for file, columns in _TABLES.items()}
    powers = reading.table(power_file.FILE, power_file.COLUMNS, required=False)
    calendar = reading.table("calendar.csv", timetable.CALENDAR, key="date", required=False)
    shifts = reading.table("shifts.csv", timetable.SHIFTS, required=False)
    cameras = reading.table(source_files.CAMERAS, source_files.CAMERA_COLUMNS, required=False)
    source_matters = reading.table(source_files.MATTERS, source_files.MATTER_COLUMNS, required=False)
    if manifest is None or manifest.metric is None:
        return None, reading.findings
    rules = timetable.read_rules(reading, manifest, calendar)
    tables["matters.csv"] = timetable.with_limits(reading, "matters.csv", tables["matters.csv"], rules)
    metric = manifest.metric
    layers = _layers(reading, manifest, metric)
    bases = _bases(reading, layers.get("district"))
    roads = _roads(reading, manifest)
    _references(reading, tables, layers, frozenset(bases) if bases is not None else None)
    _power_references(reading, tables, powers)
    source_files.check_cameras(reading, cameras, layers.get("district"))
    source_files.check_matters(reading, source_matters, _listed(tables))
    timetable.check_shifts(reading, {**tables, "shifts.csv": shifts})
    if reading.findings and any(table is None for table in tables.values()):
        return None, reading.findings
    teams = _values(Team, tables["teams.csv"], kind=TeamKind)
    units = _values(Unit, tables["units.csv"], mode=Mode)
    own_time = rules.working_time
    coded = {code for file in ("matters.csv", "classes.csv") if (table := tables[file]) for code in table.codes}
    district = District(
        code=manifest.code,
        name=manifest.name,
        name_en=manifest.name_en,
        version=f"{manifest.code}@{manifest.edition}+{_digest(reading.contents)}",
        folder=folder,
        metric_crs=manifest.metric_crs,
        timezone=manifest.timezone,
        settings=manifest.settings,
        layers=MappingProxyType(layers),
        roads=roads,
        bases=MappingProxyType(bases or {}),
        departments=_values(Department, tables["departments.csv"]),
        classes=_values(MatterClass, tables["classes.csv"]),
        matters=_values(Matter, tables["matters.csv"]),
        teams=teams,
        units=units,
        rules=tuple(_values(Rule, tables["rules.csv"]).values()),
        powers=power_file.power_list(powers),
        calendar=_values(timetable.OwnDay, calendar),
        deadlines=rules,
        shifts=(rows := _values(Shift, shifts)),
        rota=Rota(rows.values(), teams, units.values(), own_time.calendar, own_time.zone),
        cameras=_values(Camera, cameras),
        source_matters=_values(SourceMatter, source_matters, source=Source),
        sameness=read_sameness(reading, manifest, coded),
        bursts=read_bursts(reading, manifest, coded),
        holds_from=manifest.holds_from,
        contents=MappingProxyType(reading.contents),
    )
    _piers(reading, district, metric)
    timetable.check_duty(reading, district.rota, district.teams if district.shifts else ())
    _proof(reading, district, {entry.name for entry in manifest.layers} | {"district"}, metric)
    return district, reading.findings


def _digest(contents: Mapping[str, bytes]) -> str:
    """Eight hex digits of SHA-256 over all files read, by name, so that no file system's order matters."""
    whole_folder = hashlib.sha256()
    for file, raw in sorted(contents.items()):
        whole_folder.update(f"{file}\0{len(raw)}\0".encode() + raw)
    return whole_folder.hexdigest()[:8]


def _values(cls: type[T], table: Table | None, **kinds: type) -> Mapping[str, T]:
    names = [f.name for f in fields(cls)]  # type: ignore[arg-type]
    rows: Mapping[str, Mapping[str, Any]] = table.rows if table else {}
    return MappingProxyType(
        {code: cls(**{n: kinds[n](row[n]) if n in kinds else row[n] for n in names}) for code, row in rows.items()}
    )


def _layers(reading: Reading, manifest: Manifest, metric: Metric) -> dict[str, Layer]:
    """Every layer that could be read, checked in itself and against the district and its parents."""
    whole_area = LayerEntry(
        "district",
        "district.geojson",
        "区",
        "District",
        Cover.PARTITION,
        None,
        manifest.real,
        manifest.source,
        None,
        0.5,
    )
    layers: dict[str, Layer] = {}
    for entry in (whole_area, *manifest.layers):
        features = reading.features(entry.file)
        if features is None:
            continue
        zones, findings = read_zones(entry.name, entry.file, features, metric)
        reading.findings += findings
        layer = Layer(
            entry.name, entry.label, entry.label_en, entry.cover, entry.parent, entry.real, entry.source, zones
        )
        layers[entry.name] = layer
        if entry is whole_area:
            if len(features) != 1:
                reading.wrong("not_one", "district", found=len(features))
            continue
        if entry.name == "grid" and manifest.digits:
            reading.findings += check_codes(layer, manifest.digits)
        holders = layers.get(entry.parent) if entry.parent else None
        if layers.get("district") and layers["district"].zones:
            boundary = layers["district"].zones[0]
            reading.findings += check_layer(layer, boundary, holders, metric, complete=len(zones) == len(features))
        _union(reading, entry, layer, metric)
    return layers


def _union(reading: Reading, entry: LayerEntry, layer: Layer, metric: Metric) -> None:
    if entry.expect_union_km2 is None:
        return
    found = union_km2(layer.zones, metric)
    if abs(found - entry.expect_union_km2) > entry.tolerance_km2:
        reading.wrong(
            "union_area_off",
            entry.name,
            expected=entry.expect_union_km2,
            tolerance=entry.tolerance_km2,
            found=round(found, 3),
        )


def _bases(reading: Reading, district: Layer | None) -> dict[str, Base] | None:
    features = reading.features("bases.geojson")
    if features is None:
        return None
    bases: dict[str, Base] = {}
    for feature in features:
        point, words = feature.geometry, feature.properties
        code, name, name_en = (words.get(key) or "" for key in ("code", "name", "name_en"))
        if not isinstance(point, Point) or not in_degrees(point):
            problem = feature.problem or (point.geom_type if point is not None else "")
            reading.wrong("not_point", "bases.geojson", feature=code or feature.number, problem=problem)
        elif not (isinstance(code, str) and code and isinstance(name, str) and name and isinstance(name_en, str)):
            what = "code" if not isinstance(code, str) or not code else "name"
            reading.wrong("bad_property", "bases.geojson", feature=feature.number, field=what, value=words.get(what))
        elif code in bases:
            places = f"{bases[code].name}, {name}"
            found = Finding("duplicate_code", "bases.geojson", (code,), {"code_": code, "places": places}, None, point)
            reading.findings.append(found)
        else:
            bases[code] = Base(code, name, name_en, point.x, point.y)
            if district and district.zones and not district.zones[0].geometry.covers(point):
                reading.findings.append(Finding("base_outside", "bases.geojson", (code,), {"code_": code}, None, point))
    return dict(sorted(bases.items()))


def _roads(reading: Reading, manifest: Manifest) -> Roads:
    features = reading.features("roads.geojson", required=False)
    lines, findings = read_lines("roads.geojson", features or [])
    reading.findings += findings
    roads: list[tuple[LineString, str, bool]] = []
    for line, feature in lines:
        kind, bridge = feature.properties.get("class"), feature.properties.get("bridge", False)
        for name, value, right in (
            ("class", kind, isinstance(kind, str) and kind in manifest.settings.speeds_kmh),
            ("bridge", bridge, isinstance(bridge, bool)),
        ):
            if not right:
                reading.wrong("bad_property", "roads.geojson", feature=feature.number, field=name, value=value)
        roads.append((line, str(kind), bridge is True))
    return tuple(roads)


def _references(
    reading: Reading, tables: Mapping[str, Table | None], layers: Mapping[str, Layer], bases: frozenset[str] | None
) -> None:
    codes = {file: table.codes if table else None for file, table in tables.items()}
    matters, classes = tables["matters.csv"], codes["classes.csv"]
    reading.refer("matters.csv", matters, "department", "departments.csv", codes["departments.csv"])
    reading.refer("matters.csv", matters, "code", "classes.csv", classes, part=slice(2))
    reading.refer("teams.csv", tables["teams.csv"], "base", "bases.geojson", bases)
    reading.refer("units.csv", tables["units.csv"], "team", "teams.csv", codes["teams.csv"])
    reading.refer("units.csv", tables["units.csv"], "base", "bases.geojson", bases)
    teams = codes["teams.csv"]
    for zone in (zone for layer in layers.values() for zone in layer.zones):
        team = zone.properties.get("team")
        if team and teams is not None and team not in teams:
            at = shapely.point_on_surface(zone.geometry) if zone.geometry.is_valid else None
            facts = {"where": zone.code, "field": "team", "target": "teams.csv", "value": team}
            reading.findings.append(Finding("unknown_reference", zone.layer, (zone.code,), facts, None, at))


def _power_references(reading: Reading, tables: Mapping[str, Table | None], powers: Table | None) -> None:
    departments = tables["departments.csv"]
    power_file.references(reading, power_file.FILE, powers, departments.codes if departments else None, _listed(tables))


def _listed(tables: Mapping[str, Table | None]) -> frozenset[str] | None:
    """Codes of matters and classes; None where either could not be read."""
    matters, classes = tables["matters.csv"], tables["classes.csv"]
    return matters.codes | classes.codes if matters and classes else None


def _piers(reading: Reading, district: District, metric: Metric) -> None:
    """Boats must lie at the water."""
    layer = district.layers.get("water")
    water = [shapely.transform(zone.geometry, metric.points) for zone in (layer.zones if layer else ())]
    for unit in district.units.values():
        base = district.bases.get(unit.base)
        if unit.mode is Mode.BOAT and base is not None:
            at = Point(base.lon, base.lat)
            far = min(shapely.distance(water, shapely.transform(at, metric.points)), default=float("inf"))
            if far > PIER_M:
                facts = {"unit": unit.code, "code_": base.code, "metres": round(float(far), 1)}
                reading.findings.append(Finding("pier_ashore", "units.csv", (unit.code,), facts, None, at))


def _proof(reading: Reading, district: District, expected: Set[str], metric: Metric) -> None:
    """The decision table's own faults, unless what it rests on is broken already: then they are judged later."""
    tables, zoned = (
        {FILE, "classes.csv", "matters.csv", "teams.csv", "rules.csv"},
        {"district", *competence.PLACE_LAYERS},
    )
    broken = any(
        f.code in _NOT_PROVABLE if f.layer in zoned else f.code in _UNREAD and f.layer in tables
        for f in reading.findings
    )
    if broken or district.layers.keys() != expected:
        return
    table = competence.DecisionTable(
        district.rules, district.layers, district.classes, district.matters, district.teams
    )
    proved = None if table.faults else proof.prove(table, district.layers, metric)
    reading.findings += proof.findings(table.faults, proved)
