"""Search in the catalog, and suggestions while somebody types."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from tcgtracker.api import parameters
from tcgtracker.api.catalog import card_of
from tcgtracker.api.errors import RESPONSES
from tcgtracker.api.search_schemas import Found, Suggestions
from tcgtracker.catalog import repository
from tcgtracker.catalog.search.index import MOST_HITS, Filters
from tcgtracker.domain.catalog import ProductType
from tcgtracker.tracker import Tracker

_DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (401, 422, 503)
}
Limit = Annotated[int, Query(description="cards at most", ge=1, le=MOST_HITS)]
Offset = Annotated[int, Query(description="cards to leave out at the beginning", ge=0, le=10_000)]
FewNames = Annotated[int, Query(description="names at most", ge=1, le=20)]


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["search"])

    @routes.get("/search", summary="Cards that fit what was typed", responses=_DOCUMENTED)
    def search(
        q: parameters.SearchText,
        *,
        game: parameters.GameSlug = None,
        set_id: parameters.SetId = None,
        rarity: parameters.Rarity = None,
        product_type: ProductType | None = None,
        limit: Limit = 20,
        offset: Offset = 0,
    ) -> Found:
        """Whole words and beginnings come first.

        A word is read as mistyped where nothing begins like it, or where the words taken literally
        have no card in common; then `corrected` is true. The catalog is as it was some seconds
        ago, half a minute at most.
        """
        filters = Filters(game or "", set_id, rarity or "", product_type or "")
        hits = tracker.search.search(q, filters, limit=limit, offset=offset)
        with tracker.database.read() as connection:
            found = repository.get_cards(connection, hits.card_ids)
        return Found(
            items=[card_of(row) for row in found], total=hits.total, corrected=hits.corrected
        )

    @routes.get(
        "/search/suggestions", summary="Names that begin like what is typed", responses=_DOCUMENTED
    )
    def suggestions(
        q: parameters.SearchText, game: parameters.GameSlug = None, limit: FewNames = 8
    ) -> Suggestions:
        return Suggestions(items=tracker.search.suggest(q, Filters(game or ""), limit=limit))

    return routes
