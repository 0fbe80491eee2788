"""Games, their sets, and the cards of a set."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from tcgtracker.catalog import repository
from tcgtracker.catalog.views import CardFilter
from tcgtracker.quotes.shown_prices import load_headlines
from tcgtracker.tracker import Tracker
from tcgtracker.web.parameters import Cursor, SetId, ShortText
from tcgtracker.web.render import Renderer
from tcgtracker.web.visitor import Person

_SETS, _CARDS = 60, 60


def router(tracker: Tracker, renderer: Renderer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.get("/games")
    def games(request: Request, _account: Person) -> Response:
        with tracker.database.read() as connection:
            found = repository.list_games(connection)
        return renderer.page(request, "games", {"games": found})

    @routes.get("/games/{slug}")
    def game(request: Request, slug: str, _account: Person, cursor: Cursor = "") -> Response:
        with tracker.database.read() as connection:
            page = repository.list_sets(connection, game=slug, limit=_SETS, cursor=cursor)
            found = next(one for one in repository.list_games(connection) if one.slug == slug)
        values = {"game": found, "sets": page.rows, "cursor": page.next_cursor, "first": not cursor}
        return renderer.page(request, "game", values)

    @routes.get("/sets/{set_id}")
    def one_set(
        request: Request, set_id: SetId, _account: Person, q: ShortText = "", cursor: Cursor = ""
    ) -> Response:
        with tracker.reading() as (connection, history):
            found = repository.get_set(connection, str(set_id))
            wanted = CardFilter(set=str(set_id), q=q.strip())
            page = repository.list_cards(connection, wanted, limit=_CARDS, cursor=cursor)
            ids = [card.id for card in page.rows]
            prices = load_headlines(connection, history, ids, tracker.clock.now())
        values = {
            "set": found,
            "q": q,
            "cards": page.rows,
            "prices": prices,
            "cursor": page.next_cursor,
            "first": not cursor,
        }
        return renderer.page(request, "set", values)

    return routes
