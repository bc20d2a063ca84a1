"""lanes, progress, and what a submission was graded with."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("courses", schema=None) as batch_op:
        batch_op.add_column(sa.Column("served_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("graded_version", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("tests_digest", sa.String(length=64), nullable=True))

    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "lane",
                sa.Enum("live", "regrade", name="lane", native_enum=False),
                server_default="live",
                nullable=False,
            )
        )
        batch_op.add_column(
            sa.Column("forced", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("started_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("question", sa.String(length=128), nullable=True))
        batch_op.add_column(sa.Column("questions_done", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("questions", sa.Integer(), nullable=True))
        batch_op.alter_column(
            "worker", existing_type=sa.String(length=64), type_=sa.String(length=128)
        )


def downgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.alter_column(
            "worker", existing_type=sa.String(length=128), type_=sa.String(length=64)
        )
        for column in ("questions", "questions_done", "question", "started_at", "forced", "lane"):
            batch_op.drop_column(column)

    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.drop_column("tests_digest")
        batch_op.drop_column("graded_version")

    with op.batch_alter_table("courses", schema=None) as batch_op:
        batch_op.drop_column("served_at")
