"""Who asks, for every route: judged before the route is looked at, so that none is forgotten."""

from contextlib import suppress
from typing import Annotated

from anyio import to_thread
from fastapi import Depends
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tcgtracker.accounts.door import Door
from tcgtracker.accounts.request import ACCOUNT, session_cookie_in
from tcgtracker.accounts.values import Account, NotAuthenticated
from tcgtracker.api.authentication_paths import OPEN_PATHS, STATIC_FILES, address_in
from tcgtracker.api.errors import answer, request_id_of
from tcgtracker.api.rate_limits import RateLimits, refuse_often
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import TrackerError
from tcgtracker.operations.audit import Actor

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = "bearer "

PREFIX = "/api/v1/"
# What changes nothing but is asked with a body: a key that may only read may ask it.
READING_POSTS = ("/api/v1/search/",)


class Authentication:
    """Lets nobody unknown at the API; a key that may only read changes nothing.

    The session of a browser may read here too, for the pages (charts): it changes nothing, so
    that no page of another site can make it.
    Refusals count against the address; who is known is never shut out by what others try.
    """

    def __init__(self, app: ASGIApp, door: Door, clock: Clock, limits: RateLimits) -> None:
        self.app = app
        self._limits = limits
        self._door = door
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(STATIC_FILES):
            await self.app(scope, receive, send)
            return
        if not _is_guarded(scope["path"], scope["method"]):
            await self._recognise(scope)
            await self.app(scope, receive, send)
            return
        try:
            account = await self._account(Headers(scope=scope), scope["method"])
            if scope["method"] not in _SAFE and not _only_reads(scope["path"]):
                account.must_write()
        except TrackerError as exc:
            standing = await self._limits.count(scope)
            if standing is not None and not standing.allowed:
                await refuse_often(scope, receive, send, standing)
                return
            request = Request(scope)
            refusal = answer(exc, request_id=request_id_of(request), now=self._clock.now())
            await refusal(scope, receive, send)
            return
        scope[ACCOUNT] = account
        await self.app(scope, receive, send)

    async def _recognise(self, scope: Scope) -> None:
        """Note whose session a page is asked in; the pages themselves say who may see them."""
        cookie = session_cookie_in(Headers(scope=scope).get("cookie", ""))
        if cookie:
            with suppress(TrackerError):  # nobody we know, or not now: the page looks again
                scope[ACCOUNT] = await self._of_cookie(cookie)

    async def _of_cookie(self, cookie: str) -> Account:
        known = self._door.remembered(cookie=cookie)
        if known is not None:
            return known
        return await to_thread.run_sync(lambda: self._door.account(cookie=cookie))

    async def _account(self, headers: Headers, method: str) -> Account:
        given = headers.get("authorization", "")
        key = headers.get("x-api-key", "")
        token = given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else ""
        cookie = session_cookie_in(headers.get("cookie", ""))
        if cookie and not given and not key and method in _SAFE and _is_own_page(headers):
            return await self._of_cookie(cookie)
        if bool(token) == bool(key):  # none, or two that may contradict each other
            raise NotAuthenticated
        known = self._door.remembered(token=token, key=key)
        if known is not None:
            return known
        return await to_thread.run_sync(lambda: self._door.account(token=token, key=key))


def account_of(request: Request) -> Account:
    """Return who asks; a dependency of routes that want to know.

    Raises:
        NotAuthenticated: the route is not guarded.
    """
    account = request.scope.get(ACCOUNT)
    if not isinstance(account, Account):
        raise NotAuthenticated
    return account


def admin_of(request: Request) -> Account:
    """Return who asks, when that is an admin.

    Raises:
        NotPermitted: it is not.
    """
    account = account_of(request)
    account.must_be_admin()
    return account


def actor_of(account: Account, request: Request) -> Actor:
    """Return who acts, for the audit log."""
    return Actor(account.user_id, address_in(request.scope))


Asking = Annotated[Account, Depends(account_of)]
AskingAdmin = Annotated[Account, Depends(admin_of)]


def _is_guarded(path: str, method: str) -> bool:
    return path.startswith(PREFIX) and path not in OPEN_PATHS and method != "OPTIONS"


def _is_own_page(headers: Headers) -> bool:
    """Tell whether a browser says that a page of ours asks; old ones do not say."""
    return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def _only_reads(path: str) -> bool:
    return path.startswith(READING_POSTS) and not path.endswith("/import")
