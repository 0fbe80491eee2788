"""Planning observations from what lies around their moment in the history."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from tcgtracker.database.dialects.base import DatabaseDialect, HistoryRows, IntArray
from tcgtracker.database.tables.prices import item_observations
from tcgtracker.domain.quote import RowState
from tcgtracker.prices.instants import item_looks
from tcgtracker.prices.kept_out import kept_out_after, next_believed
from tcgtracker.prices.plan import NO_MOMENT, NO_PRICE, Around, Plan, plan_observation
from tcgtracker.prices.products import load_series
from tcgtracker.prices.rows import load_many, rows_after, rows_in_force
from tcgtracker.prices.scope_store import looks_at_scope, next_look_at_scope

_CHUNK = 10_000
_MOMENT_BITS = 40  # epoch seconds up to the year 36812


def plan_around(
    connection: Connection,
    dialect: DatabaseDialect,
    *,
    at: int,
    series: IntArray,
    values: IntArray,
    state: IntArray,
    scope_id: int | None,
    looked: NDArray[np.bool_],
    explicit: bool = False,
) -> Plan:
    """Return the plan of an observation of sorted series, reading what lies around the moment.

    Looks at the products alone are found here; `looked` tells of looks at the bulk scope. A look
    whose quote is not believed read nothing of its own, so nothing is written out for it.
    """
    before = Around.of(rows_in_force(connection, dialect, series, at), series)
    after = Around.of(rows_after(connection, dialect, series, at), series)
    bulk = next_look_at_scope(connection, scope_id, at) if scope_id is not None else None
    next_look = np.full(len(series), NO_MOMENT if bulk is None else bulk, np.int64)
    doubted = kept_out_after(connection, at, series)
    if doubted and scope_id is not None:
        looks = looks_at_scope(connection, scope_id)
        for series_id, moments in doubted.items():
            believed = next_believed(looks, at, moments)
            place = int(series.searchsorted(series_id))
            next_look[place] = NO_MOMENT if believed is None else believed
    is_item = np.zeros(len(series), bool)
    for place, looks in looks_at_items(connection, series).items():
        believed = next_believed(looks, at, doubted.get(int(series[place]), ()))
        if believed is not None and believed < next_look[place]:
            next_look[place] = believed
            is_item[place] = True
    return plan_observation(
        at=at,
        series=series,
        values=values,
        state=state,
        before=before,
        after=after,
        next_look=next_look,
        next_is_item=is_item,
        looked=looked,
        explicit=explicit,
    )


def around_moments(rows: HistoryRows, series: IntArray, at: IntArray) -> tuple[Around, Around]:
    """Return what lies around a moment of each series: the row in force, and the first after it.

    rows: all rows of the series, sorted by key. series: sorted.
    """
    place = series.searchsorted(rows.series_id)
    known = place < len(series)
    known[known] = series[place[known]] == rows.series_id[known]
    rows, place = rows.select(known), place[known]
    order = (place << _MOMENT_BITS) + rows.observed_at
    wanted = (np.arange(len(series)) << _MOMENT_BITS) + at
    following = order.searchsorted(wanted, side="right")
    # The last row of a moment has its highest revision.
    before = following - 1
    has = (before >= 0) & (place[before] == np.arange(len(series))) if len(rows) else before >= 0
    there = Around.of(rows.select(before[has]), series)
    has = following < len(rows)
    has[has] = place[following[has]] == np.flatnonzero(has)
    after = order.searchsorted(order[following[has]], side="right") - 1
    return there, Around.of(rows.select(after), series)


def plan_adoption(
    connection: Connection,
    dialect: DatabaseDialect,
    *,
    series: IntArray,
    scope_id: int,
    but: int,
) -> Iterator[Plan]:
    """Yield the plans that gap series at the looks of a scope which lists them only from now on.

    They were looked at alone before, and belong to the scope now, so that its looks (all but that
    at the moment `but`) did not find them. Apply each plan before asking for the next.
    """
    rows = load_many(connection, dialect, series)
    if not len(rows):
        return
    looks = looks_at_scope(connection, scope_id)
    # The newest first: a value written out for the next look would pass for a look at the product.
    for at in looks[(looks > rows.observed_at.min()) & (looks != but)].tolist()[::-1]:
        there = rows_in_force(connection, dialect, series, at)
        absent = np.setdiff1d(series, there.series_id[there.observed_at == at])
        yield plan_around(
            connection,
            dialect,
            at=at,
            series=absent,
            values=np.full((len(absent), 5), NO_PRICE, np.int64),
            state=np.full(len(absent), int(RowState.GAP)),
            scope_id=scope_id,
            looked=np.zeros(len(absent), bool),
        )


def looks_at_items(connection: Connection, series: IntArray) -> dict[int, IntArray]:
    """Return the looks at the products of some series on their own, by place in `series`."""
    if connection.execute(select(item_observations.c.month).limit(1)).first() is None:
        return {}
    found: dict[int, IntArray] = {}
    for start in range(0, len(series), _CHUNK):
        chunk = load_series(connection, series_ids=series[start : start + _CHUNK].tolist())
        looks = item_looks(connection, sorted({one.vendor_product_id for one in chunk}))
        for one in chunk:
            if one.vendor_product_id in looks:
                place = int(np.searchsorted(series, one.id))
                found[place] = looks[one.vendor_product_id]
    return found


def plan_release(
    connection: Connection,
    dialect: DatabaseDialect,
    *,
    series_id: int,
    at: int,
    values: tuple[int | None, ...],
    scope_id: int | None,
) -> Plan:
    """Return the plan that puts a held quote at its own moment.

    The moment was looked at, but the quote is its own value there and no correction of it.
    """
    minor = np.array([[-1 if value is None else value for value in values]], np.int64)
    return plan_around(
        connection,
        dialect,
        at=at,
        series=np.array([series_id], np.int64),
        values=minor,
        state=np.array([int(RowState.PRICED)]),
        scope_id=scope_id,
        looked=np.zeros(1, bool),
    )
