"""Which side's store misses a dual write that reached one side only, and how many of them were reconciled."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

COLUMNS = ("baseline_missing", "candidate_missing", "baseline_reconciled", "candidate_reconciled")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("divergences", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("divergences") as batch:
        for name in COLUMNS:
            batch.drop_column(name)
