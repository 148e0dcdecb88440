"""`onegrid disputes drafts`: what was ruled, as rows for the decision table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from dispatch.cli.databases import with_database
from dispatch.cli.options import DataOption, DistrictOption, JsonOption, settings_from, told

if TYPE_CHECKING:
    from dispatch.disputes import Dispute, Draft
    from dispatch.settings import Settings

app = typer.Typer(help="Disputes between teams, and what their rulings change.", no_args_is_help=True)

STATUS = {
    "new": ("新增", "to be added"),
    "replaces": ("替换同号的一行", "replaces the row of that code"),
    "covered": ("现行职责清单已有规定", "the table says so already"),
    "tie": ("不能单独成行：与其他规则冲突", "no row by itself: it would tie with others"),
    "unknown": ("本版次没有此队伍、事项或地点", "this edition has no such team, matter or place"),
}


@app.callback()
def disputes() -> None:
    """Disputes."""


@app.command("drafts")
def drafts_command(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file in the format of rules.csv.")] = None,
    district: DistrictOption = None,
    data_dir: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every ruling as a row for the folder's rules.csv, each proved with those before it; oldest first."""
    from dispatch import disputes as rulings

    with with_database(settings_from(data_dir=data_dir, district=district)) as ready:
        found = anyio.run(_drafted, ready)
    rows = [drafted.row for _, drafted in found if drafted.row is not None]
    if output is not None:
        output.write_text(rulings.as_csv(rows), encoding="utf-8")
    for dispute, drafted in found:
        zh, en = STATUS[drafted.status]
        against = f" ({', '.join(drafted.against)})" if drafted.against else ""
        told.print(f"{dispute.case} {drafted.row.code if drafted.row else '—'} {zh} / {en}{against}")
    if as_json:
        items = [
            {
                "dispute": dispute.id,
                "case": dispute.case,
                "status": drafted.status,
                "row": rulings.as_row(drafted.row) if drafted.row else None,
                "against": list(drafted.against),
            }
            for dispute, drafted in found
        ]
        print(json.dumps({"name": "disputes drafts", "items": items}, ensure_ascii=False))
    elif output is None:
        print(rulings.as_csv(rows), end="")


async def _drafted(settings: Settings) -> list[tuple[Dispute, Draft]]:
    from zoneinfo import ZoneInfo

    from dispatch import disputes as rulings
    from dispatch import district as districts
    from dispatch.store import disputes as kept
    from dispatch.store.engine import migrate, open_engine, snapshot
    from geo.locate import Locator

    folder = districts.load(settings.district_folder())
    zone, locator = ZoneInfo(folder.timezone), Locator(folder.layers)
    engine = open_engine(settings.database_url or "", 1)
    found: list[tuple[Dispute, Draft]] = []
    try:
        await migrate(engine)
        async with snapshot(engine) as connection:
            opened = (await kept.list_disputes(connection, False, 1_000_000, None))[::-1]
            chains = await kept.chains_of(connection, sorted({one.case for one in opened}))
    finally:
        await engine.dispose()
    for one in opened:
        dispute = next(each for each in rulings.read(chains[one.case]) if each.id == one.id)
        if dispute.ruling is None:
            continue
        day = dispute.ruling.at.astimezone(zone).date().isoformat()
        ruling = rulings.Ruling(dispute.id, dispute.case, one.matter, dispute.ruling.team, day)
        drafted = rulings.draft(folder, locator.at(*dispute.at), ruling)
        found.append((dispute, drafted))
        folder = rulings.grown(folder, drafted)
    return found
