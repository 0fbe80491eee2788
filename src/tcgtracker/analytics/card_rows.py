"""The rows about one card that its history needs, in two queries of the main database."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from tcgtracker.database.tables.catalog import (
    card_quotes,
    cards,
    games,
    printings,
    product_links,
    tcg_sets,
)
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.errors import NotFound
from tcgtracker.domain.source import Source

_TRUSTED = [state.value for state in LinkState if state.trusted]


@dataclass(frozen=True, slots=True)
class CardHead:
    """What names a card."""

    card_id: int
    name: str
    collector_number: str
    set_id: int
    set_name: str
    game: str


@dataclass(frozen=True, slots=True)
class CardTie:
    """A trusted link; `printing` is '' when the link proves the card alone."""

    vendor_product_id: int
    printing: str
    state: LinkState
    evidence: str


@dataclass(frozen=True, slots=True)
class QuoteRow:
    """The newest price of a source; minor units, epoch seconds."""

    source: Source
    series_id: int
    currency: str
    market: int | None
    observed_at: int | None
    listed: bool


_CARD = (
    select(
        cards.c.name,
        cards.c.collector_number,
        tcg_sets.c.id,
        tcg_sets.c.name,
        games.c.slug,
        product_links.c.vendor_product_id,
        printings.c.name,
        product_links.c.state,
        product_links.c.evidence,
    )
    .select_from(cards)
    .join(tcg_sets, tcg_sets.c.id == cards.c.set_id)
    .join(games, games.c.id == tcg_sets.c.game_id)
    .outerjoin(
        product_links,
        (product_links.c.card_id == cards.c.id) & product_links.c.state.in_(_TRUSTED),
    )
    .outerjoin(printings, printings.c.id == product_links.c.printing_id)
    .where(cards.c.id == bindparam("card_id"))
)
_QUOTES = select(
    card_quotes.c.source,
    card_quotes.c.series_id,
    card_quotes.c.currency,
    card_quotes.c.market_price,
    card_quotes.c.observed_at,
    card_quotes.c.listed,
).where(card_quotes.c.card_id == bindparam("card_id"))


def load_card(connection: Connection, card_id: int) -> tuple[CardHead, list[CardTie]]:
    """Return a card and its trusted links.

    Raises:
        NotFound: there is no such card.
    """
    rows = connection.execute(_CARD, {"card_id": card_id}).all()
    if not rows:
        raise NotFound(f"there is no card {card_id}")
    ties = [
        CardTie(row[5], row[6] or "", LinkState(row[7]), row[8])
        for row in rows
        if row[5] is not None
    ]
    return CardHead(card_id, *rows[0][:5]), ties


def load_quotes(connection: Connection, card_id: int) -> list[QuoteRow]:
    """Return the newest price of each source that the card has a trusted link to."""
    return [
        QuoteRow(
            Source(row[0]),
            row[1],
            row[2],
            row[3],
            None if row[4] is None else to_epoch(row[4]),
            bool(row[5]),
        )
        for row in connection.execute(_QUOTES, {"card_id": card_id})
    ]
