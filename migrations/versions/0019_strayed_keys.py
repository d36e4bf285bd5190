"""Keys that were served by both sides while one share was in force."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("buckets", sa.Column("strayed_keys", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("buckets", "strayed_keys")
