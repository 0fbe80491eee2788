"""How many cards have a price, and how many of those are fresh."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from tcgtracker.database.tables.catalog import card_quotes, cards
from tcgtracker.domain.source import FRESH_FOR


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts of cards. fresh: with a price observed within 7 days by a trusted link."""

    cards: int
    priced: int
    fresh: int

    @property
    def stale(self) -> int:
        return self.priced - self.fresh

    @property
    def unpriced(self) -> int:
        return self.cards - self.priced


def load_coverage(connection: Connection, now: datetime) -> Coverage:
    """Return the counts over the whole catalog."""
    seen = (
        select(func.max(card_quotes.c.observed_at).label("at"))
        .where(card_quotes.c.market_price.is_not(None))
        .group_by(card_quotes.c.card_id)
        .subquery()
    )
    total = connection.execute(select(func.count()).select_from(cards)).scalar_one()
    priced, fresh = connection.execute(
        select(func.count(), func.count().filter(seen.c.at >= now - FRESH_FOR)).select_from(seen)
    ).one()
    return Coverage(total, priced, fresh)
