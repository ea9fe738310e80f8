"""Coverage targets, the dispatch policy and move-ups"""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

FINITE = "ST_Length(place) + ST_Perimeter(place) < 'Infinity'"


def upgrade() -> None:
    op.create_table(
        "dispatch_policies",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_dispatch_policies")),
    )
    op.create_table(
        "coverage_targets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("capability", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("minutes", sa.Float(), nullable=False),
        sa.Column("minimum", sa.Float(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("(capability IS NULL) <> (kind IS NULL)", name=op.f("ck_coverage_targets_one_or_the_other")),
        sa.CheckConstraint("minutes > 0 AND minutes <= 60", name=op.f("ck_coverage_targets_minutes")),
        sa.CheckConstraint("minimum BETWEEN 0 AND 1", name=op.f("ck_coverage_targets_minimum")),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_coverage_targets_zone_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage_targets")),
    )
    op.create_table(
        "move_ups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("call_sign", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("place", geoalchemy2.Geometry("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column("place_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("share_before", sa.Float(), nullable=False),
        sa.Column("share_after", sa.Float(), nullable=False),
        sa.Column("gain_people", sa.Integer(), nullable=True),
        sa.Column("gain_km", sa.Float(), nullable=False),
        sa.Column("leaves_people", sa.Integer(), nullable=True),
        sa.Column("leaves_km", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("NOT ST_IsEmpty(place)", name=op.f("ck_move_ups_place_not_empty")),
        sa.CheckConstraint(
            "ST_XMin(place) >= -180 AND ST_XMax(place) <= 180 AND ST_YMin(place) >= -90 AND ST_YMax(place) <= 90",
            name=op.f("ck_move_ups_place_on_earth"),
        ),
        sa.CheckConstraint("ST_NPoints(place) <= 2000", name=op.f("ck_move_ups_place_not_endless")),
        sa.CheckConstraint(FINITE, name=op.f("ck_move_ups_place_finite")),
        sa.ForeignKeyConstraint(["target_id"], ["coverage_targets.id"], name=op.f("fk_move_ups_target_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_move_ups_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_move_ups")),
    )
    op.create_index(
        "one_live_move_up_per_unit",
        "move_ups",
        ["unit_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_move_ups_target_id_ended_at", "move_ups", ["target_id", "ended_at"])
