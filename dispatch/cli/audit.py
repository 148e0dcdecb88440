"""`onegrid audit verify`: does every case's record hold?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import anyio
import typer
from rich.progress import Progress

from dispatch.cli.databases import with_database
from dispatch.cli.options import DataOption, settings_from, told
from dispatch.errors import BrokenRecord
from dispatch.settings import Settings

if TYPE_CHECKING:
    from dispatch.audit import Break

app = typer.Typer(help="The record: check that nothing was altered.", no_args_is_help=True)

PROBLEMS = {
    "sequence": ("缺少步骤或顺序不对", "a step is missing or out of order"),
    "link": ("与上一步的封印不连", "it does not name the seal before it"),
    "seal": ("内容与封印不符", "its content is not what was sealed"),
    "head": ("案件末尾与记录不符", "the case does not end where its record ends"),
    "projection": ("案件状态与记录不符", "the case's state is not the one its record leads to"),
    "report": ("上报内容与封存的不符", "the report is not the one that was sealed"),
    "photo": ("照片内容与摘要不符", "the photo is not the one that its digest names"),
    "evidence": ("证据内容与摘要不符", "the evidence is not what its digest names"),
    "evidence_lost": ("记录中的证据已不在", "evidence that the record names is gone"),
    "empty": ("没有记录", "there is no record"),
}


@app.callback()
def audit() -> None:
    """The record."""


@app.command("verify")
def verify_command(
    data_dir: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Walk every case's chain; stop at the first that does not hold, name it, and exit with 1."""
    with with_database(settings_from(data_dir=data_dir)) as ready:
        figures, broken = anyio.run(_walk, ready)
    if as_json:
        found = {**figures, "broken": None if broken is None else vars_of(broken)}
        print(json.dumps({"name": "audit verify", "passed": broken is None, "figures": found}, ensure_ascii=False))
    if broken is not None:
        zh, en = PROBLEMS[broken.problem]
        error = BrokenRecord(case=broken.case, seq=broken.seq, problem=f"{zh} / {en}")
        told.print(f"{error.text('zh')}\n{error.text('en')}")
        raise typer.Exit(1)
    if not as_json:
        print(f"{figures['cases']} 件案件、{figures['events']} 步记录完好 / cases and steps hold")


def vars_of(broken: Break) -> dict[str, object]:
    """For JSON."""
    return {"case": broken.case, "seq": broken.seq, "problem": broken.problem}


async def _walk(settings: Settings) -> tuple[dict[str, int], Break | None]:
    from dispatch.audit import Break, verify
    from dispatch.desk import stands
    from dispatch.orders import CARRIES
    from dispatch.store import evidence, record
    from dispatch.store.engine import migrate, open_engine, snapshot

    engine = open_engine(settings.database_url or "", 1)
    found = {"cases": 0, "events": 0, "photos_altered": 0}
    try:
        await migrate(engine)
        async with snapshot(engine) as connection:
            with Progress(console=told, transient=True) as progress:
                task = progress.add_task("核验 / verifying", total=None)
                async for row, chain in record.chains(connection):
                    if broken := verify(stands(row), chain):
                        return found, broken
                    found["cases"] += 1
                    found["events"] += len(chain)
                    progress.update(task, completed=found["cases"])
            altered = await record.altered_photos(connection)
            changed = await evidence.altered(connection)
            lost = await evidence.lost(connection, CARRIES)
    finally:
        await engine.dispose()
    found |= {"photos_altered": len(altered), "evidence_altered": len(changed), "evidence_lost": len(lost)}
    breaks = [Break(digest, 0, "photo") for digest in altered]
    breaks += [Break(digest, 0, "evidence") for digest in changed]
    breaks += [Break(case, seq, "evidence_lost") for _, case, seq in lost]
    return found, breaks[0] if breaks else None
