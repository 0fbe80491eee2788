"""What a synchronisation saw last, so that the same is not fetched twice."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.sources import sync_marks

TAKEN, FAILED = "bulk", "bulk-failed"
"""What the marks of a bulk file begin with: when it was last taken in whole, when it failed."""


@dataclass(frozen=True, slots=True)
class SyncMark:
    """The vendor's version, and when it was taken in completely (aware UTC)."""

    mark: str
    marked_at: datetime


def load_mark(connection: Connection, service: str, subject: str) -> SyncMark | None:
    """Return the mark of a subject of a vendor, None before the first complete success."""
    row = connection.execute(
        select(sync_marks.c.mark, sync_marks.c.marked_at).where(
            sync_marks.c.service == service, sync_marks.c.subject == subject
        )
    ).first()
    return SyncMark(row.mark, row.marked_at) if row else None


def save_mark(
    connection: Connection,
    dialect: DatabaseDialect,
    service: str,
    subject: str,
    mark: str,
    *,
    now: datetime,
) -> None:
    """Write down that this version was taken in completely."""
    connection.execute(
        dialect.upsert(sync_marks, ["service", "subject"], ["mark", "marked_at"]),
        {"service": service, "subject": subject, "mark": mark, "marked_at": now},
    )
