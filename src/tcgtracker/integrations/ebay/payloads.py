"""The Browse API's answers as documented, without the fields that we do not use.

Nothing that tells who sells is read: what is not stored need not be deleted.
"""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Payload(BaseModel):
    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )


class Amount(_Payload):
    """`value` in `currency`; the other pair is what the lister asked, before eBay converted it."""

    value: str = Field(max_length=40)
    currency: str = Field(max_length=3)
    converted_from_value: str | None = Field(default=None, max_length=40)
    converted_from_currency: str | None = Field(default=None, max_length=3)


class Image(_Payload):
    image_url: str | None = None


class ItemSummary(_Payload):
    """One active listing; an auction may have no `price`."""

    item_id: str = Field(min_length=1, max_length=200)
    title: str
    price: Amount | None = None
    current_bid_price: Amount | None = None
    buying_options: list[str] = []
    condition: str | None = None
    image: Image | None = None
    item_web_url: str | None = None
    item_group_type: str | None = None
    item_group_href: str | None = None


class Problem(_Payload):
    """An element of `errors` and of `warnings`."""

    error_id: int | None = None
    domain: str | None = None


class SearchResult(_Payload):
    """One page. No `itemSummaries` when nothing is found; `total` is only an indicator."""

    total: int | None = None
    next: str | None = None
    item_summaries: list[object] | None = None
    warnings: list[Problem] | None = None


class Failure(_Payload):
    """The body of 4xx and 5xx."""

    errors: list[Problem] = []


class Rate(_Payload):
    """A window of one resource. `reset`: an ISO moment; `time_window` in seconds."""

    limit: int | None = None
    remaining: int | None = None
    reset: str | None = None
    time_window: int | None = None


class Resource(_Payload):
    name: str
    rates: list[Rate] = []


class RateLimit(_Payload):
    api_context: str | None = None
    api_name: str | None = None
    resources: list[Resource] = []


class RateLimits(_Payload):
    """The answer of getRateLimits."""

    rate_limits: list[RateLimit] = []


class PublicKey(_Payload):
    """The answer of getPublicKey."""

    key: str = Field(min_length=1, max_length=2_000)
    algorithm: str = Field(default="ECDSA", max_length=20)
    digest: str = Field(default="SHA1", max_length=20)
