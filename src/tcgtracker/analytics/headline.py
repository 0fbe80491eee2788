"""The price that stands for a card, and the cache that keeps it under `card:price:{card_id}`.

What is kept carries a stamp of the links, card quotes and the order of the sources that it was made
of: they are read with every answer, so that nobody is told a price that another process, an import
or a link has changed meanwhile. Ages are made when it is answered.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from tcgtracker.analytics.card_history import (
    Filters,
    candidates_of,
    choose_series,
)
from tcgtracker.analytics.card_rows import CardTie, QuoteRow, load_card, load_quotes
from tcgtracker.analytics.windows import FRESH_S
from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.operations.flags import load_flags
from tcgtracker.prices.quick import SeriesReader
from tcgtracker.runtime.ports import Cache

KEPT_FOR_S = 3_600


@dataclass(frozen=True, slots=True)
class Headline:
    """The price that stands for a card in lists, with the series it is of; epoch seconds.

    printing: '' when it is not proven. stale: at the moment of the answer.
    """

    source: Source
    kind: PriceKind
    variant: str
    printing: str
    currency: str
    market: int | None
    observed_at: int | None
    listed: bool
    stale: bool = False

    def at(self, now: int) -> "Headline":
        """Return the same as it is at another moment."""
        seen = self.observed_at
        return replace(self, stale=seen is None or now - seen > FRESH_S)


def headline_price(
    connection: Connection,
    history_connection: Connection,
    dialect: DatabaseDialect,
    card_id: int,
    *,
    now: datetime,
    cache: Cache | None = None,
) -> Headline | None:
    """Return the headline price of a card, None without a trusted link or without a series.

    dialect: of the history connection. cache: where it is kept for the next reader.

    Raises:
        NotFound: there is no such card.
    """
    at = to_epoch(now)
    _, ties = load_card(connection, card_id)
    quotes = load_quotes(connection, card_id) if ties else []
    order = load_flags(connection).order_of(card_id)
    key, stamp = f"card:price:{card_id}", _stamp(ties, quotes, order)
    kept = None if cache is None else _read(cache.get(key))
    if kept is None or kept.stamp != stamp or not kept.made_at <= at < kept.valid_until:
        kept = _make(history_connection, dialect, ties, quotes, order, stamp, at)
        if cache is not None:
            cache.set(key, msgspec.json.encode(kept), ttl_s=KEPT_FOR_S)
    return None if kept.price is None else kept.price.at(at)


class _Kept(msgspec.Struct):
    """A price, None for none; it holds while the stamp does, and until `valid_until`."""

    stamp: str
    made_at: int
    valid_until: int
    price: Headline | None


def _make(
    history_connection: Connection,
    dialect: DatabaseDialect,
    ties: list[CardTie],
    quotes: list[QuoteRow],
    order: tuple[Source, ...],
    stamp: str,
    at: int,
) -> _Kept:
    reader = SeriesReader(history_connection, dialect)
    candidates = candidates_of(reader, ties)
    newest = reader.newest([one.series for one in candidates])
    found, turns = choose_series(candidates, quotes, newest, Filters(), order, at)
    valid_until = min([at + KEPT_FOR_S, *(turn for turn in turns if turn > at)])
    if found is None:
        return _Kept(stamp, at, valid_until, None)
    price, facet = newest[found.series.id], found.series.facet
    headline = Headline(
        source=found.series.source,
        kind=facet.kind,
        variant=facet.variant,
        printing=found.printing,
        currency=facet.currency,
        market=price.market,
        observed_at=price.market_at,
        listed=price.listed,
    )
    return _Kept(stamp, at, valid_until, headline)


def _stamp(ties: list[CardTie], quotes: list[QuoteRow], order: tuple[Source, ...]) -> str:
    said = repr((sorted(map(repr, ties)), sorted(map(repr, quotes)), order))
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def _read(raw: bytes | None) -> _Kept | None:
    """Return what was kept, None for nothing and for what another version of the program wrote."""
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=_Kept)
    except msgspec.MsgspecError:
        return None
