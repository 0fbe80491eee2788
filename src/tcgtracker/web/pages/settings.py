"""The user's own: API keys and the password."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from tcgtracker.accounts.values import Account, NotAuthenticated, TooManyTries
from tcgtracker.database.tables.accounts import KeyScope
from tcgtracker.domain.errors import Conflict, InvalidInput
from tcgtracker.tracker import Tracker
from tcgtracker.web.parameters import Storable
from tcgtracker.web.render import Renderer
from tcgtracker.web.visitor import Person, address_of, start_session

Text = Annotated[str, Form(max_length=2_000), Storable]


def router(tracker: Tracker, renderer: Renderer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    def show(
        request: Request,
        account: Account,
        *,
        made: str = "",
        wrong: str = "",
        said: str = "",
        status: int = 200,
    ) -> Response:
        values = {
            "keys": tracker.api_keys.list(account),
            "scopes": list(KeyScope),
            "made": made,
            "wrong": f"{wrong[:1].upper()}{wrong[1:]}",
            "said": said,
        }
        return renderer.page(request, "settings", values, status=status)

    @routes.get("/settings")
    def settings(request: Request, account: Person, changed: bool = False) -> Response:  # noqa: FBT001, FBT002 - a query parameter
        said = "The password is changed; every other session has ended." if changed else ""
        return show(request, account, said=said)

    @routes.post("/settings/keys")
    def make_key(
        request: Request, account: Person, name: Text = "", scope: KeyScope = KeyScope.READ
    ) -> Response:
        """Make a key; its text is shown in this one answer."""
        try:
            _, text = tracker.api_keys.make(account, name, scope)
        except InvalidInput as exc:
            return show(request, account, wrong=str(exc), status=422)
        except Conflict as exc:
            return show(request, account, wrong=str(exc), status=409)
        return show(request, account, made=text)

    @routes.post("/settings/keys/{key_id}/revoke")
    def revoke(key_id: UUID, account: Person) -> Response:
        tracker.api_keys.revoke(account, key_id)
        tracker.door.forget(account)
        return RedirectResponse("/settings", status_code=303)

    @routes.post("/settings/password")
    def password(
        request: Request, account: Person, old: Text = "", new: Text = "", again: Text = ""
    ) -> Response:
        """Change the password: all sessions end, and this browser gets a new one."""
        accounts, address = tracker.accounts, address_of(request)
        if new != again:
            wrong = "the two new passwords are not the same"
            return show(request, account, wrong=wrong, status=422)
        try:
            accounts.change_password(account, old, new, address=address)
        except InvalidInput as exc:
            return show(request, account, wrong=str(exc), status=422)
        except NotAuthenticated as exc:
            return show(request, account, wrong=str(exc), status=403)
        except TooManyTries as exc:
            return show(request, account, wrong=str(exc), status=429)
        tracker.door.forget(account)
        answer = RedirectResponse("/settings?changed=true", status_code=303)
        pair = accounts.sign_in(account.username, new, address=address)
        start_session(request, answer, pair.session_cookie)
        return answer

    return routes
