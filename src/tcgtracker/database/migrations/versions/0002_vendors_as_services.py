"""Vendors as services: budgets, health, flags, and what they say of their products."""

import sqlalchemy as sa
from alembic import op

from tcgtracker.database.types import UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feature_flags",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.Column("changed_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feature_flags")),
    )
    op.create_table(
        "source_state",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("stopped", sa.Text(), server_default="", nullable=False),
        sa.Column("credentials", sa.Text(), server_default="", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opened_at", UtcTime(), nullable=True),
        sa.Column("probe_until", UtcTime(), nullable=True),
        sa.Column("not_before", UtcTime(), nullable=True),
        sa.Column("last_ok_at", UtcTime(), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("last_error_at", UtcTime(), nullable=True),
        sa.Column("terms_accepted_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("service", name=op.f("pk_source_state")),
    )
    op.create_table(
        "stated_products",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("game", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("set_name", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("rarity", sa.Text(), server_default="", nullable=False),
        sa.Column("printing", sa.Text(), server_default="", nullable=False),
        sa.Column("tcgplayer_id", sa.Text(), server_default="", nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("product_type", sa.Text(), nullable=False),
        sa.Column("first_seen_at", UtcTime(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.CheckConstraint(
            "source IN ('pricecharting', 'justtcg', 'tcgplayer', 'tcgcsv', 'manual')",
            name=op.f("ck_stated_products_source_known"),
        ),
        sa.CheckConstraint(
            "product_type IN ('single', 'sealed')",
            name=op.f("ck_stated_products_product_type_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stated_products")),
        sa.UniqueConstraint(
            "source", "external_id", name=op.f("uq_stated_products_source_external_id")
        ),
    )
    op.create_index("ix_stated_products_tcgplayer", "stated_products", ["tcgplayer_id"])

    op.create_table(
        "sync_marks",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("marked_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("service", "subject", name=op.f("pk_sync_marks")),
    )
    op.create_table(
        "vendor_quota",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("starts_at", UtcTime(), nullable=False),
        sa.Column("resets_at", UtcTime(), nullable=False),
        sa.Column("allowed", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("period IN ('day', 'month')", name=op.f("ck_vendor_quota_period_known")),
        sa.PrimaryKeyConstraint("service", "period", name=op.f("pk_vendor_quota")),
    )
    op.add_column(
        "cards", sa.Column("unanswered", sa.Integer(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("cards", "unanswered")

    op.drop_table("vendor_quota")
    op.drop_table("sync_marks")
    op.drop_index("ix_stated_products_tcgplayer", "stated_products")

    op.drop_table("stated_products")
    op.drop_table("source_state")
    op.drop_table("feature_flags")
