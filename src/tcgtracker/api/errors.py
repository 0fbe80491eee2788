"""The one translation of errors into HTTP answers."""

from datetime import datetime
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tcgtracker.accounts.values import NotAuthenticated, TooManyTries
from tcgtracker.api.problem import (
    MEDIA_TYPE,
    FieldProblem,
    Problem,
    problem_response,
    problem_type,
    text_of,
    title_of,
)
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import (
    Conflict,
    FatalVendorError,
    InvalidInput,
    NotFound,
    NotPermitted,
    QuotaExhausted,
    RetryableVendorError,
    SourcePaused,
    StateChanged,
    StorageError,
    TrackerError,
    VendorError,
)
from tcgtracker.integrations.ebay.notices import NoticeRefused
from tcgtracker.quotes.live_updates import RETRY_AFTER_S, TooManyWaiting

log = structlog.get_logger()

# 503 for all trouble that is not the caller's: it always carries Retry-After, so that a client
# knows what to do without reading the text. The order matters: the first class that fits.
_KINDS: tuple[tuple[type[TrackerError], int, str, str], ...] = (
    (InvalidInput, 400, "invalid-input", "The request cannot be used"),
    (NotFound, 404, "not-found", "There is no such thing"),
    (Conflict, 409, "conflict", "The state of the thing forbids this"),
    (NotAuthenticated, 401, "not-authenticated", "Sign in first"),
    (TooManyTries, 429, "too-many-tries", "Wait before the next try"),
    (TooManyWaiting, 429, "too-many-waiting", "Too many updates are waiting"),
    (NotPermitted, 403, "not-permitted", "This is not permitted"),
    (NoticeRefused, 412, "notice-refused", "The notice is not signed by its sender"),
    (StateChanged, 503, "state-changed", "The data changed meanwhile"),
    (StorageError, 503, "storage", "The database cannot be used"),
    (QuotaExhausted, 503, "quota-exhausted", "The vendor's quota is spent"),
    (SourcePaused, 503, "vendor-paused", "The vendor is not called just now"),
    (RetryableVendorError, 503, "vendor-unavailable", "The vendor does not answer"),
    (FatalVendorError, 503, "vendor-stopped", "The vendor cannot be used"),
    (VendorError, 503, "vendor", "The vendor's answer cannot be used"),
)
_RETRY_AFTER_S: dict[type[TrackerError], int] = {
    StateChanged: 1,
    StorageError: 5,
    RetryableVendorError: 60,
    FatalVendorError: 3600,
    VendorError: 3600,
}
_NEXT_STEP = {
    404: "there is nothing at this address: /docs lists what there is",
    405: "the Allow header lists the methods of this address",
}
_MOST_ERRORS = 20
_LONGEST_PLACE = 100

_DOCUMENTED = {
    400: "The request cannot be used.",
    401: "Nobody whom we know: sign in, or give an API key.",
    403: "This is not permitted.",
    404: "There is no such thing.",
    409: "The state of the thing forbids this.",
    412: "The signature is not that of the sender.",
    413: "The request is too large.",
    422: "The request is malformed.",
    429: "Try again after Retry-After.",
    503: "Try again after Retry-After.",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in _DOCUMENTED.items()
}


def install(app: FastAPI, clock: Clock) -> None:
    """Make the application answer every error of ours, of HTTP and of validation as a problem."""

    async def tracker_error(request: Request, exc: Exception) -> Response:
        if not isinstance(exc, TrackerError):
            raise exc
        return answer(exc, request_id=request_id_of(request), now=clock.now())

    async def http_error(request: Request, exc: Exception) -> Response:
        if not isinstance(exc, HTTPException):
            raise exc
        detail = "" if exc.detail == title_of(exc.status_code) else str(exc.detail)
        return problem_response(
            Problem(
                title=title_of(exc.status_code),
                status=exc.status_code,
                detail=detail or _NEXT_STEP.get(exc.status_code, ""),
                request_id=request_id_of(request),
            ),
            dict(exc.headers or {}),
        )

    async def malformed(request: Request, exc: Exception) -> Response:
        if not isinstance(exc, RequestValidationError):
            raise exc
        return problem_response(
            Problem(
                type=problem_type("malformed"),
                title="The request is malformed",
                status=422,
                request_id=request_id_of(request),
                errors=_field_problems(exc),
            )
        )

    app.add_exception_handler(TrackerError, tracker_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, malformed)


def answer(exc: TrackerError, *, request_id: str, now: datetime) -> Response:
    """Return the problem for an error of ours."""
    kind, status, name, title = _kind_of(exc)
    detail = str(exc)
    if isinstance(exc, StorageError | StateChanged):
        # It names files and servers, which are the operator's business: the log has it.
        log.warning("request.storage_failed", error=detail)
        detail = "the log says why, under this request id; 'tcgtracker doctor' says how to mend it"
    headers = {}
    if isinstance(exc, NotAuthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="tcgtracker"'  # RFC 9110 section 15.5.2
    elif isinstance(exc, SourcePaused):
        headers["Retry-After"] = _seconds_to(exc.until, now)
    elif isinstance(exc, TooManyWaiting):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    elif isinstance(exc, TooManyTries):
        headers["Retry-After"] = _seconds_to(exc.retry_at, now)
    elif status == 503:  # noqa: PLR2004 - the status above
        headers["Retry-After"] = str(_RETRY_AFTER_S.get(kind, 60))
    problem = Problem(
        type=problem_type(name), title=title, status=status, detail=detail, request_id=request_id
    )
    return problem_response(problem, headers)


def name_of(exc: TrackerError) -> str:
    """Return the name of the problem for an error of ours: `vendor-unavailable`."""
    return _kind_of(exc)[2]


def _kind_of(exc: TrackerError) -> tuple[type[TrackerError], int, str, str]:
    return next(
        (entry for entry in _KINDS if isinstance(exc, entry[0])),
        (TrackerError, 503, "failure", "This cannot be done now"),
    )


def _seconds_to(moment: datetime, now: datetime) -> str:
    return str(max(1, int((moment - now).total_seconds()) + 1))


def request_id_of(request: Request) -> str:
    """Return the id that RequestScope gave the request."""
    return str(request.scope.get("tcgtracker.request_id", ""))


def _field_problems(exc: RequestValidationError) -> list[FieldProblem]:
    # Neither `input` nor `ctx` is repeated: they may hold a password or what no JSON can carry.
    return [
        FieldProblem(
            where=text_of(".".join(str(part) for part in error["loc"]))[:_LONGEST_PLACE],
            message=text_of(str(error["msg"]).removeprefix("Value error, ")),
        )
        for error in exc.errors()[:_MOST_ERRORS]
    ]
