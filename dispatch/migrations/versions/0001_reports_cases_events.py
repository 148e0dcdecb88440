"""Reports, cases, sealed events, photos, the zones in force."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make everything; there is nothing before this."""
    op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    op.execute("CREATE SEQUENCE case_number")
    op.create_table(
        "edition",
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("loaded_at", MOMENT, nullable=False),
        comment="Every edition of the district's data that was ever in force here.",
    )
    op.create_table(
        "zone",
        sa.Column("layer", sa.Text, primary_key=True),
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("parent", sa.Text),
        sa.Column("area_km2", sa.Double, nullable=False),
        sa.Column("geom", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False), nullable=False),
        comment="The zones of the edition in force.",
    )
    op.create_index("ix_zone_geom", "zone", ["geom"], postgresql_using="gist")
    op.create_table(
        "photo",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
        sa.Column("thumb", sa.LargeBinary, nullable=False),
        comment="Photos without metadata, by the digest of what is stored.",
    )
    op.create_table(
        "report",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
        sa.Column("given_lon", sa.Double, nullable=False),
        sa.Column("given_lat", sa.Double, nullable=False),
        sa.Column("datum", sa.Text, nullable=False),
        sa.Column("accuracy_m", sa.Double, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("matter", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("contact", pg.JSONB, nullable=False),
        sa.Column("photos", sa.ARRAY(sa.Text), nullable=False),
        comment="What somebody saw, as it came. Its digest is in the first event of its case.",
    )
    op.create_table(
        "case_file",
        sa.Column("case_no", sa.Text, primary_key=True),
        sa.Column("report_id", sa.Uuid, sa.ForeignKey("report.id"), nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("matter", sa.Text, nullable=False),
        sa.Column("urgency", sa.SmallInteger, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("unit", sa.Text),
        sa.Column("eta_s", sa.Integer),
        sa.Column("mode", sa.Text),
        sa.Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
        sa.Column("township", sa.Text),
        sa.Column("grid", sa.Text),
        sa.Column("zones", pg.JSONB, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("notes", sa.ARRAY(sa.Text), nullable=False),
        comment="Where each case stands: the projection of its last event. A unit is on one case at a time.",
    )
    op.create_index("ix_case_file_geom", "case_file", ["geom"], postgresql_using="gist")
    op.create_index("ix_case_file_received_at", "case_file", [sa.text("received_at DESC"), sa.text("case_no DESC")])
    op.create_index(
        "ix_case_file_open",
        "case_file",
        [sa.text("received_at DESC")],
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_index("ix_case_file_team", "case_file", ["team", "received_at"])
    op.create_index(
        "ix_case_file_unit_on_case",
        "case_file",
        ["unit"],
        unique=True,
        postgresql_where=sa.text("state IN ('assigned', 'accepted', 'on_scene')"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("action_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("case_no", sa.Text, sa.ForeignKey("case_file.case_no"), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("prev", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column(
            "xact", sa.BigInteger, nullable=False, server_default=sa.text("(pg_current_xact_id()::text)::bigint")
        ),
        sa.UniqueConstraint("case_no", "seq"),
        comment="History, audit and replay at once. Append-only: a trigger refuses UPDATE, DELETE and TRUNCATE.",
    )
    op.create_index("ix_event_xact", "event", ["xact"])
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the record is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
