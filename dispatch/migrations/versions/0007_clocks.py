"""The clock of each case, and when it is to be looked at next; before it is dispatched nothing is due."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Cases from before have no clock: it is told from what they have, and kept with their next step."""
    op.add_column("case_file", sa.Column("clock", JSONB))
    op.add_column("case_file", sa.Column("next_at", sa.DateTime(timezone=True)))
    op.alter_column("case_file", "due_at", nullable=True)
    op.create_index("ix_case_file_next_at", "case_file", ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL"))
    op.execute(
        "UPDATE case_file SET next_at = CASE state WHEN 'suspended' THEN suspended_until ELSE due_at END "
        "WHERE state IN ('assigned', 'accepted', 'on_the_way', 'on_scene', 'returned', 'disputed', 'suspended')"
    )
