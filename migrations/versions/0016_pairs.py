"""What the shadow calls of a stage have come to, which decides whether it may be left."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("watches", sa.Column("pairs", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("watches", "pairs")
