"""What services tell of their routing: retries, fallbacks, unknown writes, shadows, breakers and overrides."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COUNTS = ("retries", "fallbacks", "unknown")


def upgrade() -> None:
    for name in COUNTS:
        op.add_column("buckets", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    for name in ("shadow", "ratio"):
        op.add_column("buckets", sa.Column(name, sa.JSON(), nullable=True))
    for name in ("breakers", "overrides"):
        op.add_column("instances", sa.Column(name, sa.JSON(), nullable=True))
    _create_examples("mismatches", sa.Column("paths", sa.JSON(), nullable=False))
    _create_examples(
        "receipts",
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
    )
    _create_counts("divergences", "writes")
    _create_counts("noise", "match", "mismatch")


def _create_counts(table: str, *counts: str) -> None:
    op.create_table(
        table,
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("flag", sa.String(length=100), nullable=False),
        sa.Column("operation", sa.String(length=100), nullable=False),
        *[sa.Column(name, sa.BigInteger(), nullable=False) for name in counts],
        sa.Column("newest_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=f"fk_{table}_environment_id_environments"
        ),
        sa.PrimaryKeyConstraint("environment_id", "flag", "operation", name=f"pk_{table}"),
    )


def _create_examples(table: str, *own: sa.Column[object]) -> None:
    op.create_table(
        table,
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("flag", sa.String(length=100), nullable=False),
        sa.Column("operation", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("instance", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=True),
        *own,
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environments.id"], name=f"fk_{table}_environment_id_environments"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    index = ["environment_id", "flag", "operation"]
    op.create_index(f"ix_{table}_environment_id_flag_operation", table, index, unique=False)


def downgrade() -> None:
    for table in ("noise", "divergences", "receipts", "mismatches"):
        op.drop_table(table)
    for name in ("overrides", "breakers"):
        op.drop_column("instances", name)
    for name in ("ratio", "shadow", *reversed(COUNTS)):
        op.drop_column("buckets", name)
