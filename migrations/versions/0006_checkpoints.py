"""What a decision was made of: checkpoints of an attempt's evidence, and the ledger of its buckets."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WATCHED = {"version": sa.Integer, "checkpoint": sa.BigInteger, "ledger": sa.JSON, "told": sa.JSON}


def upgrade() -> None:
    for name, kind in WATCHED.items():
        op.add_column("watches", sa.Column(name, kind(), nullable=True))
    op.create_table(
        "checkpoints",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("flag", sa.String(length=100), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("ledger", sa.JSON(), nullable=False),
        sa.Column("thinned", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name="fk_checkpoints_environment_id_environments"
        ),
        sa.PrimaryKeyConstraint("environment_id", "flag", "attempt", "start", name="pk_checkpoints"),
    )
    op.create_index("ix_checkpoints_start", "checkpoints", ["start"], unique=False)


def downgrade() -> None:
    op.drop_table("checkpoints")
    for name in reversed(WATCHED):
        op.drop_column("watches", name)
