"""The editions of the district's data: which were enacted, from when they hold, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from geoalchemy2.shape import from_shape
from shapely import MultiPolygon
from sqlalchemy import exists, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.bundle import pack
from dispatch.district import District
from dispatch.enactment import ALWAYS, Enactment
from dispatch.tables import edition, enactment, zone
from geo.grid import Zone

CHANNEL: Final = "onegrid_edition"
"""Told whenever an edition is enacted."""

_LOCK: Final = text("SELECT pg_advisory_xact_lock(7269362)")


async def all_enactments(connection: AsyncConnection) -> tuple[Enactment, ...]:
    """Every enactment, in order."""
    columns = enactment.c
    query = select(columns.number, columns.version, columns.holds_from, columns.enacted_at).order_by(columns.number)
    return tuple(Enactment(*row) for row in await connection.execute(query))


async def last_number(connection: AsyncConnection) -> int:
    """Of the last enactment; 0 when there was none."""
    return int((await connection.execute(select(func.coalesce(func.max(enactment.c.number), 0)))).scalar_one())


async def is_known(connection: AsyncConnection, version: str) -> bool:
    """Whether the edition was ever enacted here."""
    return bool((await connection.execute(select(exists().where(enactment.c.version == version)))).scalar())


async def district_code(connection: AsyncConnection) -> str | None:
    """Of the district whose editions are kept here; None when there are none."""
    newest = select(edition.c.code).order_by(edition.c.loaded_at.desc()).limit(1)
    found: str | None = (await connection.execute(newest)).scalar()
    return found


async def bundle_of(connection: AsyncConnection, version: str) -> bytes | None:
    """The edition's folder as one file (`dispatch.bundle`); None when this database does not have it."""
    found = (await connection.execute(select(edition.c.bundle).where(edition.c.version == version))).scalar()
    return bytes(found) if found is not None else None


async def lock(connection: AsyncConnection) -> None:
    """One enactment after the other, until the caller's transaction ends."""
    await connection.execute(_LOCK)


async def keep(connection: AsyncConnection, district: District, now: datetime) -> None:
    """Keep an edition's folder and its zones, once, in the caller's transaction."""
    row = {
        "version": district.version,
        "code": district.code,
        "name": district.name,
        "loaded_at": now,
        "bundle": pack(district.contents),
    }
    kept = await connection.execute(upsert(edition).values(row).on_conflict_do_nothing().returning(edition.c.version))
    if kept.first() is None:
        # A database of an earlier release knows of the edition, and does not have it.
        missing = (edition.c.version == district.version) & edition.c.bundle.is_(None)
        await connection.execute(update(edition).where(missing).values(bundle=row["bundle"]))
    if not (await connection.execute(select(exists().where(zone.c.version == district.version)))).scalar():
        zones = (one for layer in district.layers.values() for one in layer.zones)
        await connection.execute(insert(zone), list(_zone_rows(district.version, zones)))


def _zone_rows(version: str, zones: Iterable[Zone]) -> Iterable[dict[str, Any]]:
    for one in zones:
        shape = one.geometry if isinstance(one.geometry, MultiPolygon) else MultiPolygon([one.geometry])
        yield {
            "version": version,
            "layer": one.layer,
            "code": one.code,
            "name": one.name,
            "name_en": one.name_en,
            "kind": one.kind,
            "parent": one.parent,
            "area_km2": one.area_km2,
            "geom": from_shape(shape, srid=4326),
        }


async def enact(connection: AsyncConnection, version: str, holds_from: datetime, now: datetime) -> Enactment:
    """Let a kept edition hold from a moment on, and tell every worker; a database's first one holds before, too."""
    first = not (await connection.execute(select(exists(select(enactment.c.number))))).scalar()
    begins = ALWAYS if first and holds_from <= now else holds_from
    row = insert(enactment).values(version=version, holds_from=begins, enacted_at=now).returning(enactment.c.number)
    number: int = (await connection.execute(row)).scalar_one()
    # Within the transaction, so that it is told when it is committed; enacting is rare, nobody waits for it.
    await connection.execute(select(func.pg_notify(literal(CHANNEL), version)))
    return Enactment(number, version, begins, now)
