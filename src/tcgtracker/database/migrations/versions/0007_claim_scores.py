"""How sure a claim is, for those that words alone make."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "card_products",
        sa.Column("score", sa.Float(precision=53), server_default="1", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("card_products", "score")
