"""Asking for the history of a card, and the days of its prices."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tcgtracker.analytics.card_history import (
    CardHistory,
    card_history,
)
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import to_epoch
from tests.support import NOW

TODAY = NOW.date()
LAST = TODAY - timedelta(days=1)


def ask(database: Database, card_id: int, **wanted: Any) -> CardHistory:
    now = wanted.pop("now", NOW)
    with database.read() as connection:
        return card_history(
            connection,
            connection,
            database.dialect,
            card_id,
            now=now,
            **wanted,
        )


def evening(day: date) -> int:
    return to_epoch(datetime(day.year, day.month, day.day, 20, tzinfo=UTC))


def days_back(count: int, *, last: date = LAST) -> list[date]:
    return [last - timedelta(days=back) for back in range(count - 1, -1, -1)]
