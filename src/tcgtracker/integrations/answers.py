"""What a vendor answered, and what it means for the next call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from tcgtracker.domain.errors import (
    BadCredentials,
    ContractBroken,
    RateLimited,
    RequestRefused,
    RetryableVendorError,
    SourcePaused,
    Unavailable,
    VendorError,
)
from tcgtracker.integrations.bodies import decode_json
from tcgtracker.runtime.ports import CallOutcome, ReportedQuota
from tcgtracker.runtime.redaction import Redactor, one_line

EXCERPT_CHARS = 80
MAX_QUOTED_BYTES = 16 * 1024
"""Of a longer body nothing is quoted: the whole must be searched for secrets before it is cut."""

MAX_REASON_CHARS = 500

_REQUEST_IDS = ("x-request-id", "request-id", "x-ebay-c-request-id", "x-amzn-requestid", "cf-ray")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Header names are lower case.

    body: the inflated bytes; their first `http.HEAD_BYTES` where the whole went to a file.
    """

    vendor: str
    operation: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    request_id: str
    redactor: Redactor = field(default_factory=Redactor, repr=False, compare=False)

    def json(self) -> Any:  # noqa: ANN401 - what it is, the payload models say
        """Return the decoded body; numbers with a point are Decimal, NaN and infinities refused.

        Raises:
            ContractBroken: it is no JSON in UTF-8, is nested too deep, or begins with a BOM.
        """
        try:
            return decode_json(self.body)
        except ValueError as exc:
            raise self.broken(f"no JSON: {exc}{self.quoted()}") from exc

    def text(self) -> str:
        """Return the body as text.

        Raises:
            ContractBroken: it is not UTF-8.
        """
        try:
            return self.body.decode("utf-8")
        except UnicodeDecodeError as exc:
            reason = f"not UTF-8 at byte {exc.start}"
        raise self.broken(reason)  # outside of `except`: that error carries the whole body with it

    def excerpt(self) -> str:
        """Return the beginning of the body for an error text: one line, escaped, without secrets.

        Empty for a long body.
        """
        if not self.body or len(self.body) > MAX_QUOTED_BYTES:
            return ""
        text = self.redactor.text(self.body.decode("utf-8", "replace"))
        return ascii(one_line(text[:EXCERPT_CHARS]))[1:-1][:EXCERPT_CHARS]

    def broken(self, reason: str) -> ContractBroken:
        """Return the error for a body that is not what the vendor documents."""
        told = self.redactor.text(one_line(reason))[:MAX_REASON_CHARS]
        return ContractBroken(self.vendor, self.operation, told, self.request_id)

    def quoted(self) -> str:
        """Return the excerpt behind a colon, for the end of an error text."""
        excerpt = self.excerpt()
        return f": {excerpt}" if excerpt else ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a client reads in an answer beyond its status.

    error: raised once the gate has heard of it. reported: what the vendor says is left.
    """

    error: VendorError | None = None
    reported: tuple[ReportedQuota, ...] = ()


Judge = Callable[[Answer], Verdict | None]
"""A client's reading of any whole answer (also 4xx and 5xx); None leaves it to the status.

A VendorError that it raises is its verdict on an accepted status, and is ignored on any other,
so that it may decode the body without asking whether there is one.
"""


def error_of_status(answer: Answer, retry_at: datetime) -> VendorError:
    """Return what a status that nobody accepts means; `retry_at` is for 429 (aware UTC)."""
    status, where = answer.status, (answer.vendor, answer.operation)
    if status == HTTPStatus.UNAUTHORIZED:
        told = f"status 401: the key is refused{answer.quoted()}"
        return BadCredentials(*where, told, answer.request_id)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(
            *where, "status 429: too fast", retry_at=retry_at, request_id=answer.request_id
        )
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(*where, f"status {status}", answer.request_id)
    if status >= HTTPStatus.BAD_REQUEST:
        return RequestRefused(*where, f"status {status}{answer.quoted()}", answer.request_id)
    return answer.broken(f"status {status}, which is not documented")


def outcome_of(error: VendorError | None, status: int | None) -> CallOutcome:
    """Return what the breaker and the quota hear; `status` is None when there was no answer.

    408 says that we were too slow: it is retryable, but nothing is wrong with the vendor.
    """
    match error:
        case None:
            return CallOutcome.OK
        case BadCredentials():
            return CallOutcome.BAD_CREDENTIALS
        case RateLimited():
            return CallOutcome.REFUSED
        case RetryableVendorError() if status != HTTPStatus.REQUEST_TIMEOUT:
            return CallOutcome.FAILED
        case _:
            return CallOutcome.REFUSED


def not_before(error: VendorError | None) -> datetime | None:
    """Return the moment before which the vendor wants no call, where the error names one."""
    match error:
        case RateLimited():
            return error.retry_at
        case SourcePaused():
            return error.until
        case _:
            return None


def request_id_of(headers: Mapping[str, str], redactor: Redactor) -> str:
    """Return the id under which the vendor's support finds the call, '' when it gives none."""
    for name in _REQUEST_IDS:
        if headers.get(name):
            return one_line(redactor.text(headers[name]))[:EXCERPT_CHARS]
    return ""
