"""Series of a scope's products that only looks at the products alone have found."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection

from tcgtracker.database.dialects.base import IntArray
from tcgtracker.prices.products import Series, load_series
from tcgtracker.prices.state import ScopeState

_CHUNK = 10_000


def add_siblings(
    connection: Connection, state: ScopeState, adopted: Sequence[int], touched: IntArray
) -> IntArray:
    """Take series into the state that its scope never listed itself; return them, sorted.

    They are of the scope as their products are: a whole look without them says that they have no
    price. adopted: products that the scope lists from now on. touched: series that were written
    past the state.
    """
    unknown = np.setdiff1d(touched, state.series).tolist()
    if not unknown and not adopted:
        return np.empty(0, np.int64)
    found: list[Series] = []
    for start in range(0, len(unknown), _CHUNK):
        found += load_series(connection, series_ids=unknown[start : start + _CHUNK])
    for start in range(0, len(adopted), _CHUNK):
        found += load_series(connection, vendor_product_ids=adopted[start : start + _CHUNK])
    known = set(state.series.tolist())
    fresh = {one.id: one for one in found if one.id not in known}
    if not fresh:
        return np.empty(0, np.int64)
    facets = tuple(dict.fromkeys(one.facet for one in fresh.values()))
    number = {facet: place for place, facet in enumerate(facets)}
    keys = state.page_keys(
        np.array([int(one.external_id) for one in fresh.values()], np.int64),
        np.array([number[one.facet] for one in fresh.values()], np.int64),
        facets,
    )
    ids = np.array(list(fresh), np.int64)
    state.add(keys, ids)
    return np.sort(ids)
