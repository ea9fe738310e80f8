"""Speeds learned from journeys"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journey_speeds",
        sa.Column("journey_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hour", sa.SmallInteger(), nullable=False),
        sa.Column("metres", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("expected_seconds", sa.Double(), nullable=False),
        sa.Column("driven_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name=op.f("ck_journey_speeds_hour")),
        sa.CheckConstraint(
            "metres > 0 AND seconds > 0 AND expected_seconds > 0", name=op.f("ck_journey_speeds_positive")
        ),
        sa.PrimaryKeyConstraint("journey_id", "kind", "hour", name=op.f("pk_journey_speeds")),
    )
    op.create_index("ix_journey_speeds_driven_at", "journey_speeds", ["driven_at"], unique=False)
    op.create_table(
        "read_journeys",
        sa.Column("journey_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("journey_id", name=op.f("pk_read_journeys")),
    )
    op.create_table(
        "speed_learning",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_speed_learning_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_speed_learning")),
    )
