"""Search in the catalog, with suggestions while somebody types."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from tcgtracker.catalog import repository
from tcgtracker.catalog.search.index import Filters
from tcgtracker.quotes.shown_prices import load_headlines
from tcgtracker.tracker import Tracker
from tcgtracker.web.parameters import GameSlug, SearchText, optional_card_id
from tcgtracker.web.render import Renderer
from tcgtracker.web.visitor import Person

_A_PAGE = 30
_SUGGESTED = 8
_LAST_PAGE = 300
PageNumber = Annotated[int, Query(ge=1, le=_LAST_PAGE)]


def router(tracker: Tracker, renderer: Renderer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.get("/search")
    def search(
        request: Request,
        _account: Person,
        q: SearchText = "",
        game: GameSlug = "",
        beside: Annotated[str, Query(max_length=12)] = "",
        page: PageNumber = 1,
    ) -> Response:
        """Find cards; `beside` is a card on whose chart a found one may be put."""
        text, now = q.strip(), tracker.clock.now()
        found, prices, total, corrected = [], {}, 0, False
        if text:
            hits = tracker.search.search(
                text, Filters(game), limit=_A_PAGE, offset=(page - 1) * _A_PAGE
            )
            total, corrected = hits.total, hits.corrected
        with tracker.reading() as (connection, history):
            games = repository.list_games(connection)
            if text:
                found = repository.get_cards(connection, hits.card_ids)
                prices = load_headlines(connection, history, [one.id for one in found], now)
        values = {
            "q": q,
            "game": game,
            "beside": optional_card_id(beside),
            "games": games,
            "cards": found,
            "prices": prices,
            "total": total,
            "corrected": corrected,
            "number": page,
            "more": page * _A_PAGE < total and page < _LAST_PAGE,
        }
        return renderer.page(request, "search", values, block="results")

    @routes.get("/search/suggestions")
    def suggestions(request: Request, _account: Person, q: SearchText = "") -> Response:
        found = []
        if q.strip():
            hits = tracker.search.search(q, Filters(), limit=_SUGGESTED)
            with tracker.database.read() as connection:
                found = repository.get_cards(connection, hits.card_ids)
        body = renderer.fragment(request, "suggestions", {"cards": found, "q": q})
        return HTMLResponse(body, headers={"Cache-Control": "no-store"})

    return routes
