"""Proves that a case stands in the last checkpoint: by its leaf, its place, and the hashes beside its way up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dispatch.checkpoints import Checkpoint, Leaf
from dispatch.errors import NoCheckpoint, NotInCheckpoint, UnknownCase
from dispatch.merkle import Tree
from dispatch.store import cases, checkpoints
from dispatch.store.engine import connect


@dataclass(frozen=True, slots=True)
class Proof:
    """For `dispatch.merkle.root_of_path`."""

    checkpoint: Checkpoint
    leaf: Leaf
    place: int
    path: list[bytes]


class Inclusion:
    """One per worker: keeps the tree of the last checkpoint, and brings it up to date by what changed since."""

    def __init__(self) -> None:
        self._tree = Tree()
        self._last: Checkpoint | None = None
        self._alone = asyncio.Lock()

    async def of(self, engine: AsyncEngine, case_no: str) -> Proof:
        """Of the case's head in the last checkpoint. Raises `NoCheckpoint`, `UnknownCase`, `NotInCheckpoint`."""
        async with self._alone, connect(engine) as connection:
            last = await self._catch_up(connection)
            leaf = await checkpoints.leaf_of(connection, case_no, last.number)
            if leaf is None:
                if await cases.which_case(connection, case_no) is None:
                    raise UnknownCase(case=case_no)
                raise NotInCheckpoint(case=case_no, number=last.number)
            place = self._tree.place(case_no)
            assert place is not None  # noqa: S101  (the tree has every leaf of that checkpoint: caught up just now)
            return Proof(last, leaf, place, self._tree.path(place))

    async def _catch_up(self, connection: AsyncConnection) -> Checkpoint:
        last = await checkpoints.last_checkpoint(connection)
        if last is None:
            raise NoCheckpoint
        if self._last is None or last.number < self._last.number:
            tree = Tree()
            leaves = [(leaf.case, leaf.hashed()) async for leaf in checkpoints.leaves_at(connection, last.number)]
            await asyncio.to_thread(tree.update, leaves)
            self._tree = tree
        elif last.number > self._last.number:
            changed = await checkpoints.changed_leaves(connection, self._last.number, last.number)
            self._tree.update((leaf.case, leaf.hashed()) for leaf in changed)
        self._last = last
        return last
