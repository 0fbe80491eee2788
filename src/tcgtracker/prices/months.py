"""The month manager: which table holds the rows of a month, and whether it still takes any."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from sqlalchemy import Connection, select, update

from tcgtracker.database.dialects.base import DatabaseDialect, HistoryRows
from tcgtracker.database.tables.prices import MonthState, month_name, price_months
from tcgtracker.prices.reading import month_of

LATE_TABLE = "price_late"


@dataclass(frozen=True, slots=True)
class Month:
    """A month of rows, as 202510. `folded_through` is the last series already in blocks."""

    month: int
    state: MonthState
    folded_through: int

    @property
    def has_table(self) -> bool:
        return self.state is not MonthState.SEALED


def load_months(connection: Connection) -> list[Month]:
    """Return all months, newest first."""
    rows = connection.execute(select(price_months).order_by(price_months.c.month.desc()))
    return [Month(row.month, MonthState(row.state), row.folded_through) for row in rows]


@dataclass(frozen=True, slots=True)
class RowTables:
    """Where rows lie that are not sealed, or not yet.

    names: the tables of months, oldest first, then that of the late rows. folded_until: the end of
    the newest month that may lie in blocks (epoch seconds); no block has a later row.
    """

    names: tuple[str, ...]
    folded_until: int


@lru_cache(maxsize=8)  # asked with every read, and the months are mostly the same
def tables_of_months(states: tuple[tuple[int, str], ...]) -> RowTables:
    """Return the tables for months and their states, oldest first."""
    names = [month_name(month) for month, state in states if state != MonthState.SEALED]
    newest = max((month for month, state in states if state != MonthState.OPEN), default=0)
    folded_until = 0
    if newest:
        months = newest // 100 * 12 + newest % 100 - 1970 * 12
        folded_until = int(np.datetime64(months, "M").astype("datetime64[s]").astype(np.int64))
    return RowTables((*names, LATE_TABLE), folded_until)


def row_tables(connection: Connection) -> RowTables:
    """Return the tables that hold rows."""
    rows = connection.execute(
        select(price_months.c.month, price_months.c.state).order_by(price_months.c.month)
    )
    return tables_of_months(tuple((row.month, row.state) for row in rows))


class MonthWriter:
    """Writes rows to the tables of their months, within one transaction.

    `add` only collects: call `write` before the rows are read, and at the end.
    """

    def __init__(self, connection: Connection, dialect: DatabaseDialect) -> None:
        self._connection = connection
        self._dialect = dialect
        self._open: dict[int, bool] = {}
        self._waiting: list[HistoryRows] = []

    def add(self, rows: HistoryRows) -> None:
        """Take rows in that are to be written."""
        if len(rows):
            self._waiting.append(rows)

    def write(self) -> None:
        """Write what waits; rows of a month that is being sealed, or is sealed, are late rows."""
        if not self._waiting:
            return
        rows = HistoryRows.concatenate(self._waiting)
        self._waiting.clear()
        first, last = month_of(np.array([rows.observed_at.min(), rows.observed_at.max()])).tolist()
        months = month_of(rows.observed_at) if first != last else np.empty(0, np.int64)
        wanted = np.unique(months).tolist() if first != last else [first]
        self._reserve([month for month in wanted if month not in self._open])
        for month in wanted:
            chosen = rows if len(wanted) == 1 else rows.select(months == month)
            table = month_name(month) if self._open[month] else LATE_TABLE
            self._dialect.insert_history(self._connection, table, chosen.sorted_by_key())

    def _reserve(self, months: list[int]) -> None:
        """Make months that are missing, and keep the sealer away until the transaction ends."""
        if not months:
            return
        connection, dialect = self._connection, self._dialect
        known = set(connection.execute(select(price_months.c.month)).scalars())
        for month in months:
            if month not in known:
                dialect.create_month(connection, month)
                connection.execute(
                    dialect.insert_or_skip(price_months),
                    {"month": month, "state": MonthState.OPEN.value},
                )
        dialect.lock_months(connection, months, exclusive=False)
        states = {one.month: one.state for one in load_months(connection)}
        self._open.update({month: states[month] is MonthState.OPEN for month in months})


def set_month(connection: Connection, month: int, state: MonthState, folded_through: int) -> None:
    """Write down how far the sealing of a month has come."""
    connection.execute(
        update(price_months)
        .where(price_months.c.month == month)
        .values(state=state.value, folded_through=folded_through)
    )
