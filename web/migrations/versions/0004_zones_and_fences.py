"""Versions of zones, and geofences"""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Whatever tables with shapes the revisions before this one made: a NaN in the middle of a shape passes their bounds.
FINITE_EVERYWHERE = """
DO $$
DECLARE it record; wall text;
BEGIN
    FOR it IN SELECT f_table_name AS "table", f_geometry_column AS "column" FROM geometry_columns
              WHERE f_table_schema = current_schema()
    LOOP
        wall := format('ck_%s_%s_finite', it."table", it."column");
        IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = wall) THEN
            EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (ST_Length(%I) + ST_Perimeter(%I) < ''Infinity'')',
                           it."table", wall, it."column", it."column");
        END IF;
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "zone_maps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("edition", sa.String(), nullable=False),
        sa.Column("changed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone_maps")),
    )
    op.create_table(
        "zone_versions",
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("shape", geoalchemy2.Geometry("MULTIPOLYGON", 4326, spatial_index=False), nullable=False),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("desk", sa.String(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        *walls("zone_versions", "shape", 200_000),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_zone_versions_zone_id")),
        sa.PrimaryKeyConstraint("zone_id", "version", name=op.f("pk_zone_versions")),
    )
    op.create_index("ix_zone_versions_shape", "zone_versions", ["shape"], unique=False, postgresql_using="gist")
    for table in ("incidents", "reports"):
        op.add_column(table, sa.Column("jurisdiction", sa.Text(), nullable=True))
        op.add_column(table, sa.Column("outside", sa.Boolean(), server_default=sa.text("false"), nullable=False))
        op.add_column(table, sa.Column("desk", sa.Text(), nullable=True))
    op.add_column("zones", sa.Column("desk", sa.String(), nullable=True))
    op.add_column("zones", sa.Column("source_key", sa.String(), nullable=True))
    op.add_column("zones", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_zones_kind_source_key", "zones", ["kind", "source_key"], unique=True)
    for table, column in (("incidents", "shape"), ("reports", "shape"), ("units", "base_place")):
        for wall in walls(table, column, 2000):
            op.create_check_constraint(op.f(str(wall.name)), table, wall.sqltext)
    op.execute(FINITE_EVERYWHERE)


def walls(table: str, column: str, vertices: int) -> list[sa.CheckConstraint]:
    checks = {
        "not_empty": f"NOT ST_IsEmpty({column})",
        "on_earth": f"ST_XMin({column}) >= -180 AND ST_XMax({column}) <= 180"
        f" AND ST_YMin({column}) >= -90 AND ST_YMax({column}) <= 90",
        "not_endless": f"ST_NPoints({column}) <= {vertices}",
        "finite": f"ST_Length({column}) + ST_Perimeter({column}) < 'Infinity'",
    }
    return [sa.CheckConstraint(sql, name=op.f(f"ck_{table}_{column}_{name}")) for name, sql in checks.items()]
