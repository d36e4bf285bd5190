"""The snapshot version in which a flag last changed, which is what instances have to obey."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("flags", sa.Column("published", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("flags", "published")
