"""Checkpoints: what all cases' chains ended with at one moment, under one root, signed; each names the one before.

A leaf of the tree (`dispatch.merkle`) is the canonical form of `[case, seq, seal]`, a case's number and its last event;
cases stand in the order of their numbers. What is signed (Ed25519) is the canonical form of `Checkpoint.said`; its
SHA-256 is the checkpoint's digest, which the next one names as `prev`. docs/record.md has all of it for who checks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dispatch.audit import GENESIS, Break, canonical_json, instant, json_text
from dispatch.merkle import Tree, leaf_hash

FORM: Final = "onegrid checkpoint 1"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A case's last event at a checkpoint."""

    case: str
    seq: int
    sealed: bytes

    def hashed(self) -> bytes:
        """As it stands in the tree."""
        # As `canonical_json` writes the three.
        return leaf_hash(f'[{json_text(self.case)},{self.seq},"{self.sealed.hex()}"]'.encode())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint, as it is stored and exported."""

    number: int
    """From 1, without gaps."""
    at: datetime
    cases: int
    events: int
    root: bytes
    prev: bytes
    """Digest of the checkpoint before; of the first: 32 zero bytes."""
    key: bytes
    """The public key, 32 bytes."""
    digest: bytes = b""
    signature: bytes = b""

    def said(self) -> dict[str, object]:
        """What is signed, before it is written in canonical form."""
        return {
            "at": instant(self.at),
            "cases": self.cases,
            "events": self.events,
            "form": FORM,
            "key": self.key.hex(),
            "number": self.number,
            "prev": self.prev.hex(),
            "root": self.root.hex(),
        }


def digest_of(checkpoint: Checkpoint) -> bytes:
    """SHA-256 over the canonical form of what it says."""
    return sha256(canonical_json(checkpoint.said())).digest()


def written(checkpoint: Checkpoint) -> dict[str, object]:
    """As files and the interface give it."""
    return {**checkpoint.said(), "digest": checkpoint.digest.hex(), "signature": checkpoint.signature.hex()}


def read(given: Mapping[str, Any]) -> Checkpoint:
    """What `written` wrote. Raises ValueError, KeyError or TypeError when it is nothing of the kind."""
    if given["form"] != FORM:
        raise ValueError("another form")
    number, cases, events = (int(given[name]) for name in ("number", "cases", "events"))
    root, prev, key, digest, sign = (bytes.fromhex(given[n]) for n in ("root", "prev", "key", "digest", "signature"))
    return Checkpoint(number, datetime.fromisoformat(given["at"]), cases, events, root, prev, key, digest, sign)


class Signer:
    """Holds the private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public: Final = key.public_key().public_bytes_raw()

    def signed(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint with this key, its digest and its signature."""
        named = replace(checkpoint, key=self.public)
        return replace(named, digest=digest_of(named), signature=self._key.sign(canonical_json(named.said())))


def following(last: Checkpoint | None, at: datetime, cases: int, events: int, root: bytes) -> Checkpoint:
    """The next checkpoint, yet to be signed."""
    number, prev = (last.number + 1, last.digest) if last else (1, GENESIS)
    return Checkpoint(number, at, cases, events, root, prev, b"")


def flaw(checkpoint: Checkpoint, trusted: Collection[bytes]) -> str | None:
    """What is wrong with a checkpoint by itself.

    `checkpoint` (it says something else than its digest), `signature` (its key did not sign that), `key` (signed by a
    key that is not among the `trusted`; empty: any will do).
    """
    if digest_of(checkpoint) != checkpoint.digest:
        return "checkpoint"
    try:
        Ed25519PublicKey.from_public_bytes(checkpoint.key).verify(
            checkpoint.signature, canonical_json(checkpoint.said())
        )
    except (InvalidSignature, ValueError):
        return "signature"
    return "key" if trusted and checkpoint.key not in trusted else None


class Walk:
    """Checkpoints one after the other, each with the leaves that changed since the one before."""

    def __init__(self, trusted: Collection[bytes] = ()) -> None:
        self._trusted = trusted
        self._last: Checkpoint | None = None
        self._tree = Tree()
        self._seqs: dict[str, int] = {}
        self._events = 0

    def step(self, checkpoint: Checkpoint, changed: Sequence[Leaf]) -> Iterator[Break]:
        """What is wrong with the next one: what `flaw` says, or `chain` (it does not follow), `tree` (not its root)."""
        wrong = [flaw(checkpoint, self._trusted)]
        number, prev = (self._last.number + 1, self._last.digest) if self._last else (1, GENESIS)
        if (checkpoint.number, checkpoint.prev) != (number, prev):
            wrong.append("chain")
        for leaf in changed:
            self._events += leaf.seq - self._seqs.get(leaf.case, 0)
            self._seqs[leaf.case] = leaf.seq
        root = self._tree.update((leaf.case, leaf.hashed()) for leaf in changed)
        if (checkpoint.root, checkpoint.cases, checkpoint.events) != (root, len(self._tree), self._events):
            wrong.append("tree")
        self._last = checkpoint
        yield from (Break("", 0, problem, checkpoint.number) for problem in wrong if problem)


def against(checkpoint: int, leaf: Leaf, sealed: bytes | None, known: bool) -> Break | None:
    """A case as a checkpoint names it, against the seal that now stands at that step (None: there is none).

    `removed` (the case is not there: `known` says whether it is), `cut` (its chain ends before), `rewritten` (another
    event stands there).
    """
    if sealed == leaf.sealed:
        return None
    problem = "rewritten" if sealed is not None else "cut" if known else "removed"
    return Break(leaf.case, leaf.seq, problem, checkpoint)
