"""A review of links on one database, over a vendor's guide that the real intake took in."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from tcgtracker.catalog.review_rows import LinkFilter
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.accounts import audit_log
from tcgtracker.database.tables.catalog import card_quotes, cards
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import Capability, StatedProduct
from tcgtracker.quotes.link_choices import Reviewer
from tcgtracker.quotes.link_review import LinkReview
from tcgtracker.quotes.link_views import LinkView
from tests.unit.catalog.builders import a_card, a_set, a_variant, lines, load
from tests.unit.catalog.stating import PC, a_statement
from tests.unit.quotes.kit import NOON
from tests.unit.quotes.sync_kit import SyncKit, a_guide, a_shelf

ASH = Reviewer("ash")
UNCLEAR = (
    a_statement("10", "Alakazam (Staff) #1"),
    a_statement("11", "Machamp (Staff) #2", "2"),
)
"""Products with an aside that no card of ours has: nothing disagrees, nothing proves."""
EVERY = LinkFilter(states=tuple(LinkState))


class ReviewKit:
    """Two cards of `Set base4` with a Holofoil each, and PriceCharting's guide of them."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        cards_ = [
            a_card("1", "Alakazam", variants=[a_variant(1)]),
            a_card("2", "Machamp", variants=[a_variant(2)]),
        ]
        load(database, lines(folder / "s", [a_set()]), lines(folder / "c", cards_))
        self.shelf = a_shelf(Source.PRICECHARTING, Capability.BULK)
        self.kit = SyncKit(database, self.shelf)
        self.review = LinkReview(database, database, self.kit.clock, cache=self.kit.cache)
        self._day = 0

    def guide(self, *stated: StatedProduct, price: int = 500) -> None:
        """Take in the guide of the next day."""
        self._day += 1
        self.kit.clock.set(NOON + timedelta(days=self._day - 1))
        self.shelf.bulk_pages = {"pokemon": [a_guide(stated, day=self._day, price=price)]}
        outcome = self.kit.bulk.pricecharting("pokemon", force=True).outcomes[0]
        assert not outcome.failed, outcome.reason

    def link(self, external_id: str, source: Source = PC, sub_key: str = "") -> LinkView:
        """Return the link of a product, whatever its state."""
        wanted = LinkFilter(states=tuple(LinkState), source=source)
        return next(
            one
            for one in self.review.queue(wanted).links
            if (one.product.external_id, one.product.sub_key) == (external_id, sub_key)
        )

    def state(self, external_id: str, source: Source = PC) -> tuple[str, str, str]:
        """Return number of the card, printing and state of a product's link."""
        one = self.link(external_id, source).record
        return one.collector_number, one.printing, one.state.value

    def quoted(self) -> dict[str, int]:
        """Return the price of each card by its number, as lists show it."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(cards.c.collector_number, card_quotes.c.market_price).join(
                    cards, cards.c.id == card_quotes.c.card_id
                )
            )
            return dict(rows.all())

    def card_id(self, number: str) -> int:
        with self.database.read() as connection:
            found = select(cards.c.id).where(cards.c.collector_number == number)
            return int(connection.execute(found).scalar_one())

    def audited(self) -> list[tuple[str, str]]:
        with self.database.read() as connection:
            rows = connection.execute(
                select(audit_log.c.action, audit_log.c.subject).order_by(audit_log.c.at)
            )
            return [(row[0], row[1]) for row in rows]
