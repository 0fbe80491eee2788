"""Moments packed into bytes: the looks at one-item scopes, a month to a row."""

import numpy as np
from sqlalchemy import Connection, select

from tcgtracker.database.dialects.base import DatabaseDialect, IntArray
from tcgtracker.database.tables.prices import item_observations
from tcgtracker.prices.reading import month_of


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


def add_item_look(
    connection: Connection, dialect: DatabaseDialect, vendor_product_id: int, at: int
) -> bool:
    """Keep that a product was looked at on its own; return whether that was news."""
    month = int(month_of(np.array([at]))[0])
    table = item_observations
    where = (table.c.vendor_product_id == vendor_product_id) & (table.c.month == month)
    packed = connection.execute(select(table.c.instants).where(where)).scalar_one_or_none()
    known = unpack(packed or b"")
    if at in known:
        return False
    statement = dialect.upsert(table, ["vendor_product_id", "month"], ["instants"])
    connection.execute(
        statement,
        {
            "vendor_product_id": vendor_product_id,
            "month": month,
            "instants": pack(np.union1d(known, [at])),
        },
    )
    return True


def item_looks(connection: Connection, vendor_product_ids: list[int]) -> dict[int, IntArray]:
    """Return the looks at each product on its own (products without one are left out)."""
    table = item_observations
    found: dict[int, list[IntArray]] = {}
    for start in range(0, len(vendor_product_ids), 10_000):
        chunk = vendor_product_ids[start : start + 10_000]
        rows = connection.execute(
            select(table.c.vendor_product_id, table.c.instants)
            .where(table.c.vendor_product_id.in_(chunk))
            .order_by(table.c.vendor_product_id, table.c.month)
        )
        for row in rows:
            found.setdefault(row.vendor_product_id, []).append(unpack(row.instants))
    return {product: np.concatenate(parts) for product, parts in found.items()}
