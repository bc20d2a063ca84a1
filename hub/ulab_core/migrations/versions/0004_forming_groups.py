"""who may form groups, how large they are, and codes to join with."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("assignments", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("group_size", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("own_groups", sa.Boolean(), server_default=sa.false(), nullable=False)
        )

    with op.batch_alter_table("groups", schema=None, recreate="never") as batch_op:
        batch_op.add_column(sa.Column("code", sa.String(length=8), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_groups_assignment_id_code"), ["assignment_id", "code"], unique=True
        )


def downgrade() -> None:
    with op.batch_alter_table("groups", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_groups_assignment_id_code"))
        batch_op.drop_column("code")

    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.drop_column("own_groups")
        batch_op.drop_column("group_size")
