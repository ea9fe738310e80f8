"""Links between incidents, and major incidents"""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("major_numbers")))
    op.create_table(
        "majors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("sensitivity", sa.SmallInteger(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("shape", geoalchemy2.Geometry("GEOMETRY", 4326, spatial_index=False), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("GeometryType(shape) IN ('POLYGON', 'MULTIPOLYGON')", name=op.f("ck_majors_shape_type")),
        sa.CheckConstraint("ST_Length(shape) + ST_Perimeter(shape) < 'Infinity'", name=op.f("ck_majors_shape_finite")),
        sa.CheckConstraint("NOT ST_IsEmpty(shape)", name=op.f("ck_majors_shape_not_empty")),
        sa.CheckConstraint("ST_NPoints(shape) <= 500", name=op.f("ck_majors_shape_not_endless")),
        sa.CheckConstraint(
            "ST_XMin(shape) >= -180 AND ST_XMax(shape) <= 180 AND ST_YMin(shape) >= -90 AND ST_YMax(shape) <= 90",
            name=op.f("ck_majors_shape_on_earth"),
        ),
        sa.CheckConstraint("level BETWEEN 1 AND 3", name=op.f("ck_majors_level")),
        sa.CheckConstraint("sensitivity BETWEEN 0 AND 3", name=op.f("ck_majors_sensitivity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_majors")),
        sa.UniqueConstraint("code", name=op.f("uq_majors_code")),
    )
    op.create_index("ix_majors_open", "majors", ["id"], unique=False, postgresql_where=sa.text("closed_at IS NULL"))
    op.create_table(
        "incident_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("from_code", sa.Text(), nullable=False),
        sa.Column("to_code", sa.Text(), nullable=False),
        sa.Column("from_eido", sa.Text(), nullable=False),
        sa.Column("to_eido", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("undone_reason", sa.Text(), nullable=True),
        sa.Column("moved", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("from_audience", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("to_audience", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("audience", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("from_on_board", sa.Boolean(), nullable=False),
        sa.Column("to_on_board", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["incidents.id"], name=op.f("fk_incident_links_from_id")),
        sa.ForeignKeyConstraint(["to_id"], ["incidents.id"], name=op.f("fk_incident_links_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_links")),
    )
    op.create_index("ix_incident_links_from_id", "incident_links", ["from_id"], unique=False)
    op.create_index("ix_incident_links_to_id", "incident_links", ["to_id"], unique=False)
    op.create_index(
        "one_live_merge_per_incident",
        "incident_links",
        ["from_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'merged' AND undone_at IS NULL"),
    )
    op.create_index(
        "one_live_parent_per_incident",
        "incident_links",
        ["to_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'parent' AND undone_at IS NULL"),
    )
    op.create_table(
        "major_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("major_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("quotes", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("struck_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("struck_by", sa.Text(), nullable=True),
        sa.Column("struck_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_major_entries_incident_id")),
        sa.ForeignKeyConstraint(["major_id"], ["majors.id"], name=op.f("fk_major_entries_major_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_major_entries")),
    )
    op.create_index(op.f("ix_major_entries_major_id"), "major_entries", ["major_id"], unique=False)
    op.create_table(
        "major_objectives",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("major_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("period_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reached_by", sa.Text(), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("period_until > period_from", name=op.f("ck_major_objectives_period")),
        sa.ForeignKeyConstraint(["major_id"], ["majors.id"], name=op.f("fk_major_objectives_major_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_major_objectives")),
    )
    op.create_index(op.f("ix_major_objectives_major_id"), "major_objectives", ["major_id"], unique=False)
    op.create_table(
        "major_sectors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("major_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("lead", sa.Text(), nullable=False),
        sa.Column("shape", geoalchemy2.Geometry("GEOMETRY", 4326, spatial_index=False), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "GeometryType(shape) IN ('POLYGON', 'MULTIPOLYGON')", name=op.f("ck_major_sectors_shape_type")
        ),
        sa.CheckConstraint(
            "ST_Length(shape) + ST_Perimeter(shape) < 'Infinity'", name=op.f("ck_major_sectors_shape_finite")
        ),
        sa.CheckConstraint("NOT ST_IsEmpty(shape)", name=op.f("ck_major_sectors_shape_not_empty")),
        sa.CheckConstraint("ST_NPoints(shape) <= 500", name=op.f("ck_major_sectors_shape_not_endless")),
        sa.CheckConstraint(
            "ST_XMin(shape) >= -180 AND ST_XMax(shape) <= 180 AND ST_YMin(shape) >= -90 AND ST_YMax(shape) <= 90",
            name=op.f("ck_major_sectors_shape_on_earth"),
        ),
        sa.ForeignKeyConstraint(["major_id"], ["majors.id"], name=op.f("fk_major_sectors_major_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_major_sectors")),
    )
    op.create_index(op.f("ix_major_sectors_major_id"), "major_sectors", ["major_id"], unique=False)
    op.create_table(
        "major_members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("major_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("incident_code", sa.Text(), nullable=False),
        sa.Column("sector_id", sa.Uuid(), nullable=True),
        sa.Column("sensitivity", sa.SmallInteger(), nullable=False),
        sa.Column("on_board", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_reason", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_by", sa.Text(), nullable=True),
        sa.Column("removed_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_major_members_incident_id")),
        sa.ForeignKeyConstraint(["major_id"], ["majors.id"], name=op.f("fk_major_members_major_id")),
        sa.ForeignKeyConstraint(["sector_id"], ["major_sectors.id"], name=op.f("fk_major_members_sector_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_major_members")),
    )
    op.create_index("ix_major_members_incident_id", "major_members", ["incident_id"], unique=False)
    op.create_index(op.f("ix_major_members_major_id"), "major_members", ["major_id"], unique=False)
    op.create_index(
        "one_live_place_per_incident",
        "major_members",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL AND on_board"),
    )
    op.create_table(
        "major_posts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("major_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("organization", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.CheckConstraint("until >= since", name=op.f("ck_major_posts_until")),
        sa.ForeignKeyConstraint(["major_id"], ["majors.id"], name=op.f("fk_major_posts_major_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_major_posts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_major_posts")),
    )
    op.create_index("ix_major_posts_major_id", "major_posts", ["major_id", "role", "since"], unique=False)
    op.create_index(
        "one_holder_per_post",
        "major_posts",
        ["major_id", "role"],
        unique=True,
        postgresql_where=sa.text("until IS NULL"),
    )
    op.add_column(
        "incidents", sa.Column("least_sensitivity", sa.SmallInteger(), server_default=sa.text("0"), nullable=False)
    )
