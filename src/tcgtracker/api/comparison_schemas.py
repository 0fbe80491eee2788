"""What comparisons of two sources and consensus prices look like."""

from typing import Annotated

from pydantic import BaseModel, Field

from tcgtracker.analytics.suspects import Side, Suspect
from tcgtracker.api.catalog_schemas import Amount, Card, Currency, Moment
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind

Ratio = Annotated[str, Field(description="right over left", examples=["0.9300"])]
State = Annotated[
    str, Field(description="ungraded (raw against near mint), sealed, a condition or a grade")
]


class Coverage(BaseModel):
    """Printings with a fresh price at both sources, or at one alone."""

    state: State
    currency: Currency
    both: int
    only_left: int
    only_right: int
    stale: Annotated[int, Field(description="priced, but not seen within 7 days by one of them")]


class BandRatio(BaseModel):
    """The usual ratio in a price band; both bounds null: over all prices."""

    state: State
    currency: Currency
    from_price: Amount | None
    below_price: Amount | None
    median_ratio: Ratio
    spread_pct: Annotated[
        str, Field(description="robust: 1.48 x the median distance", examples=["6.2"])
    ]
    pairs: int


class ComparedQuote(BaseModel):
    """One side of an outlier."""

    source: Source
    link_id: int
    external_id: str
    kind: PriceKind
    variant: str
    market_price: Amount
    observed_at: Moment


class Outlier(BaseModel):
    """Two prices of one thing that do not fit each other."""

    card: Card
    printing: str | None
    state: State
    currency: Currency
    left: ComparedQuote
    right: ComparedQuote
    ratio: Ratio
    departure: Annotated[
        str, Field(description="factor away from the usual ratio", examples=["7.40"])
    ]
    suspect: Suspect
    side: Side
    evidence: list[str]


class PairComparison(BaseModel):
    """Two sources over a game. Ratios only: nothing is averaged or converted."""

    game: str
    left: Source
    right: Source
    as_of: Annotated[Moment, Field(description="when it was computed; kept for 10 minutes")]
    coverage: list[Coverage]
    ratios: list[BandRatio]
    judged: Annotated[int, Field(description="pairs of which it is known what is usual")]
    unjudged: Annotated[int, Field(description="pairs of which too few were seen to tell")]
    outlier_count: int
    outliers: list[Outlier]


class Voice(BaseModel):
    """What one source contributes to a consensus."""

    source: Source
    kind: PriceKind
    variant: str
    market_price: Amount
    adjusted_price: Annotated[Amount, Field(description="on the scale of the reference")]
    ratio: Annotated[
        str | None, Field(description="what it was divided by; null: not known, taken as it is")
    ]
    weight: Annotated[str, Field(description="0: left out", examples=["0.906"])]
    observed_at: Moment
    age_s: int
    reason: str


class PrintingConsensus(BaseModel):
    """The consensus on one printing in one state and currency."""

    printing: str | None
    state: State
    currency: Currency
    price: Annotated[Amount | None, Field(description="null when the sources do not tell")]
    scale: Annotated[
        Source | None, Field(description="whose prices it is comparable with; null: nobody's")
    ]
    confidence: Annotated[
        str, Field(description="0 to 1, no probability: ADR 20", examples=["0.84"])
    ]
    spread_pct: Annotated[
        str | None, Field(description="largest over smallest, minus 1; null for one source")
    ]
    sources: Annotated[int, Field(description="how many count")]
    reasons: list[str]
    voices: list[Voice]


class CardConsensus(BaseModel):
    """One price per printing over the sources; users' own prices never enter."""

    card_id: int
    name: str
    as_of: Moment
    printings: list[PrintingConsensus]
