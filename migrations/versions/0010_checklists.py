"""What people look at before and after a migration, and the test results that they attach to it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "checklists",
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("flag", sa.String(length=100), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name="fk_checklists_environment_id_environments"
        ),
        sa.PrimaryKeyConstraint("environment_id", "flag", "phase", name="pk_checklists"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("flag", sa.String(length=100), nullable=False),
        sa.Column("suite", sa.String(length=100), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("commit", sa.String(length=100), nullable=False),
        sa.Column("link", sa.String(length=1000), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name="fk_attachments_environment_id_environments"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
    )
    index = ["environment_id", "flag", "id"]
    op.create_index("ix_attachments_environment_id_flag_id", "attachments", index, unique=False)


def downgrade() -> None:
    for table in ("attachments", "checklists"):
        op.drop_table(table)
