"""The price history of a card: asked most, so answered from kept bytes while nothing changes."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from tcgtracker.analytics.card_history import card_history
from tcgtracker.api import parameters
from tcgtracker.api.authentication import account_of
from tcgtracker.api.data_version import DataVersion
from tcgtracker.api.errors import RESPONSES
from tcgtracker.api.history_wish import DAYS, HistoryWish, plain_wish
from tcgtracker.api.price_schemas import PriceHistory
from tcgtracker.api.readers import KeptReading
from tcgtracker.api.render import render_history
from tcgtracker.api.rendered import Keepers, Made, Rendered, RenderedCache
from tcgtracker.domain.clock import DAY_S, from_epoch, to_epoch
from tcgtracker.quotes.manual_prices import load_of_card
from tcgtracker.tracker import Tracker

_DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {"model": PriceHistory, "description": "One series, or the reason why there is none."},
    304: {"description": "Nothing changed since the answer with this ETag."},
    **{status: RESPONSES[status] for status in (404, 422, 503)},
}
_LONGEST_KEY = 2_000
_LONGEST_TAGS = 1_000
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def router(
    tracker: Tracker, version: DataVersion, cache: RenderedCache, kept: KeptReading | None
) -> APIRouter:
    """Return the routes. kept: the event loop's own connections, None to read in threads."""
    read = tracker.reading if kept is None else kept.read

    keepers = Keepers(tracker.database, in_loop=kept is not None)

    def make(wish: HistoryWish, user_id: UUID) -> Made:
        now = tracker.clock.now()
        with read() as (connection, history_connection):
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
            since = from_epoch(found.days.first_day * DAY_S)
            own = load_of_card(connection, user_id, wish.card_id, since=since)
        made_at = to_epoch(now)
        body = render_history(found, wish.shape, made_at, own)
        rendered = Rendered.of(body, made_at=made_at, valid_until=found.valid_until)
        return Made(rendered, own=bool(own))

    async def fulfil(request: Request, wish: HistoryWish, if_none_match: str | None) -> Response:
        user_id = account_of(request).user_id
        made = (
            make(wish, user_id)
            if kept is not None
            else await to_thread.run_sync(make, wish, user_id)
        )
        request.state.made = made
        return _respond(made.rendered, if_none_match)

    class CachedRoute(APIRoute):
        """Looks for the rendered answer before the parameters are read."""

        def get_route_handler(self) -> Handler:
            read_and_make = super().get_route_handler()

            async def answer(request: Request) -> Response:
                current = version.current()
                query = request.scope["query_string"]
                if current is None or len(query) > _LONGEST_KEY:
                    return await read_and_make(request)
                user_id = account_of(request).user_id
                alone = await keepers.includes(user_id, current)
                key = (request.scope["path"], query, user_id if alone else None)
                if_none_match = request.headers.get("if-none-match")
                kept = cache.get(key, current, to_epoch(tracker.clock.now()))
                if kept is not None:
                    return _respond(kept, if_none_match)
                wish = plain_wish(request.path_params["card_id"], query)
                if wish is None or len(if_none_match or "") > _LONGEST_TAGS:
                    response = await read_and_make(request)
                else:
                    response = await fulfil(request, wish, if_none_match)
                made = getattr(request.state, "made", None)
                # A first price of the user's own may be newer than the version: then it is no
                # answer for everybody.
                if isinstance(made, Made) and (alone or not made.own):
                    cache.put(key, current, made.rendered)
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
    # private: it may hold prices of the user's own
    headers = {"ETag": rendered.etag, "Cache-Control": "private, no-cache"}
    if if_none_match is not None and _names(if_none_match, rendered.etag):
        return Response(status_code=304, headers=headers)
    return Response(rendered.body, media_type="application/json", headers=headers)


def _names(header: str, etag: str) -> bool:
    """Tell whether an If-None-Match header names the tag (RFC 9110 section 13.1.2)."""
    given = [one.strip().removeprefix("W/") for one in header.split(",")]
    return "*" in given or etag in given
