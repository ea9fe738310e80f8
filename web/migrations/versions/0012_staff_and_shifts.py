"""Staff, shifts, attendance, on call"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_rules",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_staff_rules")),
    )
    op.create_table(
        "clock_points",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(unit_id IS NULL) <> (place = '')", name=op.f("ck_clock_points_somewhere")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_clock_points_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_points")),
    )
    op.create_table(
        "shift_templates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("seats", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("unit_id IS NOT NULL OR place <> ''", name=op.f("ck_shift_templates_somewhere")),
        sa.CheckConstraint("minutes BETWEEN 15 AND 1440", name=op.f("ck_shift_templates_minutes")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_shift_templates_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_templates")),
    )
    op.create_table(
        "unit_crew_minimums",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("count BETWEEN 1 AND 50", name=op.f("ck_unit_crew_minimums_count")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_unit_crew_minimums_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_crew_minimums")),
    )
    op.create_index(
        "one_crew_minimum_per_role",
        "unit_crew_minimums",
        ["unit_id", "role"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "shift_slots",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seats", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("unit_id IS NOT NULL OR place <> ''", name=op.f("ck_shift_slots_somewhere")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_shift_slots_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["template_id"], ["shift_templates.id"], name=op.f("fk_shift_slots_template_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_shift_slots_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_slots")),
    )
    op.create_index("ix_shift_slots_starts_at", "shift_slots", ["starts_at"], unique=False)
    op.create_index("ix_shift_slots_unit_id_starts_at", "shift_slots", ["unit_id", "starts_at"], unique=False)
    op.create_index("uq_shift_slots_template_id_starts_at", "shift_slots", ["template_id", "starts_at"], unique=True)
    op.create_table(
        "staff_members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_staff_members_organization_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_staff_members_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_members")),
        sa.UniqueConstraint("file_number", name=op.f("uq_staff_members_file_number")),
        sa.UniqueConstraint("person_id", name=op.f("uq_staff_members_person_id")),
    )
    op.create_table(
        "on_call_duties",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_off_for", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rank BETWEEN 1 AND 20", name=op.f("ck_on_call_duties_rank")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_on_call_duties_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["member_id"], ["staff_members.id"], name=op.f("fk_on_call_duties_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_on_call_duties")),
    )
    op.create_index("ix_on_call_duties_starts_at", "on_call_duties", ["starts_at"], unique=False)
    op.create_table(
        "shift_placements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_for", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["staff_members.id"], name=op.f("fk_shift_placements_member_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["shift_slots.id"], name=op.f("fk_shift_placements_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_placements")),
    )
    op.create_index("ix_shift_placements_member_id", "shift_placements", ["member_id"], unique=False)
    op.create_index("ix_shift_placements_slot_id", "shift_placements", ["slot_id"], unique=False)
    op.create_index(
        "one_placement_of_a_member_in_a_slot",
        "shift_placements",
        ["slot_id", "member_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "staff_credentials",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_for", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["staff_members.id"], name=op.f("fk_staff_credentials_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_credentials")),
    )
    op.create_index("ix_staff_credentials_member_id_kind", "staff_credentials", ["member_id", "kind"], unique=False)
    op.create_table(
        "stints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_how", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_how", sa.Text(), nullable=True),
        sa.Column("out_key", sa.Uuid(), nullable=True),
        sa.Column("marked_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("(unit_id IS NULL) <> (place = '')", name=op.f("ck_stints_somewhere")),
        sa.CheckConstraint("ended_at IS NULL OR started_at <= ended_at", name=op.f("ck_stints_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["member_id"], ["staff_members.id"], name=op.f("fk_stints_member_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["shift_slots.id"], name=op.f("fk_stints_slot_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_stints_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stints")),
    )
    op.create_index("ix_stints_member_id_started_at", "stints", ["member_id", "started_at"], unique=False)
    op.create_index(
        "ix_stints_out_key", "stints", ["out_key"], unique=True, postgresql_where=sa.text("out_key IS NOT NULL")
    )
    op.create_index("ix_stints_unit_id_started_at", "stints", ["unit_id", "started_at"], unique=False)
    op.create_index(
        "one_open_stint_per_member", "stints", ["member_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "shift_swaps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("placement_id", sa.Uuid(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_for", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["staff_members.id"], name=op.f("fk_shift_swaps_from_id")),
        sa.ForeignKeyConstraint(["placement_id"], ["shift_placements.id"], name=op.f("fk_shift_swaps_placement_id")),
        sa.ForeignKeyConstraint(["to_id"], ["staff_members.id"], name=op.f("fk_shift_swaps_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_swaps")),
    )
    op.create_index(
        "one_open_swap_per_placement",
        "shift_swaps",
        ["placement_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('asked', 'accepted')"),
    )
