"""The record as files that others can check: a checkpoint with its tree, and everything. JSON, one object a line.

docs/record.md says what stands in them; `docs/verify_independent.py` reads them and knows nothing of us.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from dispatch.audit import Head, Stored, canonical_json
from dispatch.checkpoints import Checkpoint, Leaf, read, written
from dispatch.errors import UnreadableRecord

FORM: Final = "onegrid record 1"


async def write_checkpoint(out: BinaryIO, checkpoint: Checkpoint, leaves: AsyncIterator[Leaf]) -> None:
    """A checkpoint and the leaves that go with it."""
    out.write(_line({"checkpoint": written(checkpoint)}))
    async for leaf in leaves:
        out.write(_line({"leaf": [leaf.case, leaf.seq, leaf.sealed.hex()]}))


def write_case(out: BinaryIO, head: Head, chain: list[Stored]) -> None:
    """What a case says of itself, and its chain; of the report that it came from only what its events hold."""
    out.write(_line({"case": head.case, "seq": head.seq, "seal": head.sealed.hex(), "after": head.after}))
    write_events(out, chain)


def write_events(out: BinaryIO, chain: list[Stored]) -> None:
    """Events, each as it was sealed."""
    out.writelines(b'{"event":%b,"seal":"%b"}\n' % (e.canonical(), _hex(e.sealed)) for e in chain)


def write_orphan(out: BinaryIO, case: str, chain: list[Stored]) -> None:
    """Events whose case is not there."""
    out.write(_line({"case": case, "seq": 0, "seal": "", "after": None}))
    write_events(out, chain)


def write_head(out: BinaryIO, at: str) -> None:
    """The first line of an export of everything."""
    out.write(_line({"export": FORM, "at": at}))


def read_checkpoint(file: Path) -> tuple[Checkpoint, Iterator[Leaf]]:
    """The checkpoint that a file begins with, and its leaves as they are read on. Raises `UnreadableRecord`."""
    lines = _lines(file)
    first = next(lines, {})
    try:
        return read(first["checkpoint"]), _leaves(file, lines)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableRecord(file=file, problem=repr(error)) from error


def _leaves(file: Path, lines: Iterator[dict[str, Any]]) -> Iterator[Leaf]:
    for line in lines:
        try:
            case, seq, sealed = line["leaf"]
            yield Leaf(str(case), int(seq), bytes.fromhex(sealed))
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableRecord(file=file, problem=repr(error)) from error


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    try:
        with file.open("rb") as content:
            yield from map(json.loads, content)
    except (OSError, ValueError) as error:
        raise UnreadableRecord(file=file, problem=str(error)) from error


def _hex(given: bytes) -> bytes:
    return given.hex().encode()


def _line(value: object) -> bytes:
    return canonical_json(value) + b"\n"
