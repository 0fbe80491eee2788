"""The core: catalog, vendor products, price history, jobs."""

import sqlalchemy as sa
from alembic import op

from tcgtracker.database.types import UtcSeconds, UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "change_cursors",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("change_set_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", name=op.f("pk_change_cursors")),
    )
    op.create_table(
        "change_sets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=True),
        sa.Column("observed_at", UtcSeconds(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("series", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_sets")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "collect_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("fetched_at", UtcTime(), nullable=False),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.Column("cursor", sa.Text(), server_default="", nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "source IN ('pricecharting', 'justtcg', 'tcgplayer', 'tcgcsv', 'manual')",
            name=op.f("ck_collect_runs_source_known"),
        ),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'failed')", name=op.f("ck_collect_runs_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collect_runs")),
    )
    op.create_table(
        "games",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_games")),
        sa.UniqueConstraint("slug", name=op.f("uq_games_slug")),
    )
    op.create_table(
        "item_observations",
        sa.Column("vendor_product_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instants", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("vendor_product_id", "month", name=op.f("pk_item_observations")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("run_at", UtcTime(), nullable=False),
        sa.Column("lease_until", UtcTime(), nullable=True),
        sa.Column("lease_owner", sa.Text(), server_default="", nullable=False),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        sa.Column("schedule", sa.Text(), nullable=True),
        sa.Column("due_at", UtcTime(), nullable=True),
        sa.Column("progress_done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=True),
        sa.Column("progress_note", sa.Text(), server_default="", nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("error_type", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=True),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["jobs.id"], name=op.f("fk_jobs_parent_id")),
        sa.CheckConstraint(
            "state IN ('ready', 'running', 'retry', 'done', 'dead', 'cancelled')",
            name=op.f("ck_jobs_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("schedule", "due_at", name=op.f("uq_jobs_schedule_due_at")),
    )
    op.create_index(
        "ix_jobs_due",
        "jobs",
        ["run_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('ready', 'retry')"),
        postgresql_where=sa.text("state IN ('ready', 'retry')"),
    )
    op.create_index(
        "ix_jobs_lease",
        "jobs",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "uq_jobs_dedupe_key",
        "jobs",
        ["dedupe_key"],
        unique=True,
        sqlite_where=sa.text("state IN ('ready', 'running', 'retry')"),
        postgresql_where=sa.text("state IN ('ready', 'running', 'retry')"),
    )
    op.create_table(
        "price_blocks",
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("block", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", "year", name=op.f("pk_price_blocks")),
        sqlite_with_rowid=False,
    )
    if _on_postgresql():
        op.create_table(
            "price_history",
            sa.Column("observed_at", UtcSeconds(), nullable=False),
            sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("revision", sa.SmallInteger(), server_default="0", nullable=False),
            sa.Column("state", sa.SmallInteger(), server_default="0", nullable=False),
            sa.Column("market_price", sa.Integer(), nullable=True),
            sa.Column("price_low", sa.Integer(), nullable=True),
            sa.Column("price_high", sa.Integer(), nullable=True),
            sa.Column("price_avg", sa.Integer(), nullable=True),
            sa.Column("direct_low", sa.Integer(), nullable=True),
            sa.CheckConstraint("state IN (0, 1, 2)", name=op.f("ck_price_history_state_known")),
            sa.PrimaryKeyConstraint(
                "series_id", "observed_at", "revision", name=op.f("pk_price_history")
            ),
            postgresql_partition_by="RANGE (observed_at)",
        )
    op.create_table(
        "price_holds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("observed_at", UtcSeconds(), nullable=False),
        sa.Column("market_price", sa.BigInteger(), nullable=True),
        sa.Column("price_low", sa.BigInteger(), nullable=True),
        sa.Column("price_high", sa.BigInteger(), nullable=True),
        sa.Column("price_avg", sa.BigInteger(), nullable=True),
        sa.Column("direct_low", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reference_price", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("confirmed_days", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('held', 'released', 'rejected')", name=op.f("ck_price_holds_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_holds")),
        sa.UniqueConstraint(
            "series_id", "observed_at", name=op.f("uq_price_holds_series_id_observed_at")
        ),
    )
    op.create_index("ix_price_holds_state", "price_holds", ["state", "series_id"], unique=False)
    op.create_table(
        "price_late",
        sa.Column("observed_at", UtcSeconds(), nullable=False),
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("market_price", sa.Integer(), nullable=True),
        sa.Column("price_low", sa.Integer(), nullable=True),
        sa.Column("price_high", sa.Integer(), nullable=True),
        sa.Column("price_avg", sa.Integer(), nullable=True),
        sa.Column("direct_low", sa.Integer(), nullable=True),
        sa.CheckConstraint("state IN (0, 1, 2)", name=op.f("ck_price_late_state_known")),
        sa.PrimaryKeyConstraint("series_id", "observed_at", "revision", name=op.f("pk_price_late")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "price_months",
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("folded_through", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'sealing', 'sealed')", name=op.f("ck_price_months_state_known")
        ),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_price_months")),
    )
    op.create_table(
        "quarantined_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("observed_at", UtcSeconds(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("sub_key", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "source IN ('pricecharting', 'justtcg', 'tcgplayer', 'tcgcsv', 'manual')",
            name=op.f("ck_quarantined_rows_source_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_rows")),
        sa.UniqueConstraint("digest", name=op.f("uq_quarantined_rows_digest")),
    )
    op.create_index("ix_quarantined_rows_run", "quarantined_rows", ["run_id"], unique=False)
    op.create_table(
        "scopes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "source IN ('pricecharting', 'justtcg', 'tcgplayer', 'tcgcsv', 'manual')",
            name=op.f("ck_scopes_source_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scopes")),
        sa.UniqueConstraint("source", "name", name=op.f("uq_scopes_source_name")),
    )
    op.create_table(
        "observations",
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("observed_at", UtcSeconds(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_observations_scope_id")),
        sa.PrimaryKeyConstraint("scope_id", "observed_at", name=op.f("pk_observations")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "scope_blobs",
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_scope_blobs_scope_id")),
        sa.PrimaryKeyConstraint("scope_id", "part", name=op.f("pk_scope_blobs")),
    )
    if (
        _on_postgresql()
    ):  # rewritten daily and compressed already by their form: no TOAST compression
        op.execute("ALTER TABLE scope_blobs ALTER COLUMN blob SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE price_blocks ALTER COLUMN block SET STORAGE MAIN")
    op.create_table(
        "scope_states",
        sa.Column("scope_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcSeconds(), nullable=True),
        sa.Column("open_at", UtcSeconds(), nullable=True),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_scope_states_scope_id")),
        sa.PrimaryKeyConstraint("scope_id", name=op.f("pk_scope_states")),
    )
    op.create_table(
        "scope_touches",
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["scopes.id"], name=op.f("fk_scope_touches_scope_id")
        ),
        sa.PrimaryKeyConstraint("scope_id", "series_id", name=op.f("pk_scope_touches")),
        sqlite_with_rowid=False,
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
        "vendor_products",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("sub_key", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("set_name", sa.Text(), server_default="", nullable=False),
        sa.Column("number", sa.Text(), server_default="", nullable=False),
        sa.Column("rarity", sa.Text(), server_default="", nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=True),
        sa.Column("first_seen_at", UtcSeconds(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["scopes.id"], name=op.f("fk_vendor_products_scope_id")
        ),
        sa.CheckConstraint(
            "source IN ('pricecharting', 'justtcg', 'tcgplayer', 'tcgcsv', 'manual')",
            name=op.f("ck_vendor_products_source_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_products")),
        sa.UniqueConstraint(
            "source",
            "external_id",
            "sub_key",
            name=op.f("uq_vendor_products_source_external_id_sub_key"),
        ),
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
        "price_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("vendor_product_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_product_id"],
            ["vendor_products.id"],
            name=op.f("fk_price_series_vendor_product_id"),
        ),
        sa.CheckConstraint(
            "kind IN ('market', 'guide', 'ask', 'boxed', 'manual')",
            name=op.f("ck_price_series_kind_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_series")),
        sa.UniqueConstraint(
            "vendor_product_id",
            "kind",
            "variant",
            "language",
            "currency",
            name=op.f("uq_price_series_vendor_product_id_kind_variant_language_currency"),
        ),
    )
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


def downgrade() -> None:
    _drop_months()

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
    op.drop_table("price_series")
    op.drop_index("ix_cards_next_check", table_name="cards")
    op.drop_index("ix_cards_name", table_name="cards")
    op.drop_table("cards")
    op.drop_table("vendor_products")
    op.drop_table("tcg_sets")
    op.drop_table("scope_touches")
    op.drop_table("scope_states")
    op.drop_table("scope_blobs")
    op.drop_table("observations")
    op.drop_table("scopes")
    op.drop_index("ix_quarantined_rows_run", table_name="quarantined_rows")
    op.drop_table("quarantined_rows")
    op.drop_table("price_months")
    op.drop_table("price_late")
    op.drop_index("ix_price_holds_state", table_name="price_holds")
    op.drop_table("price_holds")
    if _on_postgresql():
        op.drop_table("price_history")
    op.drop_table("price_blocks")
    op.drop_index(
        "uq_jobs_dedupe_key",
        table_name="jobs",
        sqlite_where=sa.text("state IN ('ready', 'running', 'retry')"),
        postgresql_where=sa.text("state IN ('ready', 'running', 'retry')"),
    )
    op.drop_index("ix_jobs_lease", table_name="jobs")
    op.drop_index(
        "ix_jobs_due",
        table_name="jobs",
        sqlite_where=sa.text("state IN ('ready', 'retry')"),
        postgresql_where=sa.text("state IN ('ready', 'retry')"),
    )
    op.drop_table("jobs")
    op.drop_table("item_observations")
    op.drop_table("games")
    op.drop_table("collect_runs")
    op.drop_table("change_sets")
    op.drop_table("change_cursors")


def _drop_months() -> None:
    """Drop SQLite's tables of months; PostgreSQL drops its partitions itself."""
    if _on_postgresql():
        return
    connection = op.get_bind()
    for name in sa.inspect(connection).get_table_names():
        if name.startswith("price_history_"):
            op.drop_table(name)


def _on_postgresql() -> bool:
    return bool(op.get_bind().dialect.name == "postgresql")
