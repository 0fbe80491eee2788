"""The one translation of errors into pages."""

from collections.abc import Callable
from urllib.parse import quote

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tcgtracker.accounts.values import NotAuthenticated, TooManyTries
from tcgtracker.domain.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    StateChanged,
    StorageError,
    TrackerError,
)
from tcgtracker.web.render import Renderer, wants_block
from tcgtracker.web.visitor import SignInFirst

log = structlog.get_logger()

_KINDS: tuple[tuple[type[TrackerError], int], ...] = (
    (InvalidInput, 400),
    (NotAuthenticated, 401),
    (TooManyTries, 429),
    (NotPermitted, 403),
    (NotFound, 404),
    (Conflict, 409),
)
_UNAVAILABLE = 503
_TITLES = {
    400: "That cannot be used",
    401: "Sign in first",
    403: "Not for this account",
    404: "There is nothing here",
    405: "That cannot be done here",
    409: "Something stands in the way",
    422: "That cannot be used",
    429: "Wait a moment",
    500: "A fault of the program",
    503: "Not available just now",
}


def install(app: FastAPI, renderer: Renderer) -> None:
    """Make the pages answer every error with a page that says what to do next."""

    async def tracker_error(request: Request, exc: Exception) -> Response:
        if isinstance(exc, SignInFirst):
            return to_sign_in(request)
        if not isinstance(exc, TrackerError):
            raise exc
        status = next((status for kind, status in _KINDS if isinstance(exc, kind)), _UNAVAILABLE)
        text = str(exc)
        if isinstance(exc, StorageError | StateChanged):
            # It names files and servers, which are the operator's business: the log has it.
            log.warning("request.storage_failed", error=text)
            text = "The database does not answer. What is stored is safe; try again in a moment."
        return show(request, status, text)

    async def http_error(request: Request, exc: Exception) -> Response:
        if not isinstance(exc, HTTPException):
            raise exc
        return show(request, exc.status_code, "")

    async def malformed(request: Request, exc: Exception) -> Response:
        if not isinstance(exc, RequestValidationError):
            raise exc
        wrong = "; ".join(
            f"{error['loc'][-1]}: {str(error['msg']).removeprefix('Value error, ')}"
            for error in exc.errors()[:5]
        )
        return show(request, 422, wrong)

    def show(request: Request, status: int, text: str) -> Response:
        headers = {"Retry-After": "5"} if status == _UNAVAILABLE else {}
        values = {
            "status": status,
            "title": _TITLES.get(status, "This cannot be done"),
            "text": text.encode("utf-8", "replace").decode(),
            "request_id": request.scope.get("tcgtracker.request_id", ""),
        }
        return renderer.page(request, "error", values, status=status, headers=headers)

    app.add_exception_handler(TrackerError, tracker_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_middleware(LastNet, show=show)


class LastNet:
    """Answers what nothing else caught with a page; logged once, with its trace."""

    def __init__(self, app: ASGIApp, show: Callable[[Request, int, str], Response]) -> None:
        self.app = app
        self._show = show

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception:
            if started or scope["type"] != "http":
                raise
            log.exception("request.failed", method=scope["method"], path=scope["path"])
            answer = self._show(Request(scope, receive), 500, "The log has it under this id.")
            await answer(scope, receive, send)


def to_sign_in(request: Request) -> Response:
    """Send somebody to sign in and back; htmx is told to do so with the whole page."""
    if wants_block(request):
        return Response(headers={"HX-Redirect": "/sign-in"})
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    comes_back = request.method == "GET" and wanted != "/"
    target = f"/sign-in?next={quote(wanted, safe='')}" if comes_back else "/sign-in"
    return RedirectResponse(target, status_code=303)
