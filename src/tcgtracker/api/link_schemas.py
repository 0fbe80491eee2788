"""What goes in and out of the review of links."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tcgtracker.api.catalog_schemas import Amount, Currency, Moment
from tcgtracker.api.parameters import MAX_ID, NulFree
from tcgtracker.domain.catalog import LinkAction, LinkState, ProductType
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.quotes.link_acts import MAX_PRINTING
from tcgtracker.quotes.link_choices import MAX_NOTE

PrintingText = Annotated[str, Field(max_length=MAX_PRINTING, examples=["Holofoil"]), NulFree]
Note = Annotated[str, Field(max_length=MAX_NOTE, description="kept with the decision"), NulFree]
Version = Annotated[
    str,
    Field(
        max_length=64,
        description="of the view that was looked at; a link that changed since is a 409",
    ),
    NulFree,
]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Accept(_In):
    """Where the product belongs; left out: the card of the link and the proposed printing."""

    card_id: Annotated[int | None, Field(ge=1, le=MAX_ID)] = None
    printing: PrintingText = ""
    new_printing: Annotated[
        bool, Field(description="the card may gain this printing by the decision")
    ] = False
    note: Note = ""
    version: Version = ""


class Reject(_In):
    """What is refused for good: the card, or one printing of it."""

    whole_card: bool = True
    printing: PrintingText = ""
    note: Note = ""
    version: Version = ""


class Skip(_In):
    """Why it is left for later."""

    note: Note = ""
    version: Version = ""


class BulkAccept(_In):
    """A rule that names links; `dry_run` counts them and changes nothing."""

    state: Annotated[list[LinkState], Field(min_length=1, max_length=2)] = [LinkState.UNKNOWN]
    source: Source | None = None
    game: Annotated[str, Field(max_length=200), NulFree] = ""
    rule_version: Annotated[str, Field(max_length=100, examples=["ids-2"]), NulFree] = ""
    min_score: Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False)] = None
    note: Note = ""
    dry_run: bool = True


class BulkUndo(_In):
    """The act to take back."""

    batch: UUID


class StatedSide(BaseModel):
    """What the vendor says of its product now; text of others, never markup."""

    name: str
    set_name: str
    number: str
    rarity: str
    printing: str
    tcgplayer_id: str
    url: str
    game: str
    product_type: ProductType


class CardSide(BaseModel):
    """Our card; `printing` is null while none is proven."""

    card_id: int
    name: str
    collector_number: str
    rarity: str
    set_name: str
    game: str
    printing: str | None
    printings: list[str]


class EvidencePart(BaseModel):
    """One field of both sides."""

    field: str
    vendor: str
    ours: str
    verdict: Annotated[str, Field(examples=["agrees", "disagrees", "cannot be compared"])]


class LinkInReview(BaseModel):
    """A link with both sides."""

    link_id: int
    source: Source
    external_id: str
    vendor_printing: str
    state: LinkState
    score: float
    rule_version: str
    checked_at: Moment
    decided_by: str | None
    skipped_at: Moment | None
    evidence: str
    stated: Annotated[
        StatedSide | None, Field(description="null: the vendor says nothing of its products")
    ]
    card: CardSide
    parts: list[EvidencePart]
    proposed_printing: str | None
    market_price: Annotated[
        Amount | None, Field(description="the product's newest, of links in question")
    ]
    currency: Currency | None
    priced_at: Moment | None
    value: Annotated[
        float, Field(description="what orders the queue: minor units x (1 - score); no amount")
    ]
    version: str


class Queue(BaseModel):
    """A part of the queue; `counts` are of all links that fit, by state."""

    items: list[LinkInReview]
    next_cursor: str | None
    counts: dict[LinkState, int]


class ProductPrice(BaseModel):
    """The newest price of one series of the product."""

    kind: PriceKind
    variant: str
    language: str
    market_price: Amount | None
    currency: Currency
    since: Moment


class CardPrice(BaseModel):
    """What the card shows by one source now."""

    source: Source
    market_price: Amount | None
    currency: Currency
    observed_at: Moment | None


class LinkDecision(BaseModel):
    """What a person decided once."""

    batch: UUID
    action: LinkAction
    decided_by: str
    decided_at: Moment
    note: str
    stated: Annotated[str, Field(description="what the vendor said of the product then")]
    from_state: LinkState
    from_card_id: int | None
    from_printing: str
    from_evidence: str
    to_state: LinkState
    to_card_id: int | None
    to_printing: str
    undone_at: Moment | None
    undone_by: str | None


class RefusedPair(BaseModel):
    """A pair that is never proposed again; `printing` null is the whole card."""

    card_id: int
    printing: str | None
    decided_by: str
    batch: UUID


class LinkDetail(LinkInReview):
    """A link with prices of both sides and what was decided before, the newest first."""

    compared_at: Annotated[
        Moment | None, Field(description="when the vendor's words were last compared")
    ]
    product_prices: list[ProductPrice]
    card_prices: list[CardPrice]
    decisions: list[LinkDecision]
    rejected: list[RefusedPair]


class Decided(BaseModel):
    """What became of a decision."""

    batch: UUID
    links_changed: int
    card_ids: Annotated[list[int], Field(description="whose prices were made anew")]
    link: LinkInReview


class BulkDecided(BaseModel):
    """What a bulk acceptance did, or would do; at most 1,000 links at once."""

    dry_run: bool
    matched: int
    accepted: int
    without_proposal: Annotated[int, Field(description="nothing tells which printing they are")]
    refused: Annotated[int, Field(description="something stands against them")]
    examples: list[str]
    conflicts: list[str]
    batch: UUID | None


class Undone(BaseModel):
    """How many links say again what they said before."""

    links_changed: int
