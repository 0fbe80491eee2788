"""What an operator decides on a held quote, in the caller's transaction."""

from datetime import datetime

import numpy as np
from sqlalchemy import Connection, select

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.prices import price_holds
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.errors import Conflict, NotFound
from tcgtracker.domain.quote import VALUE_NAMES, HoldState
from tcgtracker.prices.around import plan_release
from tcgtracker.prices.changes import save_change_set
from tcgtracker.prices.holds import decide
from tcgtracker.prices.months import insert_rows
from tcgtracker.prices.products import load_series
from tcgtracker.prices.scope_store import touch_scope
from tcgtracker.prices.surgery import delete_rows


def decide_hold(
    connection: Connection,
    dialect: DatabaseDialect,
    hold_id: int,
    state: HoldState,
    *,
    by: str,
    now: datetime,
) -> None:
    """Release a held quote, which puts it at its own moment, or reject it for good.

    Raises:
        NotFound: there is no such hold.
        Conflict: it was decided before.
    """
    dialect.hold_tables(connection, exclusive=False)
    query = select(price_holds).where(price_holds.c.id == hold_id).with_for_update()
    hold = connection.execute(query).mappings().one_or_none()
    if hold is None:
        raise NotFound(f"there is no held price {hold_id}")
    if state is HoldState.HELD or hold["state"] != HoldState.HELD:
        raise Conflict(f"the held price {hold_id} is {hold['state']} and cannot become {state}")
    decide(connection, [hold_id], state, by=by, now=now)
    if state is HoldState.REJECTED:
        return
    (series,) = load_series(connection, series_ids=[hold["series_id"]])
    if series.scope_id is not None:
        touch_scope(connection, dialect, series.scope_id, [series.id])
    plan = plan_release(
        connection,
        dialect,
        series_id=series.id,
        at=to_epoch(hold["observed_at"]),
        values=tuple(hold[name] for name in VALUE_NAMES),
        scope_id=series.scope_id,
    )
    insert_rows(connection, dialect, plan.insert)
    delete_rows(connection, plan.delete)
    save_change_set(
        connection,
        dialect,
        run_id=hold["run_id"],
        scope_id=None,
        at=to_epoch(hold["observed_at"]),
        complete=True,
        series=np.array([series.id], np.int64),
    )
