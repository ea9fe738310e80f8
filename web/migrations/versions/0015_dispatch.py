"""Many units in one act, undo, SOS"""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
LIVE = sa.text("released_at IS NULL")


def upgrade() -> None:
    """Assignments that lead or wait; what may be taken back; SOS."""
    op.add_column("assignments", sa.Column("exclusive", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.alter_column("assignments", "exclusive", server_default=None)
    op.add_column("assignments", sa.Column("acknowledge_by", sa.DateTime(timezone=True)))
    op.add_column("assignments", sa.Column("staging", JSONB))
    op.add_column("assignments", sa.Column("need", sa.Text()))
    op.add_column("assignments", sa.Column("override", JSONB))
    op.add_column("assignments", sa.Column("replaces", sa.Uuid()))
    op.create_foreign_key(op.f("fk_assignments_replaces"), "assignments", "assignments", ["replaces"], ["id"])
    op.create_index(
        "one_live_exclusive_assignment_per_unit",
        "assignments",
        ["unit_id"],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL AND exclusive"),
    )
    op.create_index("ix_assignments_live_unit_id", "assignments", ["unit_id"], unique=False, postgresql_where=LIVE)
    op.drop_index("one_live_assignment_per_unit", table_name="assignments", postgresql_where=LIVE)
    op.create_table(
        "undos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("changes", JSONB, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_undos_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_undos")),
    )
    op.create_index(op.f("ix_undos_made_at"), "undos", ["made_at"], unique=False)
    op.create_table(
        "sos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("call_sign", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("incident_code", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("shape", geoalchemy2.Geometry("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column("located", sa.Text(), nullable=False),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_by", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("NOT ST_IsEmpty(shape)", name=op.f("ck_sos_shape_not_empty")),
        sa.CheckConstraint(
            "ST_XMin(shape) >= -180 AND ST_XMax(shape) <= 180 AND ST_YMin(shape) >= -90 AND ST_YMax(shape) <= 90",
            name=op.f("ck_sos_shape_on_earth"),
        ),
        sa.CheckConstraint("ST_NPoints(shape) <= 2000", name=op.f("ck_sos_shape_not_endless")),
        sa.CheckConstraint("ST_Length(shape) + ST_Perimeter(shape) < 'Infinity'", name=op.f("ck_sos_shape_finite")),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_sos_incident_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_sos_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sos")),
    )
    op.create_index(op.f("ix_sos_incident_id"), "sos", ["incident_id"], unique=False)
    op.create_index(
        "one_live_sos_per_unit", "sos", ["unit_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
