"""What a search answers."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tcgtracker.api.catalog_schemas import Amount, Card, Currency
from tcgtracker.api.parameters import without_nul
from tcgtracker.domain.catalog import LinkState
from tcgtracker.quotes.product_import import ImportOutcome


class Found(BaseModel):
    """Cards, best first."""

    items: list[Card]
    total: Annotated[int, Field(description="cards that fit, here or not")]
    corrected: Annotated[bool, Field(description="a word was read as mistyped")]


class Suggestions(BaseModel):
    """Names of cards, each once."""

    items: list[str]


class SearchedVendor(StrEnum):
    """Who can be searched."""

    PRICECHARTING = "pricecharting"
    JUSTTCG = "justtcg"
    TCGPLAYER = "tcgplayer"
    EBAY = "ebay"


class VendorQuery(BaseModel):
    """What to search for at a vendor."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[
        str,
        Field(min_length=3, max_length=100, pattern=r"\S", examples=["charizard base set"]),
        AfterValidator(without_nul),
    ]
    game: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,50}$")] = "pokemon"
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class VendorsQuery(VendorQuery):
    """What to search for at several vendors, all of them when none is named."""

    sources: Annotated[list[SearchedVendor] | None, Field(min_length=1, max_length=10)] = None


class Hit(BaseModel):
    """A product or a listing as the vendor describes it: text, never markup."""

    vendor: SearchedVendor
    external_id: str
    name: str
    set_name: str
    number: str
    rarity: str
    condition: str
    price: Annotated[Amount | None, Field(description="null when the vendor's answer has none")]
    currency: Annotated[Currency | None, Field(description="null without a price")]
    price_label: Annotated[
        str, Field(description="what the price is of", examples=["ungraded", "asking price"])
    ]
    url: str
    image_url: str
    tcgplayer_id: Annotated[str, Field(description="TCGplayer's product id, '' for none")]


class VendorHits(BaseModel):
    """What one vendor found, best first."""

    source: SearchedVendor
    items: list[Hit]
    truncated: Annotated[bool, Field(description="the vendor has, or may have, more")]


class SearchFault(BaseModel):
    """Why a vendor did not answer; `type` is the end of the problem type of the same trouble."""

    source: SearchedVendor
    type: Annotated[str, Field(examples=["vendor-unavailable"])]
    detail: str


class VendorsHits(BaseModel):
    """What each vendor found, and who did not answer."""

    results: list[VendorHits]
    errors: list[SearchFault]


class ImportedVendor(StrEnum):
    """Whose products can be taken in one by one."""

    PRICECHARTING = SearchedVendor.PRICECHARTING.value
    JUSTTCG = SearchedVendor.JUSTTCG.value
    TCGPLAYER = SearchedVendor.TCGPLAYER.value


class ProductWish(BaseModel):
    """A product that a search found. What it is, the vendor is asked again."""

    model_config = ConfigDict(extra="forbid")

    source: ImportedVendor
    external_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$", examples=["42444"])]
    game: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,50}$")] = "pokemon"


class Imported(BaseModel):
    """A product that was taken in, and what it is tied to."""

    source: ImportedVendor
    external_id: Annotated[str, Field(description="as the vendor keys it")]
    name: str
    set_name: str
    number: str
    outcome: Annotated[
        ImportOutcome,
        Field(description="a card was made for it, it is tied to one that was there, or it waits"),
    ]
    card_id: Annotated[int | None, Field(description="null while it is tied to no card")]
    link_state: Annotated[
        LinkState | None, Field(description="of its prices; null while it has none")
    ]
    reason: Annotated[str, Field(description="what proves the tie, or why there is none")]
    prices: Annotated[int, Field(description="series that the vendor states")]
