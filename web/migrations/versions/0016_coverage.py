"""Coverage targets, the dispatch policy and move-ups"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


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
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_coverage_targets_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage_targets")),
    )
