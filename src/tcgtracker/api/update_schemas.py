"""What updates take and answer."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tcgtracker.api.catalog_schemas import Amount, Currency, Moment
from tcgtracker.api.parameters import MAX_ID
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.quotes.update_jobs import MOST_CARDS

CardIdNumber = Annotated[int, Field(ge=1, le=MAX_ID)]


class AskedSource(StrEnum):
    """The sources that answer for single cards."""

    PRICECHARTING = Source.PRICECHARTING.value
    JUSTTCG = Source.JUSTTCG.value
    TCGPLAYER = Source.TCGPLAYER.value


class PriceResponse(BaseModel):
    """One price: the headline series of the card at the source that answered."""

    card_id: int
    source: Source
    market_price: Amount | None
    price_low: Amount | None
    price_high: Amount | None
    price_avg: Amount | None
    currency: Currency
    kind: PriceKind
    condition: Annotated[str | None, Field(description="null for a graded card")]
    grade: Annotated[str | None, Field(examples=["psa-10"])]
    printing: str | None
    timestamp: Annotated[Moment | None, Field(description="when the vendor says it was true; UTC")]
    fetched_at: Moment
    age_s: Annotated[int | None, Field(description="seconds since timestamp")]
    stale: Annotated[
        bool, Field(description="no source answered now, or the price is older than 7 days")
    ]
    held: Annotated[
        bool,
        Field(description="a newer price is implausible and held; this is the one before"),
    ]
    fallback_reason: Annotated[
        str | None, Field(description="why it is not the price of the first source")
    ]


class BulkUpdate(BaseModel):
    """Cards to update in the background."""

    model_config = ConfigDict(extra="forbid")

    card_ids: Annotated[list[CardIdNumber], Field(min_length=1, max_length=MOST_CARDS)]
    source: AskedSource | None = None


class Rejected(BaseModel):
    """A card that is not updated, and why."""

    card_id: int
    reason: str


class BulkAccepted(BaseModel):
    """The job that does it; with `wait`, also what came of it when it ended in time."""

    job_id: UUID
    status_url: str
    accepted: int
    rejected: list[Rejected]
    state: str
    result: Annotated[Any, Field(description="per-card results once the job is done, else null")]
