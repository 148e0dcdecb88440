"""Checkpoints as they are stored: made from one snapshot by one worker at a time, and read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import merkle
from dispatch.audit import Break
from dispatch.checkpoints import Checkpoint, Leaf, against, following

COLUMNS: Final = "number, at, cases, events, root, prev, key, digest, signature"
_LOCK: Final = 7269363
BATCH: Final = 10_000

# Of each case the leaf that a checkpoint names last, which is its longest chain.
_LAST_LEAVES: Final = "SELECT case_no, max(seq) AS seq FROM checkpoint_leaf GROUP BY case_no"
_REWOUND: Final = f"""
    SELECT l.case_no FROM ({_LAST_LEAVES}) AS l LEFT JOIN case_file c USING (case_no)
    WHERE c.case_no IS NULL OR c.seq < l.seq ORDER BY l.case_no LIMIT 1"""
_KEEP: Final = f"""
    INSERT INTO checkpoint ({COLUMNS}) VALUES (%(number)s, %(at)s, %(cases)s, %(events)s, %(root)s, %(prev)s, %(key)s,
                                               %(digest)s, %(signature)s)"""
_KEEP_LEAVES: Final = """
    INSERT INTO checkpoint_leaf (number, case_no, seq, sealed)
    SELECT %(number)s, c.case_no, c.seq, c.sealed FROM case_file c
    WHERE NOT EXISTS (SELECT FROM checkpoint_leaf l WHERE l.case_no = c.case_no AND l.seq = c.seq)"""


class Rewound(Exception):
    """A case that a checkpoint names is gone or ends before it: of that no checkpoint is made."""

    def __init__(self, case: str) -> None:
        super().__init__(case)
        self.case = case


async def make(
    conninfo: str, sign: Callable[[Checkpoint], Checkpoint], now: datetime, due: Callable[[Checkpoint | None], bool]
) -> Checkpoint | None:
    """Make the next checkpoint, over a snapshot.

    None, and nothing written, when another worker is at it, when it is not `due` after the last one, and when nothing
    happened since. On a connection of its own: it takes as long as there are cases. Raises `Rewound`.
    """
    connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True, connect_timeout=3)
    async with connection:
        # Of the session, and before the snapshot: whoever gets it sees what the one before wrote.
        got = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])).fetchone()
        if not got or not got[0]:
            return None
        await connection.set_autocommit(False)
        await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        await connection.execute("SET LOCAL statement_timeout = 0")
        last = await _last(connection)
        if not due(last):
            return None
        figures = await (await connection.execute("SELECT count(*), coalesce(sum(seq), 0) FROM case_file")).fetchone()
        assert figures is not None  # noqa: S101  (an aggregate always has its row)
        cases, events = int(figures[0]), int(figures[1])
        if (cases, events) == ((last.cases, last.events) if last else (0, 0)):
            return None
        if rewound := await (await connection.execute(_REWOUND)).fetchone():
            raise Rewound(rewound[0])
        made = sign(following(last, now, cases, events, merkle.root(await _heads(connection))))
        await connection.execute(_KEEP, {name: getattr(made, name) for name in Checkpoint.__slots__})
        await connection.execute(_KEEP_LEAVES, {"number": made.number})
        await connection.commit()
        return made


async def _last(connection: psycopg.AsyncConnection[Any]) -> Checkpoint | None:
    query = sql.SQL("SELECT {} FROM checkpoint ORDER BY number DESC LIMIT 1").format(sql.SQL(COLUMNS))
    row = await (await connection.execute(query)).fetchone()
    return as_checkpoint(row) if row else None


async def _heads(connection: psycopg.AsyncConnection[Any]) -> list[bytes]:
    """Leaf hashes of what every chain ends with now, in the order of the tree."""
    hashes: list[bytes] = []
    async with connection.cursor("heads", binary=True) as cursor:
        await cursor.execute('SELECT case_no, seq, sealed FROM case_file ORDER BY case_no COLLATE "C"')
        while rows := await cursor.fetchmany(BATCH):
            hashes += [Leaf(case, seq, sealed).hashed() for case, seq, sealed in rows]
    return hashes


def as_checkpoint(row: Sequence[Any]) -> Checkpoint:
    """A row of `COLUMNS`."""
    number, at, cases, events, *rest = row
    return Checkpoint(number, at, cases, events, *map(bytes, rest))


async def last_checkpoint(connection: AsyncConnection) -> Checkpoint | None:
    """The newest; None before the first."""
    row = (await connection.execute(text(f"SELECT {COLUMNS} FROM checkpoint ORDER BY number DESC LIMIT 1"))).first()
    return as_checkpoint(row) if row else None


async def list_checkpoints(connection: AsyncConnection, limit: int, before: int | None) -> list[Checkpoint]:
    """Newest first; `before`: the number of the last one of the page before."""
    query = text(f"SELECT {COLUMNS} FROM checkpoint WHERE number < :before ORDER BY number DESC LIMIT :limit")
    rows = await connection.execute(query, {"before": 2**62 if before is None else before, "limit": limit})
    return [as_checkpoint(row) for row in rows]


async def all_checkpoints(connection: AsyncConnection) -> AsyncIterator[Checkpoint]:
    """In order."""
    after = -(2**62)
    query = text(f"SELECT {COLUMNS} FROM checkpoint WHERE number > :after ORDER BY number LIMIT 1000")
    while rows := (await connection.execute(query, {"after": after})).all():
        for row in rows:
            yield as_checkpoint(row)
        after = rows[-1].number


_CHANGED: Final = text(
    "SELECT case_no, seq, sealed FROM checkpoint_leaf WHERE number > :after AND number <= :upto "
    'ORDER BY case_no COLLATE "C", seq'
)


async def changed_leaves(connection: AsyncConnection, after: int, upto: int) -> list[Leaf]:
    """The leaves that changed after one checkpoint and up to another; of a case its last one counts."""
    rows = (await connection.execute(_CHANGED, {"after": after, "upto": upto})).all()
    return [Leaf(case, seq, bytes(sealed)) for case, seq, sealed in rows]


_LEAVES_AT: Final = text(
    """
    SELECT DISTINCT ON (case_no COLLATE "C") case_no, seq, sealed FROM checkpoint_leaf
    WHERE number <= :number AND case_no COLLATE "C" > :after ORDER BY case_no COLLATE "C", seq DESC LIMIT :limit"""
)


async def leaves_at(connection: AsyncConnection, number: int) -> AsyncIterator[Leaf]:
    """The whole tree of a checkpoint, in its order."""
    after = ""
    while rows := (await connection.execute(_LEAVES_AT, {"number": number, "after": after, "limit": BATCH})).all():
        for row in rows:
            yield Leaf(row.case_no, row.seq, bytes(row.sealed))
        after = rows[-1].case_no


async def leaf_of(connection: AsyncConnection, case_no: str, number: int) -> Leaf | None:
    """What a checkpoint says of a case; None when it does not know of it."""
    query = text(
        "SELECT case_no, seq, sealed FROM checkpoint_leaf WHERE case_no = :case_no AND number <= :number "
        "ORDER BY seq DESC LIMIT 1"
    )
    row = (await connection.execute(query, {"case_no": case_no, "number": number})).first()
    return Leaf(row.case_no, row.seq, bytes(row.sealed)) if row else None


_AGAINST: Final = text(
    """
    SELECT l.number, l.case_no, l.seq, l.sealed, e.sealed AS found, c.case_no IS NOT NULL AS known
    FROM checkpoint_leaf l LEFT JOIN event e USING (case_no, seq) LEFT JOIN case_file c USING (case_no)
    WHERE e.sealed IS DISTINCT FROM l.sealed ORDER BY l.case_no COLLATE "C", l.seq"""
)


async def broken_leaves(connection: AsyncConnection) -> list[Break]:
    """Every leaf of every checkpoint kept here whose event is no longer the one that it names."""
    rows = await connection.execute(_AGAINST)
    found = (
        against(
            row.number,
            Leaf(row.case_no, row.seq, bytes(row.sealed)),
            None if row.found is None else bytes(row.found),
            row.known,
        )
        for row in rows
    )
    return [one for one in found if one]


_STANDING: Final = text(
    """
    SELECT given.case_no, given.seq, e.sealed, EXISTS (SELECT FROM case_file c WHERE c.case_no = given.case_no) AS known
    FROM unnest(CAST(:cases AS text[]), CAST(:seqs AS int[])) AS given (case_no, seq)
    LEFT JOIN event e USING (case_no, seq)"""
)


async def held_against(connection: AsyncConnection, number: int, leaves: Sequence[Leaf]) -> list[Break]:
    """As `broken_leaves`, for leaves that came from elsewhere."""
    values = {"cases": [leaf.case for leaf in leaves], "seqs": [leaf.seq for leaf in leaves]}
    stands = {
        (row.case_no, row.seq): (None if row.sealed is None else bytes(row.sealed), bool(row.known))
        for row in await connection.execute(_STANDING, values)
    }
    found = (against(number, leaf, *stands[leaf.case, leaf.seq]) for leaf in leaves)
    return [one for one in found if one]
