"""What comparisons of sources and trends look like."""

from typing import Annotated

from pydantic import BaseModel, Field

from tcgtracker.api.catalog_schemas import Amount, Card, Currency, Moment
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind


class SourcePrice(BaseModel):
    """The headline price of one source."""

    source: Source
    market_price: Amount | None
    currency: Currency
    kind: PriceKind
    variant: Annotated[str, Field(examples=["raw", "psa-10"])]
    printing: str | None
    language: Annotated[str, Field(description="BCP 47; und = the vendor does not say")]
    observed_at: Annotated[Moment | None, Field(description="last look that found it; UTC")]
    age_s: Annotated[int | None, Field(description="seconds since observed_at")]
    listed: Annotated[bool, Field(description="the vendor still lists this price")]
    stale: Annotated[bool, Field(description="observed more than 7 days ago, or never")]
    ratio: Annotated[
        str | None,
        Field(
            description="to the price of `compared_with`; null for itself and other currencies",
            examples=["1.0450"],
        ),
    ]
    differs_in: Annotated[
        list[str],
        Field(description="in what it is of another thing, so that the ratio says less"),
    ]


class SourceComparison(BaseModel):
    """The sources of a card in their order. Nothing is averaged or converted."""

    card_id: int
    name: str
    compared_with: Annotated[Source | None, Field(description="the first that has a price")]
    prices: list[SourcePrice]


class Mover(BaseModel):
    """A card whose price moved; both prices are of one series."""

    card: Card
    series_id: int
    price_before: Amount
    price_now: Amount
    change_pct: Annotated[str, Field(examples=["12.50"])]


class PriceTrends(BaseModel):
    """The largest moves of one source within some days."""

    game: str
    source: Source
    currency: Currency
    days: int
    min_price: Amount
    as_of: Annotated[Moment, Field(description="when it was computed; kept for 10 minutes")]
    considered: Annotated[int, Field(description="cards with a price at both moments")]
    bounded: Annotated[bool, Field(description="only the dearest cards were looked at")]
    up: list[Mover]
    down: list[Mover]
