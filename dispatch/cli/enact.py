"""`onegrid grids load DIR` and `onegrid grids editions`: which edition of the data holds from when."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import anyio
import typer

from dispatch.cli.databases import with_database
from dispatch.cli.options import DataOption, JsonOption, settings_from, told

if TYPE_CHECKING:
    from dispatch.district import District
    from dispatch.enactment import Enactment
    from dispatch.settings import Settings

GRACE: Final = timedelta(seconds=15)
"""From loading until an edition holds, unless it is said when: meanwhile every server makes it ready."""


def load(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The district folder.")],
    since: Annotated[
        str | None,
        typer.Option("--from", help="From when it holds: a day or a time of the district; else as district.toml says."),
    ] = None,
    data_dir: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an edition of the district's data hold from a moment on; servers that are at work take it over by then.

    Refused with what is wrong unless each place and matter has one team, and a unit of it gets there.
    """
    from dispatch import district
    from dispatch.duties import refuse_if_unproved
    from dispatch.ground import prepare

    settings = settings_from(data_dir=data_dir)
    given = district.load(folder)
    refuse_if_unproved(prepare(given, settings.derived_dir(), settings.osm_extract))
    now = datetime.now(UTC)
    asked = _moment(since, given.timezone) if since else given.holds_from
    holds_from = asked or now + GRACE
    with with_database(settings) as ready:
        enacted = anyio.run(_enact, ready, given, holds_from, now)
    begins = holds_from.astimezone(UTC).isoformat(timespec="seconds")
    if as_json:
        figures = {"version": given.version, "holds_from": begins, "enacted": enacted is not None}
        print(json.dumps({"name": "grids load", "passed": True, "figures": figures}, ensure_ascii=False))
    elif enacted is None:
        print(f"{given.version}：当时即已施行，无需再次载入 / is in force at that time anyway")
    else:
        print(f"{given.version} 自 {_local(holds_from, given.timezone)} 起施行 / holds from then on")
        if asked is not None and asked < now:
            told.print("生效时间早于现在：此前看到、此后上报的事项按本版次研判；已立案件不变。")
            told.print("That is in the past: what was seen since and is reported later is decided by it; cases stay.")


def editions(data_dir: DataOption = None, as_json: JsonOption = False) -> None:
    """The editions that were enacted here, and which of them holds now."""
    from dispatch.enactment import in_force

    with with_database(settings_from(data_dir=data_dir)) as ready:
        found = anyio.run(_enactments, ready)
    now = datetime.now(UTC)
    holds = in_force(found, now).number if found else None
    rows: list[dict[str, Any]] = [
        {
            "number": one.number,
            "version": one.version,
            "holds_from": one.holds_from.isoformat(timespec="seconds"),
            "enacted_at": one.enacted_at.isoformat(timespec="seconds"),
            "in_force": one.number == holds,
        }
        for one in found
    ]
    if as_json:
        print(json.dumps({"name": "grids editions", "passed": True, "figures": {"items": rows}}, ensure_ascii=False))
        return
    for row in rows:
        mark = "→" if row["in_force"] else " "
        since = "始终 / from the beginning" if row["holds_from"].startswith("0001") else row["holds_from"]
        print(f"{mark} {row['number']:>4}  {row['version']:<40} {since}")


def _moment(given: str, timezone: str) -> datetime:
    from zoneinfo import ZoneInfo

    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise typer.BadParameter("2026-12-01 | 2026-12-01T08:00", param_hint="--from") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))


def _local(moment: datetime, timezone: str) -> str:
    from zoneinfo import ZoneInfo

    return moment.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S")


async def _enact(settings: Settings, given: District, holds_from: datetime, now: datetime) -> Enactment | None:
    from dispatch import editions
    from dispatch.store.engine import migrate, open_engine

    engine = open_engine(settings.database_url or "", 1)
    try:
        await migrate(engine)
        return await editions.enact(engine, given, holds_from, now)
    finally:
        await engine.dispose()


async def _enactments(settings: Settings) -> tuple[Enactment, ...]:
    from dispatch.store.editions import all_enactments
    from dispatch.store.engine import connect, migrate, open_engine

    engine = open_engine(settings.database_url or "", 1)
    try:
        await migrate(engine)
        async with connect(engine) as connection:
            return await all_enactments(connection)
    finally:
        await engine.dispose()
