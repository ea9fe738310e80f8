"""Units, capabilities, equipment, vehicles, photos, stock"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "capabilities",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=True),
        sa.Column("crew", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_capabilities")),
    )
    op.create_table(
        "photos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
    )
    op.create_index("ix_photos_subject", "photos", ["subject"], unique=False)
    op.create_table(
        "vehicles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("make", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=True),
        sa.Column("inspection_until", sa.Date(), nullable=True),
        sa.Column("insurance_until", sa.Date(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("year BETWEEN 1900 AND 2100", name=op.f("ck_vehicles_year")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicles")),
    )
    op.create_index(
        "uq_vehicles_plate",
        "vehicles",
        [sa.literal_column("lower(plate)")],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "photo_images",
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("whole", sa.LargeBinary(), nullable=False),
        sa.Column("small", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], name=op.f("fk_photo_images_photo_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("photo_id", name=op.f("pk_photo_images")),
    )
    op.create_table(
        "facility_capacities",
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("free", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "free >= 0 AND (total IS NULL OR free <= total)", name=op.f("ck_facility_capacities_counts")
        ),
        sa.CheckConstraint("total BETWEEN 0 AND 100000", name=op.f("ck_facility_capacities_total")),
        sa.ForeignKeyConstraint(["facility_id"], ["facilities.id"], name=op.f("fk_facility_capacities_facility_id")),
        sa.PrimaryKeyConstraint("facility_id", "kind", name=op.f("pk_facility_capacities")),
    )
    op.create_table(
        "stock_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("facility_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("minimum", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity >= 0 AND minimum >= 0", name=op.f("ck_stock_items_not_negative")),
        sa.ForeignKeyConstraint(["facility_id"], ["facilities.id"], name=op.f("fk_stock_items_facility_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_items")),
    )
    op.create_index("ix_stock_items_facility_id", "stock_items", ["facility_id"], unique=False)
    op.create_table(
        "equipment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity BETWEEN 1 AND 100000", name=op.f("ck_equipment_quantity")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_equipment_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment")),
    )
    op.create_index("ix_equipment_unit_id", "equipment", ["unit_id"], unique=False)
    op.create_table(
        "stock_moves",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("left", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["stock_items.id"], name=op.f("fk_stock_moves_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_moves")),
    )
    op.create_index("ix_stock_moves_item_id_at", "stock_moves", ["item_id", "at"], unique=False)
    op.create_table(
        "vehicle_postings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_vehicle_postings_unit_id")),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name=op.f("fk_vehicle_postings_vehicle_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle_postings")),
    )
    op.create_index("ix_vehicle_postings_unit_since", "vehicle_postings", ["unit_id", "since"], unique=False)
    op.create_index(
        "uq_vehicle_postings_unit",
        "vehicle_postings",
        ["unit_id"],
        unique=True,
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_index(
        "uq_vehicle_postings_vehicle",
        "vehicle_postings",
        ["vehicle_id"],
        unique=True,
        postgresql_where=sa.text("until IS NULL"),
    )
    op.add_column("facilities", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.add_column("facilities", sa.Column("flow_l_min", sa.Integer(), nullable=True))
    op.add_column("facilities", sa.Column("out_of_service_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("facilities", sa.Column("out_of_service_reason", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "units", sa.Column("amounts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False)
    )
    op.add_column("units", sa.Column("base_id", sa.Uuid(), nullable=True))
    op.add_column("units", sa.Column("home_zone", sa.Text(), server_default="", nullable=False))
    op.add_column("units", sa.Column("home_zone_id", sa.Uuid(), nullable=True))
    op.add_column("units", sa.Column("notes", sa.Text(), server_default="", nullable=False))
    op.add_column("units", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint(op.f("uq_units_call_sign"), "units", type_="unique")
    op.create_index(
        "uq_units_call_sign",
        "units",
        [sa.literal_column("lower(call_sign)")],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_foreign_key(op.f("fk_units_base_id"), "units", "facilities", ["base_id"], ["id"])
    op.create_foreign_key(op.f("fk_units_home_zone_id"), "units", "zones", ["home_zone_id"], ["id"])
