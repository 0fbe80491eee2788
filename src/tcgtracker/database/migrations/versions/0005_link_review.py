"""Decisions on links, refused pairs, values of uncertain links, usual ratios of sources."""

import sqlalchemy as sa
from alembic import op

from tcgtracker.database.types import UtcSeconds, UtcTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SOURCES = "('pricecharting', 'justtcg', 'tcgplayer', 'tcgcsv', 'manual')"
_STATES = "('confirmed', 'derived', 'rejected', 'unknown', 'suspended')"
_ACTIONS = "('accept', 'relink', 'reject', 'skip')"


def _one_of(table: str, column: str, values: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN {values}", name=op.f(f"ck_{table}_{column}_known"))


def _of_card(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["cards.id"], name=op.f(f"fk_{table}_{column}"))


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def upgrade() -> None:
    op.add_column("product_links", sa.Column("skipped_at", UtcTime(), nullable=True))
    op.create_index("ix_product_links_state", "product_links", ["state"])

    op.create_table(
        "link_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        _text("sub_key"),
        sa.Column("vendor_product_id", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=False),
        _text("note"),
        _text("stated"),
        sa.Column("old_state", sa.Text(), nullable=False),
        sa.Column("old_card_id", sa.Integer(), nullable=True),
        _text("old_printing"),
        sa.Column("old_score", sa.Float(precision=53), nullable=False),
        _text("old_evidence"),
        _text("old_rule_version"),
        sa.Column("old_checked_at", UtcTime(), nullable=False),
        _text("old_decided_by"),
        sa.Column("new_state", sa.Text(), nullable=False),
        sa.Column("new_card_id", sa.Integer(), nullable=True),
        _text("new_printing"),
        sa.Column("undone_at", UtcTime(), nullable=True),
        _text("undone_by"),
        _of_card("link_decisions", "old_card_id"),
        _of_card("link_decisions", "new_card_id"),
        _one_of("link_decisions", "action", _ACTIONS),
        _one_of("link_decisions", "source", _SOURCES),
        _one_of("link_decisions", "old_state", _STATES),
        _one_of("link_decisions", "new_state", _STATES),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_decisions")),
    )
    op.create_index("ix_link_decisions_product", "link_decisions", ["vendor_product_id"])
    op.create_index("ix_link_decisions_batch", "link_decisions", ["batch"])

    unique = ["source", "external_id", "sub_key", "card_id", "printing"]
    op.create_table(
        "rejected_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        _text("sub_key"),
        sa.Column("card_id", sa.Integer(), nullable=False),
        _text("printing"),
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=False),
        _text("claim_origin"),
        _text("claim_evidence"),
        _of_card("rejected_links", "card_id"),
        _one_of("rejected_links", "source", _SOURCES),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejected_links")),
        sa.UniqueConstraint(*unique, name=op.f(f"uq_rejected_links_{'_'.join(unique)}")),
    )
    op.create_index("ix_rejected_links_card", "rejected_links", ["card_id"])
    op.create_index("ix_rejected_links_batch", "rejected_links", ["batch"])

    op.create_table(
        "link_values",
        sa.Column("vendor_product_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("market_price", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("priced_at", UtcSeconds(), nullable=False),
        _of_card("link_values", "card_id"),
        sa.PrimaryKeyConstraint("vendor_product_id", name=op.f("pk_link_values")),
    )
    op.create_index("ix_link_values_card", "link_values", ["card_id"])

    op.create_table(
        "source_ratios",
        sa.Column("game_id", sa.Integer(), nullable=False),
        sa.Column("left_source", sa.Text(), nullable=False),
        sa.Column("right_source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("band", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("center", sa.Float(precision=53), nullable=False),
        sa.Column("spread", sa.Float(precision=53), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.Column("learned_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_source_ratios_game_id")),
        _one_of("source_ratios", "left_source", _SOURCES),
        _one_of("source_ratios", "right_source", _SOURCES),
        sa.PrimaryKeyConstraint(
            "game_id",
            "left_source",
            "right_source",
            "state",
            "currency",
            "band",
            name=op.f("pk_source_ratios"),
        ),
    )


def downgrade() -> None:
    op.drop_table("source_ratios")
    op.drop_index("ix_link_values_card", "link_values")

    op.drop_table("link_values")
    op.drop_index("ix_rejected_links_batch", "rejected_links")
    op.drop_index("ix_rejected_links_card", "rejected_links")

    op.drop_table("rejected_links")
    op.drop_index("ix_link_decisions_batch", "link_decisions")
    op.drop_index("ix_link_decisions_product", "link_decisions")

    op.drop_table("link_decisions")
    op.drop_index("ix_product_links_state", "product_links")
    op.drop_column("product_links", "skipped_at")
