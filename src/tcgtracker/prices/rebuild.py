"""Making the kept state of a bulk scope anew from the history, when it is lost or damaged."""

import numpy as np
from sqlalchemy import Connection, func, select

from tcgtracker.database.dialects.base import DatabaseDialect, IntArray
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.prices import (
    observations,
    price_series,
    scope_states,
    scopes,
    vendor_products,
)
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.errors import NotFound, StateChanged, StorageError
from tcgtracker.domain.quote import Facet
from tcgtracker.domain.variant import PriceKind
from tcgtracker.prices.rows import load_many
from tcgtracker.prices.scope_store import save_states, take_touches
from tcgtracker.prices.state import ScopeState

_CHUNK = 20_000
_ATTEMPTS = 5


def scope_ids(connection: Connection) -> list[int]:
    """Return the ids of all bulk scopes."""
    return list(connection.execute(select(scopes.c.id).order_by(scopes.c.id)).scalars())


def rebuild_state(database: Database, scope_id: int) -> int:
    """Make the state of a scope from its history; return how many series it holds.

    A look that was not finished is given up: its pages stay, and what it did not reach is not
    taken for gone. The parts of the scope are kept as they were: no history row names them.

    Raises:
        NotFound: there is no such scope.
        StorageError: others recorded the scope all the time.
    """
    for _ in range(_ATTEMPTS):
        try:
            with database.write() as connection:
                return _rebuild(connection, database.dialect, scope_id)
        except StateChanged:
            continue
    raise StorageError(f"scope {scope_id} is being recorded: stop the imports and run it again")


def _rebuild(connection: Connection, dialect: DatabaseDialect, scope_id: int) -> int:
    if not connection.scalar(select(scopes.c.id).where(scopes.c.id == scope_id)):
        raise NotFound(f"there is no scope {scope_id}")
    connection.execute(
        dialect.insert_or_skip(scope_states), {"scope_id": scope_id, "version": 0, "parts": {}}
    )
    kept = connection.execute(
        select(scope_states.c.version, scope_states.c.parts).where(
            scope_states.c.scope_id == scope_id
        )
    ).one()
    last = connection.scalar(
        select(func.max(observations.c.observed_at)).where(observations.c.scope_id == scope_id)
    )
    state = ScopeState(
        scope_id,
        version=kept.version,
        last_at=None if last is None else to_epoch(last),
        parts=dict(kept.parts),
    )
    _add_series(connection, state)
    order = np.sort(state.series)
    for start in range(0, len(order), _CHUNK):
        _read_rows(connection, dialect, state, order[start : start + _CHUNK])
    state.keys_changed = True
    take_touches(connection, [scope_id])  # what they point at has just been read
    save_states(connection, dialect, [state])
    return len(state)


def _add_series(connection: Connection, state: ScopeState) -> None:
    rows = connection.execute(
        select(
            price_series.c.id,
            vendor_products.c.external_id,
            vendor_products.c.sub_key,
            price_series.c.kind,
            price_series.c.variant,
            price_series.c.language,
            price_series.c.currency,
        )
        .join(vendor_products, vendor_products.c.id == price_series.c.vendor_product_id)
        .where(vendor_products.c.scope_id == state.scope_id)
        .order_by(price_series.c.id)
    ).all()
    facets = [Facet(row[2], PriceKind(row[3]), row[4], row[5], row[6]) for row in rows]
    known = tuple(dict.fromkeys(facets))
    number = {facet: place for place, facet in enumerate(known)}
    keys = state.page_keys(
        np.array([int(row[1]) for row in rows], np.int64),
        np.array([number[facet] for facet in facets], np.int64),
        known,
    )
    state.add(keys, np.array([row[0] for row in rows], np.int64))


def _read_rows(
    connection: Connection, dialect: DatabaseDialect, state: ScopeState, series: IntArray
) -> None:
    rows = load_many(connection, dialect, series)
    if not len(rows):
        return
    newest = np.ones(len(rows), bool)
    newest[:-1] = rows.series_id[1:] != rows.series_id[:-1]
    place = state.places_of(rows.series_id[newest])
    state.latest[place] = rows.values[newest]
    state.state[place] = rows.state[newest]
    market = rows.values[:, 0]
    every = state.places_of(rows.series_id)
    priced = market >= 0
    np.maximum.at(state.high, every[priced], market[priced])
    low = np.full(len(state), np.iinfo(np.int64).max)
    np.minimum.at(low, every[priced], market[priced])
    known = low < np.iinfo(np.int64).max
    state.low[known] = low[known]
