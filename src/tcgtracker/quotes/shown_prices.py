"""The prices that cards show now, by source, and whether a newer one is held back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from tcgtracker.catalog.link_rows import chunks, links_of, products_of_ids
from tcgtracker.database.tables.catalog import card_quotes
from tcgtracker.database.tables.prices import price_holds
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.quote import HoldState
from tcgtracker.domain.source import FRESH_FOR, Source
from tcgtracker.operations.flags import load_flags
from tcgtracker.prices.products import Series, load_series
from tcgtracker.quotes.outcomes import ShownPrice


@dataclass(frozen=True, slots=True)
class CardPrices:
    """What one card shows by source; `listed`: the sources where the price still stands."""

    by_source: Mapping[Source, ShownPrice]
    listed: frozenset[Source]


@dataclass(frozen=True, slots=True)
class Tie:
    """A trusted link of a product of one source to a card, with the series of the product."""

    card_id: int
    external_id: str
    printing: str
    series_ids: tuple[int, ...]


def load_shown(
    connection: Connection, history: Connection, card_ids: Collection[int]
) -> dict[int, CardPrices]:
    """Return what the cards show; a card without a trusted link is absent."""
    rows = [
        row
        for chunk in chunks(sorted(card_ids))
        for row in connection.execute(select(card_quotes).where(card_quotes.c.card_id.in_(chunk)))
    ]
    series = _series(history, {row.series_id for row in rows})
    links = links_of(connection, {one.vendor_product_id for one in series.values()})
    shown: dict[int, dict[Source, ShownPrice]] = {}
    listed: dict[int, set[Source]] = {}
    for row in rows:
        one = series.get(row.series_id)
        if one is None:  # purged in this moment
            continue
        link = links.get(one.vendor_product_id)
        if link is None or not link.state.trusted or link.card_id != row.card_id:
            continue  # decided just now, or by who died before the quotes were made anew
        shown.setdefault(row.card_id, {})[one.source] = ShownPrice(
            source=one.source,
            series_id=one.id,
            external_id=one.external_id,
            kind=one.facet.kind.value,
            variant=one.facet.variant,
            printing=link.printing,
            market_price=row.market_price,
            currency=row.currency,
            observed_at=row.observed_at,
        )
        if row.listed:
            listed.setdefault(row.card_id, set()).add(one.source)
    return {
        card_id: CardPrices(by_source, frozenset(listed.get(card_id, ())))
        for card_id, by_source in shown.items()
    }


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """The headline price of a card in a list; `listed`: it still stands there."""

    price: ShownPrice
    stale: bool
    listed: bool


def load_headlines(
    connection: Connection, history: Connection, card_ids: Collection[int], now: datetime
) -> dict[int, ListedPrice]:
    """Return the headline prices; a card without a price is absent.

    The first source in the order that is fresh speaks, else the one seen last (DESIGN section 4).
    """
    flags, fresh_from = load_flags(connection), now - FRESH_FOR
    found = {}
    for card_id, shown in load_shown(connection, history, card_ids).items():
        order = flags.order_of(card_id)
        seen = sorted(
            (
                (one, one.observed_at)
                for one in shown.by_source.values()
                if one.observed_at is not None
                and one.market_price is not None
                and one.source in order
            ),
            key=lambda pair: order.index(pair[0].source),
        )
        if seen:
            fresh = [one for one, at in seen if at >= fresh_from]
            one = fresh[0] if fresh else max(seen, key=lambda pair: pair[1])[0]
            found[card_id] = ListedPrice(one, not fresh, one.source in shown.listed)
    return found


def load_ties(
    connection: Connection, history: Connection, source: Source, external_ids: Collection[str]
) -> list[Tie]:
    """Return the trusted links of these products of a source."""
    products = {one.id: one for one in products_of_ids(history, source, external_ids)}
    links = {
        product_id: link
        for product_id, link in links_of(connection, products.keys()).items()
        if link.state.trusted
    }
    series: dict[int, list[int]] = {}
    for chunk in chunks(sorted(links)):
        for one in load_series(history, vendor_product_ids=chunk):
            series.setdefault(one.vendor_product_id, []).append(one.id)
    return [
        Tie(
            link.card_id,
            products[product_id].external_id,
            link.printing,
            tuple(series.get(product_id, ())),
        )
        for product_id, link in links.items()
    ]


def held_series(history: Connection, moments: Mapping[int, int]) -> set[int]:
    """Return the series whose quote of that moment (epoch seconds) is held back."""
    found: set[int] = set()
    for chunk in chunks(sorted(moments)):
        rows = history.execute(
            select(price_holds.c.series_id, price_holds.c.observed_at).where(
                price_holds.c.series_id.in_(chunk), price_holds.c.state == HoldState.HELD
            )
        )
        found.update(row[0] for row in rows if to_epoch(row[1]) == moments[row[0]])
    return found


def _series(history: Connection, series_ids: Collection[int]) -> dict[int, Series]:
    return {
        one.id: one
        for chunk in chunks(sorted(series_ids))
        for one in load_series(history, series_ids=chunk)
    }
