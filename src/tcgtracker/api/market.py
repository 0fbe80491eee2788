"""The sources of a card side by side, and what moved."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from tcgtracker.analytics.comparison import ComparedPrice, compare_sources
from tcgtracker.analytics.statistics import percent
from tcgtracker.analytics.trends import Move, load_trends, still_shown
from tcgtracker.api import market_schemas as schemas
from tcgtracker.api import parameters
from tcgtracker.api.catalog import card_of
from tcgtracker.api.errors import RESPONSES
from tcgtracker.api.kept_answers import Through, kept_or_made
from tcgtracker.catalog import repository
from tcgtracker.catalog.views import CardRow
from tcgtracker.domain.clock import from_epoch, to_epoch
from tcgtracker.domain.ids import CardId
from tcgtracker.domain.money import format_minor, minor_from_decimal
from tcgtracker.operations.flags import load_flags
from tcgtracker.tracker import Tracker

_DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (401, 404, 422, 503)
}
_RATIO_PLACES = Decimal("0.0001")
TrendDays = Annotated[int, Query(description="days back from now", ge=1, le=90)]
LeastMoved = Annotated[
    Decimal,
    Query(
        description="price that both moments must reach",
        ge=0,
        le=parameters.MAX_AMOUNT,
        allow_inf_nan=False,
    ),
]
MostMovers = Annotated[int, Query(description="cards each way at most", ge=1, le=100)]


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["prices"])

    @routes.get(
        "/prices/compare/{card_id}",
        summary="Each source's headline price side by side",
        responses=_DOCUMENTED,
    )
    def compare(card_id: parameters.CardIdPath) -> schemas.SourceComparison:
        return comparison_of(tracker, card_id)

    @routes.get(
        "/prices/trends",
        summary="What moved most",
        response_model=schemas.PriceTrends,
        responses=_DOCUMENTED,
    )
    def trends(
        *,
        game: parameters.RequiredGame,
        days: TrendDays = 7,
        source: parameters.SourceName = None,
        min_price: LeastMoved = Decimal(1),
        currency: parameters.CurrencyCode = "USD",
        limit: MostMovers = 20,
    ) -> BaseModel | Response:
        """Prices of each card's headline series of the source, the first of the order by default.

        Both prices are as they were stated; a card without a price at one moment has no trend. At
        most 2,000 cards are looked at, the dearest ones.
        """
        least = minor_from_decimal(min_price, currency)
        with tracker.reading() as (connection, history):
            asked = source or load_flags(connection).order[0]

            def stands(through: Through) -> bool:
                moves = [(card_id, series_id) for card_id, series_id, _ in through]
                return still_shown(connection, moves)

            def make() -> tuple[schemas.PriceTrends, Through]:
                now = tracker.clock.now()
                found = load_trends(
                    connection,
                    history,
                    tracker.history.dialect,
                    game=game,
                    source=asked,
                    currency=currency,
                    days=days,
                    least=least,
                    limit=limit,
                    now=now,
                )
                moves = (*found.up, *found.down)
                moved = [one.card_id for one in moves]
                cards = {card.id: card for card in repository.get_cards(connection, moved)}
                answer = schemas.PriceTrends(
                    game=game,
                    source=asked,
                    currency=currency,
                    days=days,
                    min_price=format_minor(least, currency),
                    as_of=now,
                    considered=found.considered,
                    bounded=found.bounded,
                    up=_movers(found.up, cards, currency),
                    down=_movers(found.down, cards, currency),
                )
                return answer, [(one.card_id, one.series_id, "") for one in moves]

            key = f"trends:{game}:{asked}:{days}:{currency}:{least}:{limit}"
            return kept_or_made(tracker.cache, key, stands=stands, make=make)

    return routes


def comparison_of(tracker: Tracker, card_id: int) -> schemas.SourceComparison:
    """Return the sources of a card side by side as it is answered.

    Raises:
        NotFound: there is no such card.
    """
    now = tracker.clock.now()
    with tracker.reading() as (connection, history):
        found = compare_sources(connection, history, card_id, now=now)
    first = found.compared_with
    return schemas.SourceComparison(
        card_id=card_id,
        name=found.card.name,
        compared_with=first,
        prices=[_price(one, to_epoch(now)) for one in found.prices],
    )


def _price(one: ComparedPrice, now: int) -> schemas.SourcePrice:
    quote, facet = one.quote, one.facet
    seen = quote.observed_at
    ratio = None
    if one.ratio is not None:
        exact = Decimal(one.ratio.numerator) / Decimal(one.ratio.denominator)
        ratio = str(exact.quantize(_RATIO_PLACES))
    return schemas.SourcePrice(
        source=quote.source,
        market_price=None if quote.market is None else format_minor(quote.market, quote.currency),
        currency=quote.currency,
        kind=facet.kind,
        variant=facet.variant,
        printing=one.printing or None,
        language=facet.language,
        observed_at=None if seen is None else from_epoch(seen),
        age_s=None if seen is None else max(0, now - seen),
        listed=quote.listed,
        stale=one.stale,
        ratio=ratio,
        differs_in=list(one.differs_in),
    )


def _movers(
    moves: tuple[Move, ...], cards: dict[CardId, CardRow], currency: str
) -> list[schemas.Mover]:
    return [
        schemas.Mover(
            card=card_of(cards[CardId(one.card_id)]),
            series_id=one.series_id,
            price_before=format_minor(one.before, currency),
            price_now=format_minor(one.now, currency),
            change_pct=percent(one.now - one.before, one.before) or "",
        )
        for one in moves
        if CardId(one.card_id) in cards
    ]
