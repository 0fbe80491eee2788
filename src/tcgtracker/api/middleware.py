"""What surrounds every request: its id, the last net for errors, headers, who may ask, how much.

Pure ASGI: Starlette's BaseHTTPMiddleware would put a task and a copy of the body in between.
"""

import ipaddress
import re
import uuid
from contextlib import suppress

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tcgtracker.api.problem import (
    Problem,
    problem_page,
    problem_response,
    problem_type,
    title_of,
)
from tcgtracker.api.search_schemas import SearchedVendor

log = structlog.get_logger()

MAX_BODY_BYTES = 1 << 20
"""Of a request's body. The largest one asked for, 10,000 card ids, is a tenth of it."""
MAX_REQUESTS = 200
"""In progress at the same time, some ten times what the thread pool works on."""
REQUEST_ID = "tcgtracker.request_id"
_NOT_COUNTED = (
    "/livez",
    "/api/v1/prices/update/",
    *(f"/api/v1/search/{one}" for one in (*SearchedVendor, "all")),
)
API_PARTS = frozenset(
    {"api", "docs", "health", "livez", "metrics", "openapi.json", "readyz", "webhooks"}
)
"""First parts of the paths that are no pages."""
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# As ASGI has them, since they go to every answer.
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")  # RFC 6797; subdomains are not ours
_ID_HEADER = b"x-request-id"


class RequestScope:
    """Gives the request an id, answers what nothing else caught, and sets the security headers."""

    def __init__(self, app: ASGIApp, *, hsts: bool = False) -> None:
        self.app = app
        self._headers = (*_HEADERS, _HSTS) if hsts else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if _GIVEN_ID.fullmatch(asked) else uuid.uuid4().hex
        scope[REQUEST_ID] = request_id
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = [(name.lower(), value) for name, value in message.get("headers", ())]
                names = {name for name, _ in given}
                message["headers"] = [
                    *(header for header in given if header[0] != _ID_HEADER),
                    *(header for header in self._headers if header[0] not in names),
                    (_ID_HEADER, request_id.encode()),
                ]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_headers)
            except Exception:
                # The outermost frame of a request: logged once, with its trace, which the answer
                # does not show.
                log.exception("request.failed", method=scope["method"], path=scope["path"])
                if started:
                    raise  # half an answer is out; the server must cut the connection
                await refuse(
                    scope,
                    receive,
                    send_with_headers,
                    status=500,
                    name="bug",
                    detail="this is a fault of the program; the log has it under this request id",
                )


class HostCheck:
    """Refuses requests under a name that is not ours, and writes from pages of other sites.

    A page can reach this machine under a name of its own (DNS rebinding), which the Host header
    shows, and it can post a form here, which the Origin header shows. Loopback names always pass.
    hosts: further names of ours, in lower case. origins: other sites that may call all the same.
    """

    def __init__(
        self, app: ASGIApp, hosts: frozenset[str] = frozenset(), origins: tuple[str, ...] = ()
    ) -> None:
        self.app = app
        self._hosts = hosts
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            detail = (
                "open it as http://127.0.0.1 or http://localhost, with the port, or under a name"
                " that APP_ALLOWED_HOSTS lists"
            )
            await refuse(scope, receive, send, status=421, name="host-not-known", detail=detail)
            return
        origins = headers.getlist("origin")
        writes = scope["type"] != "http" or scope["method"] not in _SAFE
        if writes and not all(self._may_write(origin) for origin in origins):
            detail = "a page of another site may not change anything here"
            await refuse(scope, receive, send, status=403, name="origin-not-known", detail=detail)
            return
        await self.app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        return is_loopback(host) or (bool(self._hosts) and _name_of(host) in self._hosts)

    def _may_write(self, origin: str) -> bool:
        scheme, separator, host = origin.partition("://")
        local = bool(separator) and scheme in ("http", "https") and self._is_ours(host)
        return local or origin in self._origins


class CrowdLimit:
    """Answers 503 at once when too many requests are in progress, instead of a queue without end.

    The liveness probe passes: a crowd is no reason to restart the process. So do updates and
    searches that wait for vendors, which have limits of their own and must not keep reads out.
    """

    def __init__(self, app: ASGIApp, limit: int = MAX_REQUESTS) -> None:
        self.app = app
        self.limit = limit
        self.inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_NOT_COUNTED):
            await self.app(scope, receive, send)
            return
        if self.inside >= self.limit:
            detail = "too many requests are in progress: try again after Retry-After"
            await refuse(
                scope,
                receive,
                send,
                status=503,
                name="too-many-requests",
                detail=detail,
                headers={"Retry-After": "1"},
            )
            return
        self.inside += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.inside -= 1


class PagesBeside:
    """Lets the pages answer what is not of the API, by the first part of the path."""

    def __init__(self, app: ASGIApp, pages: ASGIApp) -> None:
        self.app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        of_pages = scope["type"] == "http" and scope["path"][1:].partition("/")[0] not in API_PARTS
        await (self._pages if of_pages else self.app)(scope, receive, send)


class BodyLimit:
    """Refuses a body over the limit by its declared length, and cuts off one that lied."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY_BYTES) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not (declared.isascii() and declared.isdigit()) or int(declared) > self.limit:
            await self._too_large(scope, receive, send)
            return
        received = 0
        started = over = False

        async def bounded_receive() -> Message:
            nonlocal received, over
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                over = True
                raise _BodyTooLarge
            return message

        async def noting_send(message: Message) -> None:
            nonlocal started
            if over:
                return  # an answer made from the cut body; the refusal below takes its place
            started = True
            await send(message)

        with suppress(_BodyTooLarge):
            await self.app(scope, bounded_receive, noting_send)
        if over and not started:
            await self._too_large(scope, receive, send)

    async def _too_large(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"a request may have {self.limit} bytes: send less at a time"
        await refuse(scope, receive, send, status=413, name="too-large", detail=detail)


class _BodyTooLarge(Exception):
    """Ends the reading of a body; frameworks may turn it into an answer of their own."""


def is_loopback(host: str) -> bool:
    """Say whether a Host header (with or without a port) names the loopback address.

    An address literal cannot be rebound; of names only `localhost` is safe to trust.
    """
    name = _name_of(host)
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name_of(host: str) -> str:
    """Return the name or address of a Host header in lower case, '' when it is none."""
    match = _HOST.fullmatch(host)
    return "" if match is None else match[1].strip("[]").lower()


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    status: int,
    name: str,
    detail: str,
    headers: dict[str, str] | None = None,
) -> None:
    problem = Problem(
        type=problem_type(name),
        title=title_of(status),
        status=status,
        detail=detail,
        request_id=str(scope.get(REQUEST_ID, "")),
    )
    answer = problem_response(problem, headers)
    if _is_page(scope):
        answer = problem_page(problem, headers)
    await answer(scope, receive, send)


def _is_page(scope: Scope) -> bool:
    """Tell whether somebody reads the answer in a browser."""
    wants = scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", "")
    return wants and scope["path"][1:].partition("/")[0] not in API_PARTS
