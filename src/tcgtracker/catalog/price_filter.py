"""Cards by their headline price: the choice of `analytics.card_history`, written as SQL."""

from sqlalchemy import ColumnElement, and_, case, exists, select

from tcgtracker.catalog.views import PriceRange
from tcgtracker.database.tables.catalog import card_quotes, cards


def headline_within(price: PriceRange) -> ColumnElement[bool]:
    """Return the condition on `cards`; a card whose headline is of another currency is left out.

    The headline is of the first source in the order that is fresh, else of the one seen last.
    """
    one, chosen = card_quotes.alias("one"), card_quotes.alias("chosen")
    place = case(
        {source.value: place for place, source in enumerate(price.order)}, value=one.c.source
    )
    fresh = one.c.observed_at >= price.fresh_from
    headline = (
        select(one.c.series_id)
        .where(one.c.card_id == cards.c.id, one.c.observed_at.is_not(None))
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
