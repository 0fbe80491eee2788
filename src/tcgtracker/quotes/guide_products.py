"""PriceCharting's products as we know them already, found by words without a call.

First in the guide that the last synchronisation kept for a day, else in what the vendor stated of
its products. The prices beside them are those of our own history.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec
import structlog
from sqlalchemy import func, select

from tcgtracker.catalog.link_rows import products_of_ids
from tcgtracker.catalog.search.tokens import fold
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import stated_products
from tcgtracker.domain.clock import Clock, to_epoch
from tcgtracker.domain.money import Money
from tcgtracker.domain.source import FRESH_FOR, Source
from tcgtracker.domain.variant import RAW, kind_rank, variant_rank
from tcgtracker.integrations.contract import SearchAnswer, SearchHit
from tcgtracker.prices.products import Series
from tcgtracker.prices.quick import Newest, SeriesReader
from tcgtracker.runtime.ports import Cache

log = structlog.get_logger(__name__)

VENDOR = "pricecharting"
_AT_ONCE = 20
"""Series of one query of the newest prices, which names each of them in each month."""


class GuideProduct(msgspec.Struct, frozen=True):
    """A product as `BulkSync` keeps it under `pricecharting:{game}:products`."""

    id: str
    name: str
    console: str = ""
    number: str = ""
    tcgplayer_id: Annotated[str, msgspec.Meta(max_length=20)] = msgspec.field(
        name="tcg-id", default=""
    )


@dataclass(frozen=True, slots=True)
class _Found:
    products: list[GuideProduct]
    truncated: bool


class GuideProducts:
    """Finds products of a game by words that their name, set or number holds."""

    def __init__(self, database: Database, history: Database, cache: Cache, clock: Clock) -> None:
        self._clock = clock
        self._database = database
        self._history = history
        self._cache = cache

    def search(
        self, query: str, *, game: str, limit: int, kept: bool = True
    ) -> SearchAnswer | None:
        """Return what fits, the shortest names first; None when no product of it is known.

        kept: the guide that was kept may be used.
        """
        words = fold(query).split()
        guide = self._guide(game) if kept else None
        found = self._stated(words, game, limit) if guide is None else _fitting(guide, words, limit)
        if not found.products:
            return None
        hits = [
            SearchHit(
                vendor=VENDOR,
                external_id=one.id,
                name=one.name,
                set_name=one.console,
                number=one.number,
                tcgplayer_id=one.tcgplayer_id,
            )
            for one in found.products
        ]
        return SearchAnswer(hits=self._priced(hits), truncated=found.truncated)

    def _guide(self, game: str) -> list[GuideProduct] | None:
        key = f"{VENDOR}:{game}:products"
        kept = self._cache.get(key)
        if kept is None:
            return None
        try:
            return msgspec.json.decode(kept, type=list[GuideProduct])
        except msgspec.MsgspecError as exc:
            # Of another version of the program: the next synchronisation writes it anew.
            log.warning("vendor_search.guide_unreadable", game=game, error=str(exc))
            self._cache.delete(key)
            return None

    def _stated(self, words: Sequence[str], game: str, limit: int) -> _Found:
        columns = stated_products.c
        text = func.lower(columns.name + " " + columns.set_name + " " + columns.number)
        query = (
            select(
                columns.external_id,
                columns.name,
                columns.set_name,
                columns.number,
                columns.tcgplayer_id,
            )
            .where(columns.source == Source.PRICECHARTING, columns.game == game)
            .where(*(text.contains(word, autoescape=True) for word in words))
            .order_by(func.length(columns.name), columns.name, columns.external_id)
            .limit(limit + 1)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return _Found([GuideProduct(*row) for row in rows[:limit]], len(rows) > limit)

    def _priced(self, hits: Sequence[SearchHit]) -> list[SearchHit]:
        """Return the hits with the newest price of the series that speaks for each, if fresh."""
        ids = {hit.external_id for hit in hits}
        with self._history.read() as connection:
            products = products_of_ids(connection, Source.PRICECHARTING, ids)
            reader = SeriesReader(connection, self._history.dialect)
            chosen = _speaking(reader.series_of_products([one.id for one in products]))
            newest: dict[int, Newest] = {}
            for start in range(0, len(chosen), _AT_ONCE):
                newest |= reader.newest(chosen[start : start + _AT_ONCE])
        prices = {}
        oldest = to_epoch(self._clock.now() - FRESH_FOR)
        for series in chosen:
            price, facet = newest[series.id], series.facet
            if price.market is not None and price.listed and (price.market_at or 0) >= oldest:
                label = "ungraded" if facet.variant == RAW else facet.variant
                prices[series.external_id] = Money(price.market, facet.currency), label
        return [
            replace(hit, price=prices[hit.external_id][0], price_label=prices[hit.external_id][1])
            if hit.external_id in prices
            else hit
            for hit in hits
        ]


def _fitting(kept: Iterable[GuideProduct], words: Sequence[str], limit: int) -> _Found:
    fitting = []
    for one in kept:
        text = f"{one.name} {one.console} {one.number}"
        text = text.lower() if text.isascii() else fold(text)  # the same, 20 times as fast
        if all(word in text for word in words):
            fitting.append(one)
    fitting.sort(key=lambda one: (len(one.name), one.name, one.id))
    return _Found(fitting[:limit], len(fitting) > limit)


def _speaking(series: Iterable[Series]) -> list[Series]:
    by_product: defaultdict[int, list[Series]] = defaultdict(list)
    for one in series:
        by_product[one.vendor_product_id].append(one)
    return [
        min(
            choices,
            key=lambda one: (variant_rank(one.facet.variant), kind_rank(one.facet.kind), one.id),
        )
        for choices in by_product.values()
    ]
