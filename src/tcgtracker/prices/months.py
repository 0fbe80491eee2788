"""The month manager: which table holds the rows of a month, and whether it still takes any."""

from dataclasses import dataclass

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


def row_tables(connection: Connection) -> list[str]:
    """Return the tables that hold rows: the months not yet sealed, newest first, then late rows."""
    return [
        *(month_name(month.month) for month in load_months(connection) if month.has_table),
        LATE_TABLE,
    ]


def insert_rows(connection: Connection, dialect: DatabaseDialect, rows: HistoryRows) -> None:
    """Write rows to the tables of their months; rows of a month being sealed are late rows."""
    if not len(rows):
        return
    months = month_of(rows.observed_at)
    wanted = np.unique(months).tolist()
    _open_months(connection, dialect, wanted)
    states = {month.month: month.state for month in load_months(connection)}
    for month in wanted:
        chosen = rows if len(wanted) == 1 else rows.select(months == month)
        table = month_name(month) if states[month] is MonthState.OPEN else LATE_TABLE
        dialect.insert_history(connection, table, chosen.sorted_by_key())


def _open_months(connection: Connection, dialect: DatabaseDialect, months: list[int]) -> None:
    """Make missing months, and keep the sealer away from these until the transaction ends."""
    known = set(connection.execute(select(price_months.c.month)).scalars())
    for month in months:
        if month not in known:
            dialect.create_month(connection, month)
            connection.execute(
                dialect.insert_or_skip(price_months),
                {"month": month, "state": MonthState.OPEN.value},
            )
    dialect.lock_months(connection, months, exclusive=False)


def set_month(connection: Connection, month: int, state: MonthState, folded_through: int) -> None:
    """Write down how far the sealing of a month has come."""
    connection.execute(
        update(price_months)
        .where(price_months.c.month == month)
        .values(state=state.value, folded_through=folded_through)
    )
