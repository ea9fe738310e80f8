"""The speaker's words beside the match"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("reports", "incidents"):
        op.add_column(table, sa.Column("place_match", postgresql.JSONB(none_as_null=True), nullable=True))
