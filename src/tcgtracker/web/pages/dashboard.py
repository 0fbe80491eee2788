"""The first page: what moved, how the sources are, what came in, what is stale."""

from datetime import datetime

import msgspec
from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from tcgtracker.analytics.coverage import Coverage, load_coverage
from tcgtracker.analytics.trends import Trends, load_trends, still_shown
from tcgtracker.catalog import repository
from tcgtracker.domain.errors import NotFound
from tcgtracker.operations.flags import load_flags
from tcgtracker.operations.queue_depth import load_depth
from tcgtracker.quotes.runs import load_runs
from tcgtracker.quotes.shown_prices import load_shown
from tcgtracker.tracker import Tracker
from tcgtracker.web.parameters import GameSlug
from tcgtracker.web.render import Renderer
from tcgtracker.web.source_view import load_sources
from tcgtracker.web.visitor import Person

_DAYS, _MOVERS, _RUNS = 7, 6, 6
_CURRENCY, _LEAST = "USD", 100
_KEPT_S = 60
_COVERAGE = "web:coverage"


def router(tracker: Tracker, renderer: Renderer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.get("/")
    def dashboard(request: Request, _account: Person, game: GameSlug = "") -> Response:
        now, sources = tracker.clock.now(), load_sources(tracker)
        with tracker.reading() as (connection, history):
            games = [one for one in repository.list_games(connection) if one.set_count]
            if not games:
                return renderer.page(request, "first_run", {"sources": sources})
            slugs = [one.slug for one in games]
            if game and game not in slugs:
                raise NotFound(f"there is no game {game!r}")
            chosen = game or ("pokemon" if "pokemon" in slugs else slugs[0])
            source, trends = _kept_trends(tracker, connection, history, chosen, now)
            moved = [one.card_id for one in (*trends.up, *trends.down)]
            cards = {card.id: card for card in repository.get_cards(connection, moved)}
            values = {
                "games": games,
                "game": chosen,
                "days": _DAYS,
                "currency": _CURRENCY,
                "least": _LEAST,
                "source": source,
                "trends": trends,
                "cards": cards,
                "shown": load_shown(connection, history, moved),
                "sources": sources,
                "coverage": _kept_coverage(tracker, connection, now),
                "runs": load_runs(history, limit=_RUNS),
                "depth": load_depth(connection, now),
            }
        return renderer.page(request, "dashboard", values)

    return routes


def _kept_trends(
    tracker: Tracker, connection: Connection, history: Connection, game: str, now: datetime
) -> tuple[str, Trends]:
    """Return the moves of a game, looked at again after a minute, or once a link is gone."""
    key = f"web:trends:{game}:{','.join(load_flags(connection).order)}"
    raw = tracker.cache.get(key)
    if raw is not None:
        kept = msgspec.json.decode(raw, type=tuple[str, Trends])
        moves = [(one.card_id, one.series_id) for one in (*kept[1].up, *kept[1].down)]
        if still_shown(connection, moves):
            return kept
    found = _first_trends(tracker, connection, history, game, now)
    tracker.cache.set(key, msgspec.json.encode(found), ttl_s=_KEPT_S)
    return found


def _kept_coverage(tracker: Tracker, connection: Connection, now: datetime) -> Coverage:
    """Return the counts of cards, counted again after a minute."""
    kept = tracker.cache.get(_COVERAGE)
    if kept is not None:
        return msgspec.json.decode(kept, type=Coverage)
    found = load_coverage(connection, now)
    tracker.cache.set(_COVERAGE, msgspec.json.encode(found), ttl_s=_KEPT_S)
    return found


def _first_trends(
    tracker: Tracker, connection: Connection, history: Connection, game: str, now: datetime
) -> tuple[str, Trends]:
    """Return the moves by the first source of the order that has any."""
    order = load_flags(connection).order
    for source in order:
        found = load_trends(
            connection,
            history,
            tracker.history.dialect,
            game=game,
            source=source,
            currency=_CURRENCY,
            days=_DAYS,
            least=_LEAST,
            limit=_MOVERS,
            now=now,
        )
        if found.considered:
            return source.value, found
    return order[0].value, Trends((), (), 0, bounded=False)
