"""Keys of the baseline by the half of all keys that they belong to."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("buckets", sa.Column("halves", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("buckets", "halves")
