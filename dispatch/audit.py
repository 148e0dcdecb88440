"""Seal and verify: each case's events form a hash chain that anyone can recompute.

The seal of an event is the SHA-256 of its canonical form: a JSON object with the keys `action, actor, at, case, data,
id, prev, seq`, keys sorted at every depth, no white space, UTF-8 unescaped, numbers as JSON writes them, `at` in UTC
with six decimals and a `Z`, `prev` the seal before it in hexadecimal (of the first event: 64 zeros).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from json.encoder import encode_basestring
from typing import Final, NamedTuple

import orjson

_CANONICAL: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
)
json_text: Final = encode_basestring
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
    return _whole(
        event.action, event.actor, instant(event.at), event.case, written, event.id, event.prev.hex(), event.seq
    )


def _whole(action: str, actor: str, at: str, case: str, data: bytes, id: str, prev: str, seq: int) -> bytes:  # noqa: A002
    # As `canonical_json` writes it, in the order of the keys; an encoder for each event costs as much again.
    before = f'{{"action":{json_text(action)},"actor":{json_text(actor)},"at":"{at}","case":{json_text(case)},"data":'
    return b'%b%b,"id":%b,"prev":"%b","seq":%d}' % (before.encode(), data, json_text(id).encode(), prev.encode(), seq)


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys, no white space, UTF-8; refuses NaN and infinities (ValueError)."""
    if _plain(value):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:
            pass  # an integer above 64 bits, half a character: the encoder writes it, or says what is wrong
    return _CANONICAL.encode(value).encode()


_AS_IS: Final = frozenset((str, int, bool, type(None)))
_NO_EXPONENT_FROM, _NO_EXPONENT_TO = 1e-4, 1e16


def _plain(value: object) -> bool:
    """Whether the quick writer writes it as the encoder does, letter for letter.

    It does not where a number takes an exponent, which the two write in two ways, nor of NaN and of types that the
    encoder refuses.
    """
    if isinstance(value, float):
        return value == 0 or _NO_EXPONENT_FROM <= abs(value) < _NO_EXPONENT_TO
    if isinstance(value, dict | list | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            if type(one) not in _AS_IS and not _plain(one):
                return False
        return True
    return type(value) in _AS_IS or isinstance(value, StrEnum)


def instant(moment: datetime) -> str:
    """A moment (in UTC where it names no zone) as the canonical form writes it: `2026-11-23T01:02:03.000004Z`."""
    there = moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    return there.isoformat("T", "microseconds") + "Z"


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


class Stored(NamedTuple):
    """The same as bare values: of a million, each object would cost as much as its hash."""

    id: str
    case: str
    seq: int
    at: datetime
    """In UTC, which it need not say."""
    action: str
    actor: str
    data: bytes
    """The text that stands there: the very one that was sealed."""
    prev: bytes
    sealed: bytes

    def canonical(self) -> bytes:
        """The bytes that were sealed, if nothing was changed."""
        id_, case, seq, at, action, actor, data, prev, _ = self
        return _whole(action, actor, instant(at), case, data, id_, prev.hex(), seq)

    def said(self) -> Mapping[str, object]:
        """The data; nothing where that is no JSON object any more, which then is not what was sealed."""
        try:
            found = orjson.loads(self.data)
        except orjson.JSONDecodeError:
            return {}
        return found if isinstance(found, dict) else {}

    def holds(self) -> bool:
        """Whether it is what was sealed, be its text written again without a change of what it says."""
        if hashlib.sha256(self.canonical()).digest() == self.sealed:
            return True
        again = self._replace(data=canonical_json(self.said()))
        return hashlib.sha256(again.canonical()).digest() == self.sealed


@dataclass(frozen=True, slots=True)
class Head:
    """What the case, and the report it came from, say of themselves: all of it is in the record too."""

    case: str
    seq: int
    sealed: bytes
    opened_at: datetime
    report: Mapping[str, object]
    """What is sealed of the report, as it stands now: the first event names its digest."""
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


def verify(head: Head, chain: Iterable[Stored]) -> Break | None:
    """The first break of one case's chain, given in order of `seq`; None when it holds."""
    before, last, read = GENESIS, None, None
    placed, lies, timed, clock = 0, _NOTHING, 0, None
    for expected, event in enumerate(chain, start=1):
        if problem := _broken(event, expected, before):
            return Break(head.case, expected, problem)
        read = event.said() if expected == 1 or _may_say(event.data) else None
        if expected == 1 and read is not None and (problem := _not_opened_so(head, event, read)):
            return Break(head.case, expected, problem)
        if read is not None and "place" in read:
            placed, lies = expected, read
        if read is not None and "clock" in read:
            timed, clock = expected, read["clock"]
        before, last = event.sealed, event
    if last is None or not placed:
        return Break(head.case, 0, "empty")
    if (head.seq, head.sealed) != (last.seq, before):
        return Break(head.case, max(head.seq, last.seq), "head")
    if (last.said() if read is None else read).get("after") != head.after:
        wrong = last.seq
    elif clock != head.clock:
        wrong = timed or last.seq
    else:
        wrong = 0 if _lies_so(head, lies) else placed
    return Break(head.case, wrong, "projection") if wrong else None


_NOTHING: Final[Mapping[str, object]] = {}


def _broken(event: Stored, expected: int, before: bytes) -> str | None:
    if event.seq != expected:
        return "sequence"
    if event.prev != before:
        return "link"
    return None if event.holds() else "seal"


def _may_say(data: bytes) -> bool:
    """Where it lies, or what its clock is: most events are only hashed.

    A name that does not stand there, nor may be written by escapes, is not there.
    """
    return b'"place"' in data or b'"clock"' in data or b"\\" in data


def digest(value: object) -> str:
    """SHA-256 over its canonical form, hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _is_digest(sealed: object, value: object) -> bool:
    """Whether that is its digest.

    A faster encoder is asked first: it writes some numbers otherwise, but nothing else the same, so that the digest of
    what it writes is the sealed one only where both encoders agree.
    """
    try:
        quick = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return digest(value) == sealed
    return hashlib.sha256(quick).hexdigest() == sealed or digest(value) == sealed


def _not_opened_so(head: Head, event: Stored, read: Mapping[str, object]) -> str | None:
    if not _is_digest(read.get("report_digest"), head.report):
        return "report"
    said = {name: read.get(name) for name in head.opening}
    return None if (said, instant(event.at)) == (head.opening, instant(head.opened_at)) else "projection"


def _lies_so(head: Head, read: Mapping[str, object]) -> bool:
    said = {name: read.get(name) for name in head.placed}
    decision = read.get("decision")
    notes = decision.get("notes") if isinstance(decision, Mapping) else None
    return said == head.placed and notes == list(head.notes)
