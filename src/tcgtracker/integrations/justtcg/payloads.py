"""The vendor's answers (v1) as it documents them. Fields we do not use are dropped.

Rows stay undecoded in the envelope, so that one bad card or variant does not cost the others.
"""

import msgspec


class PagePayload(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """Where a page stands. The vendor's word, not always true."""

    total: int | None = None
    limit: int | None = None
    offset: int | None = None
    has_more: bool | None = None


class UsagePayload(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """`_metadata`: what is left of the plan, the only place that says so."""

    api_request_limit: int | None = None
    api_requests_remaining: int | None = None
    api_daily_limit: int | None = None
    api_daily_requests_remaining: int | None = None


class ListPayload(msgspec.Struct, frozen=True, kw_only=True):
    """Every successful answer. A batch has no `meta`."""

    data: list[object]
    meta: PagePayload | None = None


class ErrorPayload(msgspec.Struct, frozen=True, kw_only=True):
    """An error, sometimes without a code."""

    error: str = ""
    code: str = ""


class VariantPayload(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """One condition, printing and language of a card; `price` in dollars.

    `price` and `last_updated` (epoch seconds, also seen as text) are judged by `normalize`.
    """

    id: str
    condition: str
    printing: str
    language: str | None = None
    price: object = None
    last_updated: object = None


class CardPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A card. It has no price of its own; `set` is the set's id, `game` a displayed name."""

    id: str
    name: str
    game: str
    set: str
    variants: list[object]
    uuid: str | None = None
    set_name: str | None = None
    number: str | None = None
    rarity: str | None = None
    tcgplayer_id: str | None = msgspec.field(name="tcgplayerId", default=None)


class SetPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A set; `game_id` is the vendor's slug of the game."""

    id: str
    name: str
    game_id: str
    cards_count: int | None = None
    release_date: str | None = None
