"""Search at the vendors, for somebody who waits."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fastapi import APIRouter, Request

from tcgtracker.api import search_schemas as schemas
from tcgtracker.api.authentication import Asking, AskingAdmin, actor_of
from tcgtracker.api.errors import RESPONSES, name_of
from tcgtracker.domain.money import format_minor
from tcgtracker.integrations.contract import SearchHit
from tcgtracker.quotes.live_updates import TooManyWaiting
from tcgtracker.quotes.vendor_search import FoundAtVendor
from tcgtracker.tracker import Tracker

AT_ONCE = 8
MOST_WAITING = 50
T = TypeVar("T")
_DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 401, 422, 429, 503)
}
_IMPORT: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 401, 403, 404, 409, 422, 429, 503)
}


class WaitingRoom:
    """Runs searches in threads of their own, so that waiting takes none from reads.

    Used in one event loop.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="vendor-search")
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Return what the work returns.

        Raises:
            TooManyWaiting: `MOST_WAITING` others wait already.
        """
        if self._waiting >= MOST_WAITING:
            raise TooManyWaiting(f"{MOST_WAITING} searches are waiting: try again in a while")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Take no more; what is under way ends by its own deadline."""
        self._threads.shutdown(wait=True, cancel_futures=True)


def router(tracker: Tracker, room: WaitingRoom) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["search"])
    searches = tracker.vendor_search

    @routes.post("/search/all", summary="Search at several vendors", responses=_DOCUMENTED)
    async def search_all(wish: schemas.VendorsQuery, _account: Asking) -> schemas.VendorsHits:
        """Ask the vendors at the same time; who cannot answer is named under `errors`."""
        wanted = wish.sources or list(schemas.SearchedVendor)
        names = [one.value for one in wanted]
        findings = await room.run(
            lambda: searches.search_each(names, wish.query, game=wish.game, limit=wish.limit)
        )
        return schemas.VendorsHits(
            results=[_hits(name, found) for name, found in findings.found.items()],
            errors=[
                schemas.SearchFault(
                    source=schemas.SearchedVendor(name), type=name_of(error), detail=str(error)
                )
                for name, error in findings.errors.items()
            ],
        )

    @routes.post("/search/import", summary="Take in a product that was found", responses=_IMPORT)
    async def import_product(
        wish: schemas.ProductWish, admin: AskingAdmin, request: Request
    ) -> schemas.Imported:
        """Ask the vendor again, and tie the product to its card; where none is it, make one.

        Its prices are recorded too. The catalog is everybody's, so this is for admins.
        """
        taken = await room.run(
            lambda: tracker.administration.import_product(
                wish.source.value,
                wish.external_id,
                game=wish.game,
                by=actor_of(admin, request),
            )
        )
        return schemas.Imported(
            source=wish.source,
            external_id=taken.external_id,
            name=taken.stated.name,
            set_name=taken.stated.set_name,
            number=taken.stated.number,
            outcome=taken.outcome,
            card_id=taken.card_id,
            link_state=taken.state,
            reason=taken.reason,
            prices=taken.prices,
        )

    @routes.post("/search/{source}", summary="Search at one vendor", responses=_DOCUMENTED)
    async def search_one(
        source: schemas.SearchedVendor, wish: schemas.VendorQuery, _account: Asking
    ) -> schemas.VendorHits:
        """Ask one vendor. PriceCharting's products that are known here need no call."""
        found = await room.run(
            lambda: searches.search(source.value, wish.query, game=wish.game, limit=wish.limit)
        )
        return _hits(source.value, found)

    return routes


def _hits(name: str, found: FoundAtVendor) -> schemas.VendorHits:
    return schemas.VendorHits(
        source=schemas.SearchedVendor(name),
        items=[_hit(one) for one in found.hits],
        truncated=found.truncated,
    )


def _hit(one: SearchHit) -> schemas.Hit:
    price = one.price
    return schemas.Hit(
        vendor=schemas.SearchedVendor(one.vendor),
        external_id=one.external_id,
        name=one.name,
        set_name=one.set_name,
        number=one.number,
        rarity=one.rarity,
        condition=one.condition,
        price=None if price is None else format_minor(price.minor, price.currency),
        currency=None if price is None else price.currency,
        price_label=one.price_label,
        url=one.url,
        image_url=one.image_url,
        tcgplayer_id=one.tcgplayer_id,
    )
