"""What an answer says beyond its status: what is left of the plan, and which limit was hit."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from tcgtracker.domain.clock import start_of_day
from tcgtracker.domain.errors import (
    BadCredentials,
    ContractBroken,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    VendorError,
)
from tcgtracker.integrations.http import Answer, Verdict
from tcgtracker.integrations.justtcg.payloads import ErrorPayload, UsagePayload
from tcgtracker.integrations.shapes import BadShape, read_shape
from tcgtracker.runtime.ports import ReportedQuota

_TOO_FAST, _FORBIDDEN, _UNAUTHORIZED = 429, 403, 401
_TOO_MANY_CARDS = frozenset({400, 403, 413})
_KEY_CODES = frozenset({"MISSING_API_KEY", "INVALID_API_KEY"})
_MINUTE = timedelta(minutes=1)


def judge(answer: Answer, now: datetime) -> Verdict | None:
    """Return what the body says; `now` is aware UTC.

    Raises:
        ContractBroken: a success that is no JSON.
    """
    try:
        decoded = answer.json()
    except ContractBroken:
        if answer.status == HTTPStatus.OK:
            raise
        decoded = None
    if not isinstance(decoded, dict):
        decoded = {}
    reported = _reported(decoded.get("_metadata"))
    error = _error(answer, decoded, now)
    return Verdict(error=error, reported=reported) if error or reported else None


def _reported(usage: object) -> tuple[ReportedQuota, ...]:
    try:
        said = read_shape(usage, UsagePayload)
    except BadShape:
        return ()
    windows = (
        ("day", said.api_daily_requests_remaining, said.api_daily_limit),
        ("month", said.api_requests_remaining, said.api_request_limit),
    )
    return tuple(
        ReportedQuota(window, remaining, limit if limit is None or limit > 0 else None)
        for window, remaining, limit in windows
        if remaining is not None and remaining >= 0
    )


def _error(answer: Answer, decoded: dict[str, object], now: datetime) -> VendorError | None:
    if answer.status not in _TOO_MANY_CARDS | {_TOO_FAST, _UNAUTHORIZED}:
        return None
    try:
        said = read_shape(decoded, ErrorPayload)
    except BadShape:
        said = ErrorPayload()
    if answer.status == _TOO_FAST:
        return _limit_error(answer, said, now)
    words = said.error.casefold()
    key_refused = said.code in _KEY_CODES or "api key" in words or "disabled" in words
    if answer.status == _UNAUTHORIZED or (answer.status == _FORBIDDEN and key_refused):
        return BadCredentials(
            answer.vendor,
            answer.operation,
            "the key is refused; correct API_JUSTTCG_API_KEY",
            answer.request_id,
        )
    message = f"status {answer.status}{answer.quoted()}"
    if answer.operation.startswith("cards"):
        message += "; if the plan allows fewer cards a call, lower API_JUSTTCG_BATCH_SIZE"
    return RequestRefused(answer.vendor, answer.operation, message, answer.request_id)


def _limit_error(answer: Answer, said: ErrorPayload, now: datetime) -> VendorError | None:
    """Return which limit it is; None leaves the wait to the answer's Retry-After."""
    words = said.error.casefold()
    today = start_of_day(now.astimezone(UTC).date())
    until: datetime | None = None
    if said.code == "DAILY_LIMIT_EXCEEDED" or (not said.code and "daily" in words):
        window, until = "day", today + timedelta(days=1)
    elif said.code == "REQUEST_LIMIT_EXCEEDED" or (not said.code and "total request" in words):
        # the 28th and four days are always in the next month
        window, until = "month", (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    if until is not None:
        message = f"the plan's calls of the {window} are spent"
        return QuotaExhausted(answer.vendor, answer.operation, message, until=until)
    if "retry-after" in answer.headers:
        return None
    return RateLimited(
        answer.vendor,
        answer.operation,
        "too many calls a minute",
        retry_at=now + _MINUTE,
        request_id=answer.request_id,
    )
