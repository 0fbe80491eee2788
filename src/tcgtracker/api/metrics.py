"""`/metrics` for Prometheus, and the measure of each request."""

import hmac
import time

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tcgtracker.accounts.values import NotAuthenticated
from tcgtracker.api.accounts import address_of
from tcgtracker.api.authentication import PREFIX
from tcgtracker.api.errors import RESPONSES
from tcgtracker.domain.errors import NotPermitted
from tcgtracker.runtime.metrics import CONTENT_TYPE, Metrics
from tcgtracker.tracker import Tracker

_LOOPBACK = ("127.0.0.1", "::1")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
_BEARER = "Bearer "


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["health"])
    token = tracker.settings.metrics.token.get_secret_value()

    @routes.get(
        "/metrics",
        summary="Numbers for Prometheus",
        response_class=Response,
        responses={
            200: {"content": {"text/plain": {}}, "description": "Prometheus' text format."},
            **{status: RESPONSES[status] for status in (401, 403)},
        },
    )
    def metrics(request: Request) -> Response:
        """With `METRICS_TOKEN` for who shows it as Bearer, else for this machine alone."""
        _may_read(request, token)
        return Response(tracker.render_metrics(), media_type=CONTENT_TYPE)

    return routes


def _may_read(request: Request, token: str) -> None:
    given = request.headers.get("authorization", "")
    if token:
        shown = given.removeprefix(_BEARER)
        if not hmac.compare_digest(shown.encode(), token.encode()):
            raise NotAuthenticated("show METRICS_TOKEN as Bearer token")
        return
    # A proxy on this machine asks for somebody else.
    if address_of(request) not in _LOOPBACK or any(one in request.headers for one in _FORWARDED):
        raise NotPermitted("only this machine reads /metrics: set METRICS_TOKEN for others")


def _name_of(scope: Scope) -> str:
    """Return the route's path with its placeholders: one name for all cards."""
    path: str | None = getattr(scope.get("route"), "path", None)
    if path is None:
        return "none"
    below = scope["path"].startswith(PREFIX) and not path.startswith(PREFIX)
    return PREFIX.rstrip("/") + path if below else path


class RequestMetrics:
    """Measures each request until its answer begins, by the route that answers it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._seconds = metrics.http_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.monotonic()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = _name_of(scope)
                took = time.monotonic() - began
                self._seconds.labels(route, str(message["status"])).observe(took)
            await send(message)

        await self.app(scope, receive, measured)
