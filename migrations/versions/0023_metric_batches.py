"""Which batches of metrics were taken, so that one that is sent again counts once."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "metric_batches",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name="fk_metric_batches_environment_id_environments"
        ),
        sa.PrimaryKeyConstraint("environment_id", "digest", name="pk_metric_batches"),
    )
    op.create_index("ix_metric_batches_received_at", "metric_batches", ["received_at"], unique=False)


def downgrade() -> None:
    op.drop_table("metric_batches")
