"""The analyst's files: the same counts as a page, a picture, GeoJSON, GeoPackage and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final
from urllib.parse import quote

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import shapely
from anyio import to_thread
from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy import RowMapping

from dispatch.district import District
from dispatch.errors import InvalidInput, UnknownFormat
from dispatch.ground import Ground
from dispatch.store import cases
from dispatch.store.cases import CaseFilter
from dispatch.store.engine import connect
from geo.grid import Layer
from web.casebook import parse_moment
from web.maps import page
from web.plates import plate
from web.problems import PROBLEMS
from web.state import EngineOf, GroundOf, Now, SettingsOf
from web.tally import CaseRows, Selection, Tally, check, days, tally

__all__ = ["CaseRows", "Export", "Selection", "case_rows", "heatmap_file", "router", "select", "write"]

DEFAULT_DAYS: Final = 30
DECIMALS: Final = 7
"""Of a degree, in files: a centimetre."""

COLUMNS: Final = {
    "code": "网格编码",
    "name": "名称",
    "name_en": "英文名称",
    "township": "街道（镇）编码",
    "township_name": "街道（镇）",
    "area_km2": "面积（km²）",
    "count": "案件数",
    "count_per_km2": "每平方公里案件数",
    "share": "占比",
    "hot_spot": "冷热点",
    "hot_spot_z": "Gi* 值",
    "hot_spot_p": "校正后 p 值",
    "schematic": "示意",
}
"""Of every table, with the Chinese that stands before each in the CSV."""

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins so is a formula to a spreadsheet (OWASP, CSV injection)."""


@dataclass(frozen=True, slots=True)
class Export:
    """A file."""

    content: bytes
    media_type: str
    filename: str


def write(format: str, rows: CaseRows, district: District, selection: Selection) -> Export:  # noqa: A002
    """One file of a selection: `format` is html, png, geojson, gpkg or csv.

    Raises `UnknownFormat`, `UnknownTeam`, `UnknownMatter`, `UnknownZone`, `PageNotBuilt` (html), `FontMissing` (png).
    """
    if format not in WRITERS:
        raise UnknownFormat(format=format, known=", ".join(WRITERS))
    media_type, make = WRITERS[format]
    first, last = days(selection, district.timezone)
    parts = ["onegrid", district.code, "heatmap", f"{first}_{last}"]
    parts += [part for part in (selection.team, selection.matter, selection.zone) if part]
    return Export(make(tally(rows, district, selection)), media_type, f"{'-'.join(parts).replace(':', '-')}.{format}")


def heatmap_file(path: Path, rows: CaseRows, district: District, selection: Selection) -> None:
    """Write one file, its format by its suffix. Raises what `write` raises, and OSError; an older file then stays."""
    content = write(known_suffix(path), rows, district, selection).content
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def known_suffix(path: Path) -> str:
    """The format that a file's name asks for. Raises `UnknownFormat`."""
    format = path.suffix.removeprefix(".").lower()  # noqa: A001
    if format not in WRITERS:
        raise UnknownFormat(format=format or "?", known=", ".join(WRITERS))
    return format


def case_rows(points: Sequence[RowMapping]) -> CaseRows:
    """What `dispatch.store.cases.case_points` answers, as arrays."""

    def texts(name: str) -> np.ndarray[Any, np.dtype[np.str_]]:
        return np.array([point[name] or "" for point in points], dtype=np.str_)

    moments = [point["received_at"].astimezone(UTC).replace(tzinfo=None) for point in points]
    return CaseRows(
        case=texts("case_no"),
        lon=np.array([point["lon"] for point in points], dtype=np.float64),
        lat=np.array([point["lat"] for point in points], dtype=np.float64),
        matter=texts("matter"),
        team=texts("team"),
        state=texts("state"),
        received_at=np.array(moments, dtype="datetime64[us]"),
        grid=texts("grid"),
    )


# --- tables ------------------------------------------------------------------------------------------------------


def table(tally: Tally) -> dict[str, list[Any]]:
    """`COLUMNS`, one row a zone, zones without cases included."""
    zones, found, spots = tally.layer.zones, tally.counts, tally.spots
    flags = np.where(spots.hot, "hot", np.where(spots.cold, "cold", "none"))
    return {
        "code": [zone.code for zone in zones],
        "name": [zone.name for zone in zones],
        "name_en": [zone.name_en for zone in zones],
        "township": [township.code if township else "" for township in tally.townships],
        "township_name": [township.name if township else "" for township in tally.townships],
        "area_km2": [round(float(area), 6) for area in found.area_km2],
        "count": [int(n) for n in found.count],
        "count_per_km2": [round(float(n), 6) for n in found.per_km2],
        "share": [round(float(part), 8) for part in found.share],
        "hot_spot": [str(flag) for flag in flags],
        "hot_spot_z": [round(float(z), 4) for z in spots.z],
        "hot_spot_p": [float(f"{p:.6g}") for p in spots.p],
        "schematic": [not tally.layer.real] * len(zones),
    }


def summary(tally: Tally) -> dict[str, str | int | bool]:
    """What the files say of themselves."""
    first, last = days(tally.selection, tally.district.timezone)
    return {
        "title": tally.title.zh,
        "title_en": tally.title.en,
        "district": tally.district.code,
        "version": tally.district.version,
        "from": first,
        "to": last,
        "filter": "；".join(words.zh for words in tally.filters),
        "filter_en": "; ".join(words.en for words in tally.filters),
        "cases": tally.cases,
        "cases_in_no_zone": tally.counts.nowhere,
        "notes": "；".join(words.zh for words in tally.warnings),
        "notes_en": "; ".join(words.en for words in tally.warnings),
        "source": tally.source.zh,
        "source_en": tally.source.en,
        "demonstration": tally.selection.demonstration,
        "made_at": tally.selection.made_at.isoformat(timespec="seconds"),
    }


def _csv(tally: Tally) -> bytes:
    """UTF-8 with a byte order mark, by which Excel knows it; text that would be a formula is made text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([f"{chinese} {name}" for name, chinese in COLUMNS.items()])
    columns = table(tally)
    for row in zip(*(columns[name] for name in COLUMNS), strict=True):
        writer.writerow([safe_cell(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def safe_cell(cell: object) -> object:
    """The cell, with an apostrophe before text that a spreadsheet would run."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _geojson(tally: Tally) -> bytes:
    """RFC 7946, with what it says of itself beside `features`."""
    columns = table(tally)
    rows = zip(*(columns[name] for name in COLUMNS), strict=True)
    shapes = shapely.orient_polygons([_rounded(zone.geometry) for zone in tally.layer.zones])
    features = [
        {
            "type": "Feature",
            "id": zone.code,
            "properties": dict(zip(COLUMNS, row, strict=True)),
            "geometry": shape.__geo_interface__,
        }
        for zone, row, shape in zip(tally.layer.zones, rows, shapes, strict=True)
    ]
    document = {"type": "FeatureCollection", "name": "grid_counts", **summary(tally), "features": features}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _rounded(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(shape, lambda corners: np.round(corners, DECIMALS))


def _gpkg(tally: Tally) -> bytes:
    """Layers `grid_counts`, `cases`, those of the district to draw beneath, and the table `summary`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "heatmap.gpkg"
        counted = geopandas.GeoDataFrame(
            table(tally), geometry=[zone.geometry for zone in tally.layer.zones], crs="EPSG:4326"
        )
        _add(path, counted, "grid_counts", "MultiPolygon")
        _add(path, _points(tally), "cases", "Point")
        for name in ("township", "water", "district"):
            if layer := tally.district.layers.get(name):
                _add(path, _zones(layer), name, "MultiPolygon")
        told = pd.DataFrame([(key, str(value)) for key, value in summary(tally).items()], columns=["key", "value"])
        pyogrio.write_dataframe(told, path, layer="summary", driver="GPKG")
        return path.read_bytes()


def _add(path: Path, frame: geopandas.GeoDataFrame, layer: str, geometry_type: str) -> None:
    pyogrio.write_dataframe(
        frame, path, layer=layer, driver="GPKG", geometry_type=geometry_type, promote_to_multi=geometry_type != "Point"
    )


def _points(tally: Tally) -> geopandas.GeoDataFrame:
    rows, district = tally.rows, tally.district
    names = {code: found.name for code, found in district.classes.items()}
    names |= {code: matter.name for code, matter in district.matters.items()}
    teams = {code: team.name for code, team in district.teams.items()}
    columns = {
        "case": rows.case.tolist(),
        "matter": rows.matter.tolist(),
        "matter_name": [names.get(code, "") for code in rows.matter.tolist()],
        "team": rows.team.tolist(),
        "team_name": [teams.get(code, "") for code in rows.team.tolist()],
        "state": rows.state.tolist(),
        "received_at": pd.to_datetime(rows.received_at, utc=True).astype("datetime64[ms, UTC]"),
        "grid": rows.grid.tolist(),
    }
    return geopandas.GeoDataFrame(columns, geometry=geopandas.points_from_xy(rows.lon, rows.lat), crs="EPSG:4326")


def _zones(layer: Layer) -> geopandas.GeoDataFrame:
    columns = {
        "code": [zone.code for zone in layer.zones],
        "name": [zone.name for zone in layer.zones],
        "name_en": [zone.name_en for zone in layer.zones],
        "area_km2": [zone.area_km2 for zone in layer.zones],
        "schematic": [not layer.real] * len(layer.zones),
        "source": [layer.source] * len(layer.zones),
    }
    return geopandas.GeoDataFrame(columns, geometry=[zone.geometry for zone in layer.zones], crs="EPSG:4326")


WRITERS: Final[Mapping[str, tuple[str, Callable[[Tally], bytes]]]] = {
    "html": ("text/html; charset=utf-8", lambda tally: page(tally).encode()),
    "png": ("image/png", plate),
    "geojson": ("application/geo+json", _geojson),
    "gpkg": ("application/geopackage+sqlite3", _gpkg),
    "csv": ("text/csv; charset=utf-8", _csv),
}


# --- over HTTP ---------------------------------------------------------------------------------------------------

router = APIRouter(tags=["exports"])


@router.get(
    "/exports/heatmap.{format}",
    response_model=None,
    response_class=Response,
    responses={
        200: {"content": {kind.partition(";")[0]: {} for kind, _ in WRITERS.values()}},
        **{code: PROBLEMS[code] for code in (404, 422, 503)},
    },
)
async def heatmap(
    format: str,  # noqa: A002
    ground: GroundOf,
    engine: EngineOf,
    settings: SettingsOf,
    now: Now,
    since: Annotated[str | None, Query(alias="from", description="Time or day, inclusive; 30 days before `to`")] = None,
    until: Annotated[str | None, Query(alias="to", description="Time, exclusive; or day, inclusive; today")] = None,
    team: str | None = None,
    matter: Annotated[str | None, Query(description="A matter, or a class")] = None,
    zone: Annotated[str | None, Query(description="Code of a zone of any layer")] = None,
) -> Response:
    """The analyst's heat map: page, picture, GeoJSON, GeoPackage or CSV."""
    if format not in WRITERS:
        raise UnknownFormat(format=format, known=", ".join(WRITERS))
    selection = select(
        ground,
        now,
        since=since,
        until=until,
        team=team,
        matter=matter,
        zone=zone,
        demonstration=settings.demonstration,
    )
    async with connect(engine) as connection:
        points = await cases.case_points(connection, case_filter(selection))
    export = await to_thread.run_sync(lambda: write(format, case_rows(points), ground.district, selection))
    shown = "inline" if format in {"html", "png"} else "attachment"
    headers = {
        "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(export.filename)}",
        "Cache-Control": "no-store",
    }
    return Response(export.content, media_type=export.media_type, headers=headers)


def select(
    ground: Ground,
    now: datetime,
    *,
    since: str | None = None,
    until: str | None = None,
    team: str | None = None,
    matter: str | None = None,
    zone: str | None = None,
    demonstration: bool = False,
) -> Selection:
    """A selection from what a person wrote: days of the district (`until` inclusive) or times; else the last 30 days.

    Raises `InvalidInput`, and `UnknownTeam`, `UnknownMatter`, `UnknownZone`.
    """
    tomorrow = datetime.combine(now.astimezone(ground.zone_info).date() + timedelta(days=1), time(), ground.zone_info)
    end = parse_moment(until, ground.zone_info, "to", end=True) or tomorrow
    begin = parse_moment(since, ground.zone_info, "from")
    try:
        begin = begin or end - timedelta(days=DEFAULT_DAYS)
    except OverflowError:
        begin = end
    if begin >= end:
        raise InvalidInput({"field": "from"}, field="from", problem="must be before `to`", problem_zh="应早于 to")
    selection = Selection(begin, end, now, team or None, matter or None, zone or None, demonstration)
    check(ground.district, selection)
    return selection


def case_filter(selection: Selection) -> CaseFilter:
    """The same, as the store is asked."""
    return CaseFilter(
        team=selection.team,
        matter=selection.matter,
        zone=selection.zone,
        since=selection.since,
        until=selection.until,
    )
