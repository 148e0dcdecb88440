"""Seal and verify: each case's events form a hash chain that anyone can recompute.

The seal of an event is the SHA-256 of its canonical form: a JSON object with the keys `action, actor, at, case, data,
id, prev, seq`, keys sorted at every depth, no white space, UTF-8 unescaped, numbers as JSON writes them, `at` in UTC
with six decimals and a `Z`, `prev` the seal before it in hexadecimal (of the first event: 64 zeros).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Final

_CANONICAL: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
)
_text: Final = encode_basestring
"""A text as that encoder writes it."""

GENESIS: Final = bytes(32)
"""What the first event of a chain names as its predecessor."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a case, before or after it is sealed."""

    id: str
    """UUID of the action, made by whoever acted."""
    case: str
    seq: int
    at: datetime
    action: str
    actor: str
    data: Mapping[str, object]
    prev: bytes


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the record does not hold.

    Of a case's own chain `problem` is one of `sequence` (an event is missing or out of order), `link` (it does not name
    the seal before it), `seal` (its content is not what was sealed), `head` (the case does not end where its last event
    says), `projection` (the case or its place is not what its record says), `report` (the report is not the one that
    was sealed), `empty` (a case without a record), `orphan` (events without their case), `photo` (`case` is its
    digest). What checkpoints add is said in `dispatch.checkpoints`.
    """

    case: str
    """Empty where it is no case's."""
    seq: int
    problem: str
    checkpoint: int = 0
    """The checkpoint that shows it, or is itself not what it was; 0: none."""


def canonical(event: Event, data: bytes | None = None) -> bytes:
    """The bytes that are sealed; `data` is the canonical form of the event's data, where it is at hand."""
    written = canonical_json(event.data) if data is None else data
    # As `canonical_json` writes the whole, in the order of the keys; an encoder for each event costs as much again.
    before = f'{{"action":{_text(event.action)},"actor":{_text(event.actor)},"at":"{instant(event.at)}"'
    after = f'"id":{_text(event.id)},"prev":"{event.prev.hex()}","seq":{event.seq}}}'
    return b'%b,"case":%b,"data":%b,%b' % (before.encode(), _text(event.case).encode(), written, after.encode())


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys, no white space, UTF-8; refuses NaN and infinities (ValueError)."""
    return _CANONICAL.encode(value).encode()


def instant(moment: datetime) -> str:
    """A moment as the canonical form writes it, e.g. `2026-11-23T01:02:03.000004Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def seal(event: Event) -> bytes:
    """The event's seal, 32 bytes."""
    return hashlib.sha256(canonical(event)).digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """An event ready to be written."""

    event: Event
    text: str
    """The canonical form of its data: the very text that is sealed."""
    sealed: bytes


def enter(event: Event) -> Entry:
    """Seal an event."""
    data = canonical_json(event.data)
    return Entry(event, data.decode(), hashlib.sha256(canonical(event, data)).digest())


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it is stored, with the seal it was given."""

    event: Event
    sealed: bytes
    text: bytes | None = None
    """Its data as it stands there, where that is at hand: the very text that was sealed."""


@dataclass(frozen=True, slots=True)
class Head:
    """What the case, and the report it came from, say of themselves: all of it is in the record too."""

    case: str
    seq: int
    sealed: bytes
    opened_at: datetime
    report_digest: str
    """SHA-256 of the report as it stands now, to be the one named in the first event."""
    opening: Mapping[str, object]
    """What the first event's data must say."""
    placed: Mapping[str, object]
    """What the last event that says where the case lies (its first, or a correction) must say."""
    notes: Sequence[str]
    """What that event's decision must note."""
    after: Mapping[str, object]
    """What the last event must say that it left behind."""
    clock: Mapping[str, object] | None = None
    """What the last event that says anything of its clock must say of it; None: there is none."""


def verify(head: Head, chain: Iterable[Recorded]) -> Break | None:
    """The first break of one case's chain, given in order of `seq`; None when it holds."""
    before, last, placed, timed = GENESIS, None, None, None
    for expected, recorded in enumerate(chain, start=1):
        event = recorded.event
        if problem := _broken(recorded, expected, before) or (_not_opened_so(head, event) if expected == 1 else None):
            return Break(head.case, expected, problem)
        before, last = recorded.sealed, event
        placed = event if "place" in event.data else placed
        timed = event if "clock" in event.data else timed
    if last is None or placed is None:
        return Break(head.case, 0, "empty")
    if (head.seq, head.sealed) != (last.seq, before):
        return Break(head.case, max(head.seq, last.seq), "head")
    if last.data.get("after") != head.after:
        return Break(head.case, last.seq, "projection")
    if (timed.data["clock"] if timed else None) != head.clock:
        return Break(head.case, timed.seq if timed else last.seq, "projection")
    return None if _lies_so(head, placed) else Break(head.case, placed.seq, "projection")


def _broken(recorded: Recorded, expected: int, before: bytes) -> str | None:
    event = recorded.event
    if event.seq != expected:
        return "sequence"
    if event.prev != before:
        return "link"
    if hashlib.sha256(canonical(event, recorded.text)).digest() == recorded.sealed:
        return None
    # The text may have been written again without a change of what it says.
    if recorded.text is None:
        return "seal"
    return "seal" if seal(replace(event, data=dict(event.data))) != recorded.sealed else None


def _not_opened_so(head: Head, event: Event) -> str | None:
    if event.data.get("report_digest") != head.report_digest:
        return "report"
    said = {name: event.data.get(name) for name in head.opening}
    return None if (said, event.at) == (head.opening, head.opened_at) else "projection"


def _lies_so(head: Head, event: Event) -> bool:
    said = {name: event.data.get(name) for name in head.placed}
    decision = event.data.get("decision")
    notes = decision.get("notes") if isinstance(decision, Mapping) else None
    return said == head.placed and notes == list(head.notes)
