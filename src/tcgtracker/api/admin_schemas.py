"""What the routes of operators take and answer."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tcgtracker.api.catalog_schemas import Amount, Currency, Moment, Page
from tcgtracker.api.health_report import SourceHealth
from tcgtracker.api.jobs import JobView
from tcgtracker.database.tables.prices import RunState
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind


class QuotaLeft(BaseModel):
    """Calls of a period."""

    period: Annotated[str, Field(examples=["day", "month"])]
    used: int
    allowed: int
    left: int
    resets_at: Moment


class TermsView(BaseModel):
    """What the vendor's terms allow, in short; the vendor's own words decide."""

    may_store: bool
    may_display: bool
    must_purge: Annotated[bool, Field(description="what is stored must go when the right ends")]
    note: str


class RunView(BaseModel):
    """An intake of prices."""

    run_id: int
    input: str
    state: RunState
    started_at: Moment
    finished_at: Moment | None
    error: str


class SourceView(BaseModel):
    """A vendor as an operator sees it."""

    source: Annotated[str, Field(examples=["pricecharting"])]
    title: str
    state: SourceHealth
    reason: Annotated[str, Field(description="why it is not asked, '' when it is")]
    enabled: Annotated[bool, Field(description="whether the operator's switch is on")]
    breaker: Annotated[str, Field(examples=["closed", "open", "half-open"])]
    paused_until: Moment | None
    quota: list[QuotaLeft]
    last_ok_at: Moment | None
    last_error: str
    last_error_at: Moment | None
    last_run: RunView | None
    terms: TermsView


class Sources(BaseModel):
    """All vendors."""

    items: list[SourceView]


class PurgeWish(BaseModel):
    """The word that says it is meant."""

    model_config = ConfigDict(extra="forbid")

    confirm: Annotated[
        str, Field(description="the name of the source once more", min_length=1, max_length=50)
    ]


class Refused(BaseModel):
    """A row that an intake refused; `raw` is the vendor's text, cut off."""

    id: int
    run_id: int
    source: Source
    observed_at: Moment | None
    external_id: str
    vendor_printing: str
    reason: str
    raw: str


class ReasonView(BaseModel):
    """How many rows of a source were refused for a reason."""

    source: Source
    reason: str
    rows: int


class Quarantine(Page[Refused]):
    """Refused rows, newest first, beside the counts of all of the source."""

    counts: Annotated[list[ReasonView], Field(description="the 100 most frequent")]


class DeadLetter(JobView):
    """A job that was given up."""

    error_type: Annotated[str, Field(description="the kind of the last error")]


class HoldView(BaseModel):
    """A price that was too far off to be believed and waits for a decision."""

    hold_id: int
    source: Source
    external_id: str
    product_name: str
    vendor_printing: str
    kind: PriceKind
    variant: str
    market_price: Amount
    reference_price: Annotated[
        Amount | None, Field(description="the median of the days before, which it is measured by")
    ]
    currency: Currency
    observed_at: Moment
    confirmed_days: Annotated[int, Field(description="further days that said the same")]
    reason: str


class Holds(BaseModel):
    """Held prices, oldest first."""

    items: list[HoldView]


class AuditView(BaseModel):
    """What was done; without a user it was done at the machine itself."""

    id: UUID
    at: Moment
    user_id: UUID | None
    username: str | None
    action: Annotated[str, Field(examples=["source.disabled"])]
    subject: str
    detail: dict[str, Any]
    address: str
