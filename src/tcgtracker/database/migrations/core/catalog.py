"""Games, sets, cards, printings and the links to them, as revision 0001 makes them."""

import sqlalchemy as sa
from alembic import op

from tcgtracker.database.types import UtcSeconds, UtcTime


def create() -> None:
    op.create_table(
        "games",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_games")),
        sa.UniqueConstraint("slug", name=op.f("uq_games_slug")),
    )
    op.create_table(
        "tcg_sets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("game_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), server_default="", nullable=False),
        sa.Column("release_date", sa.Date(), nullable=True),
        sa.Column("total_cards", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_tcg_sets_game_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tcg_sets")),
        sa.UniqueConstraint("game_id", "code", name=op.f("uq_tcg_sets_game_id_code")),
    )
    op.create_table(
        "cards",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("collector_number", sa.Text(), nullable=False),
        sa.Column("art", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rarity", sa.Text(), server_default="", nullable=False),
        sa.Column("image_url", sa.Text(), server_default="", nullable=False),
        sa.Column("product_type", sa.Text(), nullable=False),
        sa.Column("last_price_update", UtcSeconds(), nullable=True),
        sa.Column("next_check_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["set_id"], ["tcg_sets.id"], name=op.f("fk_cards_set_id")),
        sa.CheckConstraint(
            "product_type IN ('single', 'sealed')", name=op.f("ck_cards_product_type_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
        sa.UniqueConstraint(
            "set_id", "collector_number", "art", name=op.f("uq_cards_set_id_collector_number_art")
        ),
    )
    op.create_index("ix_cards_name", "cards", ["name"], unique=False)
    op.create_index("ix_cards_next_check", "cards", ["next_check_at"], unique=False)
    op.create_table(
        "set_aliases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("game_id", sa.Integer(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_set_aliases_game_id")),
        sa.ForeignKeyConstraint(["set_id"], ["tcg_sets.id"], name=op.f("fk_set_aliases_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_set_aliases")),
        sa.UniqueConstraint("game_id", "alias", name=op.f("uq_set_aliases_game_id_alias")),
    )
    op.create_table(
        "card_aliases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_card_aliases_card_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_aliases")),
        sa.UniqueConstraint("alias", name=op.f("uq_card_aliases_alias")),
    )
    op.create_index("ix_card_aliases_card", "card_aliases", ["card_id"], unique=False)
    op.create_table(
        "card_products",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("printing", sa.Text(), server_default="", nullable=False),
        sa.Column("variant", sa.Text(), server_default="", nullable=False),
        sa.Column("origin", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_card_products_card_id")),
        sa.CheckConstraint(
            "source IN ('pricecharting', 'justtcg', 'tcgplayer', 'tcgcsv', 'manual')",
            name=op.f("ck_card_products_source_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_products")),
        sa.UniqueConstraint(
            "source",
            "external_id",
            "card_id",
            name=op.f("uq_card_products_source_external_id_card_id"),
        ),
    )
    op.create_index("ix_card_products_card", "card_products", ["card_id"], unique=False)
    op.create_table(
        "card_quotes",
        sa.Column("card_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("market_price", sa.Integer(), nullable=True),
        sa.Column("observed_at", UtcSeconds(), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_card_quotes_card_id")),
        sa.PrimaryKeyConstraint("card_id", "source", name=op.f("pk_card_quotes")),
    )
    op.create_index("ix_card_quotes_scope", "card_quotes", ["scope_id"], unique=False)
    op.create_index("ix_card_quotes_series", "card_quotes", ["series_id"], unique=False)
    op.create_table(
        "printings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_printings_card_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_printings")),
        sa.UniqueConstraint("card_id", "name", name=op.f("uq_printings_card_id_name")),
    )
    op.create_table(
        "product_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("vendor_product_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("printing_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(precision=53), server_default="1", nullable=False),
        sa.Column("evidence", sa.Text(), server_default="", nullable=False),
        sa.Column("rule_version", sa.Text(), server_default="", nullable=False),
        sa.Column("checked_at", UtcTime(), nullable=False),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_product_links_card_id")),
        sa.ForeignKeyConstraint(
            ["printing_id"], ["printings.id"], name=op.f("fk_product_links_printing_id")
        ),
        sa.CheckConstraint(
            "source IN ('pricecharting', 'justtcg', 'tcgplayer', 'tcgcsv', 'manual')",
            name=op.f("ck_product_links_source_known"),
        ),
        sa.CheckConstraint(
            "state IN ('confirmed', 'derived', 'rejected', 'unknown', 'suspended')",
            name=op.f("ck_product_links_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_links")),
        sa.UniqueConstraint("vendor_product_id", name=op.f("uq_product_links_vendor_product_id")),
    )
    op.create_index("ix_product_links_card", "product_links", ["card_id", "state"], unique=False)


def drop() -> None:
    op.drop_index("ix_product_links_card", table_name="product_links")
    op.drop_table("product_links")
    op.drop_table("printings")
    op.drop_index("ix_card_quotes_series", table_name="card_quotes")
    op.drop_index("ix_card_quotes_scope", table_name="card_quotes")
    op.drop_table("card_quotes")
    op.drop_index("ix_card_products_card", table_name="card_products")
    op.drop_table("card_products")
    op.drop_index("ix_card_aliases_card", table_name="card_aliases")
    op.drop_table("card_aliases")
    op.drop_table("set_aliases")
    op.drop_index("ix_cards_next_check", table_name="cards")
    op.drop_index("ix_cards_name", table_name="cards")
    op.drop_table("cards")
    op.drop_table("tcg_sets")
    op.drop_table("games")
