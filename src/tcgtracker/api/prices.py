"""The price history of a card: asked most, so answered from kept bytes while nothing changes."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from tcgtracker.analytics.card_history import card_history
from tcgtracker.api import parameters
from tcgtracker.api.catalog import reading
from tcgtracker.api.data_version import DataVersion
from tcgtracker.api.errors import RESPONSES
from tcgtracker.api.history_wish import DAYS, HistoryWish, plain_wish
from tcgtracker.api.price_schemas import PriceHistory
from tcgtracker.api.render import render_history
from tcgtracker.api.rendered import Rendered, RenderedCache
from tcgtracker.domain.clock import to_epoch
from tcgtracker.tracker import Tracker

_DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {"model": PriceHistory, "description": "One series, or the reason why there is none."},
    304: {"description": "Nothing changed since the answer with this ETag."},
    **{status: RESPONSES[status] for status in (404, 422, 503)},
}
_LONGEST_KEY = 2_000
_LONGEST_TAGS = 1_000
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def router(tracker: Tracker, version: DataVersion, cache: RenderedCache) -> APIRouter:
    """Return the routes."""
    # A read of a SQLite file takes about as long as the way to a thread and back.
    in_loop = tracker.database.dialect.name == tracker.history.dialect.name == "sqlite"

    def make(wish: HistoryWish) -> Rendered:
        now = tracker.clock.now()
        with reading(tracker) as (connection, history_connection):
            found = card_history(
                connection,
                history_connection,
                tracker.history.dialect,
                wish.card_id,
                days=wish.days,
                source=wish.source,
                printing=wish.printing,
                condition=wish.condition,
                grade=wish.grade,
                now=now,
                looks=tracker.looks,
            )
        made_at = to_epoch(now)
        body = render_history(found, wish.shape, made_at)
        return Rendered.of(body, made_at=made_at, valid_until=found.valid_until)

    async def fulfil(request: Request, wish: HistoryWish, if_none_match: str | None) -> Response:
        rendered = make(wish) if in_loop else await to_thread.run_sync(make, wish)
        request.state.rendered = rendered
        return _respond(rendered, if_none_match)

    class CachedRoute(APIRoute):
        """Looks for the rendered answer before the parameters are read."""

        def get_route_handler(self) -> Handler:
            read_and_make = super().get_route_handler()

            async def answer(request: Request) -> Response:
                current = version.current()
                key = (request.scope["path"], request.scope["query_string"])
                if current is None or len(key[1]) > _LONGEST_KEY:
                    return await read_and_make(request)
                if_none_match = request.headers.get("if-none-match")
                kept = cache.get(key, current, to_epoch(tracker.clock.now()))
                if kept is not None:
                    return _respond(kept, if_none_match)
                wish = plain_wish(request.path_params["card_id"], key[1])
                if wish is None or len(if_none_match or "") > _LONGEST_TAGS:
                    response = await read_and_make(request)
                else:
                    response = await fulfil(request, wish, if_none_match)
                made = getattr(request.state, "rendered", None)
                if isinstance(made, Rendered):
                    cache.put(key, current, made)
                return response

            return answer

    routes = APIRouter(tags=["prices"], route_class=CachedRoute)

    @routes.get(
        "/prices/card/{card_id}",
        summary="The price history of a card",
        response_class=Response,
        responses=_DOCUMENTED,
    )
    async def history(
        request: Request,
        card_id: parameters.CardIdPath,
        *,
        days: parameters.Days = DAYS,
        source: parameters.SourceName = None,
        printing: parameters.PrintingName = None,
        condition: parameters.ConditionName = None,
        grade: parameters.GradeName = None,
        shape: parameters.Shape = parameters.Shape.POINTS,
        if_none_match: Annotated[str | None, Header(max_length=_LONGEST_TAGS)] = None,
    ) -> Response:
        """One series in a window of days: the headline one, or the best that fits the filters.

        The headline series is of the first source in the order of the flags (else pricecharting,
        justtcg, tcgcsv, tcgplayer, manual) that was observed within 7 days; if none was, of the
        one observed last.
        """
        if condition is not None and grade is not None:
            raise RequestValidationError(
                [
                    {
                        "type": "value_error",
                        "loc": ("query", "grade"),
                        "msg": "a graded card has no condition: give condition or grade",
                    }
                ]
            )
        wish = HistoryWish(card_id, days, source, printing, condition, grade, shape)
        return await fulfil(request, wish, if_none_match)

    return routes


def _respond(rendered: Rendered, if_none_match: str | None) -> Response:
    headers = {"ETag": rendered.etag, "Cache-Control": "no-cache"}
    if if_none_match is not None and _names(if_none_match, rendered.etag):
        return Response(status_code=304, headers=headers)
    return Response(rendered.body, media_type="application/json", headers=headers)


def _names(header: str, etag: str) -> bool:
    """Tell whether an If-None-Match header names the tag (RFC 9110 section 13.1.2)."""
    given = [one.strip().removeprefix("W/") for one in header.split(",")]
    return "*" in given or etag in given
