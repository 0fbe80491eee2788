"""Which series of a source speaks for a card: the order of them, for lists and pages alike.

A grade never does: what a PSA 10 costs is not the price of a card. What a vendor has not offered
for some days still speaks, as of when it was seen: otherwise the first edition, or a played copy,
would stand in for it overnight.
"""

from collections.abc import Iterable

from tcgtracker.analytics.windows import FRESH_S
from tcgtracker.domain.catalog import printing_rank
from tcgtracker.domain.variant import is_graded, kind_rank, variant_rank
from tcgtracker.prices.products import Series
from tcgtracker.prices.quick import Newest

Rank = tuple[bool, bool, bool, int, int, int, int]


def speaks(series: Series) -> bool:
    """Tell whether a series may be the headline price of a card."""
    return not is_graded(series.facet.variant)


def newest_look(prices: Iterable[Newest]) -> int:
    """Return the last moment at which any of these prices was seen, 0 for none."""
    return max((one.market_at for one in prices if one.market_at is not None), default=0)


def speaking_rank(one: Series, printing: str, price: Newest, newest: int) -> Rank:
    """Return the place of a series among those of one source and card; the least one speaks.

    newest: when any of them was last seen with a price (epoch seconds). One that is not listed any
    more gives way once it was not seen for a week before.
    """
    at = price.market_at
    return (
        is_graded(one.facet.variant),
        at is None,
        at is not None and not price.listed and newest - at > FRESH_S,
        printing_rank(printing),
        variant_rank(one.facet.variant),
        kind_rank(one.facet.kind),
        one.id,
    )
