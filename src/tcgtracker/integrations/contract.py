"""What every vendor's parser hands over, and what a vendor on the network can be asked."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tcgtracker.domain.catalog import ProductType
from tcgtracker.domain.money import Money
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.integrations.catalog_records import CardRecord, SetRecord

IntArray = NDArray[np.int64]

MAX_EXTERNAL_ID = 2**50 - 1
"""The largest product id of a bulk source (the recorder keeps id and facet in one integer)."""

NO_PRICE = -1
"""Stands for an absent price in arrays of minor units (a price is never negative)."""


@dataclass(frozen=True, slots=True)
class ProductText:
    """How the vendor describes a product; text only, never trusted as markup."""

    name: str = ""
    set_name: str = ""
    number: str = ""
    rarity: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A vendor row whose content cannot be right. It goes to quarantine with its reason.

    `facet` is None when the row does not even say which series it is of.
    """

    external_id: str
    facet: Facet | None
    reason: str
    raw: str


@dataclass(slots=True)
class PricePage:
    """Rows of one bulk scope at one moment, as columns of equal length.

    external_id: positive integers, the vendor's product ids.
    facet: index into `facets` for each row.
    values: (n, 5) minor units in the order of `domain.quote.VALUE_NAMES`, `NO_PRICE` for none.
    observed_at: when the vendor says it was true (aware UTC, whole seconds).
    parts: the units of the scope that were read (groups, consoles); a scope that lacks a part it
        had before is incomplete.
    missing: why the scope is incomplete, empty when everything of it was read.
    skipped: rows that are no prices, counted by reason.
    texts: the vendor's description by external id, where the file carries it.
    """

    source: Source
    scope: str
    observed_at: datetime
    external_id: IntArray
    facet: IntArray
    facets: tuple[Facet, ...]
    values: IntArray
    parts: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    rejected: list[RejectedRow] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    texts: dict[int, ProductText] = field(default_factory=dict)
    flags: Counter[str] = field(default_factory=Counter)

    @property
    def nameless(self) -> int:
        """How many rows do not say which series they are of: any of the missing may be one."""
        return sum(row.facet is None for row in self.rejected)

    @property
    def rows_read(self) -> int:
        return len(self.external_id) + len(self.rejected) + self.skipped.total()


class Capability(StrEnum):
    """What a vendor can be asked; what it lacks is absent, not a method that raises."""

    ITEMS = "items"
    BULK = "bulk"
    SETS = "sets"
    CARDS = "cards"
    SEARCH = "search"
    LOOKUP = "lookup"


class IdKind(StrEnum):
    """Whose id a product is asked by."""

    OWN = "own"
    TCGPLAYER = "tcgplayer"


@dataclass(frozen=True, slots=True, order=True)
class ProductRef:
    """One product to ask a vendor for, by its own id or by TCGplayer's product id."""

    value: str
    kind: IdKind = IdKind.OWN


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a vendor may be asked; None where it states no such limit.

    Calls a minute, least seconds between two calls, calls a UTC day and a calendar month.
    """

    per_minute: int
    min_interval_s: float = 0.0
    per_day: int | None = None
    per_month: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What the vendor's terms allow, in short; `note` is shown to the operator."""

    may_store: bool
    may_display: bool
    must_purge: bool
    note: str


@dataclass(frozen=True, slots=True)
class VendorInfo:
    """What the core asks instead of naming a vendor.

    vendor: the name in keys, logs and rows; source: under which its prices stand, None for a
    vendor whose prices are never stored. games: our slug to the vendor's own ids, in order.
    batch: products of one ITEMS call. id_kinds: by which ids ITEMS can ask, the preferred first.
    needs: the settings without which it is disabled. bulk_by_set: a BULK game costs one call for
    each of its sets and one for each of the vendor's ids of it, else the latter alone.
    retry_after_s: the wait after a first 429 that does not say how long.
    """

    vendor: str
    source: Source | None
    title: str
    capabilities: frozenset[Capability]
    games: Mapping[str, tuple[str, ...]]
    limits: Limits
    refresh: timedelta
    terms: Terms
    batch: int = 1
    id_kinds: tuple[IdKind, ...] = (IdKind.OWN,)
    needs: tuple[str, ...] = ()
    bulk_by_set: bool = False
    retry_after_s: float = 30.0


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """How patiently to ask.

    attempts: HTTP calls for one answer at most (1: the job layer repeats). deadline_s: for one
    call, everything included. patience_s: for a place in our own rate limit, before the call.
    live: a person waits, so the reserved part of the bucket may be used and the deadline is for
    all attempts, pauses and places together.
    """

    attempts: int = 1
    deadline_s: float = 30.0
    patience_s: float = 120.0
    live: bool = False


JOB_CALL = CallPolicy()
"""With patience for two windows of the rate limit: a run of many calls is paced, not refused."""
PAGE_CALL = CallPolicy(attempts=2)
"""One call of a many-page synchronisation."""
LIVE_CALL = CallPolicy(attempts=2, deadline_s=8.0, patience_s=8.0, live=True)


@dataclass(frozen=True, slots=True)
class StatedProduct:
    """What a vendor says of one of its products, as it says it now; text only, never trusted.

    game: our slug. printing: as the vendor names it, where it names one apart from the prices.
    tcgplayer_id: TCGplayer's product id that the vendor states, '' for none.
    """

    external_id: str
    game: str
    name: str
    set_name: str = ""
    number: str = ""
    rarity: str = ""
    printing: str = ""
    tcgplayer_id: str = ""
    url: str = ""
    product_type: ProductType = ProductType.SINGLE


@dataclass(frozen=True, slots=True)
class ItemQuotes:
    """One look at one product: all facets that the vendor lists, without a price too.

    All facets have the same `sub_key`. observed_at: aware UTC, whole seconds.
    """

    external_id: str
    observed_at: datetime
    quotes: Mapping[Facet, PriceValues]


@dataclass(slots=True)
class ItemPage:
    """What one call about single products answered.

    answered: the asked refs that the vendor knew, with its own id of each. absent: those that it
    did not answer.
    """

    source: Source
    items: list[ItemQuotes] = field(default_factory=list)
    stated: list[StatedProduct] = field(default_factory=list)
    answered: dict[ProductRef, str] = field(default_factory=dict)
    absent: tuple[ProductRef, ...] = ()
    rejected: list[RejectedRow] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class CatalogPage:
    """Sets, cards, and what the vendor says of its own products; bad rows counted by reason.

    prices: what the same answers say of prices, so that no call is made twice for them.
    incomplete: why not everything was read, '' when it was.
    """

    sets: list[SetRecord] = field(default_factory=list)
    cards: list[CardRecord] = field(default_factory=list)
    stated: list[StatedProduct] = field(default_factory=list)
    bad: Counter[str] = field(default_factory=Counter)
    prices: ItemPage | None = None
    incomplete: str = ""


@dataclass(slots=True)
class BulkPage:
    """One bulk scope: its prices, and what the same file says of the catalog."""

    prices: PricePage
    catalog: CatalogPage | None = None


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A product or a listing that a vendor found; `price` is for showing, never stored."""

    vendor: str
    external_id: str
    name: str
    set_name: str = ""
    number: str = ""
    rarity: str = ""
    url: str = ""
    image_url: str = ""
    price: Money | None = None
    price_label: str = ""
    condition: str = ""
    tcgplayer_id: str = ""


@dataclass(slots=True)
class SearchAnswer:
    """What a vendor found; `truncated` when it has, or may have, more than it gave."""

    hits: list[SearchHit] = field(default_factory=list)
    truncated: bool = False
    skipped: Counter[str] = field(default_factory=Counter)


class Vendor(Protocol):
    """A vendor on the network. Nothing is opened before the first call."""

    info: VendorInfo

    async def check(self) -> None:
        """Make the cheapest call that proves key and reach; raise the typed error otherwise."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


@runtime_checkable
class ItemVendor(Vendor, Protocol):
    """Answers for single products, `info.batch` a call."""

    def items(
        self, refs: Sequence[ProductRef], *, policy: CallPolicy = JOB_CALL
    ) -> AsyncIterator[ItemPage]:
        """Yield one page a call: exactly ceil(len(refs) / batch) calls when nothing fails."""
        ...


@runtime_checkable
class BulkVendor(Vendor, Protocol):
    """Publishes whole scopes (a category) as one file or a few."""

    async def version(self, *, policy: CallPolicy = PAGE_CALL) -> str:
        """Return what changes when there is something new, '' when the vendor does not say."""
        ...

    def bulk(self, game: str, *, policy: CallPolicy = PAGE_CALL) -> AsyncIterator[BulkPage]:
        """Yield the pages of a game's scopes; a page that lacks a part says so in `missing`."""
        ...


@runtime_checkable
class CatalogVendor(Vendor, Protocol):
    """Names its sets, and the cards of one set by the vendor's own id of it."""

    def sets(self, game: str, *, policy: CallPolicy = PAGE_CALL) -> AsyncIterator[CatalogPage]: ...

    def cards(
        self, game: str, set_code: str, *, policy: CallPolicy = PAGE_CALL
    ) -> AsyncIterator[CatalogPage]:
        """Yield the cards of one set; `set_code` is the set's code or alias of this vendor."""
        ...


@runtime_checkable
class LookupVendor(Vendor, Protocol):
    """Tells all about one product: what it is, its card where it names cards, and its prices."""

    async def product(
        self, external_id: str, *, game: str, policy: CallPolicy = LIVE_CALL
    ) -> CatalogPage | None:
        """Return the product of this id alone, None when the vendor knows none.

        Raises:
            InvalidInput: the id is none of this vendor's form, or the game is not asked about.
        """
        ...


@runtime_checkable
class SearchVendor(Vendor, Protocol):
    """Finds by text."""

    async def search(
        self, query: str, *, game: str = "", limit: int = 20, policy: CallPolicy = LIVE_CALL
    ) -> SearchAnswer: ...


@dataclass(frozen=True, slots=True)
class NoticeKey:
    """The public key with which a vendor signs what it tells us; `digest` as `SHA1`."""

    pem: str
    digest: str


@runtime_checkable
class NoticeVendor(Vendor, Protocol):
    """Signs the notices that it sends."""

    async def notice_key(self, key_id: str, *, policy: CallPolicy = LIVE_CALL) -> NoticeKey | None:
        """Return the key of that id, None when the vendor knows none."""
        ...
