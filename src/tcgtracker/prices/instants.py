"""Moments packed into bytes: the looks at one-item scopes, a month to a row."""

from collections.abc import Mapping

import numpy as np
from sqlalchemy import Connection, select

from tcgtracker.database.dialects.base import DatabaseDialect, IntArray
from tcgtracker.database.tables.prices import item_observations
from tcgtracker.prices.reading import month_of

_CHUNK = 10_000


def pack(instants: IntArray) -> bytes:
    """Return sorted epoch seconds as differences of four bytes after a first one of eight."""
    if not len(instants):
        return b""
    gaps = np.diff(instants).astype("<u4").tobytes()
    return instants[:1].astype("<i8").tobytes() + gaps


def unpack(packed: bytes) -> IntArray:
    """Return the epoch seconds of `pack`."""
    if not packed:
        return np.empty(0, np.int64)
    first = np.frombuffer(packed, "<i8", 1).astype(np.int64)
    gaps = np.frombuffer(packed, "<u4", -1, 8).astype(np.int64)
    return np.concatenate([first, first + np.cumsum(gaps)])


def add_item_looks(
    connection: Connection, dialect: DatabaseDialect, moments: Mapping[int, int]
) -> set[int]:
    """Keep that products were looked at alone, each at its moment; return for which it was news."""
    ids, at = list(moments), np.array(list(moments.values()), np.int64)
    months = month_of(at).tolist()
    table = item_observations
    packed: dict[tuple[int, int], bytes] = {}
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            select(table.c.vendor_product_id, table.c.month, table.c.instants).where(
                table.c.vendor_product_id.in_(ids[start : start + _CHUNK]),
                table.c.month.in_(sorted(set(months))),
            )
        )
        packed.update({(row.vendor_product_id, row.month): row.instants for row in rows})
    news = []
    for product, month, moment in zip(ids, months, at.tolist(), strict=True):
        known = unpack(packed.get((product, month), b""))
        if moment not in known:
            instants = pack(np.union1d(known, [moment]))
            news.append({"vendor_product_id": product, "month": month, "instants": instants})
    if news:
        connection.execute(
            dialect.upsert(table, ["vendor_product_id", "month"], ["instants"]), news
        )
    return {int(row["vendor_product_id"]) for row in news}


def item_looks(connection: Connection, vendor_product_ids: list[int]) -> dict[int, IntArray]:
    """Return the looks at each product on its own (products without one are left out)."""
    table = item_observations
    found: dict[int, list[IntArray]] = {}
    for start in range(0, len(vendor_product_ids), _CHUNK):
        chunk = vendor_product_ids[start : start + _CHUNK]
        rows = connection.execute(
            select(table.c.vendor_product_id, table.c.instants)
            .where(table.c.vendor_product_id.in_(chunk))
            .order_by(table.c.vendor_product_id, table.c.month)
        )
        for row in rows:
            found.setdefault(row.vendor_product_id, []).append(unpack(row.instants))
    return {product: np.concatenate(parts) for product, parts in found.items()}
