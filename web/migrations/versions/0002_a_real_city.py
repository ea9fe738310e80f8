"""A real city: more of each street, turn restrictions, doors, landmarks, more of the base map"""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "street_links", sa.Column("alt_names", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.add_column("street_links", sa.Column("access", sa.String(), server_default="all", nullable=False))
    op.add_column("street_links", sa.Column("ramp", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("street_links", sa.Column("structure", sa.String(), nullable=True))
    op.alter_column("street_links", "ramp", server_default=None)
    op.alter_column("street_links", "alt_names", server_default=None)
    op.alter_column("street_links", "access", server_default=None)
    op.add_column("map_areas", sa.Column("kind_detail", sa.String(), nullable=True))
    op.add_column("map_areas", sa.Column("rank", sa.Integer(), nullable=True))
    op.create_table(
        "address_points",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("osm_id", sa.BigInteger(), nullable=True),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("suffix", sa.String(), nullable=True),
        sa.Column("shape", geoalchemy2.Geometry("POINT", 4326, spatial_index=False), nullable=False),
        sa.CheckConstraint("NOT ST_IsEmpty(shape)", name=op.f("ck_address_points_shape_not_empty")),
        sa.CheckConstraint("ST_NPoints(shape) <= 2000", name=op.f("ck_address_points_shape_not_endless")),
        sa.CheckConstraint(
            "ST_XMin(shape) >= -180 AND ST_XMax(shape) <= 180 AND ST_YMin(shape) >= -90 AND ST_YMax(shape) <= 90",
            name=op.f("ck_address_points_shape_on_earth"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_points")),
    )
    op.create_index("ix_address_points_shape", "address_points", ["shape"], unique=False, postgresql_using="gist")
    op.create_index("ix_address_points_street", "address_points", ["street"], unique=False)
    op.create_table(
        "cities",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_cities_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cities")),
    )
    op.create_table(
        "landmarks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("alt_names", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("shape", geoalchemy2.Geometry("POINT", 4326, spatial_index=False), nullable=False),
        sa.CheckConstraint("NOT ST_IsEmpty(shape)", name=op.f("ck_landmarks_shape_not_empty")),
        sa.CheckConstraint("ST_NPoints(shape) <= 2000", name=op.f("ck_landmarks_shape_not_endless")),
        sa.CheckConstraint(
            "ST_XMin(shape) >= -180 AND ST_XMax(shape) <= 180 AND ST_YMin(shape) >= -90 AND ST_YMax(shape) <= 90",
            name=op.f("ck_landmarks_shape_on_earth"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_landmarks")),
    )
    op.create_index("ix_landmarks_shape", "landmarks", ["shape"], unique=False, postgresql_using="gist")
    op.create_index("ix_landmarks_source", "landmarks", ["source"], unique=False)
    op.create_table(
        "turn_restrictions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("osm_id", sa.BigInteger(), nullable=True),
        sa.Column("only", sa.Boolean(), nullable=False),
        sa.Column("nodes", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("ways", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("excepted", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turn_restrictions")),
    )
