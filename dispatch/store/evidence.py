"""Evidence, by the SHA-256 of its bytes; the original is written once and never again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.errors import UnknownEvidence
from dispatch.evidence import Kind
from dispatch.model import Action
from dispatch.tables import evidence, evidence_thumb


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a file, without its bytes."""

    sha256: str
    kind: Kind
    media_type: str
    """As whoever sent it said: nothing rests on it."""
    size: int
    received_at: datetime


async def put(connection: AsyncConnection, given: Kept, content: bytes, thumb: bytes | None) -> Kept:
    """Keep a file by the digest of its bytes, once; who comes later is told what was kept."""
    row = {
        "sha256": given.sha256,
        "kind": given.kind.value,
        "media_type": given.media_type,
        "size": given.size,
        "received_at": given.received_at,
        "content": content,
    }
    written = await connection.execute(upsert(evidence).values(row).on_conflict_do_nothing().returning(evidence.c.size))
    if written.first() is None:
        return await which(connection, given.sha256) or given
    if thumb is not None:
        await connection.execute(
            upsert(evidence_thumb).values(sha256=given.sha256, jpeg=thumb).on_conflict_do_nothing()
        )
    return given


async def which(connection: AsyncConnection, sha256: str) -> Kept | None:
    """What is kept under a digest."""
    columns = evidence.c
    query = select(columns.sha256, columns.kind, columns.media_type, columns.size, columns.received_at)
    row = (await connection.execute(query.where(columns.sha256 == sha256))).one_or_none()
    return Kept(row.sha256, Kind(row.kind), row.media_type, row.size, row.received_at) if row else None


async def content_of(connection: AsyncConnection, sha256: str) -> bytes | None:
    """The bytes, as they came."""
    found = (await connection.execute(select(evidence.c.content).where(evidence.c.sha256 == sha256))).scalar()
    return bytes(found) if found is not None else None


async def thumb_of(connection: AsyncConnection, sha256: str) -> bytes | None:
    """A small picture (JPEG) of it, where there is one."""
    query = select(evidence_thumb.c.jpeg).where(evidence_thumb.c.sha256 == sha256)
    found = (await connection.execute(query)).scalar()
    return bytes(found) if found is not None else None


async def kinds_of(connection: AsyncConnection, digests: Sequence[str]) -> Mapping[str, Kind]:
    """Digest -> what kind it is. Raises `UnknownEvidence` for the first of which nothing is kept."""
    query = select(evidence.c.sha256, evidence.c.kind).where(evidence.c.sha256.in_(digests))
    found = {row.sha256: Kind(row.kind) for row in await connection.execute(query)}
    for digest in digests:
        if digest not in found:
            raise UnknownEvidence({"field": "evidence"}, sha256=digest)
    return found


async def altered(connection: AsyncConnection) -> list[str]:
    """Those whose bytes are not the ones that their digest names."""
    query = text("SELECT sha256 FROM evidence WHERE sha256 <> encode(sha256(content), 'hex') ORDER BY sha256")
    return [str(digest) for digest in (await connection.execute(query)).scalars()]


_LOST: Final = text(
    """
    SELECT DISTINCT ON (named.sha256) named.sha256, e.case_no, e.seq
    FROM event e CROSS JOIN LATERAL (
        SELECT one ->> 'sha256' AS sha256
        FROM json_array_elements(
            CASE json_typeof(e.data -> 'evidence') WHEN 'array' THEN e.data -> 'evidence' END
        ) AS one
    ) AS named
    WHERE e.action = ANY(CAST(:carriers AS text[])) AND e.data -> 'evidence' IS NOT NULL
      AND NOT EXISTS (SELECT FROM evidence kept WHERE kept.sha256 = named.sha256)
    ORDER BY named.sha256, e.case_no, e.seq"""
)


async def lost(connection: AsyncConnection, carriers: Collection[Action]) -> list[tuple[str, str, int]]:
    """Those that the record names and of which nothing is kept: digest, and the first case and step that name it.

    carriers: actions that evidence can come with.
    """
    rows = await connection.execute(_LOST, {"carriers": sorted(action.value for action in carriers)})
    return [(str(row.sha256), str(row.case_no), int(row.seq)) for row in rows]
