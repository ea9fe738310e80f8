"""Replay: boards of the past"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# Where faces were emptied before there was an archive, what has not changed since is not known: the past begins now.
_HEAD = """
    INSERT INTO past_head (id, entry_id, day, begins_at)
    SELECT 1, 0, NULL, CASE
        WHEN min(recorded_at) < now() - interval '7 days' THEN now()
        ELSE coalesce(min(recorded_at), now())
    END
    FROM journal
"""


def upgrade() -> None:
    op.create_table(
        "past_hours",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "subject", name=op.f("pk_past_hours")),
        postgresql_partition_by="RANGE (hour)",
    )
    op.execute("ALTER TABLE past_hours ALTER COLUMN body SET STORAGE EXTERNAL")  # it is packed already
    op.create_table(
        "past_head",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.DateTime(timezone=True), nullable=True),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_head")),
    )
    op.execute(_HEAD)
