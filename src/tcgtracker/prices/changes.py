"""Change sets: which series a page wrote, for those who follow the intake by cursor."""

import zlib
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from tcgtracker.database.dialects.base import DatabaseDialect, IntArray
from tcgtracker.database.tables.prices import change_cursors, change_sets
from tcgtracker.domain.clock import from_epoch, to_epoch


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """One committed page: the series with new rows. `complete` says that it closed a whole look."""

    id: int
    scope_id: int | None
    observed_at: int
    complete: bool
    series: IntArray


def save_change_set(
    connection: Connection,
    dialect: DatabaseDialect,
    *,
    run_id: int,
    scope_id: int | None,
    at: int,
    complete: bool,
    series: IntArray,
) -> None:
    """Keep which series a page wrote, as the last act of the page's own transaction."""
    ids = np.unique(series)
    dialect.order_commits(connection)
    connection.execute(
        insert(change_sets).values(
            run_id=run_id,
            scope_id=scope_id,
            observed_at=from_epoch(at),
            complete=complete,
            row_count=len(ids),
            series=zlib.compress(np.diff(ids, prepend=0).astype("<u4").tobytes(), 1),
        )
    )


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


def prune_change_sets(connection: Connection, *, before: int) -> int:
    """Drop the change sets that every consumer has passed and that are older than a moment."""
    passed = min(
        connection.execute(select(change_cursors.c.change_set_id)).scalars().all(), default=0
    )
    return connection.execute(
        delete(change_sets).where(
            change_sets.c.id <= passed, change_sets.c.observed_at < from_epoch(before)
        )
    ).rowcount
