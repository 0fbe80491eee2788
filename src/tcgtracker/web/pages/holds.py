"""Prices that were too far off to be believed: kept, not shown, until somebody decides."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from starlette.responses import RedirectResponse, Response

from tcgtracker.catalog.link_rows import links_of
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.prices.decisions import load_open_holds
from tcgtracker.prices.holds import Hold
from tcgtracker.prices.products import Series
from tcgtracker.tracker import Tracker
from tcgtracker.web.parameters import MAX_ID, Storable
from tcgtracker.web.render import Renderer
from tcgtracker.web.visitor import Administrator, actor_of

_MOST = 100
HoldId = Annotated[int, Path(ge=1, le=MAX_ID)]
Act = Annotated[str, Form(max_length=20), Storable]


@dataclass(frozen=True, slots=True)
class HeldPrice:
    """A held price with what it is of; `card_id` is None for a product that no card has."""

    hold: Hold
    series: Series
    card_id: int | None


def router(tracker: Tracker, renderer: Renderer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    administration = tracker.administration

    @routes.get("/holds")
    def holds(request: Request, _admin: Administrator) -> Response:
        """List them, oldest first: what is decided makes room for the next."""
        with tracker.reading() as (connection, history):
            open_ones = load_open_holds(history, limit=_MOST)
            products = {one.series.vendor_product_id for one in open_ones}
            links = links_of(connection, products)
        found = [
            HeldPrice(one.hold, one.series, link.card_id if link else None)
            for one in open_ones
            for link in [links.get(one.series.vendor_product_id)]
        ]
        return renderer.page(request, "holds", {"holds": found, "most": _MOST})

    @routes.post("/holds/{hold_id}")
    def decide(hold_id: HoldId, request: Request, admin: Administrator, act: Act = "") -> Response:
        """Believe a price, at its own moment, or refuse it for good."""
        acts = {"release": administration.release_hold, "reject": administration.reject_hold}
        if act not in acts:
            raise InvalidInput("choose whether to believe the price")
        acts[act](hold_id, by=actor_of(admin, request), name=admin.username)
        return RedirectResponse("/holds", status_code=303)

    return routes
