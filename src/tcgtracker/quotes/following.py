"""What follows an intake: links of new products, then the newest price of each card."""

from dataclasses import dataclass

from tcgtracker.catalog.links import LinkReport, link_new
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.quotes.card_quotes import follow_changes, refresh_cards


@dataclass(frozen=True, slots=True)
class Followed:
    """What was brought up to date: links of new products, and change sets taken in."""

    links: LinkReport
    change_sets: int


def follow(database: Database, history: Database, *, clock: Clock) -> Followed:
    """Bring links and card quotes up to the newest price; running it again changes nothing."""
    links = link_new(database, history, clock=clock)
    # A new product may change the links of older ones of its card, which no change set names.
    refresh_cards(database, history, links.cards)
    return Followed(links, follow_changes(database, history))
