"""The district's zones in SQL, and photos."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from geoalchemy2.shape import from_shape
from shapely import MultiPolygon
from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.tables import edition, photo, zone
from geo.grid import Zone

_LOCK: Final = text("SELECT pg_advisory_xact_lock(7269362)")


async def put_edition(
    connection: AsyncConnection, named: tuple[str, str, str], zones: Sequence[Zone], now: datetime
) -> bool:
    """Make these the zones in force, in the caller's transaction; False when they were already.

    named: version, code and name of the district's edition.
    """
    version, code, name = named
    await connection.execute(_LOCK)
    newest = select(edition.c.version).order_by(edition.c.loaded_at.desc()).limit(1)
    if (await connection.execute(newest)).scalar() == version:
        return False
    await connection.execute(delete(zone))
    await connection.execute(
        insert(zone),
        [
            {
                "layer": z.layer,
                "code": z.code,
                "name": z.name,
                "name_en": z.name_en,
                "kind": z.kind,
                "parent": z.parent,
                "area_km2": z.area_km2,
                "geom": from_shape(
                    z.geometry if isinstance(z.geometry, MultiPolygon) else MultiPolygon([z.geometry]), srid=4326
                ),
            }
            for z in zones
        ],
    )
    row = upsert(edition).values(version=version, code=code, name=name, loaded_at=now)
    await connection.execute(row.on_conflict_do_update(index_elements=["version"], set_={"loaded_at": now}))
    return True


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
