"""Cards by their headline price: the choice of `analytics.card_history`, written as SQL."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, exists, select

from tcgtracker.catalog.views import PriceRange
from tcgtracker.database.tables.catalog import card_quotes, cards
from tcgtracker.domain.source import Source
from tcgtracker.operations.flags import BUCKETS, HASH_FACTOR, HASH_RANGE, ID_RANGE


def headline_within(price: PriceRange) -> ColumnElement[bool]:
    """Return the condition on `cards`; a card whose headline is of another currency is left out.

    The headline is of the first source in the order that is fresh, else of the one seen last.
    """
    one, chosen = card_quotes.alias("one"), card_quotes.alias("chosen")
    flags = price.flags
    place = _place(one.c.source, flags.order)
    if flags.percent:
        moved = _place(one.c.source, flags.moved)
        place = case((_bucket(one.c.card_id) < flags.percent, moved), else_=place)
    fresh = one.c.observed_at >= price.fresh_from
    headline = (
        select(one.c.series_id)
        .where(
            one.c.card_id == cards.c.id,
            one.c.observed_at.is_not(None),
            one.c.source.in_([source.value for source in flags.order]),
        )
        .order_by(
            case((fresh, 0), else_=1),
            case((fresh, place), else_=0),
            one.c.observed_at.desc(),
            place,
        )
        .limit(1)
        .correlate(cards)
        .scalar_subquery()
    )
    within = [chosen.c.currency == price.currency, chosen.c.market_price.is_not(None)]
    if price.least is not None:
        within.append(chosen.c.market_price >= price.least)
    if price.most is not None:
        within.append(chosen.c.market_price <= price.most)
    return exists(
        select(chosen.c.card_id)
        .where(chosen.c.card_id == cards.c.id, chosen.c.series_id == headline, and_(*within))
        .correlate(cards)
    )


def _place(column: ColumnElement[str], order: Sequence[Source]) -> ColumnElement[int]:
    return case({source.value: place for place, source in enumerate(order)}, value=column)


def _bucket(card_id: ColumnElement[int]) -> ColumnElement[int]:
    """Return the same as `operations.flags.bucket_of`, in whole numbers of 64 bits."""
    mixed = cast(card_id, BigInteger) % ID_RANGE * HASH_FACTOR % HASH_RANGE
    return mixed * BUCKETS // HASH_RANGE
