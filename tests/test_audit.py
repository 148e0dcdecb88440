"""Sealing: whatever is changed in a chain is found, at the step where it was changed."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatch.audit import GENESIS, Event, Head, Stored, canonical, canonical_json, digest, instant, seal, verify

RELOCATED = 4
"""The step at which the case's place is corrected, in chains that are so long."""
START = datetime(2026, 11, 23, 1, 2, 3, 4, tzinfo=UTC)


REPORT = {"text": "有人搭棚", "accuracy_m": 1e-7, "lon": 1.5}
"""With a number that encoders write in two ways."""


def stored(event: Event) -> Stored:
    """As it stands in its table."""
    at = event.at.astimezone(UTC).replace(tzinfo=None)
    data = canonical_json(event.data)
    return Stored(event.id, event.case, event.seq, at, event.action, event.actor, data, event.prev, seal(event))


def chain(length: int) -> tuple[Head, list[Stored]]:
    before, made = GENESIS, []
    for seq in range(1, length + 1):
        data = {"after": {"state": f"s{seq}"}, "note": "说明"}
        if seq == 1:
            data |= {"report_digest": digest(REPORT), "place": {"lon": 1.5}, "decision": {"notes": []}}
        if seq == RELOCATED:
            data |= {"place": {"lon": 2.5}, "decision": {"notes": ["confirm_place"]}}
        event = Event(f"id{seq}", "C1", seq, START + timedelta(seconds=seq), "a", "甲", data, before)
        before = seal(event)
        made.append(stored(event))
    opened_at = START + timedelta(seconds=1)
    after = {"state": f"s{length}"}
    place, notes = ({"lon": 2.5}, ["confirm_place"]) if length >= RELOCATED else ({"lon": 1.5}, [])
    opening, placed = {"place": {"lon": 1.5}}, {"place": place}
    return Head("C1", length, before, opened_at, REPORT, opening, placed, notes, after), made


def sealed_anew(event: Stored) -> Stored:
    return event._replace(sealed=sha256(event.canonical()).digest())


def reseal(events: list[Stored], start: int) -> list[Stored]:
    """What someone who knows the method would do: seal everything again from a step on."""
    out = events[:start]
    for event in events[start:]:
        out.append(sealed_anew(event._replace(prev=out[-1].sealed if out else GENESIS)))
    return out


def test_a_chain_as_it_was_written_holds() -> None:
    for length in range(1, 6):
        assert verify(*chain(length)) is None


def test_the_canonical_form_is_what_the_document_says() -> None:
    event = Event("id1", "C1", 1, START + timedelta(seconds=1), "a", "甲", {"note": "说明"}, GENESIS)
    moved = replace(event, at=event.at.astimezone(timezone(timedelta(hours=8))))
    assert canonical(event) == canonical(moved)
    text = canonical(event).decode()
    assert text.startswith('{"action":"a","actor":"甲","at":"2026-11-23T01:02:04.000004Z","case":"C1","data":{')
    assert text.endswith(f'"prev":"{"0" * 64}","seq":1}}')


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    TEXTS, TEXTS, TEXTS, st.integers(0, 2**40), st.datetimes(), st.dictionaries(TEXTS, TEXTS), st.binary(min_size=32)
)
def test_it_is_the_encoders_whatever_it_is_written_by(  # a faster way must not change a byte of it
    name: str, actor: str, case: str, seq: int, at: datetime, data: dict[str, str], prev: bytes
) -> None:
    event = Event(name, case, seq, at.replace(tzinfo=UTC), name, actor, data, prev)
    whole = {
        "action": name,
        "actor": actor,
        "at": instant(event.at),
        "case": case,
        "data": data,
        "id": name,
        "prev": prev.hex(),
        "seq": seq,
    }
    assert canonical(event) == canonical_json(whole) == canonical(event, canonical_json(data))


def test_a_seal_that_was_given_before_still_fits() -> None:
    """Byte for byte: what this says must never change, or every record there is would be broken."""
    data = {
        "note": '已处置 "x" \\ \n\x1f\x7f é',
        "after": {"state": "handled", "n": [1.5, 1e22, 1e-7, -0.0, 10, True, None]},
    }
    event = Event(
        "6f0f8f9e-7a3c-4f6f-9a57-000000000001", "3201182026112300042", 2, START, "handle", "甲\t", data, bytes(32)
    )
    assert seal(event).hex() == "c8af02cb2328d27cdab3407ba6de1eaefa5ababe3500d793afcec6706531eedc"


def test_nan_is_never_sealed() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"x": float("nan")})


HEADS: dict[str, dict[str, Any]] = {
    "state": {"after": {"state": "closed"}},
    "place": {"opening": {"place": {"lon": 1.6}}},
    "moved": {"placed": {"place": {"lon": 1.6}}},
    "noted": {"notes": ["snapped"]},
    "time": {"opened_at": START},
    "report": {"report": {**REPORT, "text": "别的"}},
    "reported": {"report": {**REPORT, "accuracy_m": 1.0000000000000002e-7}},
}
"""What a case says that its record does not."""


@given(st.integers(2, 8), st.data())
def test_any_tampering_is_found(length: int, data: st.DataObject) -> None:
    head, events = chain(length)
    step = data.draw(st.integers(0, length - 1))
    kind = data.draw(st.sampled_from(["field", "remove", "swap", "insert", "reseal", *HEADS]))
    target = events[step]
    match kind:
        case "field":
            field, value = data.draw(
                st.sampled_from(
                    [
                        ("actor", "乙"),
                        ("action", "b"),
                        ("data", b"{}"),
                        ("data", b"null"),
                        ("data", b""),
                        ("prev", bytes(31)),
                        ("at", START.replace(tzinfo=None)),
                        ("seq", 99),
                        ("case", "C2"),
                        ("id", "x"),
                    ]
                )
            )
            events[step] = target._replace(**{field: value})
        case "remove":
            del events[step]
        case "swap":
            other = (step + 1) % length
            events[step], events[other] = events[other], events[step]
        case "insert":
            events.insert(step, target)
        case "reseal":
            events[step] = target._replace(actor="乙")
            events = reseal(events, step)
        case _:
            head = replace(head, **HEADS[kind])
    found = verify(head, events)
    assert found is not None
    assert found.case == "C1"


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_the_canonical_form_survives_reading_and_writing(value: object) -> None:
    try:
        written = canonical_json(value)
    except UnicodeEncodeError:  # a lone surrogate is no text that could have been stored
        return
    assert canonical_json(json.loads(written)) == written


class Colour(StrEnum):
    RED = "red"


class Pair(NamedTuple):
    a: int
    b: float


def as_the_encoder(value: object) -> bytes:
    """The canonical form by Python's own encoder alone."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def outcome(write: Callable[[object], bytes], value: object) -> bytes | str:
    try:
        return write(value)
    except (TypeError, ValueError) as error:
        return type(error).__name__


EDGES = [
    edge
    for size in (
        1e-7,
        1e-6,
        1e-5,
        1e-4,
        1e-3,
        1.0,
        1e15,
        1e16,
        1e17,
        1e21,
        1e22,
        2.0**53,
        5e-324,
        1.7976931348623157e308,
    )
    for near in (size, math.nextafter(size, 0), math.nextafter(size, math.inf))
    for edge in (near, -near)
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(EDGES)
    | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from(
        [
            Colour.RED,
            Pair(1, 1e-9),
            0.0,
            -0.0,
            UUID(int=1),
            START,
            START.date(),
            b"x",
            {1},
            object(),
            np.float64(1e-7),
            10**30,
        ]
    )
)


@settings(max_examples=1000, deadline=None)
@given(
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=5)
            | st.tuples(inner)
            | st.dictionaries(st.text(max_size=3) | st.sampled_from(["decision", "case", "after"]), inner, max_size=5)
            | st.dictionaries(st.integers() | st.booleans(), inner, max_size=2)
        ),
        max_leaves=20,
    )
)
@example([[[[[1.0, 0.0001, 9999999999999998.0, 1e16]]]]])
@example({"\u4e00": 1, "\U0001f600": 2, "\uffff": 3, "": 4, '\x7f\x1f\u2028"\\': "\b\f\n\r\t\x00/"})
@example({"a": "\ud800", "b": float("nan")})
def test_the_quick_writer_writes_as_the_encoder_or_leaves_it_to_it(value: object) -> None:
    assert outcome(canonical_json, value) == outcome(as_the_encoder, value)


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_of_every_number_as_the_encoder(bits: int) -> None:
    number = struct.unpack("<d", struct.pack("<Q", bits))[0]
    assert outcome(canonical_json, [number]) == outcome(as_the_encoder, [number])
