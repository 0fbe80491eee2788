"""The rows about one card that its history needs, in two queries of the main database."""

from dataclasses import dataclass

from sqlalchemy import Connection

from tcgtracker.database.engine import dialect_of
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.errors import NotFound
from tcgtracker.domain.source import Source

_TRUSTED = ", ".join(f"'{state.value}'" for state in LinkState if state.trusted)


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


# To the driver directly, as the reads of the history: SQLAlchemy would take longer than these do.
_CARD = (
    "SELECT c.name, c.collector_number, s.id, s.name, g.slug,"  # noqa: S608 - our own words
    " l.vendor_product_id, p.name, l.state, l.evidence FROM cards c"
    " JOIN tcg_sets s ON s.id = c.set_id JOIN games g ON g.id = s.game_id"
    " LEFT JOIN product_links l ON l.card_id = c.id"
    f" AND l.state IN ({_TRUSTED})"
    " LEFT JOIN printings p ON p.id = l.printing_id WHERE c.id = :card_id"
)
_QUOTES = (
    "SELECT q.source, q.series_id, q.currency, q.market_price, {observed_at}, q.listed"
    " FROM card_quotes q WHERE q.card_id = :card_id"
)


def load_card(connection: Connection, card_id: int) -> tuple[CardHead, list[CardTie]]:
    """Return a card and its trusted links.

    Raises:
        NotFound: there is no such card.
    """
    rows = dialect_of(connection).read_history(connection, _CARD, {"card_id": card_id})
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
    dialect = dialect_of(connection)
    sql = _QUOTES.format(observed_at=dialect.epoch_of("q.observed_at"))
    return [
        QuoteRow(
            Source(row[0]),
            row[1],
            row[2],
            row[3],
            row[4],
            bool(row[5]),
        )
        for row in dialect.read_history(connection, sql, {"card_id": card_id})
    ]
