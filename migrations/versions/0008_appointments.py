"""When nothing moves on by itself, and single changes that are made at a set time."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "freezes",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["environment_id"], ["environments.id"], name="fk_freezes_environment_id_environments"),
        sa.PrimaryKeyConstraint("id", name="pk_freezes"),
    )
    op.create_index("ix_freezes_environment_id", "freezes", ["environment_id"], unique=False)
    op.create_table(
        "appointments",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("flag", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deed", sa.String(length=20), nullable=False),
        sa.Column("operation", sa.String(length=100), nullable=True),
        sa.Column("share", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name="fk_appointments_environment_id_environments"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_appointments"),
    )
    index = ["environment_id", "over_at", "at"]
    op.create_index("ix_appointments_environment_id_over_at_at", "appointments", index, unique=False)


def downgrade() -> None:
    for table in ("appointments", "freezes"):
        op.drop_table(table)
