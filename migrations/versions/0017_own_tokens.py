"""Whose own token it is, which then acts in their name."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tokens") as tokens:
        tokens.add_column(sa.Column("owner_id", sa.Integer(), nullable=True))
        tokens.create_foreign_key("fk_tokens_owner_id_people", "people", ["owner_id"], ["id"])


def downgrade() -> None:
    # A token without its owner would open what its role says, whoever its owner has become.
    op.execute("UPDATE tokens SET revoked_at = created_at WHERE owner_id IS NOT NULL AND revoked_at IS NULL")
    with op.batch_alter_table("tokens") as tokens:
        tokens.drop_constraint("fk_tokens_owner_id_people", type_="foreignkey")
        tokens.drop_column("owner_id")
