"""The analyst's files: the same counts as a page, a picture, GeoJSON, GeoPackage and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import numpy as np
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
from web.casebook import parse_moment
from web.counted import COLUMNS, summary, table
from web.problems import PROBLEMS
from web.state import WorkerOf
from web.tally import CaseRows, Selection, Tally, check, days, tally

__all__ = ["CaseRows", "Export", "Selection", "case_rows", "heatmap_file", "router", "select", "write"]

DEFAULT_DAYS: Final = 30
DECIMALS: Final = 7
"""Of a degree, in files: a centimetre."""

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


# Folium, matplotlib and GeoPandas take seconds to load, which only those who ask for their files should wait for.


def _html(tally: Tally) -> bytes:
    from web.maps import page  # noqa: PLC0415

    return page(tally).encode()


def _png(tally: Tally) -> bytes:
    from web.plates import plate  # noqa: PLC0415

    return plate(tally)


def _gpkg(tally: Tally) -> bytes:
    from web.geopackage import geopackage  # noqa: PLC0415

    return geopackage(tally)


WRITERS: Final[Mapping[str, tuple[str, Callable[[Tally], bytes]]]] = {
    "html": ("text/html; charset=utf-8", _html),
    "png": ("image/png", _png),
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
    worker: WorkerOf,
    since: Annotated[str | None, Query(alias="from", description="Time or day, inclusive; 30 days before `to`")] = None,
    until: Annotated[str | None, Query(alias="to", description="Time, exclusive; or day, inclusive; today")] = None,
    team: str | None = None,
    matter: Annotated[str | None, Query(description="A matter, or a class")] = None,
    zone: Annotated[str | None, Query(description="Code of a zone of any layer")] = None,
) -> Response:
    """The analyst's heat map: page, picture, GeoJSON, GeoPackage or CSV."""
    now = datetime.now(UTC)
    if format not in WRITERS:
        raise UnknownFormat(format=format, known=", ".join(WRITERS))
    selection = select(
        worker.ground,
        now,
        since=since,
        until=until,
        team=team,
        matter=matter,
        zone=zone,
        demonstration=worker.settings.demonstration,
    )
    async with connect(worker.engine) as connection:
        points = await cases.case_points(connection, case_filter(selection))
    export = await to_thread.run_sync(lambda: write(format, case_rows(points), worker.ground.district, selection))
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
