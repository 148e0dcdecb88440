"""`onegrid sources import`: a file as 12345 or digital city management exports it, taken in row by row."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import anyio
import typer

from dispatch.cli.databases import with_database
from dispatch.cli.options import DataOption, DistrictOption, JsonOption, settings_from, told
from dispatch.errors import Language

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncEngine

    from dispatch.errors import DomainError
    from dispatch.reception import Reception
    from dispatch.settings import Settings
    from dispatch.sources.forms import Form
    from dispatch.sources.sheet import Row

app = typer.Typer(help="Other systems' reports (12345, video, digital_city, patrol).", no_args_is_help=True)

OUTCOMES = {
    "new": ("新案件", "new cases"),
    "known": ("已有，内容相同", "known, the same"),
    "changed": ("已有，内容有变（未改动）", "known, saying something else now (nothing was changed)"),
    "refused": ("未受理", "refused"),
}
SHOWN = 50
"""Rows on the screen; all of them are in the report."""
LANGUAGES: Final[tuple[Language, Language]] = ("zh", "en")


@dataclass(frozen=True)
class Done:
    """What became of a row."""

    sheet: str
    row: int
    ref: str
    outcome: str
    """One of `OUTCOMES`."""
    case: str = ""
    team: str = ""
    code: str = ""
    zh: str = ""
    en: str = ""


@app.callback()
def sources() -> None:
    """Other systems' reports."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE", help="Excel (.xlsx) or CSV.")],
    source: Annotated[str, typer.Option(metavar="12345|video|digital_city|patrol", help="Whose export it is.")],
    report: Annotated[
        Path | None, typer.Option(dir_okay=False, help="What became of each row; FILE.report.csv if not said.")
    ] = None,
    district: DistrictOption = None,
    data_dir: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in a file as a source exports it; the same ticket twice is one case. Exit 1 where a row was refused.

    Rows go the way of any report, into the database that servers work on; they may run meanwhile.
    """
    from dispatch.sources.forms import form_of

    form = form_of(source)
    with with_database(settings_from(data_dir=data_dir, district=district)) as ready:
        done = anyio.run(_import, ready, form, file.read_bytes())
    out = report or file.with_name(f"{file.name}.report.csv")
    with out.open("w", encoding="utf-8-sig", newline="") as written:  # Excel knows UTF-8 by its mark alone
        rows = csv.writer(written)
        rows.writerow(("sheet", "row", "ref", "outcome", "case", "team", "code", "zh", "en"))
        rows.writerows((d.sheet, d.row, d.ref, d.outcome, d.case, d.team, d.code, d.zh, d.en) for d in done)
    counted = Counter(one.outcome for one in done)
    refused = [one for one in done if one.outcome == "refused"]
    if as_json:
        figures = {
            "rows": len(done),
            **{outcome: counted[outcome] for outcome in OUTCOMES},
            "by_code": dict(Counter(one.code for one in refused)),
            "report": str(out),
        }
        print(json.dumps({"name": "sources import", "passed": not refused, "figures": figures}, ensure_ascii=False))
    else:
        for one in refused[:SHOWN]:
            print(f"{one.sheet}{'!' if one.sheet else ''}{one.row} {one.ref} [{one.code}] {one.zh}\n  {one.en}")
        for outcome, (zh, en) in OUTCOMES.items():
            print(f"{zh} / {en}: {counted[outcome]}")
        print(f"逐行结果 / each row: {out}")
    raise typer.Exit(1 if refused else 0)


async def _import(settings: Settings, form: Form, data: bytes) -> list[Done]:
    """Raises `UnreadableFile`, `EmptyFile`, `DatabaseUnavailable` (what was taken in stays, and is known again)."""
    import asyncio
    from datetime import UTC, datetime, timedelta

    from dispatch import district as districts
    from dispatch.editions import Editions
    from dispatch.fleet import Fleet
    from dispatch.ground import prepare
    from dispatch.reception import TOGETHER, Reception
    from dispatch.sources.adapt import Adapter
    from dispatch.sources.sheet import rows
    from dispatch.store.engine import connect, open_to_serve
    from dispatch.store.positions import positions_since

    ground = prepare(districts.load(settings.district_folder()), settings.derived_dir(), settings.osm_extract)
    engine, _ = await open_to_serve(settings.database_url or "", settings.owner_url, 2)
    try:
        editions = Editions(engine, ground, settings.derived_dir(), settings.osm_extract)
        await editions.start(datetime.now(UTC))
        fleet = Fleet(editions.current.district, timedelta(seconds=settings.position_stale_s))
        reception = Reception(engine, editions, fleet, settings.max_age_days)
        read = list(rows(data, form, Adapter(editions.current.district)))
        done: list[Done] = []
        since = 0
        for first in range(0, len(read), TOGETHER):
            async with connect(engine) as connection:
                moved, since = await positions_since(connection, since)
            now = datetime.now(UTC)
            fleet.learn(moved, now)  # decided by where units are, as a server does
            some = read[first : first + TOGETHER]
            done += await asyncio.gather(*(_take(reception, engine, row, now) for row in some))
            told.print(f"{len(done)} / {len(read)}")
        await _call(engine)
        return done
    finally:
        await engine.dispose()


async def _take(reception: Reception, engine: AsyncEngine, row: Row, now: datetime) -> Done:
    """Raises `DatabaseUnavailable`."""
    from dispatch.errors import DatabaseUnavailable, DomainError
    from dispatch.forwarding import forward

    if isinstance(row.outcome, DomainError):
        return _refused(row, row.outcome)
    try:
        received, changed = await forward(reception, engine, row.outcome, now)
    except DatabaseUnavailable:
        raise
    except DomainError as error:
        return _refused(row, error)
    outcome = "changed" if changed else "known" if received.known else "new"
    return Done(row.sheet, row.number, row.outcome.source_ref, outcome, received.case.case_no, received.case.team)


def _refused(row: Row, error: DomainError) -> Done:
    zh, en = (" ".join(filter(None, (error.text(one), error.hint(one)))) for one in LANGUAGES)
    return Done(row.sheet, row.number, row.ref, "refused", code=error.code(), zh=zh, en=en)


async def _call(engine: AsyncEngine) -> None:
    """Wake the servers: they tell their listeners."""
    from sqlalchemy import text

    from dispatch.store.engine import connect
    from web.live import CHANNEL

    async with connect(engine) as connection:
        await connection.execute(text("SELECT pg_notify(:channel, 'import')"), {"channel": CHANNEL})
