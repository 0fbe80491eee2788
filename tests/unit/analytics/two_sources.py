"""A game that two sources price, through the real intake: TCGCSV's days, PriceCharting's guides."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import BulkPage, Capability
from tests.support import card_ids, import_days, import_products
from tests.unit.catalog.stating import a_statement
from tests.unit.quotes.sync_kit import SyncKit, a_guide, a_shelf

CARDS = 30
RATIO = 0.9
Cents = Mapping[int, int]
"""Prices that are not the usual ones, by the card's number."""


def usual(number: int) -> int:
    """Return TCGCSV's cents of a card."""
    return 1_000 + 37 * number


class TwoSources:
    """Cards `Name1` ... `Name30`, number 001 ... 030, each a Holofoil of TCGplayer's product."""

    def __init__(self, database: Database, folder: Path, today: date) -> None:
        self.database = database
        self.folder = folder
        self.today = today
        self.now = datetime.combine(today, time(23), tzinfo=UTC)
        self.clock = FixedClock(self.now)
        numbers = range(1, CARDS + 1)
        import_products(database, folder / "catalog", {n: f"Name{n}" for n in numbers})
        self.ids = card_ids(database)

    def fill(
        self, tcgcsv: Cents | None = None, guide: Cents | None = None, *, only: int = CARDS
    ) -> None:
        """Take in what both said three weeks ago and say today, with some prices of today as given.

        only: PriceCharting has so many of the cards.
        """
        numbers = range(1, CARDS + 1)
        for back in (21, 0):
            day = self.today - timedelta(days=back)
            left = {n: usual(n) for n in numbers} | ({} if back else dict(tcgcsv or {}))
            listed = {(n, "Holofoil"): {"market": left[n] / 100} for n in numbers}
            import_days(
                self.database, self.folder / f"d{back}", {day: listed}, clock=self.clock, trust=True
            )
            right = {n: round(usual(n) * RATIO * (1 + (n % 5 - 2) / 50)) for n in numbers}
            right |= {} if back else dict(guide or {})
            self._guide(day, {n: right[n] for n in range(1, only + 1)})

    def _guide(self, day: date, cents: Cents) -> None:
        stated = [
            a_statement(str(1_000 + n), f"Name{n} #{n}", str(n), "Pokemon Base") for n in cents
        ]
        page = a_guide(stated)
        assert page.prices is not None
        values = page.prices.values.copy()
        values[:, 0] = np.array(list(cents.values()), np.int64)
        moment = datetime.combine(day, time(), tzinfo=UTC)
        prices = replace(page.prices, values=values, observed_at=moment)
        shelf = a_shelf(Source.PRICECHARTING, Capability.BULK)
        shelf.bulk_pages = {"pokemon": [BulkPage(prices, page.catalog)]}
        kit = SyncKit(self.database, shelf)
        kit.clock.set(self.now)
        outcome = kit.bulk.pricecharting("pokemon", force=True).outcomes[0]
        assert not outcome.failed, outcome.reason
