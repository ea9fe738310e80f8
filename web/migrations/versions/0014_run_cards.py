"""Run cards and tasks"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_card_editions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_from", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("priority BETWEEN 1 AND 4", name=op.f("ck_run_card_editions_priority")),
        sa.CheckConstraint("number > 0", name=op.f("ck_run_card_editions_number")),
        sa.ForeignKeyConstraint(["made_from"], ["run_card_editions.id"], name=op.f("fk_run_card_editions_made_from")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_card_editions")),
    )
    op.create_index(
        "uq_run_card_editions_number",
        "run_card_editions",
        ["type_code", "priority", "number"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.add_column("incidents", sa.Column("alarm_level", sa.SmallInteger(), server_default=sa.text("1"), nullable=False))
    op.create_check_constraint(op.f("ck_incidents_alarm_level"), "incidents", "alarm_level BETWEEN 1 AND 9")
    op.add_column(
        "incidents",
        sa.Column("tasks", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.create_table(
        "incident_tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=True),
        sa.Column("card_id", sa.Uuid(), nullable=True),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=True),
        sa.Column("count", sa.SmallInteger(), nullable=False),
        sa.Column("said_to", sa.Text(), nullable=True),
        sa.Column("checklist", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("closed_by_card", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("level BETWEEN 1 AND 9", name=op.f("ck_incident_tasks_level")),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_incident_tasks_incident_id")),
        sa.ForeignKeyConstraint(["card_id"], ["run_card_editions.id"], name=op.f("fk_incident_tasks_card_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_tasks")),
        sa.UniqueConstraint("incident_id", "key", name=op.f("uq_incident_tasks_incident_id_key")),
    )
    op.create_index(
        "ix_incident_tasks_due_at",
        "incident_tasks",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open' AND overdue_at IS NULL AND due_at IS NOT NULL"),
    )
    op.create_table(
        "run_card_trials",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=True),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=True),
        sa.Column("days", sa.SmallInteger(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("incident_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("rows", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("days BETWEEN 1 AND 60", name=op.f("ck_run_card_trials_days")),
        sa.ForeignKeyConstraint(["edition_id"], ["run_card_editions.id"], name=op.f("fk_run_card_trials_edition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_card_trials")),
    )
    op.create_index(op.f("ix_run_card_trials_edition_id"), "run_card_trials", ["edition_id"], unique=False)
    # What a type calls for stood in the catalogue, in free text that nothing could act on.
    op.execute(
        "UPDATE catalogue_versions SET content = jsonb_set(content, '{types}', ("
        "SELECT jsonb_agg(kind - 'first_card' - 'second_level' ORDER BY place) "
        "FROM jsonb_array_elements(content -> 'types') WITH ORDINALITY AS types (kind, place)))"
    )
