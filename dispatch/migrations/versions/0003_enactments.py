"""Editions with the moment from which they hold, and the folder they were loaded from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Each edition that was in force until now held from when it was loaded; the first one for ever before."""
    op.add_column("edition", sa.Column("bundle", sa.LargeBinary))
    op.create_table_comment(
        "edition", "Every edition of the district's data that was ever loaded here, with its folder as one file."
    )
    op.create_table(
        "enactment",
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("version", sa.Text, sa.ForeignKey("edition.version"), nullable=False),
        sa.Column("holds_from", MOMENT, nullable=False),
        sa.Column("enacted_at", MOMENT, nullable=False),
        comment="From when each edition holds. At any moment the one holds that began last.",
    )
    op.execute(
        """
        INSERT INTO enactment (version, holds_from, enacted_at)
        SELECT e.version,
               CASE WHEN row_number() OVER (ORDER BY e.loaded_at) = 1 THEN '0001-01-01 00:00+00' ELSE e.loaded_at END,
               e.loaded_at
        FROM edition e ORDER BY e.loaded_at
        """
    )
    op.add_column("zone", sa.Column("version", sa.Text))
    op.execute("UPDATE zone SET version = (SELECT version FROM edition ORDER BY loaded_at DESC LIMIT 1)")
    op.drop_constraint("zone_pkey", "zone")
    op.create_primary_key("zone_pkey", "zone", ["version", "layer", "code"])
    op.create_foreign_key("zone_version_fkey", "zone", "edition", ["version"], ["version"])
    op.create_table_comment("zone", "The zones of every edition; of the one in force: view zone_in_force.")
    op.execute(
        """
        CREATE VIEW zone_in_force AS
        SELECT * FROM zone WHERE version = (
            SELECT version FROM enactment WHERE holds_from <= now() ORDER BY holds_from DESC, number DESC LIMIT 1
        )
        """
    )
