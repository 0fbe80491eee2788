"""Dropping prices that are older than somebody wants them kept; by default none ever is.

What was in force at the limit stays, with all its revisions, so that every reading after it is the
same. What a person decided of a held price stays too, and so do the looks: they hold no price.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, select, tuple_

from tcgtracker.database.dialects.base import DatabaseDialect, HistoryRows
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.prices import (
    month_table,
    price_blocks,
    price_holds,
    price_late,
    price_series,
    vendor_products,
)
from tcgtracker.domain.clock import from_epoch, start_of_day, to_epoch
from tcgtracker.domain.source import Source
from tcgtracker.prices.codec import decode_blocks, encode_blocks
from tcgtracker.prices.months import load_months
from tcgtracker.prices.rows import rows_in_force

_SERIES = 1_000
"""Series of one transaction: well under 2 s of a SQLite write transaction."""


@dataclass(slots=True)
class Dropped:
    """Rows that were dropped, those of sealed years among them, and of how many series."""

    rows: int = 0
    sealed_rows: int = 0
    series: int = 0


def drop_old_prices(
    database: Database, source: Source, before: datetime, *, check: Callable[[], None]
) -> Dropped:
    """Drop the prices of a source from before a UTC day, but for those still in force on it.

    In bounded batches, each a transaction; killed at any moment it is run again. check: called
    between batches; raises when the work is no longer this process's.
    """
    limit = to_epoch(start_of_day(before.date()))
    done, after = Dropped(), 0
    while True:
        check()
        with database.write() as connection:
            series = _series_after(connection, source, after)
            if not series:
                return done
            _drop(connection, database.dialect, series, limit, done)
        after = series[-1]


def _series_after(connection: Connection, source: Source, after: int) -> list[int]:
    statement = (
        select(price_series.c.id)
        .join(vendor_products, vendor_products.c.id == price_series.c.vendor_product_id)
        .where(vendor_products.c.source == source, price_series.c.id > after)
        .order_by(price_series.c.id)
        .limit(_SERIES)
    )
    return list(connection.execute(statement).scalars())


def _drop(
    connection: Connection,
    dialect: DatabaseDialect,
    series: list[int],
    limit: int,
    done: Dropped,
) -> None:
    # As for a purge: recorders and the sealer wait, who would write beside what is read here.
    dialect.hold_tables(connection, exclusive=True)
    months = [one.month for one in load_months(connection)]
    dialect.lock_months(connection, sorted(months), exclusive=True)
    stays = _that_stay(connection, dialect, series, limit)
    touched: set[int] = set()
    for table in _tables(connection, limit):
        old = and_(
            table.c.series_id.in_(series),
            table.c.observed_at < from_epoch(limit),
            _none_of(table, stays),
        )
        statement = delete(table).where(old).returning(table.c.series_id)
        gone = connection.execute(statement).scalars().all()
        done.rows += len(gone)
        touched.update(gone)
    sealed = _drop_sealed(connection, dialect, series, limit, stays)
    done.rows += len(sealed)
    done.sealed_rows += len(sealed)
    touched.update(sealed.series_id.tolist())
    done.series += len(touched)


def _that_stay(
    connection: Connection, dialect: DatabaseDialect, series: list[int], limit: int
) -> set[tuple[int, int]]:
    """Return series and moment of the rows from before the limit that are not dropped."""
    force = rows_in_force(connection, dialect, np.array(series, np.int64), limit)
    stays = set(zip(force.series_id.tolist(), force.observed_at.tolist(), strict=True))
    decided = connection.execute(
        select(price_holds.c.series_id, price_holds.c.observed_at).where(
            price_holds.c.series_id.in_(series), price_holds.c.decided_by != ""
        )
    )
    return stays | {(row.series_id, to_epoch(row.observed_at)) for row in decided}


def _tables(connection: Connection, limit: int) -> list[Table]:
    last = from_epoch(limit - 1)
    newest = last.year * 100 + last.month
    months = [one for one in load_months(connection) if one.has_table and one.month <= newest]
    return [*(month_table(one.month) for one in months), price_late]


def _none_of(table: Table, stays: set[tuple[int, int]]) -> ColumnElement[bool]:
    keys = [(series_id, from_epoch(at)) for series_id, at in sorted(stays)]
    return tuple_(table.c.series_id, table.c.observed_at).not_in(keys)


def _drop_sealed(
    connection: Connection,
    dialect: DatabaseDialect,
    series: list[int],
    limit: int,
    stays: set[tuple[int, int]],
) -> HistoryRows:
    """Write the blocks of the series without what is old; return the rows that went."""
    went = [HistoryRows.concatenate([])]
    last = from_epoch(limit - 1).year
    found = connection.execute(
        select(price_blocks).where(
            price_blocks.c.series_id.in_(series), price_blocks.c.year <= last
        )
    ).all()
    for year in sorted({row.year for row in found}):
        of_year = [(row.series_id, year, row.block) for row in found if row.year == year]
        rows = decode_blocks(sorted(of_year, key=lambda one: one[0]))
        keys = zip(rows.series_id.tolist(), rows.observed_at.tolist(), strict=True)
        kept = np.array([at >= limit or (one, at) in stays for one, at in keys], bool)
        if kept.all():
            continue
        went.append(rows.select(~kept))
        changed = sorted(set(went[-1].series_id.tolist()))
        connection.execute(
            delete(price_blocks).where(
                price_blocks.c.series_id.in_(changed), price_blocks.c.year == year
            )
        )
        left = rows.select(kept & np.isin(rows.series_id, changed)).sorted_by_key()
        if len(left):
            ids, blocks = encode_blocks(left, year)
            statement = dialect.upsert(price_blocks, ["series_id", "year"], ["block"])
            connection.execute(
                statement,
                [
                    {"series_id": series_id, "year": year, "block": block}
                    for series_id, block in zip(ids.tolist(), blocks, strict=True)
                ],
            )
    return HistoryRows.concatenate(went)
