"""Alarms and their clocks

The clocks are jobs of procrastinate; its schema is applied from the copy beside the versions, so that what this
migration does never changes with the library. `tests/alarms/test_jobs.py` says when the library has moved on.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from psycopg import Connection
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

JOBS = Path(__file__).parents[1] / "procrastinate_3.10.0.sql"


def upgrade() -> None:
    # Many statements in one, and percent signs in them: past the parameters.
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, Connection)  # noqa: S101  no other driver is installed
    driver.execute(JOBS.read_bytes())
    op.create_table(
        "watchdog_versions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("change", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_watchdog_versions")),
    )
    op.create_table(
        "alarms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("sensitivity", sa.SmallInteger(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("assignment_id", sa.Uuid(), nullable=True),
        sa.Column("incident_code", sa.Text(), nullable=True),
        sa.Column("call_sign", sa.Text(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("whom", sa.Text(), nullable=False),
        sa.Column("whom_id", sa.Uuid(), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answer_note", sa.Text(), nullable=False),
        sa.Column("shelved_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shelved_by", sa.Text(), nullable=True),
        sa.Column("shelve_reason", sa.Text(), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_why", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("sensitivity BETWEEN 0 AND 3", name=op.f("ck_alarms_sensitivity")),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"], name=op.f("fk_alarms_assignment_id")),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_alarms_incident_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_alarms_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
    )
    still_open = sa.text("state <> 'cleared'")
    op.create_index("one_alarm_per_cause", "alarms", ["kind", "about", "since"], unique=True)
    op.create_index("one_open_alarm", "alarms", ["kind", "about"], unique=True, postgresql_where=still_open)
    op.create_index("ix_alarms_open_incident_id", "alarms", ["incident_id"], postgresql_where=still_open)
    op.create_index("ix_alarms_raised_at", "alarms", ["raised_at"])
    op.add_column("assignments", sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("assignments", sa.Column("check_in_due_at", sa.DateTime(timezone=True), nullable=True))
