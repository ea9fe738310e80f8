"""Desks: radio log, hand-overs, who looks at what"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "radio_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("call_sign", sa.Text(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("incident_code", sa.Text(), nullable=True),
        sa.Column("sensitivity", sa.SmallInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("logged_by", sa.Text(), nullable=False),
        sa.Column("logged_by_id", sa.Uuid(), nullable=True),
        sa.Column("struck_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("struck_by", sa.Text(), nullable=True),
        sa.Column("struck_reason", sa.Text(), nullable=True),
        sa.Column("on_air", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("sensitivity BETWEEN 0 AND 3", name=op.f("ck_radio_lines_sensitivity")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_radio_lines_unit_id")),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_radio_lines_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_radio_lines")),
    )
    op.create_index("ix_radio_lines_logged_at", "radio_lines", ["logged_at", "id"])
    op.create_index("ix_radio_lines_unit_id", "radio_lines", ["unit_id", "logged_at"])
    op.create_index(
        "ix_radio_lines_incident_id",
        "radio_lines",
        ["incident_id"],
        postgresql_where=sa.text("incident_id IS NOT NULL"),
    )
    op.create_index("ix_radio_lines_on_air", "radio_lines", ["id"], postgresql_where=sa.text("on_air"))
