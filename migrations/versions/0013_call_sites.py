"""Where services register operations, and which of them called a baseline last."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("instances", sa.Column("sites", sa.JSON(), nullable=True))
    op.create_table(
        "baseline_callers",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("flag", sa.String(length=100), nullable=False),
        sa.Column("operation", sa.String(length=100), nullable=False),
        sa.Column("service", sa.String(length=200), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("instance", sa.String(length=100), nullable=False),
        sa.Column("assigned_by", sa.String(length=20), nullable=False),
        sa.Column("sites", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name="fk_baseline_callers_environment_id_environments"
        ),
        sa.PrimaryKeyConstraint("environment_id", "flag", "operation", "service", name="pk_baseline_callers"),
    )


def downgrade() -> None:
    op.drop_table("baseline_callers")
    op.drop_column("instances", "sites")
