"""Price history: what vendors said, when, and what was looked at. The model is in `prices/`."""

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from tcgtracker.database.tables.base import metadata
from tcgtracker.database.types import UtcSeconds, UtcTime, checked_text
from tcgtracker.domain.quote import VALUE_NAMES, HoldState, RowState
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind


class RunState(StrEnum):
    """How a collect run stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class MonthState(StrEnum):
    """Whether a month of prices lies in rows, is being folded, or lies in blocks."""

    OPEN = "open"
    SEALING = "sealing"
    SEALED = "sealed"


# Bulk scopes: the smallest unit whose absence means something (DESIGN section 5).
scopes = Table(
    "scopes",
    metadata,
    Column("id", Integer, primary_key=True),
    checked_text("source", Source),
    Column("name", Text, nullable=False),
    Column("interval_s", Integer, nullable=False),
    UniqueConstraint("source", "name"),
)

vendor_products = Table(
    "vendor_products",
    metadata,
    Column("id", Integer, primary_key=True),
    checked_text("source", Source),
    Column("external_id", Text, nullable=False),
    Column("sub_key", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),
    Column("set_name", Text, nullable=False, server_default=""),
    Column("number", Text, nullable=False, server_default=""),
    Column("rarity", Text, nullable=False, server_default=""),
    Column("url", Text, nullable=False, server_default=""),
    Column("scope_id", Integer, ForeignKey("scopes.id")),
    Column("first_seen_at", UtcSeconds, nullable=False),
    UniqueConstraint("source", "external_id", "sub_key"),
)

price_series = Table(
    "price_series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("vendor_product_id", Integer, ForeignKey("vendor_products.id"), nullable=False),
    checked_text("kind", PriceKind),
    Column("variant", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("currency", Text, nullable=False),
    UniqueConstraint("vendor_product_id", "kind", "variant", "language", "currency"),
)


def history_columns() -> list[Column[Any] | CheckConstraint]:
    """Return the columns of a table of history rows (the wide ones first, for alignment)."""
    states = ", ".join(str(int(state)) for state in RowState)
    return [
        Column("observed_at", UtcSeconds, nullable=False),
        Column("series_id", Integer, nullable=False, autoincrement=False),
        Column("revision", SmallInteger, nullable=False, server_default="0"),
        Column("state", SmallInteger, nullable=False, server_default="0"),
        *(Column(name, Integer) for name in VALUE_NAMES),
        CheckConstraint(f"state IN ({states})", name="state_known"),
    ]


# PostgreSQL: partitioned by month. SQLite: never made; months are tables of this shape
# (`month_table`), since SQLite has no partitions.
price_history = Table(
    "price_history",
    metadata,
    *history_columns(),
    PrimaryKeyConstraint("series_id", "observed_at", "revision"),
    postgresql_partition_by="RANGE (observed_at)",
)

price_late = Table(
    "price_late",
    metadata,
    *history_columns(),
    PrimaryKeyConstraint("series_id", "observed_at", "revision"),
    sqlite_with_rowid=False,
)


def month_name(month: int) -> str:
    """Return the table (or partition) of a month given as 202510."""
    return f"price_history_{month // 100:04d}_{month % 100:02d}"


def month_table(month: int) -> Table:
    """Return the table of one month, outside the shared metadata."""
    return Table(
        month_name(month),
        MetaData(naming_convention=metadata.naming_convention),
        *history_columns(),
        PrimaryKeyConstraint("series_id", "observed_at", "revision"),
        sqlite_with_rowid=False,
    )


price_months = Table(
    "price_months",
    metadata,
    Column("month", Integer, primary_key=True, autoincrement=False),
    checked_text("state", MonthState),
    Column("folded_through", Integer, nullable=False, server_default="0"),
)

# One block per series and UTC year (prices/codec.py).
price_blocks = Table(
    "price_blocks",
    metadata,
    Column("series_id", Integer, nullable=False, autoincrement=False),
    Column("year", SmallInteger, nullable=False, autoincrement=False),
    Column("block", LargeBinary, nullable=False),
    PrimaryKeyConstraint("series_id", "year"),
    sqlite_with_rowid=False,
)

observations = Table(
    "observations",
    metadata,
    Column("scope_id", Integer, ForeignKey("scopes.id"), nullable=False),
    Column("observed_at", UtcSeconds, nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("complete", Boolean(create_constraint=False), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    PrimaryKeyConstraint("scope_id", "observed_at"),
    sqlite_with_rowid=False,
)

item_observations = Table(
    "item_observations",
    metadata,
    Column("vendor_product_id", Integer, nullable=False, autoincrement=False),
    Column("month", Integer, nullable=False, autoincrement=False),
    Column("instants", LargeBinary, nullable=False),
    PrimaryKeyConstraint("vendor_product_id", "month"),
    sqlite_with_rowid=False,
)

scope_states = Table(
    "scope_states",
    metadata,
    Column("scope_id", Integer, ForeignKey("scopes.id"), primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("last_at", UtcSeconds),
    Column("open_at", UtcSeconds),
    Column("parts", JSON, nullable=False),
)

scope_blobs = Table(
    "scope_blobs",
    metadata,
    Column("scope_id", Integer, ForeignKey("scopes.id"), nullable=False),
    Column("part", Text, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    PrimaryKeyConstraint("scope_id", "part"),
)

# Series of a bulk scope whose newest row was written by another path; the next bulk page of the
# scope reads them from history instead of trusting its state.
scope_touches = Table(
    "scope_touches",
    metadata,
    Column("scope_id", Integer, ForeignKey("scopes.id"), nullable=False),
    Column("series_id", Integer, nullable=False, autoincrement=False),
    PrimaryKeyConstraint("scope_id", "series_id"),
    sqlite_with_rowid=False,
)

price_holds = Table(
    "price_holds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("series_id", Integer, nullable=False),
    Column("observed_at", UtcSeconds, nullable=False),
    *(Column(name, BigInteger) for name in VALUE_NAMES),
    Column("reason", Text, nullable=False),
    Column("reference_price", BigInteger),
    checked_text("state", HoldState),
    Column("confirmed_days", JSON, nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("decided_at", UtcTime),
    Column("decided_by", Text, nullable=False, server_default=""),
    UniqueConstraint("series_id", "observed_at"),
    Index("ix_price_holds_state", "state", "series_id"),
)

collect_runs = Table(
    "collect_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    checked_text("source", Source),
    Column("input", Text, nullable=False),
    checked_text("state", RunState),
    Column("started_at", UtcTime, nullable=False),
    Column("fetched_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("cursor", Text, nullable=False, server_default=""),
    Column("report", JSON, nullable=False),
    Column("error", Text, nullable=False, server_default=""),
    Index("ix_collect_runs_source", "source", "id"),
)

change_sets = Table(
    "change_sets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Integer, nullable=False),
    Column("scope_id", Integer),
    Column("observed_at", UtcSeconds, nullable=False),
    Column("complete", Boolean(create_constraint=False), nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("series", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

change_cursors = Table(
    "change_cursors",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("change_set_id", Integer, nullable=False),
)

quarantined_rows = Table(
    "quarantined_rows",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Integer, nullable=False),
    checked_text("source", Source),
    Column("observed_at", UtcSeconds),
    Column("external_id", Text, nullable=False),
    Column("sub_key", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False),
    Column("raw", Text, nullable=False),
    # of all the columns above but the run, so that the same row is kept once
    Column("digest", Text, nullable=False, unique=True),
    Index("ix_quarantined_rows_run", "run_id"),
    Index("ix_quarantined_rows_reason", "source", "reason"),
)

# Ids up to these were given once, though their rows may be gone: what still names one (a change
# set, a cursor) must never meet another thing under it. PostgreSQL's sequences know by themselves.
id_floors = Table(
    "id_floors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("floor", Integer, nullable=False),
)

ONLY_ON_POSTGRESQL = frozenset({"price_history"})
"""Tables that SQLite does not have."""
