"""Change sets: which series a page wrote, for those who follow the intake by cursor."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from tcgtracker.database.dialects.base import DatabaseDialect, IntArray
from tcgtracker.database.tables.prices import change_cursors, change_sets
from tcgtracker.domain.clock import from_epoch, to_epoch

CARD_QUOTES = "card_quotes"
_CONSUMERS = (CARD_QUOTES,)
"""Who follows the change sets: what one of them has not seen is kept."""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """One committed page: the series with new rows. `complete` says that it closed a whole look."""

    id: int
    scope_id: int | None
    observed_at: int
    complete: bool
    series: IntArray


@dataclass(frozen=True, slots=True)
class NewChangeSet:
    """What a page is about to commit; series may repeat."""

    run_id: int
    scope_id: int | None
    at: int
    complete: bool
    series: IntArray


def save_change_sets(
    connection: Connection, dialect: DatabaseDialect, sets: Sequence[NewChangeSet]
) -> None:
    """Keep which series were written, as the last act of the same transaction."""
    if not sets:
        return
    dialect.order_commits(connection)
    rows = []
    for one in sets:
        ids = np.unique(one.series)
        gaps = np.diff(ids, prepend=0).astype("<u4")
        rows.append(
            {
                "run_id": one.run_id,
                "scope_id": one.scope_id,
                "observed_at": from_epoch(one.at),
                "complete": one.complete,
                "row_count": len(ids),
                "series": zlib.compress(gaps.tobytes(), 1),
            }
        )
    connection.execute(insert(change_sets), rows)


def load_change_sets(connection: Connection, after: int, limit: int = 100) -> list[ChangeSet]:
    """Return the change sets after a cursor, oldest first."""
    rows = connection.execute(
        select(change_sets).where(change_sets.c.id > after).order_by(change_sets.c.id).limit(limit)
    )
    return [
        ChangeSet(
            row.id,
            row.scope_id,
            to_epoch(row.observed_at),
            row.complete,
            np.cumsum(np.frombuffer(zlib.decompress(row.series), "<u4").astype(np.int64)),
        )
        for row in rows
    ]


def load_cursor(connection: Connection, consumer: str) -> int:
    """Return how far a consumer has come, 0 at first."""
    found = connection.execute(
        select(change_cursors.c.change_set_id).where(change_cursors.c.consumer == consumer)
    ).scalar_one_or_none()
    return int(found or 0)


def save_cursor(
    connection: Connection, dialect: DatabaseDialect, consumer: str, change_set_id: int
) -> None:
    """Keep how far a consumer has come."""
    connection.execute(
        dialect.upsert(change_cursors, ["consumer"], ["change_set_id"]),
        {"consumer": consumer, "change_set_id": change_set_id},
    )


def passed_by_all(connection: Connection) -> int:
    """Return up to which change set every consumer has come; connection: of the main database.

    One that has followed none has no row yet. Other rows count something else: the links' cursor
    stands at a product.
    """
    return min(load_cursor(connection, consumer) for consumer in _CONSUMERS)


def prune_change_sets(connection: Connection, *, through: int, limit: int) -> int:
    """Drop some of the change sets up to one, the oldest first; return how many."""
    old = (
        select(change_sets.c.id)
        .where(change_sets.c.id <= through)
        .order_by(change_sets.c.id)
        .limit(limit)
    )
    return connection.execute(delete(change_sets).where(change_sets.c.id.in_(old))).rowcount
