"""Removing rows that a late observation made needless."""

from sqlalchemy import Connection, tuple_

from tcgtracker.database.dialects.base import HistoryRows
from tcgtracker.database.tables.prices import MonthState, month_table, price_late
from tcgtracker.domain.clock import from_epoch
from tcgtracker.prices.months import load_months
from tcgtracker.prices.reading import month_of

_CHUNK = 5_000


def delete_rows(connection: Connection, rows: HistoryRows) -> None:
    """Delete rows from months that still take rows; in a sealed month they do no harm and stay.

    What is removed says the same as its predecessor at a moment whose look is kept elsewhere.
    """
    if not len(rows):
        return
    states = {month.month: month.state for month in load_months(connection)}
    months = month_of(rows.observed_at)
    for month in sorted(set(months.tolist())):
        table = month_table(month) if states.get(month) is MonthState.OPEN else price_late
        chosen = rows.select(months == month)
        keys = list(zip(chosen.series_id.tolist(), chosen.observed_at.tolist(), strict=True))
        for start in range(0, len(keys), _CHUNK):
            chunk = [(series, from_epoch(at)) for series, at in keys[start : start + _CHUNK]]
            connection.execute(
                table.delete().where(
                    tuple_(table.c.series_id, table.c.observed_at).in_(chunk),
                    table.c.revision == 0,
                )
            )
