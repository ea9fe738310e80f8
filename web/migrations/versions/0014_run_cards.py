"""Run cards and tasks"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_card_editions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_from", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("priority BETWEEN 1 AND 4", name=op.f("ck_run_card_editions_priority")),
        sa.CheckConstraint("number > 0", name=op.f("ck_run_card_editions_number")),
        sa.ForeignKeyConstraint(["made_from"], ["run_card_editions.id"], name=op.f("fk_run_card_editions_made_from")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_card_editions")),
    )
    op.create_index(
        "uq_run_card_editions_number",
        "run_card_editions",
        ["type_code", "priority", "number"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.add_column("incidents", sa.Column("alarm_level", sa.SmallInteger(), server_default=sa.text("1"), nullable=False))
    op.create_check_constraint(op.f("ck_incidents_alarm_level"), "incidents", "alarm_level BETWEEN 1 AND 9")
