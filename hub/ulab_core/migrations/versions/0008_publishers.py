"""who published each version of a curriculum, and whose each name is."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "publications",
        sa.Column("curriculum", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("publisher", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("curriculum", "version", name=op.f("pk_publications")),
    )
    op.create_table(
        "name_holders",
        sa.Column(
            "kind",
            sa.Enum("curriculum", "lab", "focus_area", name="namekind", native_enum=False),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_name_holders_person_id_people")
        ),
        sa.PrimaryKeyConstraint("kind", "name", "person_id", name=op.f("pk_name_holders")),
    )
    with op.batch_alter_table("name_holders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_name_holders_person_id"), ["person_id"], unique=False)


def downgrade() -> None:
    op.drop_table("name_holders")
    op.drop_table("publications")
