"""Vendors' products and the history of their prices, as revision 0001 makes them."""

import sqlalchemy as sa
from alembic import op

from tcgtracker.database.types import UtcSeconds, UtcTime


def create() -> None:
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
        "item_observations",
        sa.Column("vendor_product_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("instants", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("vendor_product_id", "month", name=op.f("pk_item_observations")),
        sqlite_with_rowid=False,
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


def drop() -> None:
    _drop_months()
    op.drop_table("price_series")
    op.drop_table("vendor_products")
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
    op.drop_table("item_observations")
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
