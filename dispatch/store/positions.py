"""Where the units were: the last position of each, and their thinned tracks. No part of the sealed record."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch.fleet import Known, Position
from dispatch.store.engine import for_driver, write

_POINT: Final = "ST_SetSRID(ST_MakePoint({lon}, {lat}), 4326)"

# In the order of the units, so that two workers that write the same ones do not wait for each other in a circle.
_PUT: Final = for_driver(
    f"""
    WITH put AS (
        INSERT INTO unit_position AS known (unit, geom, at, received_at, accuracy_m, on_shift, kept_at, kept_geom,
                                            kept_on_shift)
        SELECT unit, {_POINT.format(lon="lon", lat="lat")}, at, :now, accuracy_m, on_shift, kept_at,
               {_POINT.format(lon="kept_lon", lat="kept_lat")}, kept_on_shift
        FROM unnest(CAST(:unit AS text[]), CAST(:lon AS float8[]), CAST(:lat AS float8[]), CAST(:at AS timestamptz[]),
                    CAST(:accuracy_m AS float8[]), CAST(:on_shift AS boolean[]), CAST(:kept_at AS timestamptz[]),
                    CAST(:kept_lon AS float8[]), CAST(:kept_lat AS float8[]), CAST(:kept_on_shift AS boolean[]))
             AS g (unit, lon, lat, at, accuracy_m, on_shift, kept_at, kept_lon, kept_lat, kept_on_shift)
        ORDER BY unit
        ON CONFLICT (unit) DO UPDATE
        SET geom = EXCLUDED.geom, at = EXCLUDED.at, received_at = EXCLUDED.received_at,
            accuracy_m = EXCLUDED.accuracy_m, kept_at = EXCLUDED.kept_at,
            on_shift = CASE WHEN known.unit IN (SELECT unnest(CAST(:silent AS text[]))) THEN known.on_shift
                            ELSE EXCLUDED.on_shift END,
            kept_geom = EXCLUDED.kept_geom, kept_on_shift = EXCLUDED.kept_on_shift,
            xact = (pg_current_xact_id()::text)::bigint
        WHERE known.at < EXCLUDED.at
        RETURNING unit, on_shift
    ), tracked AS (
        INSERT INTO unit_track (unit, at, geom, accuracy_m)
        SELECT unit, at, {_POINT.format(lon="lon", lat="lat")}, accuracy_m
        FROM unnest(CAST(:track_unit AS text[]), CAST(:track_at AS timestamptz[]), CAST(:track_lon AS float8[]),
                    CAST(:track_lat AS float8[]), CAST(:track_accuracy_m AS float8[]))
             AS t (unit, at, lon, lat, accuracy_m)
        WHERE unit IN (SELECT unit FROM put)
        ON CONFLICT DO NOTHING
    )
    SELECT coalesce(array_agg(unit), '{{}}'), coalesce(array_agg(on_shift), '{{}}') FROM put"""
)


async def put_positions(
    connection: AsyncConnection, known: Sequence[Known], track: Sequence[Position], now: datetime
) -> dict[str, bool]:
    """Write the last position of each unit where no later one is there, and what belongs to its track.

    One statement; at most one position of each unit in `known`. The units that were written, and whether each is on
    shift: where a position does not say, what the row said holds, whoever wrote it.
    """
    last, kept = [row.position for row in known], [row.kept for row in known]
    values = {
        "now": now,
        **_columns(last, ""),
        "on_shift": [p.on_shift is not False for p in last],
        "silent": [p.unit for p in last if p.on_shift is None],
        "kept_at": [p.at for p in kept],
        "kept_lon": [p.lon for p in kept],
        "kept_lat": [p.lat for p in kept],
        "kept_on_shift": [p.on_shift is not False for p in kept],
        **_columns(track, "track_"),
    }
    row = await write(connection, _PUT, values)
    return dict(zip(row[0], row[1], strict=True)) if row else {}


def _columns(positions: Sequence[Position], prefix: str) -> dict[str, list[Any]]:
    names = ("unit", "lon", "lat", "at", "accuracy_m")
    return {prefix + name: [getattr(p, name) for p in positions] for name in names}


_SINCE: Final = text(
    """
    SELECT (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint AS horizon, p.*
    FROM (SELECT 1) AS one LEFT JOIN (
        SELECT unit, ST_X(geom) AS lon, ST_Y(geom) AS lat, at, accuracy_m, on_shift, kept_at,
               ST_X(kept_geom) AS kept_lon, ST_Y(kept_geom) AS kept_lat, kept_on_shift
        FROM unit_position WHERE xact >= :since AND kept_at > '1970-01-01' AND isfinite(at)
    ) AS p ON true"""
)


async def positions_since(connection: AsyncConnection, since: int) -> tuple[list[Known], int]:
    """The units written by transaction `since` or later, and the transaction to ask from next (as `events_since`).

    Without those whose times are none: earlier releases took them.
    """
    rows = (await connection.execute(_SINCE, {"since": since})).mappings().all()
    return [_as_known(row) for row in rows if row["unit"] is not None], int(rows[0]["horizon"])


def _as_known(row: RowMapping) -> Known:
    last = Position(row["unit"], row["lon"], row["lat"], row["at"], row["accuracy_m"], row["on_shift"])
    kept = replace(
        last,
        lon=row["kept_lon"],
        lat=row["kept_lat"],
        at=row["kept_at"],
        accuracy_m=None,
        on_shift=row["kept_on_shift"],
    )
    return Known(last, kept)


_TRACK: Final = text(
    """
    SELECT at, ST_X(geom) AS lon, ST_Y(geom) AS lat, accuracy_m FROM unit_track
    WHERE unit = :unit AND at >= COALESCE(CAST(:since AS timestamptz), '-infinity')
      AND at < COALESCE(CAST(:until AS timestamptz), 'infinity')
      AND at > COALESCE(CAST(:after AS timestamptz), '-infinity')
    ORDER BY at LIMIT :limit"""
)


async def track(
    connection: AsyncConnection,
    unit: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    after: datetime | None,
) -> list[Position]:
    """What is kept of a unit's way, oldest first: at or after `since`, before `until`, later than `after`."""
    values = {"unit": unit, "since": since, "until": until, "limit": limit, "after": after}
    rows = (await connection.execute(_TRACK, values)).mappings()
    return [Position(unit, row["lon"], row["lat"], row["at"], row["accuracy_m"]) for row in rows]


async def forget_tracks(connection: AsyncConnection, before: datetime) -> int:
    """Delete what is kept of all ways from before a time; how many positions that were."""
    done = await connection.execute(text("DELETE FROM unit_track WHERE at < :before"), {"before": before})
    return int(done.rowcount)


async def forget_positions(connection: AsyncConnection, before: datetime, listed: Collection[str]) -> int:
    """Delete the last positions from before a time of units that are not listed any more; how many those were."""
    done = await connection.execute(
        text("DELETE FROM unit_position WHERE at < :before AND unit <> ALL (CAST(:listed AS text[]))"),
        {"before": before, "listed": list(listed)},
    )
    return int(done.rowcount)
