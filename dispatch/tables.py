"""The tables. `zone` is kept for SQL's sake only: it can be rebuilt from the folders in `edition`."""

from __future__ import annotations

from typing import Final

from geoalchemy2 import Geometry
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

MOMENT: Final = DateTime(timezone=True)

_UNFINISHED: Final = "state NOT IN ('closed', 'merged', 'cancelled')"

case_number = Sequence("case_number", metadata=metadata)

edition = Table(
    "edition",
    metadata,
    Column("version", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("loaded_at", MOMENT, nullable=False),
    Column("bundle", LargeBinary),
    comment="Every edition of the district's data that was ever loaded here, with its folder as one file.",
)

enactment = Table(
    "enactment",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("version", Text, ForeignKey("edition.version"), nullable=False),
    Column("holds_from", MOMENT, nullable=False),
    Column("enacted_at", MOMENT, nullable=False),
    comment="From when each edition holds. At any moment the one holds that began last.",
)

zone = Table(
    "zone",
    metadata,
    Column("version", Text, ForeignKey("edition.version"), primary_key=True),
    Column("layer", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("parent", Text),
    Column("area_km2", Double, nullable=False),
    Column("geom", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False), nullable=False),
    Index("ix_zone_geom", "geom", postgresql_using="gist"),
    comment="The zones of every edition; of the one in force: view zone_in_force.",
)

photo = Table(
    "photo",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("received_at", MOMENT, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("jpeg", LargeBinary, nullable=False),
    Column("thumb", LargeBinary, nullable=False),
    comment="Photos without metadata, by the digest of what is stored.",
)

evidence = Table(
    "evidence",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("received_at", MOMENT, nullable=False),
    Column("content", LargeBinary, nullable=False),
    comment="Originals, byte for byte, by their digest. Append-only, as the record.",
)

evidence_thumb = Table(
    "evidence_thumb",
    metadata,
    Column("sha256", Text, ForeignKey("evidence.sha256"), primary_key=True),
    Column("jpeg", LargeBinary, nullable=False),
    comment="Small pictures of them, for lists; they can be made again.",
)

report = Table(
    "report",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
    Column("given_lon", Double, nullable=False),
    Column("given_lat", Double, nullable=False),
    Column("datum", Text, nullable=False),
    Column("accuracy_m", Double, nullable=False),
    Column("seen_at", MOMENT, nullable=False),
    Column("received_at", MOMENT, nullable=False),
    Column("source", Text, nullable=False),
    Column("matter", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("contact", JSONB, nullable=False),
    Column("photos", ARRAY(Text), nullable=False),
    Column("source_ref", Text),
    Index(
        "ix_report_source_ref",
        "source",
        "source_ref",
        unique=True,
        postgresql_where=text("source_ref IS NOT NULL"),
    ),
    comment="What somebody saw, as it came. Its digest is in the first event of its case.",
)

case_file = Table(
    "case_file",
    metadata,
    Column("case_no", Text, primary_key=True),
    Column("report_id", Uuid, ForeignKey("report.id"), nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("matter", Text, nullable=False),
    Column("urgency", SmallInteger, nullable=False),
    Column("team", Text, nullable=False),
    Column("unit", Text),
    Column("eta_s", Integer),
    Column("mode", Text),
    Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
    Column("accuracy_m", Double, nullable=False),
    Column("township", Text),
    Column("grid", Text),
    Column("zones", JSONB, nullable=False),
    Column("seen_at", MOMENT, nullable=False),
    Column("received_at", MOMENT, nullable=False),
    Column("changed_at", MOMENT, nullable=False),
    Column("due_at", MOMENT),
    Column("notes", ARRAY(Text), nullable=False),
    Column("level", SmallInteger, nullable=False, server_default=text("0")),
    Column("stage", Text),
    Column("merged_into", Text, ForeignKey("case_file.case_no")),
    Column("suspended_until", Date),
    Column("suspended_from", Text),
    Column("clock", JSONB),
    Column("next_at", MOMENT),
    Index("ix_case_file_geom", "geom", postgresql_using="gist"),
    Index("ix_case_file_received_at", text("received_at DESC"), text("case_no DESC")),
    Index("ix_case_file_open", text("received_at DESC"), postgresql_where=text(_UNFINISHED)),
    Index("ix_case_file_team", "team", "received_at"),
    Index("ix_case_file_next_at", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    Index("ix_case_file_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    Index(
        "ix_case_file_unit_on_case",
        "unit",
        unique=True,
        postgresql_where=text("state IN ('assigned', 'accepted', 'on_the_way', 'on_scene')"),
    ),
    comment="Where each case stands: the projection of its last event. A unit is on one case at a time.",
)

event = Table(
    "event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("action_id", Uuid, nullable=False, unique=True),
    Column("case_no", Text, ForeignKey("case_file.case_no"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", MOMENT, nullable=False),
    Column("action", Text, nullable=False),
    Column("actor", Text, nullable=False),
    # JSON, not JSONB: the text stays as it was sealed.
    Column("data", JSON, nullable=False),
    Column("prev", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("xact", BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text)::bigint")),
    UniqueConstraint("case_no", "seq"),
    Index("ix_event_xact", "xact"),
    Index("ix_event_return", "id", postgresql_where=text("action = 'return'")),
    comment="History, audit and replay at once. Append-only: a trigger refuses UPDATE, DELETE and TRUNCATE.",
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", MOMENT, nullable=False),
    Column("cases", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("prev", LargeBinary, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    comment="What all chains ended with at one moment, under one root, signed. Append-only, as the record.",
)

checkpoint_leaf = Table(
    "checkpoint_leaf",
    metadata,
    Column("case_no", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("number", BigInteger, ForeignKey("checkpoint.number"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_checkpoint_leaf_number", "number"),
    comment="Of each checkpoint the leaves that changed since the one before. Append-only, as the record.",
)

unit_position = Table(
    "unit_position",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
    Column("at", MOMENT, nullable=False),
    Column("received_at", MOMENT, nullable=False),
    Column("accuracy_m", Double),
    Column("on_shift", Boolean, nullable=False),
    Column("kept_at", MOMENT, nullable=False),
    Column("kept_geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
    Column("kept_on_shift", Boolean, nullable=False),
    Column("xact", BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text)::bigint")),
    comment="The last position of each unit, and the last one that is in its track.",
)

unit_track = Table(
    "unit_track",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("at", MOMENT, primary_key=True),
    Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
    Column("accuracy_m", Double),
    Index("ix_unit_track_at", "at", postgresql_using="brin"),
    comment="The ways of the units, thinned.",
)

subscription = Table(
    "subscription",
    metadata,
    Column("name", Text, primary_key=True),
    Column("since", MOMENT, nullable=False),
    Column("xact", BigInteger, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    comment="Who is told of events by webhook, and the last event that is in the outbox for them.",
)

outbox = Table(
    "outbox",
    metadata,
    Column("subscription", Text, ForeignKey("subscription.name", ondelete="CASCADE"), primary_key=True),
    Column("case_no", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("action_id", Uuid, nullable=False),
    # As it is sent: each try sends the same bytes.
    Column("body", Text, nullable=False),
    Column("put_at", MOMENT, nullable=False),
    Column("due_at", MOMENT, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("problem", Text),
    Index("ix_outbox_due", "subscription", "due_at"),
    comment="What is to be sent by webhook, until it was taken; of each case in the order of its steps.",
)
