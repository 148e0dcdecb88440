"""The numbers that other systems know reports by; webhooks: who is told, and what is to be sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Until now every report came from a device of our own, and nobody was told by webhook."""
    op.add_column("report", sa.Column("source_ref", sa.Text))
    op.create_index(
        "ix_report_source_ref",
        "report",
        ["source", "source_ref"],
        unique=True,
        postgresql_where=sa.text("source_ref IS NOT NULL"),
    )
    op.create_table(
        "subscription",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("xact", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.BigInteger, nullable=False),
        comment="Who is told of events by webhook, and the last event that is in the outbox for them.",
    )
    op.create_table(
        "outbox",
        sa.Column("subscription", sa.Text, sa.ForeignKey("subscription.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("case_no", sa.Text, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("action_id", sa.Uuid, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("put_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("problem", sa.Text),
        comment="What is to be sent by webhook, until it was taken; of each case in the order of its steps.",
    )
    op.create_index("ix_outbox_due", "outbox", ["subscription", "due_at"])
