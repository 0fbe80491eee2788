"""Two sources over a game, and the consensus of all sources on a card."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from tcgtracker.analytics.card_consensus import CardConsensus, ThingConsensus, card_consensus
from tcgtracker.analytics.consensus import Voice
from tcgtracker.analytics.pair_comparison import (
    BandRatio,
    Outlier,
    PairComparison,
    compare_pair,
    links_stand,
)
from tcgtracker.analytics.ratios import ALL_BANDS, BAND_BOUNDS
from tcgtracker.analytics.source_prices import SourceQuote
from tcgtracker.api import comparison_schemas as schemas
from tcgtracker.api import parameters
from tcgtracker.api.catalog import card_of
from tcgtracker.api.errors import RESPONSES
from tcgtracker.api.kept_answers import Through, kept_or_made
from tcgtracker.catalog import repository
from tcgtracker.catalog.views import CardRow
from tcgtracker.domain.clock import from_epoch
from tcgtracker.domain.ids import CardId
from tcgtracker.domain.money import format_minor
from tcgtracker.domain.source import Source
from tcgtracker.tracker import Tracker

_LIST: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 401, 404, 422, 503)
}
_ONE: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (401, 404, 422, 503)
}
Asked = Annotated[Source, Query(description="a source of prices")]
MostOutliers = Annotated[int, Query(description="outliers at most", ge=0, le=200)]


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["prices"])

    @routes.get(
        "/prices/compare",
        summary="Two sources over a game",
        response_model=schemas.PairComparison,
        responses=_LIST,
    )
    def compare(
        *,
        left: Asked,
        right: Asked,
        game: parameters.RequiredGame,
        limit: MostOutliers = 50,
    ) -> BaseModel | Response:
        """What each covers, their usual ratio by price band, and what departs from it.

        Ungraded is compared with near mint, market with guide prices, and only within a currency.
        """

        def stands(through: Through) -> bool:
            with tracker.database.read() as connection:
                return links_stand(connection, through)

        def make() -> tuple[schemas.PairComparison, Through]:
            answer = pair_answer(tracker, game, left, right, limit)
            return answer, [
                (side.link_id, one.card.card_id, one.printing or "")
                for one in answer.outliers
                for side in (one.left, one.right)
            ]

        key = f"compare:{game}:{left}:{right}:{limit}"
        return kept_or_made(tracker.cache, key, stands=stands, make=make)

    @routes.get(
        "/prices/consensus/{card_id}",
        summary="One price per printing over the sources",
        responses=_ONE,
    )
    def agreed(card_id: parameters.CardIdPath) -> schemas.CardConsensus:
        """With its confidence, spread, and what each source contributed; null when they disagree.

        Kinds and currencies are never mixed without saying so.
        """
        return consensus_answer(tracker, card_id)

    return routes


def pair_answer(
    tracker: Tracker, game: str, left: Source, right: Source, limit: int
) -> schemas.PairComparison:
    """Compare two sources as it is answered.

    Raises:
        InvalidInput: both are the same source.
        NotFound: there is no such game.
    """
    now = tracker.clock.now()
    with tracker.reading() as (connection, history):
        found = compare_pair(
            connection,
            history,
            tracker.history.dialect,
            game=game,
            left=left,
            right=right,
            now=now,
            limit=limit,
        )
        wanted = [CardId(one.thing.card_id) for one in found.outliers]
        cards = {card.id: card for card in repository.get_cards(connection, wanted)}
    return _pair(found, game, cards, now)


def consensus_answer(tracker: Tracker, card_id: int) -> schemas.CardConsensus:
    """Return the consensus on a card as it is answered.

    Raises:
        NotFound: there is no such card.
    """
    now = tracker.clock.now()
    with tracker.reading() as (connection, history):
        found: CardConsensus = card_consensus(
            connection, history, tracker.history.dialect, card_id, now=now
        )
    return schemas.CardConsensus(
        card_id=card_id,
        name=found.card.name,
        as_of=now,
        printings=[_agreed(one) for one in found.things],
    )


def _pair(
    found: PairComparison, game: str, cards: dict[CardId, CardRow], now: datetime
) -> schemas.PairComparison:
    return schemas.PairComparison(
        game=game,
        left=found.left,
        right=found.right,
        as_of=now,
        coverage=[
            schemas.Coverage(
                state=one.state,
                currency=one.currency,
                both=one.both,
                only_left=one.only_left,
                only_right=one.only_right,
                stale=one.stale,
            )
            for one in found.coverage
        ],
        ratios=[_ratio(one) for one in found.ratios],
        judged=found.judged,
        unjudged=found.unjudged,
        outlier_count=found.outlier_count,
        outliers=[
            _outlier(one, cards[CardId(one.thing.card_id)])
            for one in found.outliers
            if CardId(one.thing.card_id) in cards
        ],
    )


def _ratio(one: BandRatio) -> schemas.BandRatio:
    least = most = None
    if one.band != ALL_BANDS:
        bounds = (0, *BAND_BOUNDS)
        least = format_minor(bounds[one.band], one.currency)
        if one.band < len(BAND_BOUNDS):
            most = format_minor(BAND_BOUNDS[one.band], one.currency)
    return schemas.BandRatio(
        state=one.state,
        currency=one.currency,
        from_price=least,
        below_price=most,
        median_ratio=_places(one.usual.ratio, 4),
        spread_pct=_percent(one.usual.spread_factor),
        pairs=one.usual.pairs,
    )


def _outlier(one: Outlier, card: CardRow) -> schemas.Outlier:
    currency = one.thing.currency
    return schemas.Outlier(
        card=card_of(card),
        printing=one.thing.printing or None,
        state=one.thing.state,
        currency=currency,
        left=_side(one.left, currency),
        right=_side(one.right, currency),
        ratio=_places(one.right.market / one.left.market, 4),
        departure=_places(one.departure.factor, 2),
        suspect=one.departure.suspect,
        side=one.departure.side,
        evidence=list(one.departure.evidence),
    )


def _side(quote: SourceQuote, currency: str) -> schemas.ComparedQuote:
    return schemas.ComparedQuote(
        source=quote.source,
        link_id=quote.link_id,
        external_id=quote.external_id,
        kind=quote.kind,
        variant=quote.variant,
        market_price=format_minor(quote.market, currency),
        observed_at=from_epoch(quote.seen_at),
    )


def _agreed(one: ThingConsensus) -> schemas.PrintingConsensus:
    found, currency = one.consensus, one.thing.currency
    return schemas.PrintingConsensus(
        printing=one.thing.printing or None,
        state=one.thing.state,
        currency=currency,
        price=None if found.price is None else format_minor(found.price, currency),
        scale=found.scale,
        confidence=_places(found.confidence, 2),
        spread_pct=None if found.spread is None else _percent(found.spread),
        sources=found.sources,
        reasons=list(found.reasons),
        voices=[_voice(voice, currency) for voice in found.voices],
    )


def _voice(voice: Voice, currency: str) -> schemas.Voice:
    return schemas.Voice(
        source=voice.quote.source,
        kind=voice.quote.kind,
        variant=voice.quote.variant,
        market_price=format_minor(voice.quote.market, currency),
        adjusted_price=format_minor(voice.adjusted, currency),
        ratio=None if voice.ratio is None else _places(voice.ratio, 4),
        weight=_places(voice.weight, 3),
        observed_at=from_epoch(voice.quote.seen_at),
        age_s=voice.age_s,
        reason=voice.reason,
    )


def _percent(part: float) -> str:
    return _places(100 * part, 1)


def _places(number: float, places: int) -> str:
    return str(Decimal(number).quantize(Decimal(1).scaleb(-places)))
