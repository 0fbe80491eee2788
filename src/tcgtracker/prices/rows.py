"""Reading history rows wherever they lie: month tables, late rows, sealed blocks."""

from itertools import chain
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from tcgtracker.database.dialects.base import DatabaseDialect, HistoryRows, IntArray
from tcgtracker.database.tables.prices import price_blocks
from tcgtracker.domain.quote import VALUE_NAMES
from tcgtracker.prices.codec import decode_blocks
from tcgtracker.prices.months import row_tables

_VALUES = ", ".join(f"coalesce(h.{name}, -1) AS {name}" for name in VALUE_NAMES)
_EMPTY = HistoryRows.concatenate([])
COLUMNS = ("series_id", "observed_at", "revision", "state", *VALUE_NAMES)
"""What `columns_sql` lists."""
_CHUNK = 10_000
FAR_FUTURE = 253_402_300_799
"""The last second of the year 9999: "now or later" for a query by moment."""


def rows_from_tuples(tuples: list[tuple[Any, ...]]) -> HistoryRows:
    """Return rows from (series_id, observed_at, revision, state, five values)."""
    if not tuples:
        return _EMPTY
    numbers = chain.from_iterable(tuples)
    width = len(COLUMNS)
    return rows_from_table(np.fromiter(numbers, np.int64, len(tuples) * width).reshape(-1, width))


def rows_from_table(table: IntArray) -> HistoryRows:
    """Return rows from a table whose columns are `COLUMNS`."""
    return HistoryRows(table[:, 0], table[:, 1], table[:, 2], table[:, 3], table[:, 4:])


def columns_sql(dialect: DatabaseDialect) -> str:
    """Return the select list of `COLUMNS` for a table named h."""
    at = f"{dialect.epoch_of('h.observed_at')} AS observed_at"
    return f"h.series_id, {at}, h.revision, h.state, {_VALUES}"


def load_series_rows(
    connection: Connection, dialect: DatabaseDialect, series_id: int
) -> HistoryRows:
    """Return every row of one series, all revisions, in no order, each once."""
    columns = columns_sql(dialect)
    union = " UNION ".join(
        f"SELECT {columns} FROM {table} h WHERE h.series_id = :series"  # noqa: S608 - our own names
        for table in row_tables(connection).names
    )
    parts = [rows_from_tuples(dialect.read_history(connection, union, {"series": series_id}))]
    blocks = connection.execute(
        select(price_blocks.c.year, price_blocks.c.block).where(
            price_blocks.c.series_id == series_id
        )
    )
    parts.append(decode_blocks([(series_id, row.year, row.block) for row in blocks]))
    return unique_keys(HistoryRows.concatenate(parts))


def load_many(
    connection: Connection, dialect: DatabaseDialect, series_ids: IntArray
) -> HistoryRows:
    """Return every row of many series, sorted by key, each once."""
    if not len(series_ids):
        return _EMPTY
    parts = []
    columns = columns_sql(dialect)
    with dialect.ids(connection, series_ids) as (wanted, parameters):
        for table in row_tables(connection).names:
            # CROSS JOIN: one look into the month for each series, as SQLite would else read it all.
            sql = f"SELECT {columns} FROM {wanted} CROSS JOIN {table} h WHERE h.series_id = w.id"  # noqa: S608 - our own names
            parts.append(rows_from_tuples(dialect.read_history(connection, sql, parameters)))
    parts.append(_from_blocks(connection, series_ids))
    return unique_keys(HistoryRows.concatenate(parts))


def rows_in_force(
    connection: Connection, dialect: DatabaseDialect, series_ids: IntArray, at: int
) -> HistoryRows:
    """Return for each series its newest row at or before a moment (series without one left out)."""
    return _nearest(connection, dialect, series_ids, at, before=True)


def rows_after(
    connection: Connection, dialect: DatabaseDialect, series_ids: IntArray, at: int
) -> HistoryRows:
    """Return for each series its first row after a moment (series without one left out)."""
    return _nearest(connection, dialect, series_ids, at, before=False)


def _nearest(
    connection: Connection,
    dialect: DatabaseDialect,
    series_ids: IntArray,
    at: int,
    *,
    before: bool,
) -> HistoryRows:
    if not len(series_ids):
        return _EMPTY
    columns, parts, tables = columns_sql(dialect), [], row_tables(connection)
    with dialect.ids(connection, series_ids) as (wanted, parameters):
        for table in tables.names:
            sql = dialect.nearest_rows(columns, table, wanted, before=before)
            found = dialect.read_history(connection, sql, {**parameters, "at": at})
            parts.append(rows_from_tuples(found))
    # Blocks end before the months that are not sealed: mostly none has a nearer row.
    if before:
        unsealed = HistoryRows.concatenate(parts)
        settled = unsealed.series_id[unsealed.observed_at >= tables.folded_until]
        sealed = _from_blocks(connection, np.setdiff1d(series_ids, settled))
    else:
        sealed = _from_blocks(connection, series_ids) if at < tables.folded_until else _EMPTY
    parts.append(sealed.select(sealed.observed_at <= at if before else sealed.observed_at > at))
    rows = unique_keys(HistoryRows.concatenate(parts))
    return _newest_of_each(rows) if before else _oldest_of_each(rows)


def _from_blocks(connection: Connection, series_ids: IntArray) -> HistoryRows:
    parts: list[HistoryRows] = []
    wanted = np.unique(series_ids).tolist()
    if not wanted:
        return _EMPTY
    if connection.execute(select(price_blocks.c.series_id).limit(1)).first() is None:
        return _EMPTY
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        blocks = connection.execute(select(price_blocks).where(price_blocks.c.series_id.in_(chunk)))
        parts.append(decode_blocks([(row.series_id, row.year, row.block) for row in blocks]))
    return HistoryRows.concatenate(parts)


def unique_keys(rows: HistoryRows) -> HistoryRows:
    """Return the rows sorted by key, each key once (a month being sealed lies in two places)."""
    ordered = rows.sorted_by_key()
    if len(ordered) < 2:  # noqa: PLR2004 - nothing to compare
        return ordered
    fresh = np.ones(len(ordered), bool)
    fresh[1:] = (
        (ordered.series_id[1:] != ordered.series_id[:-1])
        | (ordered.observed_at[1:] != ordered.observed_at[:-1])
        | (ordered.revision[1:] != ordered.revision[:-1])
    )
    return ordered if fresh.all() else ordered.select(fresh)


def _newest_of_each(rows: HistoryRows) -> HistoryRows:
    if not len(rows):
        return rows
    last = np.ones(len(rows), bool)
    last[:-1] = rows.series_id[1:] != rows.series_id[:-1]
    return rows.select(last)


def _oldest_of_each(rows: HistoryRows) -> HistoryRows:
    """Return of each series the highest revision of its first moment."""
    if not len(rows):
        return rows
    first = np.ones(len(rows), bool)
    first[1:] = rows.series_id[1:] != rows.series_id[:-1]
    moment = rows.observed_at[first][np.cumsum(first) - 1]
    return _newest_of_each(rows.select(rows.observed_at == moment))
