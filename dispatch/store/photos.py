"""Photos, by the SHA-256 of what is kept."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.tables import photo


async def put_photo(
    connection: AsyncConnection, jpeg: bytes, thumb: bytes, size: tuple[int, int], now: datetime
) -> str:
    """Keep a photo by the SHA-256 of its bytes, once; returns the digest."""
    digest = hashlib.sha256(jpeg).hexdigest()
    row = upsert(photo).values(sha256=digest, received_at=now, width=size[0], height=size[1], jpeg=jpeg, thumb=thumb)
    await connection.execute(row.on_conflict_do_nothing())
    return digest


async def which_photo(connection: AsyncConnection, sha256: str, *, thumb: bool) -> bytes | None:
    """The JPEG, or its thumbnail."""
    column = photo.c.thumb if thumb else photo.c.jpeg
    found = (await connection.execute(select(column).where(photo.c.sha256 == sha256))).scalar()
    return bytes(found) if found is not None else None
