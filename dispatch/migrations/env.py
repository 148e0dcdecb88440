"""Alembic's entry: runs on the connection that `dispatch.store.migrate` (or the command line) hands over."""

from __future__ import annotations

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import create_engine

from dispatch.tables import metadata


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """PostGIS brings tables of its own."""
    return kind != "table" or name in metadata.tables


def run() -> None:
    """Migrate online; there is no offline mode, because the first migration asks PostGIS to be there."""
    connection = context.config.attributes.get("connection")
    if connection is None:
        url = context.config.get_main_option("sqlalchemy.url")
        if url is None:
            raise RuntimeError("set sqlalchemy.url, or migrate with: onegrid migrate")
        connection = create_engine(url).connect()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=include_name,
        include_object=alembic_helpers.include_object,
        render_item=alembic_helpers.render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
