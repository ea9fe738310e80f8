"""Calls: callers, type questions and premise warnings"""

from __future__ import annotations

import geoalchemy2
import sqlalchemy as sa
from alembic import op

from incidents.telephone import normal_phone

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reports", sa.Column("contact_number", sa.Text(), nullable=True))
    op.add_column("reports", sa.Column("deflected_to", sa.Text(), nullable=True))
    op.add_column("tracking", sa.Column("deflected_to", sa.Text(), nullable=True))
    reports = sa.table("reports", sa.column("id"), sa.column("contact_phone"), sa.column("contact_number"))
    known = sa.select(reports.c.id, reports.c.contact_phone).where(reports.c.contact_phone.is_not(None))
    for id_, phone in op.get_bind().execute(known).all():
        op.execute(reports.update().where(reports.c.id == id_).values(contact_number=normal_phone(phone)))
    op.create_index(
        "ix_reports_contact_number",
        "reports",
        ["contact_number"],
        postgresql_where=sa.text("contact_number IS NOT NULL"),
    )
    op.create_table(
        "caller_flags",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caller_flags")),
    )
    op.create_index("ix_caller_flags_number", "caller_flags", ["number"])
    op.create_index(
        "one_live_flag_per_number",
        "caller_flags",
        ["number"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "premise_warnings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("shape", geoalchemy2.Geometry("POINT", 4326, spatial_index=False), nullable=True),
        sa.Column("radius", sa.Integer(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=True),
        sa.Column("sensitivity", sa.SmallInteger(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_why", sa.Text(), nullable=True),
        sa.CheckConstraint("sensitivity BETWEEN 0 AND 3", name=op.f("ck_premise_warnings_sensitivity")),
        sa.CheckConstraint("(shape IS NULL) <> (zone_id IS NULL)", name=op.f("ck_premise_warnings_point_or_zone")),
        sa.CheckConstraint("NOT ST_IsEmpty(shape)", name=op.f("ck_premise_warnings_shape_not_empty")),
        sa.CheckConstraint(
            "ST_XMin(shape) >= -180 AND ST_XMax(shape) <= 180 AND ST_YMin(shape) >= -90 AND ST_YMax(shape) <= 90",
            name=op.f("ck_premise_warnings_shape_on_earth"),
        ),
        sa.CheckConstraint("ST_NPoints(shape) <= 2000", name=op.f("ck_premise_warnings_shape_not_endless")),
        sa.CheckConstraint(
            "ST_Length(shape) + ST_Perimeter(shape) < 'Infinity'", name=op.f("ck_premise_warnings_shape_finite")
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_premise_warnings_zone_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_premise_warnings")),
    )
    op.create_index("ix_premise_warnings_shape", "premise_warnings", ["shape"], postgresql_using="gist")
    op.create_index("ix_premise_warnings_zone_id", "premise_warnings", ["zone_id"])
