"""What each source says of one card now, side by side. Nothing is averaged or converted."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy import Connection

from tcgtracker.analytics.card_rows import CardHead, QuoteRow, load_card, load_quotes
from tcgtracker.analytics.windows import FRESH_S
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.quote import Facet
from tcgtracker.domain.source import Source
from tcgtracker.operations.flags import load_flags
from tcgtracker.prices.products import load_series


@dataclass(frozen=True, slots=True)
class ComparedPrice:
    """The headline series of one source, beside that of the first source that has a price.

    ratio: to the first one's price, None unless both are of one currency. differs_in: in what else
    they are not of the same thing, so that the ratio is not taken for a difference in price alone.
    """

    quote: QuoteRow
    facet: Facet
    printing: str
    stale: bool
    ratio: Fraction | None
    differs_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The sources of a card in their order; compared_with: the first that has a price."""

    card: CardHead
    prices: tuple[ComparedPrice, ...]
    compared_with: Source | None


def compare_sources(
    connection: Connection, history_connection: Connection, card_id: int, *, now: datetime
) -> Comparison:
    """Return the headline price of each source that has a trusted link to the card.

    Raises:
        NotFound: there is no such card.
    """
    card, ties = load_card(connection, card_id)
    printing_of = {tie.vendor_product_id: tie.printing for tie in ties}
    quotes = load_quotes(connection, card_id)
    flags = load_flags(connection)
    series = {
        one.id: one
        for one in load_series(history_connection, series_ids=[one.series_id for one in quotes])
        if one.vendor_product_id in printing_of  # a link may be refused in this moment
    }
    quotes = sorted(
        (one for one in quotes if one.series_id in series),
        key=lambda one: flags.place_of(card_id, one.source),
    )
    first = next((one for one in quotes if one.market and one.source is not flags.shadow), None)
    at = to_epoch(now)

    def kinds(quote: QuoteRow) -> dict[str, str]:
        one = series[quote.series_id]
        return {
            "kind": one.facet.kind.value,
            "variant": one.facet.variant,
            "printing": printing_of[one.vendor_product_id],
            "language": one.facet.language,
            "currency": one.facet.currency,
        }

    prices = []
    for quote in quotes:
        one = series[quote.series_id]
        ratio: Fraction | None = None
        differs: tuple[str, ...] = ()
        if first is not None and quote is not first and quote.market is not None:
            own, base = kinds(quote), kinds(first)
            differs = tuple(name for name in own if own[name] != base[name])
            if first.market and "currency" not in differs:
                ratio = Fraction(quote.market, first.market)
        prices.append(
            ComparedPrice(
                quote=quote,
                facet=one.facet,
                printing=printing_of[one.vendor_product_id],
                stale=quote.observed_at is None or at - quote.observed_at > FRESH_S,
                ratio=ratio,
                differs_in=differs,
            )
        )
    return Comparison(card, tuple(prices), None if first is None else first.source)
