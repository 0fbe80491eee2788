"""Writing a look at one product alone (an API answer), in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, select

from tcgtracker.database.dialects.base import DatabaseDialect, IntArray
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.quote import Facet, PriceValues, RowState
from tcgtracker.domain.source import Source
from tcgtracker.prices import holds
from tcgtracker.prices.around import plan_around, plan_release
from tcgtracker.prices.changes import NewChangeSet, save_change_sets
from tcgtracker.prices.instants import add_item_look
from tcgtracker.prices.months import MonthWriter
from tcgtracker.prices.plan import NO_PRICE, Plan
from tcgtracker.prices.products import find_or_make_series, load_series
from tcgtracker.prices.rows import load_many
from tcgtracker.prices.scope_page import Recorded
from tcgtracker.prices.scope_store import find_looks, touch_scope
from tcgtracker.prices.surgery import delete_rows


@dataclass(frozen=True, slots=True)
class ItemLook:
    """What a vendor answered for one product (one printing of it, when the vendor has a sub key).

    quotes: by facet; a facet with no price is listed with empty values. observed_at: aware UTC,
    whole seconds.
    """

    source: Source
    external_id: str
    observed_at: datetime
    quotes: Mapping[Facet, PriceValues]


def record_item(
    connection: Connection,
    dialect: DatabaseDialect,
    look: ItemLook,
    *,
    run_id: int,
    trust: bool,
    now: datetime,
) -> Recorded:
    """Write one look at a product; series of it that the answer lacks have no price from then on.

    `run_id` names the run, `trust` judges nothing, `now` dates decisions on holds.
    """
    done, news = write_item(connection, dialect, look, run_id=run_id, trust=trust, now=now)
    save_change_sets(connection, dialect, [news])
    return done


def write_item(
    connection: Connection,
    dialect: DatabaseDialect,
    look: ItemLook,
    *,
    run_id: int,
    trust: bool,
    now: datetime,
) -> tuple[Recorded, NewChangeSet]:
    """Write one look of several in a transaction; the change set is saved by the caller.

    After the last of them: who saves one holds back the commits of others, and must not wait for
    a product that one of those holds.
    """
    at, done = to_epoch(look.observed_at), Recorded()
    dialect.hold_tables(connection, exclusive=False)
    found = find_or_make_series(
        connection,
        dialect,
        source=look.source,
        scope_id=None,
        keys=[(look.external_id, facet) for facet in look.quotes],
        first_seen_at=look.observed_at,
    )
    done.new_series = len(found.ids) - len(found.existed)
    sub_keys = {facet.sub_key for facet in look.quotes}
    siblings = [
        one
        for one in load_series(connection, source=look.source, external_id=look.external_id)
        if one.facet.sub_key in sub_keys
    ]
    scope_id = next((one.scope_id for one in siblings if one.scope_id is not None), None)
    if scope_id is not None:  # before anything is read, so that a page of the scope waits
        touch_scope(connection, dialect, scope_id, [one.id for one in siblings])
    _lock(connection, sorted({one.vendor_product_id for one in siblings}))

    series = np.array(sorted(one.id for one in siblings), np.int64)
    facets = {one.id: one.facet for one in siblings}
    empty = PriceValues()
    values = np.array(
        [
            [NO_PRICE if value is None else value for value in quote.as_tuple()]
            for quote in (
                look.quotes.get(facets[series_id], empty) for series_id in series.tolist()
            )
        ],
        np.int64,
    ).reshape(-1, 5)
    answered = np.array([facets[series_id] in look.quotes for series_id in series.tolist()])
    changed: list[IntArray] = []
    months = MonthWriter(connection, dialect)

    def apply(plan: Plan) -> None:
        months.add(plan.insert)
        months.write()
        delete_rows(connection, plan.delete)
        done.rows_written += len(plan.insert)
        done.rows_removed += len(plan.delete)
        changed.append(plan.insert.series_id)

    held = np.zeros(len(series), bool)
    judged = None
    if not trust:
        judged = _observed(connection, dialect, series, values, at)
        held = holds.judge(connection, dialect, judged, run_id=run_id, now=now)
    news = [
        add_item_look(connection, dialect, product, at)
        for product in sorted({one.vendor_product_id for one in siblings})
    ]
    bulk = find_looks(connection, {scope_id: at}) if scope_id is not None else {}
    keep = ~held
    plan = plan_around(
        connection,
        dialect,
        at=at,
        series=series[keep],
        values=values[keep],
        state=np.full(int(keep.sum()), int(RowState.PRICED)),
        scope_id=scope_id,
        looked=np.full(
            int(keep.sum()), any(one.complete for one in bulk.values()) or not all(news)
        ),
    )
    apply(plan)
    done.held = int(held.sum())
    done.stored = int((plan.stored & answered[keep]).sum())
    done.unchanged = int(answered.sum()) - done.stored - done.held
    done.revised = int(plan.revised.sum())
    if judged is not None:
        for hold in holds.confirm(connection, judged, now=now):
            apply(
                plan_release(
                    connection,
                    dialect,
                    series_id=hold.series_id,
                    at=hold.observed_at,
                    values=hold.values,
                    scope_id=scope_id,
                )
            )
            done.released += 1
    news_of_it = NewChangeSet(
        run_id=run_id, scope_id=None, at=at, complete=True, series=np.concatenate(changed)
    )
    return done, news_of_it


def _lock(connection: Connection, product_ids: list[int]) -> None:
    """Let one recorder at a time write a product (a row lock; SQLite's writer is alone anyway)."""
    connection.execute(
        select(vendor_products.c.id)
        .where(vendor_products.c.id.in_(product_ids))
        .order_by(vendor_products.c.id)
        .with_for_update()
    ).all()


def _observed(
    connection: Connection,
    dialect: DatabaseDialect,
    series: IntArray,
    values: IntArray,
    at: int,
) -> holds.Observed:
    rows = load_many(connection, dialect, series)
    low = np.full(len(series), NO_PRICE, np.int64)
    high = np.full(len(series), NO_PRICE, np.int64)
    for place, series_id in enumerate(series.tolist()):
        market = rows.values[(rows.series_id == series_id) & (rows.values[:, 0] >= 0), 0]
        if len(market):
            low[place], high[place] = market.min(), market.max()
    return holds.Observed(series, at, values, low, high)
