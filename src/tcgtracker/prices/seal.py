"""Sealing: months of rows folded into blocks, then dropped. Safe against a crash at any point.

A month goes open -> sealing -> sealed. While it is being sealed, new rows for it are late rows;
what is folded lies in two places until the month is dropped, and readers see each row once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

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
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.prices.codec import decode_blocks, encode_blocks
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
        months = [one.month for one in load_months(connection) if one.has_table]
    due = sorted(month for month in months if _end_of(month) <= limit)
    for _, of_year in groupby(due, key=lambda month: month // 100):
        folded = seal_months(database, list(of_year))
        done.months += folded.months
        done.series += folded.series
        done.rows += folded.rows
    done.late_rows = fold_late_rows(database)
    return done


def seal_months(database: Database, months: Sequence[int], *, batch: int = BATCH) -> Sealed:
    """Fold months of one year into blocks and drop them; goes on where an earlier run stopped.

    Together, since each fold of a year writes its blocks anew.
    """
    if len({month // 100 for month in months}) > 1:
        raise InvalidInput("only months of one year are sealed together")
    done = Sealed(sorted(months))
    with database.write() as connection:
        _begin(connection, database.dialect, done.months)
    more = True
    while more:
        with database.write() as connection:
            series, rows = _fold_batch(connection, database.dialect, done.months, batch)
        more = series > 0
        done.series += series
        done.rows += rows
    with database.write() as connection:
        _drop(connection, database.dialect, done.months)
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


def _unsealed(connection: Connection, dialect: DatabaseDialect, months: list[int]) -> list[Month]:
    """Return those of the months that still have a table; intake stays away from them."""
    dialect.lock_months(connection, months, exclusive=True)
    return [one for one in load_months(connection) if one.month in months and one.has_table]


def _begin(connection: Connection, dialect: DatabaseDialect, months: list[int]) -> None:
    """Turn intake away from the months: from here on their rows do not grow."""
    for one in _unsealed(connection, dialect, months):
        if one.state is MonthState.OPEN:
            set_month(connection, one.month, MonthState.SEALING, 0)


def _fold_batch(
    connection: Connection, dialect: DatabaseDialect, months: list[int], batch: int
) -> tuple[int, int]:
    """Fold the next series of the months; return how many series and rows, 0 at the end."""
    sealing = _unsealed(connection, dialect, months)
    if not sealing:
        return 0, 0
    after = min(one.folded_through for one in sealing)
    tables = [month_name(one.month) for one in sealing]
    each = [f"SELECT series_id FROM {table} WHERE series_id > :after" for table in tables]  # noqa: S608 - our own names
    ids = dialect.read_history(
        connection,
        f"{' UNION '.join(each)} ORDER BY series_id LIMIT :batch",
        {"after": after, "batch": batch},
    )
    if not ids:
        return 0, 0
    first, last = int(ids[0][0]), int(ids[-1][0])
    rows = rows_from_tuples(
        dialect.read_history(
            connection,
            " UNION ALL ".join(
                f"SELECT {columns_sql(dialect)} FROM {table} h"  # noqa: S608 - our own name
                " WHERE h.series_id BETWEEN :first AND :last"
                for table in tables
            ),
            {"first": first, "last": last},
        )
    )
    _merge_into_blocks(connection, dialect, rows, months[0] // 100)
    for one in sealing:
        set_month(connection, one.month, MonthState.SEALING, last)
    return len(ids), len(rows)


def _drop(connection: Connection, dialect: DatabaseDialect, months: list[int]) -> None:
    """Drop months of which all is folded.

    In a transaction of its own: an intake that reads the tables may be waiting for the months, so
    the months must not be held while the drop waits for the tables.
    """
    dialect.hold_tables(connection, exclusive=True)
    for one in _unsealed(connection, dialect, months):
        dialect.drop_month(connection, one.month)
        set_month(connection, one.month, MonthState.SEALED, one.folded_through)


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
    return decode_blocks(
        [(row.series_id, year, row.block) for row in found if row.series_id in wanted]
    )
