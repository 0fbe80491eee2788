"""Sign in, by password or by a link; sign out."""

import re
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from tcgtracker.accounts.values import NotAuthenticated, TokenPair, TooManyTries
from tcgtracker.tracker import Tracker
from tcgtracker.web.parameters import Storable
from tcgtracker.web.render import Renderer
from tcgtracker.web.visitor import Person, address_of, end_session, start_session, visitor_of

_MOST = 2_000
# Of this site alone: one slash, then neither a second one nor what browsers read as one.
_OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")
Next = Annotated[str, Query(alias="next", max_length=_MOST)]
NextField = Annotated[str, Form(alias="next", max_length=_MOST)]
Text = Annotated[str, Form(max_length=_MOST), Storable]
LinkToken = Annotated[str, Query(max_length=200)]


def router(tracker: Tracker, renderer: Renderer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    accounts = tracker.accounts

    def form(
        request: Request, *, to: str = "/", name: str = "", wrong: str = "", status: int = 200
    ) -> Response:
        values = {
            "first": not accounts.has_users(),
            "open": accounts.open_registration,
            "next": to,
            "name": name,
            "wrong": wrong,
        }
        return renderer.page(request, "sign_in", values, status=status)

    @routes.get("/sign-in")
    def ask(request: Request, to: Next = "/") -> Response:
        if visitor_of(request).account is not None:
            return RedirectResponse(own_path(to), status_code=303)
        if not accounts.has_users():
            return RedirectResponse("/register", status_code=303)
        return form(request, to=to)

    @routes.post("/sign-in")
    def sign_in(
        request: Request, username: Text = "", password: Text = "", to: NextField = "/"
    ) -> Response:
        try:
            pair = accounts.sign_in(username, password, address=address_of(request))
        except NotAuthenticated:
            wrong = "Name or password is wrong."
            return form(request, to=to, name=username, wrong=wrong, status=401)
        except TooManyTries:
            wrong = "Too many wrong passwords: wait some minutes before the next try."
            return form(request, to=to, name=username, wrong=wrong, status=429)
        return _enter(request, pair, to)

    @routes.get("/sign-in/link")
    def follow(request: Request, token: LinkToken = "") -> Response:
        """Sign in whoever has the link; it works once, so nothing is gained by a second look."""
        if visitor_of(request).account is not None:
            return RedirectResponse("/", status_code=303)
        try:
            return _enter(request, accounts.open_link(token, address=address_of(request)), "/")
        except NotAuthenticated as exc:
            return form(request, wrong=f"{str(exc).capitalize()}.", status=401)

    @routes.post("/sign-out")
    def sign_out(request: Request, account: Person) -> Response:
        accounts.sign_out(account)
        tracker.door.forget(account)
        answer = RedirectResponse("/sign-in", status_code=303)
        end_session(request, answer)
        return answer

    return routes


def own_path(text: str) -> str:
    """Return a path of this site, `/` for anything that could lead elsewhere."""
    return text if _OWN_PATH.fullmatch(text) else "/"


def _enter(request: Request, pair: TokenPair, to: str) -> Response:
    answer = RedirectResponse(own_path(to), status_code=303)
    start_session(request, answer, pair.session_cookie)
    return answer
