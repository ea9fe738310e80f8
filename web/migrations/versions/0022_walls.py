"""Walls: scoped tokens and what they show"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "walls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("views", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("token_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("zoom", sa.Float(), nullable=True),
        sa.Column("brightness", sa.Float(), nullable=True),
        sa.Column("reloads", sa.Integer(), nullable=False),
        sa.Column("inches", sa.Float(), nullable=False),
        sa.Column("metres", sa.Float(), nullable=False),
        sa.Column("ruler", sa.Boolean(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("inches BETWEEN 10 AND 300", name=op.f("ck_walls_inches")),
        sa.CheckConstraint("metres BETWEEN 0.5 AND 40", name=op.f("ck_walls_metres")),
        sa.CheckConstraint("brightness BETWEEN 0.2 AND 1", name=op.f("ck_walls_brightness")),
        sa.CheckConstraint("zoom BETWEEN 3 AND 20", name=op.f("ck_walls_zoom")),
        sa.CheckConstraint("lon BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90", name=op.f("ck_walls_centre")),
        sa.ForeignKeyConstraint(["id"], ["people.id"], name=op.f("fk_walls_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_walls")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_walls_token_hash")),
    )
    op.add_column("sign_ins", sa.Column("standing", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("sign_ins", "standing", server_default=None)
