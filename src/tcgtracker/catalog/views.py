"""What reads of the catalog return."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from tcgtracker.domain.catalog import LinkState, ProductType
from tcgtracker.domain.ids import CardId, PrintingId, SetId, VendorProductId
from tcgtracker.domain.source import Source
from tcgtracker.operations.flags import SourceFlags

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GameRow:
    """A game and how many sets it has."""

    slug: str
    name: str
    set_count: int


@dataclass(frozen=True, slots=True)
class SetRow:
    """A set and how many cards of it are known."""

    id: SetId
    game: str
    code: str
    region: str
    name: str
    series: str
    release_date: date | None
    total_cards: int | None
    card_count: int


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card with its set and game; times are aware UTC."""

    id: CardId
    game: str
    set_id: SetId
    set_code: str
    set_name: str
    region: str
    collector_number: str
    art: str
    name: str
    rarity: str
    image_url: str
    product_type: ProductType
    last_price_update: datetime | None


@dataclass(frozen=True, slots=True)
class PrintingRow:
    """A finish or edition of a card."""

    id: PrintingId
    name: str


@dataclass(frozen=True, slots=True)
class CardLink:
    """A vendor's product tied to a card; `printing` is '' when it is not proven."""

    vendor_product_id: VendorProductId
    source: Source
    external_id: str
    sub_key: str
    vendor_name: str
    url: str
    printing_id: PrintingId | None
    printing: str
    state: LinkState
    evidence: str
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class CardDetail:
    """A card with its printings (in headline order), other names and links."""

    card: CardRow
    printings: tuple[PrintingRow, ...]
    aliases: tuple[str, ...]
    links: tuple[CardLink, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows of a list; `next_cursor` is None on the last page."""

    rows: tuple[T, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Headline prices of one currency, in its minor units; None is no bound.

    flags: which sources speak for a card. fresh_from: a price observed before (aware UTC) is stale.
    """

    currency: str
    least: int | None
    most: int | None
    flags: SourceFlags
    fresh_from: datetime


@dataclass(frozen=True, slots=True)
class CardFilter:
    """What cards to list; empty fields do not filter.

    game: a slug. set: a set's id as digits, its code or another of its names (`tcgplayer:605`).
    q: part of the name in any case, or the whole collector number.
    """

    game: str = ""
    set: str = ""
    rarity: str = ""
    q: str = ""
    product_type: ProductType | None = None
    price: PriceRange | None = None
