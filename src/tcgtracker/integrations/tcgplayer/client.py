"""Paths, paging and batches of the TCGplayer API. The only I/O."""

from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from itertools import islice

from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import BadCredentials, InvalidInput
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import (
    JOB_CALL,
    LIVE_CALL,
    PAGE_CALL,
    CallPolicy,
    CatalogPage,
    ItemPage,
    ProductRef,
    SearchAnswer,
    VendorInfo,
)
from tcgtracker.integrations.http import Answer, VendorHttp, Verdict
from tcgtracker.integrations.tcgcsv.pages import (
    card_page,
    categories_of,
    group_of,
    product_page,
    set_page,
)
from tcgtracker.integrations.tcgcsv.payloads import Envelope, read_envelope
from tcgtracker.integrations.tcgplayer.normalize import add_hits, asked_ids, item_page
from tcgtracker.integrations.tcgplayer.paging import LIMIT, Walk
from tcgtracker.integrations.tokens import TokenCalls

BATCH = 200
"""Product ids of one call (public clients use 250 as the most; vendors/tcgplayer.md section 3)."""

# 207: a part of the ids was found; 404 with JSON: none, also for an existing but empty group
_ANSWERED = (HTTPStatus.OK, HTTPStatus.MULTI_STATUS, HTTPStatus.NOT_FOUND)


class TcgplayerVendor:
    """An `ItemVendor`, `CatalogVendor` and `SearchVendor`."""

    def __init__(self, info: VendorInfo, http: VendorHttp, calls: TokenCalls, clock: Clock) -> None:
        self.info = info
        self._http = http
        self._calls = calls
        self._clock = clock

    async def check(self) -> None:
        """Ask for one category."""
        await self._get("categories", "/catalog/categories", {"limit": "1"}, JOB_CALL)

    async def close(self) -> None:
        await self._http.close()

    async def items(
        self, refs: Sequence[ProductRef], *, policy: CallPolicy = JOB_CALL
    ) -> AsyncIterator[ItemPage]:
        """Yield one page for each 200 ids; true at the hour in which the vendor answers."""
        asked, unaskable = asked_ids(refs)
        waiting = iter(asked.items())
        while batch := dict(islice(waiting, BATCH)):
            path = f"/pricing/product/{','.join(batch)}"
            envelope = await self._get("product_prices", path, {}, policy)
            hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
            page = item_page(envelope.results, batch, hour)
            page.absent += tuple(unaskable)
            unaskable = []
            yield page
        if unaskable:
            yield ItemPage(Source.TCGPLAYER, absent=tuple(unaskable))

    async def sets(
        self, game: str, *, policy: CallPolicy = PAGE_CALL
    ) -> AsyncIterator[CatalogPage]:
        """Yield the groups of the game's categories, 100 a page."""
        for category in categories_of(game):
            path = f"/catalog/categories/{category}/groups"
            async for rows, incomplete in self._walk("groups", path, {}, "groupId", policy):
                page = set_page(rows, category)
                page.incomplete = incomplete and f"groups of category {category}: {incomplete}"
                yield page

    async def cards(
        self, game: str, set_code: str, *, policy: CallPolicy = PAGE_CALL
    ) -> AsyncIterator[CatalogPage]:
        """Yield the products of a group, sealed ones too, 100 a page."""
        categories, group = categories_of(game), group_of(set_code)
        params = {"groupId": str(group), "getExtendedFields": "true"}
        path = "/catalog/products"
        async for rows, incomplete in self._walk("products", path, params, "productId", policy):
            page = card_page(rows, categories, group)
            page.incomplete = incomplete and f"products of group {group}: {incomplete}"
            yield page

    async def product(
        self, external_id: str, *, game: str, policy: CallPolicy = LIVE_CALL
    ) -> CatalogPage | None:
        """Return the product with its prices: two calls."""
        ref = ProductRef(external_id)
        asked, _ = asked_ids([ref])
        if not asked:
            raise InvalidInput(f"{external_id!r} is no product id of TCGplayer: use its number")
        categories = categories_of(game)
        path = f"/catalog/products/{next(iter(asked))}"
        envelope = await self._get("product", path, {"getExtendedFields": "true"}, policy)
        if not envelope.results:
            return None
        page = product_page(envelope.results, categories)
        async for prices in self.items([ref], policy=policy):
            page.prices = prices
        return page

    async def search(
        self, query: str, *, game: str = "", limit: int = 20, policy: CallPolicy = LIVE_CALL
    ) -> SearchAnswer:
        """Return products whose name has the query, one call a category of the game."""
        if not query.strip():
            raise InvalidInput("what is to be searched? The query is empty")
        found = SearchAnswer()
        for category in map(str, categories_of(game)) if game else ("",):
            if len(found.hits) >= limit:
                found.truncated = True  # this category was not asked
                break
            params = {"productName": query, "getExtendedFields": "true"}
            params |= {"categoryId": category} if category else {}
            params |= {"limit": str(min(limit, LIMIT)), "offset": "0"}
            envelope = await self._get("search", "/catalog/products", params, policy)
            add_hits(found, self.info.vendor, envelope.results, limit)
            found.truncated |= (envelope.total_items or 0) > len(envelope.results)
        return found

    async def _walk(
        self,
        operation: str,
        path: str,
        params: Mapping[str, str],
        id_field: str,
        policy: CallPolicy,
    ) -> AsyncIterator[tuple[list[object], str]]:
        """Yield the rows of each page, and with the last one why something may be lacking."""
        walk = Walk(id_field)
        more = True
        while more:
            place = {"limit": str(LIMIT), "offset": str(walk.offset)}
            envelope = await self._get(operation, path, {**params, **place}, policy)
            more = walk.take(envelope.results, envelope.total_items)
            yield envelope.results, walk.incomplete

    async def _get(
        self, operation: str, path: str, params: Mapping[str, str], policy: CallPolicy
    ) -> Envelope:
        answer = await self._calls.get(
            operation, path, policy=policy, params=params, accept=_ANSWERED, judge=_judge
        )
        return read_envelope(answer)


def _judge(answer: Answer) -> Verdict | None:
    """Read 403 as a refused key: the vendor documents no other use of it.

    Raises:
        ContractBroken: a success without the documented envelope.
    """
    if answer.status == HTTPStatus.OK:
        read_envelope(answer)
    if answer.status != HTTPStatus.FORBIDDEN:
        return None
    reason = "the vendor refuses this key (403)"
    return Verdict(BadCredentials(answer.vendor, answer.operation, reason, answer.request_id))
