"""What the catalog's answers look like."""

from datetime import date, datetime
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from tcgtracker.domain.catalog import LinkState, ProductType
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind

T = TypeVar("T")
Text = str
Moment = Annotated[
    datetime, Field(description="UTC, ISO 8601 with Z", examples=["2026-05-01T20:00:00Z"])
]
Amount = Annotated[
    str, Field(description="decimal text in the currency beside it", examples=["12.34"])
]
Currency = Annotated[str, Field(description="ISO 4217", examples=["USD"])]


class Page(BaseModel, Generic[T]):
    """A part of a list; `next_cursor` is null on the last page."""

    items: list[T]
    next_cursor: str | None


class Game(BaseModel):
    """A game."""

    slug: Annotated[str, Field(examples=["pokemon"])]
    name: Annotated[str, Field(examples=["Pokémon"])]
    set_count: Annotated[int, Field(description="sets that are known")]


class Games(BaseModel):
    """All games."""

    items: list[Game]


class CardSet(BaseModel):
    """A set of cards."""

    set_id: Annotated[int, Field(examples=[1])]
    game: Annotated[str, Field(examples=["pokemon"])]
    code: Annotated[str, Field(description="name in its catalog", examples=["tcgplayer:605"])]
    region: str
    name: str
    series: str
    release_date: date | None
    total_cards: Annotated[int | None, Field(description="as the catalog states it")]
    card_count: Annotated[int, Field(description="cards that are known here")]


class Card(BaseModel):
    """A card: one collector number of a set."""

    card_id: Annotated[int, Field(examples=[1])]
    game: Annotated[str, Field(examples=["pokemon"])]
    set_id: int
    set_code: str
    set_name: str
    region: str
    collector_number: Annotated[str, Field(description="text, as printed", examples=["4/102"])]
    art: Annotated[str, Field(description="'' for the base print, else which picture")]
    name: Annotated[str, Field(examples=["Farfetch'd"])]
    rarity: str
    image_url: str
    product_type: ProductType
    last_price_update: Annotated[
        Moment | None, Field(description="when a trusted source last listed the card; UTC")
    ]


class Printing(BaseModel):
    """A finish or edition of a card."""

    printing_id: int
    name: Annotated[str, Field(examples=["Holofoil"])]


class Link(BaseModel):
    """A vendor's product tied to the card, and why."""

    source: Source
    external_id: Annotated[str, Field(description="the vendor's product id", examples=["42444"])]
    vendor_printing: Annotated[str, Field(description="printing as the vendor names it")]
    vendor_name: str
    url: str
    printing: Annotated[str | None, Field(description="our printing, null when not proven")]
    state: Annotated[
        LinkState, Field(description="prices are shown through confirmed and derived links only")
    ]
    evidence: str
    checked_at: Moment


class HeadlinePrice(BaseModel):
    """The price that stands for the card, and of which series it is."""

    market_price: Amount | None
    currency: Currency
    source: Source
    kind: PriceKind
    printing: str | None
    variant: Annotated[str, Field(examples=["raw", "psa-10"])]
    observed_at: Annotated[Moment | None, Field(description="last look that found it; UTC")]
    age_s: Annotated[int | None, Field(description="seconds since observed_at")]
    listed: Annotated[bool, Field(description="the vendor still lists this price")]
    stale: Annotated[bool, Field(description="observed more than 7 days ago, or never")]


class OwnPrice(BaseModel):
    """A price that the asking user keeps; nobody else sees it, and no figure counts it."""

    id: UUID
    card_id: int
    kind: Literal["manual"] = "manual"
    printing: Annotated[str | None, Field(description="null when the user named none")]
    condition: Annotated[str | None, Field(examples=["raw", "nm"])]
    grade: Annotated[str | None, Field(examples=["psa-10"])]
    price: Amount
    currency: Currency
    observed_at: Annotated[Moment, Field(description="when the user says it was true; UTC")]
    note: str


class CardDetail(Card):
    """A card with what hangs on it."""

    aliases: Annotated[list[str], Field(description="names of the card in catalogs")]
    printings: list[Printing]
    links: list[Link]
    price: Annotated[
        HeadlinePrice | None, Field(description="null when no trusted link leads to a price")
    ]
    own_prices: Annotated[
        list[OwnPrice], Field(description="the asking user's own, the newest first")
    ]
