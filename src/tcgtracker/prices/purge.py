"""Deleting the history of a source: product by product, then what was kept of its scopes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, delete, func, select, update

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.prices import (
    id_floors,
    item_observations,
    month_table,
    observations,
    price_blocks,
    price_holds,
    price_late,
    price_series,
    scope_blobs,
    scope_states,
    scope_touches,
    scopes,
    vendor_products,
)
from tcgtracker.domain.source import Source
from tcgtracker.prices.months import load_months

_CHUNK = 5_000


@dataclass(slots=True)
class Purged:
    """What one batch deleted."""

    products: int = 0
    series: int = 0
    prices: int = 0
    blocks: int = 0
    holds: int = 0


def count_products(connection: Connection, source: Source) -> int:
    """Return how many products of a source the history has."""
    counted = select(func.count()).select_from(vendor_products)
    return connection.scalar(counted.where(vendor_products.c.source == source)) or 0


def purge_products(
    connection: Connection, dialect: DatabaseDialect, source: Source, *, limit: int
) -> Purged:
    """Delete some products of a source with all that was recorded of them, in one transaction.

    Recorders and the sealer wait meanwhile: they would write of products that are gone.
    """
    dialect.hold_tables(connection, exclusive=True)
    months = load_months(connection)
    dialect.lock_months(connection, sorted(month.month for month in months), exclusive=True)
    done = Purged()
    products = list(
        connection.scalars(
            select(vendor_products.c.id)
            .where(vendor_products.c.source == source)
            .order_by(vendor_products.c.id)
            .limit(limit)
        )
    )
    if not products:
        return done
    series = list(
        connection.scalars(
            select(price_series.c.id).where(price_series.c.vendor_product_id.in_(products))
        )
    )
    tables = [month_table(one.month) for one in load_months(connection) if one.has_table]
    for start in range(0, len(series), _CHUNK):
        chunk = series[start : start + _CHUNK]
        for table in (*tables, price_late):
            done.prices += _delete(connection, table, chunk)
        done.blocks += _delete(connection, price_blocks, chunk)
        done.holds += _delete(connection, price_holds, chunk)
        _delete(connection, scope_touches, chunk)
    connection.execute(
        delete(item_observations).where(item_observations.c.vendor_product_id.in_(products))
    )
    for table in (price_series, vendor_products):
        keep_floor(connection, dialect, table)
    done.series = connection.execute(
        delete(price_series).where(price_series.c.vendor_product_id.in_(products))
    ).rowcount
    done.products = connection.execute(
        delete(vendor_products).where(vendor_products.c.id.in_(products))
    ).rowcount
    return done


def clear_scopes(connection: Connection, dialect: DatabaseDialect, source: Source) -> None:
    """Forget what was looked at in the scopes of a source.

    Their names and the count of their versions stay: what a process remembers of a version must
    never look like a later one.
    """
    dialect.hold_tables(connection, exclusive=True)
    of_source = select(scopes.c.id).where(scopes.c.source == source)
    for table in (observations, scope_blobs, scope_touches):
        connection.execute(delete(table).where(table.c.scope_id.in_(of_source)))
    connection.execute(
        update(scope_states)
        .where(scope_states.c.scope_id.in_(of_source))
        .values(version=scope_states.c.version + 1, last_at=None, open_at=None, parts={})
    )


def keep_floor(connection: Connection, dialect: DatabaseDialect, table: Table) -> None:
    """Write down the highest id that was given, before its row is deleted."""
    highest = connection.scalar(select(func.max(table.c.id))) or 0
    before = connection.scalar(select(id_floors.c.floor).where(id_floors.c.name == table.name))
    connection.execute(
        dialect.upsert(id_floors, ["name"], ["floor"]),
        {"name": table.name, "floor": max(highest, before or 0)},
    )


def _delete(connection: Connection, table: Table, series: Sequence[int]) -> int:
    return connection.execute(delete(table).where(table.c.series_id.in_(series))).rowcount
