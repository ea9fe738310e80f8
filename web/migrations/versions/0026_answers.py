"""Whoever reports is answered: what was promised, whose it is, how it ended in words, and what was told afterwards"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incidents", sa.Column("answer", sa.Text(), nullable=True))
    op.add_column("reports", sa.Column("answer", sa.Text(), nullable=True))
    op.add_column("reports", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "reports",
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
    )
    op.add_column("tracking", sa.Column("area", sa.Text(), nullable=True))
    op.add_column("tracking", sa.Column("promised_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tracking", sa.Column("answer", sa.Text(), nullable=True))
    op.add_column("tracking", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tracking", sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tracking", sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tracking", sa.Column("erased", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("tracking", sa.Column("reopened", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index("ix_tracking_ended_at", "tracking", ["ended_at"], postgresql_where=sa.text("ended_at IS NOT NULL"))
