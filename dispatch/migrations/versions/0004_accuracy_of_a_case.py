"""How exactly the place of a case is known: its report's accuracy, until somebody corrects the place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Until now no place was ever corrected."""
    op.add_column("case_file", sa.Column("accuracy_m", sa.Double))
    op.execute("UPDATE case_file c SET accuracy_m = r.accuracy_m FROM report r WHERE r.id = c.report_id")
    op.alter_column("case_file", "accuracy_m", nullable=False)
