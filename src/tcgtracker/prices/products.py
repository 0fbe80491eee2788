"""Vendor products and their series: found or made, in bulk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.prices import price_series, scopes, vendor_products
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.quote import Facet
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind

_CHUNK = 10_000
ProductKey = tuple[str, str]
"""External id and sub key of a vendor product."""


@dataclass(frozen=True, slots=True)
class Series:
    """A price series with what identifies it. `scope_id` is of the bulk scope that lists it."""

    id: int
    vendor_product_id: int
    source: Source
    external_id: str
    facet: Facet
    scope_id: int | None
    product_name: str = ""


@dataclass(frozen=True, slots=True)
class FoundSeries:
    """The series of the keys that were asked for, and the keys that another scope lists.

    existed: the series that were not made just now. products: the ids of the products. adopted:
    those of them that the scope lists from now on, and none did before. joined: the series that
    were made for products that were there already, and may have been looked at without them.
    """

    ids: dict[tuple[str, Facet], int]
    foreign: frozenset[ProductKey]
    existed: frozenset[int]
    products: Mapping[ProductKey, int]
    adopted: tuple[int, ...] = ()
    joined: frozenset[int] = frozenset()


def scope_ids_of(
    connection: Connection,
    dialect: DatabaseDialect,
    source: Source,
    names: Sequence[str],
    interval_s: int,
) -> dict[str, int]:
    """Return the ids of bulk scopes by name; those that are new are made."""
    query = select(scopes.c.name, scopes.c.id).where(
        scopes.c.source == source.value, scopes.c.name.in_(names)
    )
    found = {row.name: row.id for row in connection.execute(query)}
    # In one order for all, so that two intakes of new scopes cannot wait for each other.
    missing = sorted(set(names) - found.keys())
    if missing:
        connection.execute(
            dialect.insert_or_skip(scopes),
            [{"source": source.value, "name": name, "interval_s": interval_s} for name in missing],
        )
        found = {row.name: row.id for row in connection.execute(query)}
    return found


def find_or_make_series(
    connection: Connection,
    dialect: DatabaseDialect,
    *,
    source: Source,
    scope_id: int | None,
    keys: Sequence[tuple[str, Facet]],
    first_seen: Mapping[ProductKey, datetime],
) -> FoundSeries:
    """Return the series of (external id, facet) keys; what is missing is made.

    A product stays in the bulk scope that listed it first; keys of a product that another bulk
    scope lists are not made here but named in `foreign`. first_seen: by product, aware UTC.
    """
    products, made_products, foreign, adopted = _products(
        connection,
        dialect,
        source=source,
        scope_id=scope_id,
        wanted={(external_id, facet.sub_key) for external_id, facet in keys},
        first_seen=first_seen,
    )
    wanted = [
        (key, (products[key[0], key[1].sub_key], *_columns(key[1])))
        for key in dict.fromkeys(keys)
        if (key[0], key[1].sub_key) not in foreign
    ]
    # products that were made just now have no series yet
    known = _known_series(connection, {columns[0] for _, columns in wanted} - made_products)
    missing = [columns for _, columns in wanted if columns not in known]
    ids = dialect.reserve_ids(connection, price_series, len(missing))
    names = ("id", "vendor_product_id", "kind", "variant", "language", "currency")
    rows = [(number, *columns) for number, columns in zip(ids, missing, strict=True)]
    if rows:
        dialect.bulk_insert(connection, price_series.name, names, rows)
    made = {tuple(row[1:]): row[0] for row in rows}
    return FoundSeries(
        ids={key: known.get(columns) or made[columns] for key, columns in wanted},
        foreign=frozenset(foreign),
        existed=frozenset(known[columns] for _, columns in wanted if columns in known),
        products=products,
        adopted=tuple(adopted),
        joined=frozenset(row[0] for row in rows if row[1] not in made_products),
    )


def _columns(facet: Facet) -> tuple[str, str, str, str]:
    return facet.kind.value, facet.variant, facet.language, facet.currency


def _products(
    connection: Connection,
    dialect: DatabaseDialect,
    *,
    source: Source,
    scope_id: int | None,
    wanted: set[ProductKey],
    first_seen: Mapping[ProductKey, datetime],
) -> tuple[dict[ProductKey, int], set[int], set[ProductKey], list[int]]:
    """Return the ids of products, which were made, are of another scope, or were of none before."""
    table = vendor_products
    found: dict[ProductKey, int] = {}
    foreign: set[ProductKey] = set()
    adopted: list[int] = []
    external_ids = sorted({external_id for external_id, _ in wanted})
    for start in range(0, len(external_ids), _CHUNK):
        rows = connection.execute(
            select(table.c.id, table.c.external_id, table.c.sub_key, table.c.scope_id).where(
                table.c.source == source.value,
                table.c.external_id.in_(external_ids[start : start + _CHUNK]),
            )
        )
        for row in rows:
            key = (row.external_id, row.sub_key)
            if key not in wanted:
                continue
            found[key] = row.id
            if scope_id is not None and row.scope_id is None:
                adopted.append(row.id)
            elif scope_id is not None and row.scope_id != scope_id:
                foreign.add(key)
    for start in range(0, len(adopted), _CHUNK):
        chunk = adopted[start : start + _CHUNK]
        connection.execute(update(table).where(table.c.id.in_(chunk)).values(scope_id=scope_id))
    missing = sorted(wanted - found.keys())
    stored = to_epoch if dialect.name == "sqlite" else datetime.astimezone
    ids = dialect.reserve_ids(connection, table, len(missing))
    rows_to_write = [
        (
            number,
            source.value,
            external_id,
            sub_key,
            scope_id,
            stored(first_seen[external_id, sub_key]),
        )
        for number, (external_id, sub_key) in zip(ids, missing, strict=True)
    ]
    if rows_to_write:
        names = ("id", "source", "external_id", "sub_key", "scope_id", "first_seen_at")
        dialect.bulk_insert(connection, table.name, names, rows_to_write)
    found.update({(row[2], row[3]): row[0] for row in rows_to_write})
    return found, {row[0] for row in rows_to_write}, foreign, adopted


def _known_series(
    connection: Connection, product_ids: Iterable[int]
) -> dict[tuple[int, str, str, str, str], int]:
    table = price_series
    known = {}
    ids = sorted(set(product_ids))
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            select(table).where(table.c.vendor_product_id.in_(ids[start : start + _CHUNK]))
        )
        for row in rows:
            columns = (row.vendor_product_id, row.kind, row.variant, row.language, row.currency)
            known[columns] = row.id
    return known


def _series_query() -> Select[Any]:
    return select(
        price_series.c.id,
        price_series.c.vendor_product_id,
        price_series.c.kind,
        price_series.c.variant,
        price_series.c.language,
        price_series.c.currency,
        vendor_products.c.source,
        vendor_products.c.external_id,
        vendor_products.c.sub_key,
        vendor_products.c.scope_id,
        vendor_products.c.name,
    ).join(vendor_products, vendor_products.c.id == price_series.c.vendor_product_id)


def load_series(
    connection: Connection,
    *,
    vendor_product_ids: Sequence[int] | None = None,
    series_ids: Sequence[int] | None = None,
    source: Source | None = None,
    external_id: str | None = None,
) -> list[Series]:
    """Return series by the ids of their products, their own ids, or the vendor's product id."""
    query = _series_query()
    if vendor_product_ids is not None:
        query = query.where(vendor_products.c.id.in_(list(vendor_product_ids)))
    if series_ids is not None:
        query = query.where(price_series.c.id.in_(list(series_ids)))
    if source is not None:
        query = query.where(vendor_products.c.source == source.value)
    if external_id is not None:
        query = query.where(vendor_products.c.external_id == external_id)
    return [
        Series(
            id=row.id,
            vendor_product_id=row.vendor_product_id,
            source=Source(row.source),
            external_id=row.external_id,
            facet=Facet(row.sub_key, PriceKind(row.kind), row.variant, row.language, row.currency),
            scope_id=row.scope_id,
            product_name=row.name,
        )
        for row in connection.execute(query.order_by(price_series.c.id))
    ]


def save_texts(
    connection: Connection, source: Source, texts: Mapping[str, tuple[str, str, str, str, str]]
) -> int:
    """Write what a vendor calls its products where it changed; return how many rows that were.

    texts: (name, set name, number, rarity, url) by external id; empty words leave what is known.
    """
    names = ("name", "set_name", "number", "rarity", "url")
    changes: list[dict[str, object]] = []
    external_ids = sorted(texts)
    for start in range(0, len(external_ids), _CHUNK):
        rows = connection.execute(
            select(vendor_products).where(
                vendor_products.c.source == source.value,
                vendor_products.c.external_id.in_(external_ids[start : start + _CHUNK]),
            )
        ).mappings()
        for row in rows:
            stated = dict(zip(names, texts[row["external_id"]], strict=True))
            wanted = {f"new_{name}": stated[name] or row[name] for name in names}
            if any(wanted[f"new_{name}"] != row[name] for name in names):
                changes.append({"row_id": row["id"], **wanted})
    if changes:
        connection.execute(
            update(vendor_products)
            .where(vendor_products.c.id == bindparam("row_id"))
            .values({name: bindparam(f"new_{name}") for name in names}),
            changes,
        )
    return len(changes)
