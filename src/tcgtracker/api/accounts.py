"""Register, sign in, stay signed in, sign out; the user's own settings and keys."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response

from tcgtracker.accounts.passwords import MAX_LENGTH
from tcgtracker.accounts.service import MAX_USERNAME
from tcgtracker.accounts.values import TokenPair
from tcgtracker.api import account_schemas as schemas
from tcgtracker.api import parameters
from tcgtracker.api.authentication import Asking
from tcgtracker.api.errors import RESPONSES
from tcgtracker.tracker import Tracker

_DOOR: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 401, 403, 422, 429, 503)
}
_OWN: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 401, 403, 404, 409, 422, 429, 503)
}
_NO_STORE = "no-store"


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["accounts"])
    accounts, keys = tracker.accounts, tracker.api_keys

    @routes.post("/auth/register", status_code=202, summary="Ask for an account", responses=_DOOR)
    def register(wish: schemas.Registration, request: Request) -> schemas.Registered:
        """The first user becomes admin; then a setting says who may register.

        Whether the name was free is not told: sign in to see.
        """
        accounts.register(wish.username, wish.password, address=address_of(request))
        return schemas.Registered(detail="sign in now; if that fails, the name was taken")

    @routes.post("/auth/login", summary="Sign in", responses=_DOOR)
    def login(
        username: Annotated[str, Form(min_length=1, max_length=MAX_USERNAME), parameters.NulFree],
        password: Annotated[str, Form(min_length=1, max_length=MAX_LENGTH), parameters.NulFree],
        request: Request,
        response: Response,
    ) -> schemas.Tokens:
        """Exchange name and password for the tokens of a new session."""
        response.headers["Cache-Control"] = _NO_STORE
        return _tokens(accounts.sign_in(username, password, address=address_of(request)))

    @routes.post("/auth/refresh", summary="New tokens for a session", responses=_DOOR)
    def refresh(
        given: schemas.RefreshRequest, request: Request, response: Response
    ) -> schemas.Tokens:
        """Exchange a refresh token for the next one; one that is used twice ends its session."""
        response.headers["Cache-Control"] = _NO_STORE
        return _tokens(accounts.refresh(given.refresh_token, address=address_of(request)))

    @routes.post("/auth/logout", status_code=204, summary="Sign out", responses=_OWN)
    def logout(account: Asking) -> None:
        """End the session; its tokens are refused everywhere within a second."""
        accounts.sign_out(account)
        tracker.door.forget(account)

    @routes.get("/users/me", summary="Who asks", responses=_OWN)
    def me(account: Asking) -> schemas.Me:
        return schemas.Me(
            id=account.user_id,
            username=account.username,
            role=account.role,
            scope=account.scope,
        )

    @routes.put(
        "/users/me/password", status_code=204, summary="Change the password", responses=_OWN
    )
    def password(change: schemas.PasswordChange, account: Asking, request: Request) -> None:
        """Change the password; every session of the user ends, this one too."""
        accounts.change_password(
            account, change.old_password, change.new_password, address=address_of(request)
        )
        tracker.door.forget(account)

    @routes.get("/users/me/api-keys", summary="The user's API keys", responses=_OWN)
    def list_keys(account: Asking) -> schemas.ApiKeys:
        return schemas.ApiKeys(
            items=[schemas.ApiKey.model_validate(key) for key in keys.list(account)]
        )

    @routes.post("/users/me/api-keys", status_code=201, summary="Make an API key", responses=_OWN)
    def make_key(
        wish: schemas.NewApiKey, account: Asking, response: Response
    ) -> schemas.MadeApiKey:
        """Make a key; its text is shown this once."""
        response.headers["Cache-Control"] = _NO_STORE
        made, text = keys.make(account, wish.name, wish.scope)
        shown = schemas.ApiKey.model_validate(made)
        return schemas.MadeApiKey(**dict(shown), key=text)

    @routes.delete(
        "/users/me/api-keys/{key_id}",
        status_code=204,
        summary="Revoke an API key",
        responses=_OWN,
    )
    def revoke_key(key_id: UUID, account: Asking) -> None:
        keys.revoke(account, key_id)
        tracker.door.forget(account)

    return routes


def address_of(request: Request) -> str:
    """Return the address that the connection comes from."""
    return request.client.host if request.client else ""


def _tokens(pair: TokenPair) -> schemas.Tokens:
    return schemas.Tokens(
        access_token=pair.access_token,
        expires_in=pair.expires_in,
        refresh_token=pair.refresh_token,
        refresh_expires_in=pair.refresh_expires_in,
    )
