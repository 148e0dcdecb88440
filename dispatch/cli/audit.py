"""`onegrid audit verify|checkpoint|export|key`: does the record hold, and what others need to see for themselves."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import anyio
import typer
from rich.progress import Progress

from dispatch.cli.databases import with_database
from dispatch.cli.options import DataOption, settings_from, told
from dispatch.errors import BrokenCheckpoint, BrokenRecord, DomainError, NoCheckpoint
from dispatch.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from dispatch.audit import Break
    from dispatch.auditing import Audited
    from dispatch.checkpoints import Checkpoint

app = typer.Typer(help="The record: check that nothing was altered, and let others check it.", no_args_is_help=True)

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
    "orphan": ("有记录而没有案件", "there is a record and no case"),
    "removed": ("案件已不在，检查点 {checkpoint} 载有此案", "the case is gone; checkpoint {checkpoint} names it"),
    "cut": ("此步已不在，检查点 {checkpoint} 载有此步", "the step is gone; checkpoint {checkpoint} names it"),
    "rewritten": (
        "此步已被改写，与检查点 {checkpoint} 不符",
        "it was written anew: checkpoint {checkpoint} names another",
    ),
    "checkpoint": ("内容与摘要不符", "it says something else than its digest"),
    "signature": ("签名不对", "its signature is wrong"),
    "key": ("由不受信任的密钥签名", "it is signed by a key that is not trusted"),
    "chain": ("与上一个检查点不连", "it does not follow the one before it"),
    "tree": ("根与各案末尾不符", "its root is not that of its leaves"),
    "file": ("导出的文件本身不完整或被改动", "the exported file is not itself as it was signed"),
    "lost": ("库中已没有这个检查点", "the record has no such checkpoint any more"),
    "replaced": ("库中的这个检查点已是另一个", "the record has another in its place"),
}
SHOWN = 20

OutOption = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")]


@app.callback()
def audit() -> None:
    """The record."""


@app.command("verify")
def verify_command(
    data_dir: DataOption = None,
    checkpoint: Annotated[list[Path] | None, typer.Option(help="A checkpoint that was exported; any number.")] = None,
    key: Annotated[list[Path] | None, typer.Option(help="A public key that checkpoints may be signed with.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Walk every case's chain and hold every checkpoint against them; name all that does not hold, and exit with 1."""
    settings = settings_from(data_dir=data_dir)
    with with_database(settings) as ready:
        found = anyio.run(_verify, ready, _trusted(settings, key or []), checkpoint or [])
    broken = found.breaks[0] if found.breaks else None
    figures = {
        "cases": found.cases,
        "events": found.events,
        "checkpoints": found.checkpoints,
        "photos_altered": found.photos_altered,
        "evidence_altered": found.evidence_altered,
        "evidence_lost": found.evidence_lost,
        "broken": vars_of(broken) if broken else None,
        "breaks": [vars_of(one) for one in found.breaks[:1000]],
        "breaks_in_all": len(found.breaks),
    }
    if as_json:
        said = {"name": "audit verify", "passed": not found.breaks, "figures": figures}
        print(json.dumps(said, ensure_ascii=False))
    for one in found.breaks[:SHOWN]:
        error = _error(one)
        told.print(f"{error.text('zh')}\n{error.text('en')}")
    if len(found.breaks) > SHOWN:
        told.print(f"…… 共 {len(found.breaks)} 处 / in all {len(found.breaks)}")
    if found.breaks:
        raise typer.Exit(1)
    if not as_json:
        print(
            f"{found.cases} 件案件、{found.events} 步记录、{found.checkpoints} 个检查点完好 / cases, steps and "
            "checkpoints hold"
        )


def vars_of(broken: Break) -> dict[str, object]:
    """For JSON."""
    said = {"case": broken.case, "seq": broken.seq, "problem": broken.problem}
    return {**said, "checkpoint": broken.checkpoint} if broken.checkpoint else said


def _error(broken: Break) -> DomainError:
    zh, en = (part.format(checkpoint=broken.checkpoint) for part in PROBLEMS[broken.problem])
    if broken.case:
        return BrokenRecord(case=broken.case, seq=broken.seq, problem=f"{zh} / {en}")
    return BrokenCheckpoint(number=broken.checkpoint, problem=f"{zh} / {en}")


def _trusted(settings: Settings, named: list[Path]) -> set[bytes]:
    """The keys that are named, and the one that signs here, if it is at hand."""
    from dispatch import keys

    trusted = {keys.read_public(file) for file in named}
    if settings.key_file().exists():
        trusted.add(keys.signer(settings.key_file()).public)
    return trusted


async def _verify(settings: Settings, trusted: set[bytes], files: list[Path]) -> Audited:
    from dispatch import auditing

    async with _engine(settings) as engine:
        with Progress(console=told, transient=True) as progress:
            task = progress.add_task("核验 / verifying", total=None)
            return await auditing.audit(engine, trusted, files, lambda cases: progress.update(task, completed=cases))


@app.command("checkpoint")
def checkpoint_command(
    data_dir: DataOption = None,
    out: OutOption = None,
    last: Annotated[bool, typer.Option("--last", help="The last one as it is; make none.")] = False,
) -> None:
    """Make a checkpoint now, if anything happened since the last; print it, or write it with its whole tree."""
    with with_database(settings_from(data_dir=data_dir)) as ready:
        made = anyio.run(_checkpoint, ready, out, last)
    if out is None:
        from dispatch.checkpoints import written

        print(json.dumps(written(made), ensure_ascii=False))
    else:
        told.print(f"{out}: 检查点 {made.number}，{made.cases} 件案件 / checkpoint, cases")


async def _checkpoint(settings: Settings, out: Path | None, last: bool) -> Checkpoint:
    from datetime import timedelta

    from dispatch import keys
    from dispatch.notary import Notary
    from dispatch.record_file import write_checkpoint
    from dispatch.store import checkpoints
    from dispatch.store.engine import conninfo, snapshot

    async with _engine(settings) as engine:
        if not last:
            await Notary(conninfo(engine), keys.signer(settings.key_file()), timedelta()).make(datetime.now(UTC))
        async with snapshot(engine) as connection:
            found = await checkpoints.last_checkpoint(connection)
            if found is None:
                raise NoCheckpoint
            if out is not None:
                with out.open("wb") as file:
                    await write_checkpoint(file, found, checkpoints.leaves_at(connection, found.number))
    return found


@app.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(help="To write to; - is standard output.")], data_dir: DataOption = None
) -> None:
    """Write the whole record for others to check: checkpoints, heads, events; one JSON object a line."""
    with with_database(settings_from(data_dir=data_dir)) as ready:
        if str(file) == "-":
            found = anyio.run(_export, ready, sys.stdout.buffer)
        else:
            with file.open("wb") as out:
                found = anyio.run(_export, ready, out)
    told.print(
        f"{file}: {found.cases} 件案件、{found.events} 步、{found.checkpoints} 个检查点 / cases, steps, checkpoints"
    )


async def _export(settings: Settings, out: BinaryIO) -> Audited:
    from dispatch.audit import instant
    from dispatch.auditing import export

    async with _engine(settings) as engine:
        return await export(engine, out, instant(datetime.now(UTC)))


@app.command("key")
def key_command(data_dir: DataOption = None, out: OutOption = None) -> None:
    """Print the public key that checkpoints here are signed with, for whoever checks them (PEM)."""
    from dispatch import keys

    pem = keys.public_pem(keys.signer(settings_from(data_dir=data_dir).key_file()).public)
    if out is None:
        print(pem, end="")
    else:
        out.write_text(pem, "ascii")


@asynccontextmanager
async def _engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    from dispatch.store.engine import migrate, open_engine

    engine = open_engine(settings.database_url or "", 1)
    try:
        await migrate(engine)
        yield engine
    finally:
        await engine.dispose()
