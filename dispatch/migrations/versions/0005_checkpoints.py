"""Checkpoints over all chains, and the leaves that changed from one to the next: append-only, as events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Who may write them is said by `dispatch.store.roles`."""
    op.create_table(
        "checkpoint",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cases", sa.BigInteger, nullable=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("prev", sa.LargeBinary, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        comment="What all chains ended with at one moment, under one root, signed. Append-only, as the record.",
    )
    op.create_table(
        "checkpoint_leaf",
        sa.Column("case_no", sa.Text, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("number", sa.BigInteger, sa.ForeignKey("checkpoint.number"), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        comment="Of each checkpoint the leaves that changed since the one before. Append-only, as the record.",
    )
    op.create_index("ix_checkpoint_leaf_number", "checkpoint_leaf", ["number"])
    for table in ("checkpoint", "checkpoint_leaf"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
