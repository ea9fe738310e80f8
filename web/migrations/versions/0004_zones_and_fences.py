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

ON_EARTH = "lon BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90"

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
    for table in ("unit_positions", "position_history"):
        op.create_check_constraint(op.f(f"ck_{table}_on_earth"), table, ON_EARTH)
    make_fences()
    op.execute(FINITE_EVERYWHERE)


def make_fences() -> None:
    op.create_table(
        "fences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("shape", geoalchemy2.Geometry("GEOMETRY", 4326, spatial_index=False), nullable=True),
        sa.Column("zone_id", sa.Uuid(), nullable=True),
        sa.Column("watches_units", sa.Boolean(), nullable=False),
        sa.Column("unit_kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("watches_incidents", sa.Boolean(), nullable=False),
        sa.Column("incident_types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("least_priority", sa.SmallInteger(), nullable=True),
        sa.Column("dwell_seconds", sa.Integer(), nullable=True),
        sa.Column("hours", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("watched_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_by", sa.Text(), nullable=False),
        sa.Column("on_board", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("(shape IS NULL) <> (zone_id IS NULL)", name=op.f("ck_fences_one_place")),
        sa.CheckConstraint("dwell_seconds > 0", name=op.f("ck_fences_dwell_seconds")),
        sa.CheckConstraint("least_priority BETWEEN 1 AND 4", name=op.f("ck_fences_least_priority")),
        sa.CheckConstraint("watches_units OR watches_incidents", name=op.f("ck_fences_watches")),
        *walls("fences", "shape", 2000),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_fences_zone_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fences")),
    )
    op.create_table(
        "fence_cursors",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("accuracy_m", sa.REAL(), nullable=True),
        sa.CheckConstraint(ON_EARTH, name=op.f("ck_fence_cursors_on_earth")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_fence_cursors_unit_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_fence_cursors")),
    )
    op.create_table(
        "fence_standings",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("fence_id", sa.Uuid(), nullable=False),
        sa.Column("watched_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dwelled", sa.Boolean(), nullable=False),
        sa.Column("doubts", sa.BigInteger(), nullable=False),
        sa.Column("doubted_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sure", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.SmallInteger(), nullable=False),
        sa.Column("crossed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["fence_id"], ["fences.id"], name=op.f("fk_fence_standings_fence_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_fence_standings_unit_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", "fence_id", name=op.f("pk_fence_standings")),
    )
    op.create_table(
        "fence_visits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fence_id", sa.Uuid(), nullable=False),
        sa.Column("fence", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("sensitivity", sa.SmallInteger(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dwelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=True),
        sa.Column("already_there", sa.Boolean(), nullable=False),
        sa.Column("unseen_seconds", sa.Integer(), nullable=True),
        sa.Column("on_board", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("(unit_id IS NULL) <> (incident_id IS NULL)", name=op.f("ck_fence_visits_one_visitor")),
        sa.CheckConstraint("exited_at >= entered_at", name=op.f("ck_fence_visits_exited_at")),
        sa.ForeignKeyConstraint(["fence_id"], ["fences.id"], name=op.f("fk_fence_visits_fence_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fence_visits")),
    )
    op.create_index("ix_fence_visits_entered_at", "fence_visits", ["entered_at"], unique=False)
    op.create_index("ix_fence_visits_fence_id_entered_at", "fence_visits", ["fence_id", "entered_at"], unique=False)
    op.create_index(
        "ix_fence_visits_incident",
        "fence_visits",
        ["incident_id", "fence_id"],
        unique=True,
        postgresql_where="exited_at IS NULL",
    )
    op.create_index("ix_fence_visits_on_board", "fence_visits", ["id"], unique=False, postgresql_where="on_board")
    op.create_index(
        "ix_fence_visits_unit",
        "fence_visits",
        ["unit_id", "fence_id"],
        unique=True,
        postgresql_where="exited_at IS NULL",
    )


def walls(table: str, column: str, vertices: int) -> list[sa.CheckConstraint]:
    checks = {
        "not_empty": f"NOT ST_IsEmpty({column})",
        "on_earth": f"ST_XMin({column}) >= -180 AND ST_XMax({column}) <= 180"
        f" AND ST_YMin({column}) >= -90 AND ST_YMax({column}) <= 90",
        "not_endless": f"ST_NPoints({column}) <= {vertices}",
        "finite": f"ST_Length({column}) + ST_Perimeter({column}) < 'Infinity'",
    }
    return [sa.CheckConstraint(sql, name=op.f(f"ck_{table}_{column}_{name}")) for name, sql in checks.items()]
