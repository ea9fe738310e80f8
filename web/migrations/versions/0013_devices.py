"""Devices and what became of what they said"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

DEVICE = ["device_id"], ["devices.id"]


def upgrade() -> None:
    op.add_column("unit_positions", sa.Column("battery", sa.REAL(), nullable=True))
    op.create_table(
        "devices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_devices_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
    )
    op.create_index("ix_devices_unit_id", "devices", ["unit_id"])
    op.create_table(
        "device_tokens",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(*DEVICE, name=op.f("fk_device_tokens_device_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_device_tokens")),
    )
    op.create_index("ix_device_tokens_device_id", "device_tokens", ["device_id"])
    op.create_table(
        "device_pairings",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(*DEVICE, name=op.f("fk_device_pairings_device_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_device_pairings_unit_id")),
        sa.PrimaryKeyConstraint("device_id", "since", name=op.f("pk_device_pairings")),
    )
    op.create_index(
        "one_unit_per_device", "device_pairings", ["device_id"], unique=True, postgresql_where=sa.text("until IS NULL")
    )
    op.create_table(
        "device_signs",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("battery", sa.REAL(), nullable=True),
        sa.Column("skew_s", sa.REAL(), nullable=True),
        sa.ForeignKeyConstraint(*DEVICE, name=op.f("fk_device_signs_device_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device_signs")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "device_counts",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(*DEVICE, name=op.f("fk_device_counts_device_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "day", "what", name=op.f("pk_device_counts")),
        postgresql_with={"fillfactor": 50},
    )
