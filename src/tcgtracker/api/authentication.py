"""Who asks, for every route: judged before the route is looked at, so that none is forgotten."""

from typing import Annotated

from anyio import to_thread
from fastapi import Depends
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tcgtracker.accounts.door import Door
from tcgtracker.accounts.values import Account, NotAuthenticated
from tcgtracker.api.authentication_paths import ACCOUNT, OPEN_PATHS
from tcgtracker.api.errors import answer, request_id_of
from tcgtracker.api.rate_limits import RateLimits, refuse_often
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import TrackerError

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = "bearer "

PREFIX = "/api/v1/"
# What changes nothing but is asked with a body: a key that may only read may ask it.
READING_POSTS = ("/api/v1/search/",)


class Authentication:
    """Lets nobody unknown at the API; a key that may only read changes nothing.

    Refusals count against the address; who is known is never shut out by what others try.
    """

    def __init__(self, app: ASGIApp, door: Door, clock: Clock, limits: RateLimits) -> None:
        self.app = app
        self._limits = limits
        self._door = door
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_guarded(scope["path"], scope["method"]):
            await self.app(scope, receive, send)
            return
        try:
            account = await self._account(Headers(scope=scope))
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

    async def _account(self, headers: Headers) -> Account:
        given = headers.get("authorization", "")
        key = headers.get("x-api-key", "")
        token = given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else ""
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


Asking = Annotated[Account, Depends(account_of)]
AskingAdmin = Annotated[Account, Depends(admin_of)]


def _is_guarded(path: str, method: str) -> bool:
    return path.startswith(PREFIX) and path not in OPEN_PATHS and method != "OPTIONS"


def _only_reads(path: str) -> bool:
    return path.startswith(READING_POSTS) and not path.endswith("/import")
