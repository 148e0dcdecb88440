"""Levels, enforcement stages, mergers, suspensions, disputes; evidence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Until now a case was closed or open, and a unit was assigned, had accepted or was there."""
    op.add_column("case_file", sa.Column("level", sa.SmallInteger, nullable=False, server_default=sa.text("0")))
    op.add_column("case_file", sa.Column("stage", sa.Text))
    op.add_column("case_file", sa.Column("merged_into", sa.Text, sa.ForeignKey("case_file.case_no")))
    op.add_column("case_file", sa.Column("suspended_until", sa.Date))
    op.add_column("case_file", sa.Column("suspended_from", sa.Text))
    op.create_index(
        "ix_case_file_merged_into",
        "case_file",
        ["merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.drop_index("ix_case_file_open", "case_file")
    op.create_index(
        "ix_case_file_open",
        "case_file",
        [sa.text("received_at DESC")],
        postgresql_where=sa.text("state NOT IN ('closed', 'merged', 'cancelled')"),
    )
    op.drop_index("ix_case_file_unit_on_case", "case_file")
    op.create_index(
        "ix_case_file_unit_on_case",
        "case_file",
        ["unit"],
        unique=True,
        postgresql_where=sa.text("state IN ('assigned', 'accepted', 'on_the_way', 'on_scene')"),
    )
    op.create_index("ix_event_return", "event", ["id"], postgresql_where=sa.text("action = 'return'"))
    op.create_table(
        "evidence",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        comment="Originals, byte for byte, by their digest. Append-only, as the record.",
    )
    # Pictures and videos are compressed already.
    op.execute("ALTER TABLE evidence ALTER COLUMN content SET STORAGE EXTERNAL")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.create_table(
        "evidence_thumb",
        sa.Column("sha256", sa.Text, sa.ForeignKey("evidence.sha256"), primary_key=True),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
        comment="Small pictures of them, for lists; they can be made again.",
    )
