"""What intakes refused: rows with their reasons, for whoever wants to know what is lacking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from tcgtracker.database.tables.prices import quarantined_rows
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.source import Source

MOST_REASONS = 100
_MAX_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A row that was refused; `raw` is the vendor's text, cut off. Moments are aware UTC."""

    id: int
    run_id: int
    source: Source
    observed_at: datetime | None
    external_id: str
    sub_key: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many rows of a source were refused for a reason."""

    source: Source
    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class QuarantinePage:
    """Rows, newest first, and the cursor of the next page ('' on the last)."""

    rows: tuple[QuarantinedRow, ...]
    next_cursor: str


def count_reasons(history: Connection, *, source: Source | None = None) -> list[ReasonCount]:
    """Return how many rows were refused by source and reason, the most frequent first."""
    counted = func.count().label("counted")
    statement = (
        select(quarantined_rows.c.source, quarantined_rows.c.reason, counted)
        .group_by(quarantined_rows.c.source, quarantined_rows.c.reason)
        .order_by(counted.desc(), quarantined_rows.c.source, quarantined_rows.c.reason)
        .limit(MOST_REASONS)
    )
    if source is not None:
        statement = statement.where(quarantined_rows.c.source == source)
    return [ReasonCount(Source(row[0]), row[1], row[2]) for row in history.execute(statement)]


def load_page(
    history: Connection,
    *,
    source: Source | None = None,
    reason: str = "",
    run_id: int | None = None,
    limit: int = 50,
    cursor: str = "",
) -> QuarantinePage:
    """Return refused rows.

    Raises:
        InvalidInput: the cursor is not one that a list gave.
    """
    statement = select(*_COLUMNS).order_by(quarantined_rows.c.id.desc()).limit(limit + 1)
    if source is not None:
        statement = statement.where(quarantined_rows.c.source == source)
    if reason:
        statement = statement.where(quarantined_rows.c.reason == reason)
    if run_id is not None:
        statement = statement.where(quarantined_rows.c.run_id == run_id)
    if cursor:
        if not (cursor.isascii() and cursor.isdigit() and int(cursor[:20]) <= _MAX_ID):
            raise InvalidInput("the cursor is not one that a list gave: begin without it")
        statement = statement.where(quarantined_rows.c.id < int(cursor))
    found = [_row(row) for row in history.execute(statement)]
    more = str(found[limit - 1].id) if len(found) > limit else ""
    return QuarantinePage(tuple(found[:limit]), more)


_COLUMNS = tuple(
    quarantined_rows.c[name]
    for name in (
        "id",
        "run_id",
        "source",
        "observed_at",
        "external_id",
        "sub_key",
        "reason",
        "raw",
    )
)


def _row(row: Sequence[Any]) -> QuarantinedRow:
    return QuarantinedRow(row[0], row[1], Source(row[2]), *row[3:])
