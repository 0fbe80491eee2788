"""Sealing: months of rows folded into blocks, then dropped. Safe against a crash at any point.

A month goes open -> sealing -> sealed. While it is being sealed, new rows for it are late rows;
what is folded lies in two places until the month is dropped, and readers see each row once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Connection, delete, func, select

from tcgtracker.database.dialects.base import DatabaseDialect, HistoryRows, IntArray
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.prices import (
    MonthState,
    month_name,
    price_blocks,
    price_late,
    price_months,
)
from tcgtracker.domain.clock import from_epoch
from tcgtracker.prices.codec import decode_block, encode_blocks
from tcgtracker.prices.months import Month, load_months, set_month
from tcgtracker.prices.rows import columns_sql, rows_from_tuples, unique_keys

BATCH = 5_000
"""Series in one transaction: well under 2 s of a SQLite write transaction."""


@dataclass(slots=True)
class Sealed:
    """What a run of sealing did."""

    months: list[int]
    series: int = 0
    rows: int = 0
    late_rows: int = 0


def seal_price_history(database: Database, *, now: datetime, after_days: int = 90) -> Sealed:
    """Fold every month that ended more than `after_days` before `now`, then the late rows."""
    limit = now.astimezone(UTC) - timedelta(days=after_days)
    done = Sealed([])
    with database.read() as connection:
        months = [one for one in load_months(connection) if one.has_table]
    for one in sorted(months, key=lambda month: month.month):
        if _end_of(one.month) <= limit:
            folded = seal_month(database, one.month)
            done.months.append(one.month)
            done.series += folded.series
            done.rows += folded.rows
    done.late_rows = fold_late_rows(database)
    return done


def seal_month(database: Database, month: int, *, batch: int = BATCH) -> Sealed:
    """Fold one month into blocks and drop its rows; goes on where an earlier run stopped."""
    done = Sealed([month])
    with database.write() as connection:
        current = _begin(connection, database.dialect, month)
    while current is not None and current.has_table:
        with database.write() as connection:
            current, series, rows = _fold_batch(connection, database.dialect, month, batch)
        done.series += series
        done.rows += rows
        if not series and current is not None and current.state is MonthState.SEALING:
            with database.write() as connection:
                current = _drop(connection, database.dialect, month)
    return done


def fold_late_rows(database: Database, *, batch: int = BATCH) -> int:
    """Fold rows that came for sealed months; return how many."""
    folded = 0
    while True:
        with database.write() as connection:
            count = _fold_late_batch(connection, database.dialect, batch)
        if not count:
            return folded
        folded += count


def _end_of(month: int) -> datetime:
    year, index = divmod(month // 100 * 12 + month % 100, 12)
    return datetime(year, index + 1, 1, tzinfo=UTC)


def _begin(connection: Connection, dialect: DatabaseDialect, month: int) -> Month | None:
    """Turn intake away from the month: from here on its rows do not grow."""
    dialect.lock_months(connection, [month], exclusive=True)
    current = next((one for one in load_months(connection) if one.month == month), None)
    if current is not None and current.state is MonthState.OPEN:
        set_month(connection, month, MonthState.SEALING, 0)
        return Month(month, MonthState.SEALING, 0)
    return current


def _fold_batch(
    connection: Connection, dialect: DatabaseDialect, month: int, batch: int
) -> tuple[Month | None, int, int]:
    dialect.lock_months(connection, [month], exclusive=True)
    current = next((one for one in load_months(connection) if one.month == month), None)
    if current is None or current.state is not MonthState.SEALING:
        return current, 0, 0
    table = month_name(month)
    ids = dialect.read_history(
        connection,
        f"SELECT DISTINCT series_id FROM {table} WHERE series_id > :after"  # noqa: S608 - our own name
        " ORDER BY series_id LIMIT :batch",
        {"after": current.folded_through, "batch": batch},
    )
    if not ids:
        return current, 0, 0
    first, last = int(ids[0][0]), int(ids[-1][0])
    rows = rows_from_tuples(
        dialect.read_history(
            connection,
            f"SELECT {columns_sql(dialect)} FROM {table} h"  # noqa: S608 - our own name
            " WHERE h.series_id BETWEEN :first AND :last",
            {"first": first, "last": last},
        )
    )
    _merge_into_blocks(connection, dialect, rows, month // 100)
    set_month(connection, month, MonthState.SEALING, last)
    return Month(month, MonthState.SEALING, last), len(ids), len(rows)


def _drop(connection: Connection, dialect: DatabaseDialect, month: int) -> Month | None:
    """Drop a month of which all is folded.

    In a transaction of its own: an intake that reads the table may be waiting for the month, so
    the month must not be held while the drop waits for the table.
    """
    dialect.hold_tables(connection, exclusive=True)
    dialect.lock_months(connection, [month], exclusive=True)
    current = next((one for one in load_months(connection) if one.month == month), None)
    if current is None or current.state is not MonthState.SEALING:
        return current
    dialect.drop_month(connection, month)
    set_month(connection, month, MonthState.SEALED, current.folded_through)
    return Month(month, MonthState.SEALED, current.folded_through)


def _fold_late_batch(connection: Connection, dialect: DatabaseDialect, batch: int) -> int:
    sealed = select(price_months.c.month).where(price_months.c.state == MonthState.SEALED.value)
    months = sorted(connection.execute(sealed).scalars())
    for month in months:
        # What comes in between reading and deleting would be deleted unread.
        dialect.lock_months(connection, [month], exclusive=True)
        start = int(datetime(month // 100, month % 100, 1, tzinfo=UTC).timestamp())
        end = int(_end_of(month).timestamp())
        within = (price_late.c.observed_at >= from_epoch(start)) & (
            price_late.c.observed_at < from_epoch(end)
        )
        ids = (
            connection.execute(
                select(price_late.c.series_id)
                .where(within)
                .distinct()
                .order_by(price_late.c.series_id)
                .limit(batch)
            )
            .scalars()
            .all()
        )
        if not ids:
            continue
        chosen = within & price_late.c.series_id.between(ids[0], ids[-1])
        count = connection.execute(
            select(func.count()).select_from(price_late).where(chosen)
        ).scalar_one()
        rows = rows_from_tuples(
            dialect.read_history(
                connection,
                f"SELECT {columns_sql(dialect)} FROM price_late h"  # noqa: S608 - our own name
                f" WHERE h.series_id BETWEEN :first AND :last"
                f" AND h.observed_at >= {dialect.moment('start')}"
                f" AND h.observed_at < {dialect.moment('end')}",
                {"first": ids[0], "last": ids[-1], "start": start, "end": end},
            )
        )
        _merge_into_blocks(connection, dialect, rows, month // 100)
        connection.execute(delete(price_late).where(chosen))
        return int(count)
    return 0


def _merge_into_blocks(
    connection: Connection, dialect: DatabaseDialect, rows: HistoryRows, year: int
) -> None:
    """Put rows of one year into the blocks of their series."""
    series = np.unique(rows.series_id)
    kept = _blocks_of(connection, series, year)
    ids, blocks = encode_blocks(unique_keys(HistoryRows.concatenate([kept, rows])), year)
    statement = dialect.upsert(price_blocks, ["series_id", "year"], ["block"])
    connection.execute(
        statement,
        [
            {"series_id": series_id, "year": year, "block": block}
            for series_id, block in zip(ids.tolist(), blocks, strict=True)
        ],
    )


def _blocks_of(connection: Connection, series: IntArray, year: int) -> HistoryRows:
    found = connection.execute(
        select(price_blocks.c.series_id, price_blocks.c.block).where(
            price_blocks.c.year == year,
            price_blocks.c.series_id.between(int(series[0]), int(series[-1])),
        )
    )
    wanted = set(series.tolist())
    return HistoryRows.concatenate(
        [decode_block(row.block, row.series_id, year) for row in found if row.series_id in wanted]
    )
