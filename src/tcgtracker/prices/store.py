"""Reading the history: one series with all that is known of it, or many at once."""

import numpy as np
from sqlalchemy import Connection, select

from tcgtracker.database.dialects.base import DatabaseDialect, IntArray
from tcgtracker.database.tables.prices import price_series, vendor_products
from tcgtracker.domain.source import REFRESH_INTERVAL, Source
from tcgtracker.prices.instants import item_looks
from tcgtracker.prices.kept_out import moments_kept_out
from tcgtracker.prices.reading import Looks, SeriesHistory
from tcgtracker.prices.rows import load_many, load_series_rows
from tcgtracker.prices.scope_store import looks_at_scope

_NO_LOOKS = np.empty(0, np.int64)


def load_history(connection: Connection, dialect: DatabaseDialect, series_id: int) -> SeriesHistory:
    """Return one series with its rows and looks; empty for an id that does not exist."""
    found = _where_looked(connection, [series_id]).get(series_id)
    rows = load_series_rows(connection, dialect, series_id)
    if found is None:
        return SeriesHistory(rows, Looks(_NO_LOOKS), 0)
    product_id, source, scope_id = found
    bulk = looks_at_scope(connection, scope_id) if scope_id is not None else _NO_LOOKS
    own = item_looks(connection, [product_id]).get(product_id, _NO_LOOKS)
    looks = Looks(np.union1d(bulk, own))
    kept_out = moments_kept_out(connection, [series_id]).get(series_id, set())
    return SeriesHistory(rows, looks, int(REFRESH_INTERVAL[source].total_seconds()), kept_out)


def load_histories(
    connection: Connection, dialect: DatabaseDialect, series_ids: IntArray
) -> dict[int, SeriesHistory]:
    """Return many series at once."""
    wanted = np.unique(series_ids)
    where = _where_looked(connection, wanted.tolist())
    rows = load_many(connection, dialect, wanted)
    start = np.searchsorted(rows.series_id, wanted)
    end = np.searchsorted(rows.series_id, wanted, side="right")
    scopes = {scope_id for _, _, scope_id in where.values() if scope_id is not None}
    bulk = {scope_id: Looks(looks_at_scope(connection, scope_id)) for scope_id in scopes}
    own = item_looks(connection, sorted({product for product, _, _ in where.values()}))
    kept_out = moments_kept_out(connection, wanted.tolist())
    histories = {}
    for place, series_id in enumerate(wanted.tolist()):
        product_id, source, scope_id = where[series_id]
        looks = bulk[scope_id] if scope_id is not None else Looks(_NO_LOOKS)
        if product_id in own:
            looks = Looks(np.union1d(looks.moments, own[product_id]))
        histories[series_id] = SeriesHistory(
            rows.select(np.arange(start[place], end[place])),
            looks,
            int(REFRESH_INTERVAL[source].total_seconds()),
            kept_out.get(series_id, set()),
        )
    return histories


def _where_looked(
    connection: Connection, series_ids: list[int]
) -> dict[int, tuple[int, Source, int | None]]:
    """Return product, source and bulk scope of series."""
    found = {}
    for start in range(0, len(series_ids), 10_000):
        rows = connection.execute(
            select(
                price_series.c.id,
                vendor_products.c.id.label("product_id"),
                vendor_products.c.source,
                vendor_products.c.scope_id,
            )
            .join(vendor_products, vendor_products.c.id == price_series.c.vendor_product_id)
            .where(price_series.c.id.in_(series_ids[start : start + 10_000]))
        )
        found.update({row.id: (row.product_id, Source(row.source), row.scope_id) for row in rows})
    return found
