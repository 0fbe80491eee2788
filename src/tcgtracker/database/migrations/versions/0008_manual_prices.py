"""Users' own prices; the ids that were given although their rows are gone."""

import sqlalchemy as sa
from alembic import op

from tcgtracker.database.types import UtcTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "id_floors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("floor", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_id_floors")),
    )
    op.create_table(
        "manual_prices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("printing", sa.Text(), server_default="", nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("observed_at", UtcTime(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_manual_prices_card_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_manual_prices_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manual_prices")),
    )
    op.create_index("ix_manual_prices_card", "manual_prices", ["card_id"])
    op.create_index("ix_manual_prices_user", "manual_prices", ["user_id", "card_id"])


def downgrade() -> None:
    op.drop_index("ix_manual_prices_user", "manual_prices")
    op.drop_index("ix_manual_prices_card", "manual_prices")

    op.drop_table("manual_prices")
    op.drop_table("id_floors")
