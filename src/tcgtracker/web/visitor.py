"""Who looks at a page, and the proof that a form came from a page of ours."""

import re
import secrets
from typing import Annotated

from anyio import to_thread
from fastapi import Depends, Request
from starlette.responses import Response

from tcgtracker.accounts.request import (
    ACCOUNT,
    SECURE_SESSION_COOKIE,
    SESSION_COOKIE,
    cookies_in,
    session_cookie_in,
)
from tcgtracker.accounts.service import Accounts
from tcgtracker.accounts.values import Account, NotAuthenticated
from tcgtracker.domain.errors import NotPermitted
from tcgtracker.operations.audit import Actor
from tcgtracker.tracker import Tracker

FORM_FIELD = "csrf_token"
_VISITOR_COOKIE = "tcgtracker_visitor"
_VISITOR = re.compile(r"[0-9a-f]{32}")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_YEAR_S = 365 * 86_400  # the row of the session says when it ends; the browser only keeps it
_OF_REQUEST = "tcgtracker.visitor"


class SignInFirst(NotAuthenticated):
    """The page is for people with an account."""


class Visitor:
    """Somebody at the pages, signed in or not.

    holder: what the tokens of forms are bound to: the session, or a random cookie before it.
    """

    def __init__(self, accounts: Accounts, account: Account | None, visitor_id: str) -> None:
        self.account = account
        self._accounts = accounts
        self._given = visitor_id
        self._fresh = ""

    @property
    def holder(self) -> str:
        if self.account is not None:
            return f"session {self.account.session_id}"
        return f"visitor {self._given or self._fresh}"

    def form_token(self) -> str:
        """Return the token for a form; somebody unknown gets a cookie that it belongs to."""
        if self.account is None and not self._given and not self._fresh:
            self._fresh = secrets.token_hex(16)
        return self._accounts.form_token(self.holder)

    def proves(self, token: str) -> bool:
        known = self.account is not None or bool(self._given)
        return known and self._accounts.form_token_fits(self.holder, token)

    def keep(self, request: Request, answer: Response) -> None:
        """Set the cookie that a token in this answer belongs to."""
        if self._fresh:
            answer.set_cookie(
                _VISITOR_COOKIE,
                self._fresh,
                httponly=True,
                secure=_is_secure(request),
                samesite="lax",
            )


def visitor_of(request: Request) -> Visitor:
    """Return who looks, as the guard of the request found it."""
    kept = request.scope.get(_OF_REQUEST)
    if isinstance(kept, Visitor):
        return kept
    account = request.scope.get(ACCOUNT)
    given = cookies_in(request.headers.get("cookie", "")).get(_VISITOR_COOKIE, "")
    visitor = Visitor(
        _tracker(request).accounts,
        account if isinstance(account, Account) else None,
        given if _VISITOR.fullmatch(given) else "",
    )
    request.scope[_OF_REQUEST] = visitor
    return visitor


async def person(request: Request) -> Account:
    """Return who is signed in.

    Raises:
        SignInFirst: nobody.
        StorageError: the database does not answer.
    """
    account = visitor_of(request).account
    if account is not None:
        return account
    cookie = session_cookie_in(request.headers.get("cookie", ""))
    if not cookie:
        raise SignInFirst
    door = _tracker(request).door
    try:
        return await to_thread.run_sync(lambda: door.account(cookie=cookie))
    except NotAuthenticated:
        raise SignInFirst from None


async def administrator(request: Request) -> Account:
    """Return who is signed in, when that is an admin.

    Raises:
        SignInFirst: nobody is.
        NotPermitted: somebody else is.
    """
    account = await person(request)
    account.must_be_admin()
    return account


async def form_of_ours(request: Request) -> None:
    """Refuse what is posted without the token of a page of ours; for every route.

    Raises:
        NotPermitted: it has none, or one of another session.
    """
    if request.method in _SAFE:
        return
    form = await request.form(max_files=1, max_fields=200)
    token = form.get(FORM_FIELD)
    if not isinstance(token, str) or not visitor_of(request).proves(token):
        raise NotPermitted(
            "this form is from another session, or your browser refuses cookies: load the page"
            " again and repeat it"
        )


def start_session(request: Request, answer: Response, cookie: str) -> None:
    """Let the browser keep a session."""
    secure = _is_secure(request)
    answer.set_cookie(
        SECURE_SESSION_COOKIE if secure else SESSION_COOKIE,
        cookie,
        max_age=_YEAR_S,
        httponly=True,
        secure=secure,
        samesite="lax",
    )
    answer.delete_cookie(_VISITOR_COOKIE, httponly=True, secure=secure, samesite="lax")


def end_session(request: Request, answer: Response) -> None:
    """Let the browser forget its session."""
    secure = _is_secure(request)
    for name in (SESSION_COOKIE, SECURE_SESSION_COOKIE) if secure else (SESSION_COOKIE,):
        answer.delete_cookie(name, httponly=True, secure=secure, samesite="lax")


def address_of(request: Request) -> str:
    """Return the address that the connection comes from, '' when it has none."""
    return request.client.host if request.client else ""


def actor_of(account: Account, request: Request) -> Actor:
    """Return who acts, for the audit log."""
    return Actor(account.user_id, address_of(request))


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https" or _tracker(request).settings.security.hsts


def _tracker(request: Request) -> Tracker:
    tracker = request.app.state.tracker
    assert isinstance(tracker, Tracker)  # noqa: S101 - create_pages puts it there
    return tracker


Person = Annotated[Account, Depends(person)]
Administrator = Annotated[Account, Depends(administrator)]
