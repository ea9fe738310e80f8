"""Closures"""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("shape", geoalchemy2.Geometry("GEOMETRY", 4326, spatial_index=False), nullable=False),
        sa.Column("passable_by", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drawn_by", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.Column("on_board", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint(
            "GeometryType(shape) IN ('POINT', 'LINESTRING', 'MULTILINESTRING', 'POLYGON', 'MULTIPOLYGON')",
            name=op.f("ck_closures_shape_type"),
        ),
        sa.CheckConstraint("NOT ST_IsEmpty(shape)", name=op.f("ck_closures_shape_not_empty")),
        sa.CheckConstraint("ST_NPoints(shape) <= 2000", name=op.f("ck_closures_shape_not_endless")),
        sa.CheckConstraint(
            "ST_XMin(shape) >= -180 AND ST_XMax(shape) <= 180 AND ST_YMin(shape) >= -90 AND ST_YMax(shape) <= 90",
            name=op.f("ck_closures_shape_on_earth"),
        ),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_closures_validity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closures")),
    )
    op.create_index("ix_closures_on_board", "closures", ["valid_until"], unique=False, postgresql_where="on_board")
    op.create_index("ix_closures_valid_from", "closures", ["valid_from"], unique=False)
