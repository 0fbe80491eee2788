"""The review of links: is a source's product this card? Both sides, and what was decided."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Path, Request
from starlette.responses import RedirectResponse, Response

from tcgtracker.accounts.values import Account
from tcgtracker.catalog.review_rows import UNCERTAIN, LinkFilter
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.errors import Conflict, InvalidInput
from tcgtracker.domain.source import Source
from tcgtracker.quotes.link_choices import Choice, Reviewer
from tcgtracker.tracker import Tracker
from tcgtracker.web.parameters import MAX_ID, Cursor, ShortText, Storable, optional_card_id
from tcgtracker.web.render import Renderer
from tcgtracker.web.visitor import Administrator, address_of

_A_PAGE = 30
LinkId = Annotated[int, Path(ge=1, le=MAX_ID)]
Text = Annotated[str, Form(max_length=500), Storable]


def router(tracker: Tracker, renderer: Renderer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    review = tracker.link_review

    def show(request: Request, link_id: int, *, wrong: str = "", status: int = 200) -> Response:
        values = {"found": review.show(link_id), "wrong": wrong}
        return renderer.page(request, "link", values, status=status)

    @routes.get("/links")
    def queue(
        request: Request,
        _admin: Administrator,
        state: ShortText = "",
        source: ShortText = "",
        cursor: Cursor = "",
    ) -> Response:
        """List the links in question, the most valuable first."""
        chosen = LinkState(state) if state in set(LinkState) else None
        wanted = LinkFilter(
            (chosen,) if chosen else UNCERTAIN, Source(source) if source in set(Source) else None
        )
        page = review.queue(wanted, limit=_A_PAGE, cursor=cursor)
        values = {
            "links": page.links,
            "cursor": page.next_cursor,
            "first": not cursor,
            "counts": page.counts,
            "state": chosen,
            "states": list(LinkState),
            "source": source,
            "sources": list(Source),
        }
        return renderer.page(request, "links", values)

    @routes.get("/links/{link_id}")
    def link(request: Request, link_id: LinkId, _admin: Administrator) -> Response:
        return show(request, link_id)

    @routes.post("/links/{link_id}")
    def decide(
        request: Request,
        link_id: LinkId,
        admin: Administrator,
        act: Text = "",
        card: Text = "",
        printing: Text = "",
        note: Text = "",
        version: Text = "",
    ) -> Response:
        """Accept, refuse, leave for later or take back; `version` is of what was looked at."""
        by = _reviewer(admin, request)
        choice = Choice(optional_card_id(card), printing.strip(), note=note, version=version)
        acts: dict[str, Callable[[], object]] = {
            "accept": lambda: review.accept(link_id, by, choice),
            "reject": lambda: review.reject(link_id, by, choice),
            "skip": lambda: review.skip(link_id, by, choice),
            "undo": lambda: review.undo(link_id, by),
        }
        if act not in acts:
            return show(request, link_id, wrong="choose what to do with the link", status=422)
        try:
            acts[act]()
        except (Conflict, InvalidInput) as exc:
            status = 409 if isinstance(exc, Conflict) else 422
            return show(request, link_id, wrong=str(exc), status=status)
        return RedirectResponse(f"/links/{link_id}", status_code=303)

    @routes.post("/links/acts/{batch}/undo")
    def undo_all(batch: UUID, request: Request, admin: Administrator) -> Response:
        """Take back all that was decided in one act."""
        review.undo_all(batch, _reviewer(admin, request))
        return RedirectResponse("/links", status_code=303)

    return routes


def _reviewer(admin: Account, request: Request) -> Reviewer:
    return Reviewer(admin.username, admin.user_id, address_of(request))
