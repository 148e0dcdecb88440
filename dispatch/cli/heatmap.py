"""`onegrid heatmap`: the analyst's files without a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from dispatch.cli.databases import with_database
from dispatch.cli.options import DataOption, DistrictOption, settings_from, told
from dispatch.settings import Settings

if TYPE_CHECKING:
    from web.exports import Selection
    from web.tally import CaseRows


def heatmap(
    out: Annotated[Path, typer.Option("-o", "--out", help="The file; .html, .png, .geojson, .gpkg or .csv.")],
    since: Annotated[str | None, typer.Option("--from", help="Day or time, inclusive; 30 days before --to.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Day, inclusive, or time, exclusive; today.")] = None,
    team: Annotated[str | None, typer.Option(help="Only this team's cases, by its code.")] = None,
    matter: Annotated[str | None, typer.Option(help="Only this matter, or class, by its code.")] = None,
    zone: Annotated[str | None, typer.Option(help="Only in this zone of any layer, by its code.")] = None,
    data_dir: DataOption = None,
    district: DistrictOption = None,
) -> None:
    """Counts, density and hot spots of cases per grid, in one file."""
    from dispatch.district import load
    from dispatch.ground import prepare
    from web.exports import heatmap_file, known_suffix, select

    settings = settings_from(data_dir=data_dir, district=district)
    ground = prepare(load(settings.district_folder()))
    known_suffix(out)
    selection = select(
        ground,
        datetime.now(UTC),
        since=since,
        until=until,
        team=team,
        matter=matter,
        zone=zone,
        demonstration=settings.demonstration,
    )
    with with_database(settings) as ready:
        rows = anyio.run(_rows, ready, selection)
    heatmap_file(out, rows, ground.district, selection)
    told.print(f"{out}: {len(rows.case)} 件案件 / cases")


async def _rows(settings: Settings, selection: Selection) -> CaseRows:
    from dispatch.store import cases
    from dispatch.store.engine import connect, migrate, open_engine
    from web.exports import case_filter, case_rows

    engine = open_engine(settings.database_url or "", 1)
    try:
        await migrate(engine)
        async with connect(engine) as connection:
            return case_rows(await cases.case_points(connection, case_filter(selection)))
    finally:
        await engine.dispose()
