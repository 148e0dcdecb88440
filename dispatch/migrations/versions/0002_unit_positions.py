"""Where units are, and the ways they went."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)
POINT = Geometry("POINT", srid=4326, spatial_index=False)


def upgrade() -> None:
    """Two tables beside the record."""
    op.create_table(
        "unit_position",
        sa.Column("unit", sa.Text, primary_key=True),
        sa.Column("geom", POINT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("accuracy_m", sa.Double),
        sa.Column("on_shift", sa.Boolean, nullable=False),
        sa.Column("kept_at", MOMENT, nullable=False),
        sa.Column("kept_geom", POINT, nullable=False),
        sa.Column("kept_on_shift", sa.Boolean, nullable=False),
        sa.Column(
            "xact", sa.BigInteger, nullable=False, server_default=sa.text("(pg_current_xact_id()::text)::bigint")
        ),
        comment="The last position of each unit, and the last one that is in its track.",
    )
    # Every row is written again every few seconds: with room on each page, and no index but the key, in its place.
    op.execute("ALTER TABLE unit_position SET (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.5)")
    op.create_table(
        "unit_track",
        sa.Column("unit", sa.Text, primary_key=True),
        sa.Column("at", MOMENT, primary_key=True),
        sa.Column("geom", POINT, nullable=False),
        sa.Column("accuracy_m", sa.Double),
        comment="The ways of the units, thinned.",
    )
    op.create_index("ix_unit_track_at", "unit_track", ["at"], postgresql_using="brin")
