"""Reasons where an environment wants them, and sessions that their owner can tell apart."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    required = sa.Column("require_reason", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("environments", required)
    op.add_column("sessions", sa.Column("agent", sa.String(length=200), nullable=True))
    op.add_column("sessions", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for column in ("seen_at", "agent"):
        op.drop_column("sessions", column)
    op.drop_column("environments", "require_reason")
