"""`onegrid route FILE -o OUT`: the responsible team for every place in a file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dispatch.cli.options import settings_from, told

PATIENCE_S: Final = 2.0
"""What is over sooner needs no progress bar."""


if TYPE_CHECKING:
    from dispatch.route_file import Summary


def route(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE", help="CSV or GeoJSON points.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", dir_okay=False, help="Result: .csv, .geojson, .gpkg or .parquet.")
    ],
    district: Annotated[Path | None, typer.Option(help="The district folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find the responsible team and its nearest unit for each place in a file, without a database.

    Rows that cannot be routed are kept in OUT.rejected.csv, with their line and the reason. Columns: see docs/api.md.
    Refused, as by `grids load`, unless each place and matter has one team, and a unit of it gets there.
    """
    from dispatch import district as districts
    from dispatch.duties import refuse_unless_proved
    from dispatch.ground import prepare
    from dispatch.route_file import route_file

    if out.exists() and out.samefile(file):
        raise typer.BadParameter("结果不能覆盖原文件 / the result must not overwrite its source", param_hint="--out")
    began = time.monotonic()
    settings = settings_from(district=district)
    derived, osm = settings.derived_dir(), settings.osm_extract
    ground = prepare(districts.load(settings.district_folder()), derived, osm)
    refuse_unless_proved(ground, derived, osm)
    with _bar(began) as progress:
        summary = route_file(file, out, ground, progress, datetime.now(UTC))
    passed = summary.rows == summary.routed + summary.rejected
    if as_json:
        print(json.dumps({"name": "route", "passed": passed, "figures": summary.figures()}, ensure_ascii=False))
    else:
        told.print(_words(summary, out), soft_wrap=True)
    raise typer.Exit(0 if passed else 1)


@contextmanager
def _bar(began: float) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, once it is worth one."""
    columns = (TextColumn("研判 / routing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=told, transient=True)
    task = bar.add_task("", total=None)

    def progress(done: int, expected: int) -> None:
        if not bar.live.is_started and time.monotonic() - began > PATIENCE_S:
            bar.start()
        bar.update(task, completed=done, total=expected)

    try:
        yield progress
    finally:
        bar.stop()


def _words(summary: Summary, out: Path) -> str:
    lines = [
        f"{summary.rows} 行：已研判 {summary.routed}，退回 {summary.rejected}，用时 {summary.seconds:.1f} 秒 → {out}",
        f"{summary.rows} rows: {summary.routed} routed, {summary.rejected} rejected, {summary.seconds:.1f} s",
    ]
    if summary.rejected_file:
        reasons = "，".join(f"{code} {count}" for code, count in sorted(summary.by_reason.items()))
        lines.append(f"退回的行及原因 / rejected rows and why: {out.with_name(summary.rejected_file)}（{reasons}）")
    return "\n".join(lines)
