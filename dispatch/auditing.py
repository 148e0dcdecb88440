"""Is the record what it was? Every chain is walked, on every processor; every checkpoint is held against them."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import resource
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dispatch import merkle, record_file
from dispatch.audit import Break, verify
from dispatch.checkpoints import Checkpoint, Leaf, Walk, flaw
from dispatch.desk import stands
from dispatch.orders import CARRIES
from dispatch.store import checkpoints, evidence, record
from dispatch.store.engine import address, conninfo, open_engine, snapshot

CASES_AT_ONCE: Final = 2000
"""That are in memory, of each process."""
SHARE: Final = 10
"""So many times that many are walked by one connection."""
WORTH_PROCESSES: Final = 40_000
"""Events; fewer are walked sooner than a process is started."""


@dataclass(slots=True)
class Audited:
    """What was looked at, and everything that does not hold: cases in their order, then files, then checkpoints."""

    cases: int = 0
    events: int = 0
    checkpoints: int = 0
    processor_s: float = 0
    """What walking the chains took, in all processes."""
    memory_mb: float = 0
    """The most that one of them needed."""
    photos_altered: int = 0
    evidence_altered: int = 0
    evidence_lost: int = 0
    breaks: list[Break] = field(default_factory=list)


Tell = Callable[[int], None]
"""Takes the number of cases walked so far."""


async def audit(
    engine: AsyncEngine,
    trusted: Collection[bytes] = (),
    exported: Sequence[Path] = (),
    tell: Tell = lambda _: None,
    processes: int | None = None,
) -> Audited:
    """Of one snapshot of the database, everything.

    trusted: public keys that checkpoints may be signed with; none: any. exported: files of checkpoints, each held
    against the record; their keys are trusted. processes: as many as there are processors, if not said. Raises
    `UnreadableRecord`.
    """
    files = [record_file.read_checkpoint(file) for file in exported]
    if trusted:
        trusted = {*trusted, *(checkpoint.key for checkpoint, _ in files)}
    async with snapshot(engine) as connection:
        name = await record.export_snapshot(connection)
        cases = await record.ranges(connection, CASES_AT_ONCE)
        many = await record.count_events(connection) >= WORTH_PROCESSES
        count = (processes or _processors()) if many else 1
        with _processes(count) as pool:
            loop = asyncio.get_running_loop()
            # Beside the chains, not after them.
            held = loop.run_in_executor(pool, held_by_checkpoints, address(engine), name, trusted)
            found = Audited()
            for one in asyncio.as_completed(
                [loop.run_in_executor(pool, walk, conninfo(engine), name, some) for some in _shares(cases, count)]
            ):
                part = await one
                found.cases += part.cases
                found.events += part.events
                found.breaks += part.breaks
                found.processor_s += part.processor_s
                found.memory_mb = max(found.memory_mb, part.memory_mb)
                tell(found.cases)
            known, wrong = await held
        found.breaks.sort(key=lambda one: (one.case, one.seq))
        await _files(connection, found)
        found.checkpoints = len(known)
        found.breaks += wrong
        for checkpoint, leaves in files:
            found.breaks += await _exported(connection, known, checkpoint, leaves)
    return found


@contextmanager
def _processes(count: int) -> Iterator[Executor]:
    if count < 2:
        with ThreadPoolExecutor(1) as thread:
            yield thread
        return
    # Not forked from here, where threads may run; from a server that has imported once what all need.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    # What is read is let go of range by range: looking for circles in it takes longer than reading it.
    with ProcessPoolExecutor(count, context, initializer=gc.disable) as pool:
        yield pool


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shares(cases: Sequence[record.Range], processes: int) -> list[Sequence[record.Range]]:
    """Ranges that one process walks by one connection: enough of them for all, to the end."""
    size = max(1, min(SHARE, len(cases) // (4 * processes)))
    return [cases[first : first + size] for first in range(0, len(cases), size)]


def walk(address: str, name: str, ranges: Sequence[record.Range]) -> Audited:
    """The chains of some ranges of cases, as a snapshot of that name has them."""
    began, walked = time.process_time(), Audited()
    with record.in_snapshot(address, name) as connection:
        for cases in ranges:
            found = record.chains(connection, cases)
            walked.cases += len(found.heads)
            walked.events += sum(map(len, found.events.values()))
            for row in found.heads:
                if broken := verify(stands(row), found.events.pop(row.case_no, [])):
                    walked.breaks.append(broken)
            walked.breaks += [Break(case, chain[0].seq, "orphan") for case, chain in found.events.items()]
    walked.processor_s = time.process_time() - began
    walked.memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return walked


async def _files(connection: AsyncConnection, found: Audited) -> None:
    """Photos and evidence, held against the digests that name them."""
    altered = await record.altered_photos(connection)
    changed, lost = await evidence.altered(connection), await evidence.lost(connection, CARRIES)
    found.photos_altered, found.evidence_altered, found.evidence_lost = len(altered), len(changed), len(lost)
    found.breaks += [Break(digest, 0, "photo") for digest in altered]
    found.breaks += [Break(digest, 0, "evidence") for digest in changed]
    found.breaks += [Break(case, seq, "evidence_lost") for _, case, seq in lost]


Held = tuple[dict[int, Checkpoint], list[Break]]
"""The checkpoints kept here, and what is wrong with them or with the record that they name."""


def held_by_checkpoints(address: str, name: str, trusted: Collection[bytes]) -> Held:
    """The checkpoints, and the record held against them, as a snapshot of that name has both."""

    async def within() -> Held:
        engine = open_engine(address, 1)
        try:
            async with snapshot(engine, name) as connection:
                return await _checkpoints(connection, trusted)
        finally:
            await engine.dispose()

    return asyncio.run(within())


async def _checkpoints(connection: AsyncConnection, trusted: Collection[bytes]) -> Held:
    known, walked, wrong = dict[int, Checkpoint](), Walk(trusted), list[Break]()
    before = -(2**62)
    async for checkpoint in checkpoints.all_checkpoints(connection):
        changed = await checkpoints.changed_leaves(connection, before, checkpoint.number)
        wrong += walked.step(checkpoint, changed)
        known[checkpoint.number] = checkpoint
        before = checkpoint.number
    return known, wrong + await checkpoints.broken_leaves(connection)


async def _exported(
    connection: AsyncConnection, known: dict[int, Checkpoint], checkpoint: Checkpoint, leaves: Iterable[Leaf]
) -> list[Break]:
    """What an exported checkpoint shows.

    `file` (it is not itself as it was signed), `lost` (the record does not have it), `replaced` (the record has another
    in its place), and of its leaves what `dispatch.checkpoints.against` says.
    """
    number, wrong = checkpoint.number, list[Break]()
    here = known.get(number)
    if here is None or here.digest != checkpoint.digest:
        wrong.append(Break("", 0, "lost" if here is None else "replaced", number))
    hashes, reading, seen = list[bytes](), iter(leaves), 0
    while part := list(islice(reading, checkpoints.BATCH)):
        hashes += [leaf.hashed() for leaf in part]
        seen += sum(leaf.seq for leaf in part)
        wrong += await checkpoints.held_against(connection, number, part)
    # The statement alone, without its tree, is signed all the same.
    tree = (merkle.root(hashes), len(hashes), seen)
    is_whole = not hashes or tree == (checkpoint.root, checkpoint.cases, checkpoint.events)
    if flaw(checkpoint, ()) or not is_whole:
        wrong.append(Break("", 0, "file", number))
    return wrong


async def export(engine: AsyncEngine, out: BinaryIO, at: str) -> Audited:
    """Write all of one snapshot for others to check: checkpoints with what changed, cases with their chains."""
    counted = Audited()
    record_file.write_head(out, at)
    async with snapshot(engine) as connection:
        name = await record.export_snapshot(connection)
        before = -(2**62)
        async for checkpoint in checkpoints.all_checkpoints(connection):
            changed = await checkpoints.changed_leaves(connection, before, checkpoint.number)
            await record_file.write_checkpoint(out, checkpoint, _each(changed))
            before, counted.checkpoints = checkpoint.number, counted.checkpoints + 1
        with record.in_snapshot(conninfo(engine), name) as reading:
            for cases in await record.ranges(connection, CASES_AT_ONCE):
                found = record.chains(reading, cases)
                counted.cases += len(found.heads)
                counted.events += sum(map(len, found.events.values()))
                for row in found.heads:
                    record_file.write_case(out, stands(row), found.events.pop(row.case_no, []))
                for case, chain in found.events.items():
                    record_file.write_orphan(out, case, chain)
    return counted


async def _each(leaves: Sequence[Leaf]) -> AsyncIterator[Leaf]:
    for leaf in leaves:
        yield leaf
