"""What the history of a card looks like. The bytes are made by `render`; tests hold both together.

Every amount is decimal text in the one `currency` of the series.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from tcgtracker.analytics.card_history import Choice, NoSeries
from tcgtracker.analytics.statistics import Trend
from tcgtracker.analytics.windows import GapKind
from tcgtracker.api.catalog_schemas import Amount, Currency, Moment, OwnPrice
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.prices.reading import Answer

RowWord = Literal["priced", "gap", "unreadable"]


class CardName(BaseModel):
    """Which card it is."""

    card_id: Annotated[int, Field(examples=[1])]
    name: Annotated[str, Field(examples=["Farfetch'd"])]
    collector_number: Annotated[str, Field(examples=["4/102"])]
    set_id: int
    set_name: str
    game: Annotated[str, Field(examples=["pokemon"])]


class SeriesName(BaseModel):
    """Which series it is. Exactly one of condition and grade is set."""

    series_id: int
    source: Source
    external_id: Annotated[str, Field(description="the vendor's product id", examples=["42444"])]
    printing: Annotated[str | None, Field(description="ours, null when not proven")]
    vendor_printing: str
    kind: PriceKind
    variant: Annotated[str, Field(examples=["raw", "psa-10"])]
    condition: Annotated[str | None, Field(examples=["raw", "nm"])]
    grade: Annotated[str | None, Field(examples=["psa-10"])]
    language: Annotated[str, Field(description="BCP 47; und = the vendor does not say")]
    currency: Currency
    link_state: LinkState
    evidence: str


class OtherSeries(SeriesName):
    """Another series of the card with its newest market price."""

    market_price: Amount | None
    observed_at: Annotated[Moment | None, Field(description="last look that found it; UTC")]
    listed: Annotated[bool, Field(description="the vendor still lists this price")]


class Figures(BaseModel):
    """The five figures of a listing."""

    market_price: Amount | None
    price_low: Amount | None
    price_high: Amount | None
    price_avg: Amount | None
    direct_low: Amount | None


class CurrentPrice(Figures):
    """The newest listing with a market price. Its age is now minus observed_at."""

    observed_at: Annotated[Moment, Field(description="last look that found it; UTC")]
    listed: Annotated[bool, Field(description="the vendor still lists this price")]
    stale: Annotated[bool, Field(description="observed more than 7 days ago")]


class Start(Figures):
    """What the first second of the window reads; observed_at is since when, null if unknown."""

    state: Answer
    observed_at: Moment | None


class Point(Figures):
    """A change: from this moment on the vendor stated these figures, or nothing."""

    observed_at: Moment
    state: RowWord


class Columns(BaseModel):
    """The change rows as arrays of equal length."""

    observed_at: list[Moment]
    state: list[RowWord]
    market_price: list[Amount | None]
    price_low: list[Amount | None]
    price_high: list[Amount | None]
    price_avg: list[Amount | None]
    direct_low: list[Amount | None]


class Gap(BaseModel):
    """A stretch without a price: gone, unreadable, or nobody looked. UTC, `to` not included."""

    kind: GapKind
    start: Annotated[Moment, Field(alias="from")]
    end: Annotated[Moment, Field(alias="to")]


class Hold(Figures):
    """A listing that was too far off to be believed and waits for a decision."""

    hold_id: int
    observed_at: Moment
    reason: str


class PriceHistory(BaseModel):
    """One series of a card in a window of UTC days. Without a series `reason` says why."""

    card: CardName
    chosen_by: Choice
    reason: NoSeries | None
    series: SeriesName | None
    currency: Currency | None
    first_day: Annotated[date, Field(description="UTC")]
    last_day: Annotated[date, Field(description="UTC, today")]
    days: Annotated[int, Field(examples=[30])]
    days_with_price: int
    current: CurrentPrice | None
    average_price: Annotated[Amount | None, Field(description="of one value a day")]
    min_price: Amount | None
    max_price: Amount | None
    change: Annotated[Amount | None, Field(description="last day with a price minus first")]
    change_pct: Annotated[
        str | None, Field(description="percent of the first, two places", examples=["-3.25"])
    ]
    trend: Trend
    volatility: Annotated[
        float | None, Field(description="population standard deviation of daily returns")
    ]
    all_time_high: Amount | None
    all_time_low: Amount | None
    at_start: Start | None
    points: Annotated[list[Point] | None, Field(description="with shape=points")] = None
    columns: Annotated[Columns | None, Field(description="with shape=columns")] = None
    gaps: list[Gap]
    holds: list[Hold]
    other_series: list[OtherSeries]
    own_prices: Annotated[
        list[OwnPrice],
        Field(description="the asking user's own of these days, the newest first; counted nowhere"),
    ]
