"""Ask for an account; the first one becomes admin."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from tcgtracker.accounts.values import NotAuthenticated
from tcgtracker.domain.errors import InvalidInput, NotPermitted
from tcgtracker.tracker import Tracker
from tcgtracker.web.parameters import Storable
from tcgtracker.web.render import Renderer
from tcgtracker.web.visitor import address_of, start_session

Text = Annotated[str, Form(max_length=2_000), Storable]


def router(tracker: Tracker, renderer: Renderer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    accounts = tracker.accounts

    @routes.get("/register")
    def ask(request: Request) -> Response:
        first = not accounts.has_users()
        if not first and not accounts.open_registration:
            raise NotPermitted("Registration is closed: ask an admin for an account.")
        return renderer.page(request, "register", {"first": first, "name": "", "wrong": ""})

    @routes.post("/register")
    def register(
        request: Request, username: Text = "", password: Text = "", again: Text = ""
    ) -> Response:
        first, address = not accounts.has_users(), address_of(request)
        wrong, status = "", 200
        if password != again:
            wrong, status = "The two passwords are not the same.", 422
        else:
            try:
                accounts.register(username, password, address=address)
                pair = accounts.sign_in(username, password, address=address)
            except InvalidInput as exc:
                wrong, status = f"{str(exc)[:1].upper()}{str(exc)[1:]}.", 422
            except NotAuthenticated:
                wrong, status = "That name is taken: choose another.", 409
        if wrong:
            values = {"first": first, "name": username, "wrong": wrong}
            return renderer.page(request, "register", values, status=status)
        answer = RedirectResponse("/", status_code=303)
        start_session(request, answer, pair.session_cookie)
        return answer

    return routes
