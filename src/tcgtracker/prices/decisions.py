"""An operator's word on held prices, in the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, RowMapping, select

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.prices import price_holds, vendor_products
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.errors import Conflict, NotFound
from tcgtracker.domain.quote import VALUE_NAMES, HoldState
from tcgtracker.domain.source import Source
from tcgtracker.prices import holds
from tcgtracker.prices.around import plan_release
from tcgtracker.prices.changes import NewChangeSet, save_change_sets
from tcgtracker.prices.months import MonthWriter
from tcgtracker.prices.products import Series, load_series
from tcgtracker.prices.scope_store import touch_scope
from tcgtracker.prices.surgery import delete_rows


@dataclass(frozen=True, slots=True)
class OpenHold:
    """A price that waits for a decision, with its series."""

    hold: holds.Hold
    series: Series


def load_open_holds(
    connection: Connection, *, limit: int, source: Source | None = None
) -> list[OpenHold]:
    """Return the prices that wait for a decision, oldest first."""
    found = holds.load_holds(connection, state=HoldState.HELD, limit=limit, source=source)
    wanted = sorted({hold.series_id for hold in found})
    series = {one.id: one for one in load_series(connection, series_ids=wanted)}
    return [OpenHold(hold, series[hold.series_id]) for hold in found]


def release_hold(
    connection: Connection, dialect: DatabaseDialect, hold_id: int, *, by: str, now: datetime
) -> None:
    """Let a held price into the history, at its own moment.

    Raises:
        NotFound: there is no such hold.
        Conflict: it was decided already.
    """
    dialect.hold_tables(connection, exclusive=False)
    hold = _open_hold(connection, hold_id)
    (series,) = load_series(connection, series_ids=[hold["series_id"]])
    if series.scope_id is not None:  # first of all, so that a page of the scope waits or sees this
        touch_scope(connection, dialect, series.scope_id, [series.id])
    connection.execute(
        select(vendor_products.c.id)
        .where(vendor_products.c.id == series.vendor_product_id)
        .with_for_update()
    ).all()
    at = to_epoch(hold["observed_at"])
    holds.decide(connection, [hold_id], HoldState.RELEASED, by=by, now=now)
    plan = plan_release(
        connection,
        dialect,
        series_id=series.id,
        at=at,
        values=tuple(hold[name] for name in VALUE_NAMES),
        scope_id=series.scope_id,
    )
    months = MonthWriter(connection, dialect)
    months.add(plan.insert)
    months.write()
    delete_rows(connection, plan.delete)
    written = NewChangeSet(
        run_id=hold["run_id"],
        scope_id=None,
        at=at,
        complete=False,
        series=np.array([series.id], np.int64),
    )
    save_change_sets(connection, dialect, [written])


def reject_hold(connection: Connection, hold_id: int, *, by: str, now: datetime) -> None:
    """Keep a held price out of the history for good.

    Raises:
        NotFound: there is no such hold.
        Conflict: it was decided already.
    """
    _open_hold(connection, hold_id)
    holds.decide(connection, [hold_id], HoldState.REJECTED, by=by, now=now)


def _open_hold(connection: Connection, hold_id: int) -> RowMapping:
    row = (
        connection.execute(select(price_holds).where(price_holds.c.id == hold_id).with_for_update())
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound(f"there is no held price {hold_id}: 'holds list' shows them")
    if row["state"] != HoldState.HELD:
        raise Conflict(f"the held price {hold_id} was {row['state']} by {row['decided_by']}")
    return row
