"""One HTTP exchange with a vendor: its answer or its error, and what the gate should hear."""

import asyncio
import io
import ssl
from collections.abc import Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx2

from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import (
    ContractBroken,
    RateLimited,
    RequestRefused,
    Unavailable,
    VendorError,
    VendorTimeout,
)
from tcgtracker.integrations.answers import (
    EXCERPT_CHARS,
    Answer,
    Judge,
    Verdict,
    error_of_status,
    not_before,
    outcome_of,
    request_id_of,
)
from tcgtracker.integrations.bodies import BodyBroken, BodyCut, PartFile, read_body
from tcgtracker.integrations.retry_after import Refusals, asked_wait_s
from tcgtracker.runtime.ports import CallOutcome, ReportedQuota
from tcgtracker.runtime.redaction import Redactor, one_line

MAX_ERROR_BYTES = 2**20
"""Of an answer with a status that nobody accepts."""

HEAD_BYTES = 4096
"""What `Answer.body` holds of a body that went to a file."""

_SAYS_ENOUGH = (HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller takes for an answer, and where its body goes (None: into memory)."""

    accept: Collection[int]
    judge: Judge | None
    max_bytes: int
    file: Path | None = None


@dataclass(slots=True)
class Exchange:
    """Filled while it runs, so that it can be told how far an abandoned one came.

    received: bytes of the body as they came over the wire. not_before: aware UTC.
    """

    vendor: str
    operation: str
    wanted: Wanted
    redactor: Redactor
    clock: Clock
    refusals: Refusals
    status: int | None = None
    request_id: str = ""
    received: int = 0
    answer: Answer | None = None
    error: VendorError | None = None
    outcome: CallOutcome = CallOutcome.ABANDONED
    not_before: datetime | None = None
    reported: tuple[ReportedQuota, ...] = ()
    _headers: Mapping[str, str] = field(default_factory=dict)

    async def run(
        self, client: httpx2.AsyncClient, request: httpx2.Request, *, seconds: float, fair: float
    ) -> None:
        """Send and read within `seconds`, everything included.

        fair: with fewer seconds than this a timeout says nothing about the vendor.
        """
        fault: VendorError | None = None
        outcome: CallOutcome | None = None
        # nothing is raised in here: the libraries' errors carry URLs and headers, and are no chain
        try:
            async with asyncio.timeout(seconds):
                fault = await self._converse(client, request)
        except httpx2.ConnectTimeout:
            fault = VendorTimeout(self.vendor, self.operation, "no connection in time")
        except (TimeoutError, httpx2.TimeoutException):
            told = f"no whole answer within {seconds:.3g} s"
            fault = VendorTimeout(self.vendor, self.operation, told, self.request_id)
            outcome = None if seconds >= fair else CallOutcome.ABANDONED
        except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol):
            fault = RequestRefused(
                self.vendor, self.operation, "the request cannot be written as HTTP"
            )
            outcome = CallOutcome.NOT_MADE
        except (httpx2.TransportError, ssl.SSLError, ConnectionError) as exc:
            told = self.redactor.text(one_line(f"{type(exc).__name__}: {exc}"))
            fault = Unavailable(
                self.vendor, self.operation, told[: 2 * EXCERPT_CHARS], self.request_id
            )
        if self.answer is None:  # else it was whole, and the fault is one of closing
            if self._status_says_enough():
                fault, outcome = self._error_of_status(self._answer_with(b"")), None
            self.error = fault
        self._conclude(outcome)

    async def _converse(
        self, client: httpx2.AsyncClient, request: httpx2.Request
    ) -> VendorError | None:
        """Return what is wrong with the transfer; a whole answer is judged and kept."""
        response = await client.send(request, stream=True)
        try:
            self.status = response.status_code
            self._headers = {name.lower(): value for name, value in response.headers.items()}
            self.request_id = request_id_of(self._headers, self.redactor)
            accepted = self.status in self.wanted.accept
            if response.has_redirect_location and not accepted:
                return self._redirected()
            if self.wanted.file is None or not accepted or self.status != HTTPStatus.OK:
                sink = io.BytesIO()
                fault = await self._read(response, sink, accepted=accepted)
                if fault is None:
                    self._judge(self._answer_with(sink.getvalue()))
                return fault
            if not _says_where_it_ends(self._headers):
                return self._broken("it does not say where the body ends")
            with PartFile(self.wanted.file) as part:
                fault = await self._read(response, part.sink, accepted=True)
                if fault is None:
                    self._judge(self._answer_with(part.head(HEAD_BYTES)))
                    if self.error is None:
                        part.keep()
                return fault
        finally:
            self.received = response.num_bytes_downloaded
            await response.aclose()

    async def _read(
        self, response: httpx2.Response, sink: BinaryIO, *, accepted: bool
    ) -> VendorError | None:
        limit = self.wanted.max_bytes if accepted else MAX_ERROR_BYTES
        if int(self._headers.get("content-length", "0")) > limit:
            return self._broken(f"more than {limit} bytes")
        encoding = self._headers.get("content-encoding", "")
        try:
            async with aclosing(response.aiter_raw()) as chunks:
                await read_body(chunks, encoding, sink, max_bytes=limit)
        except BodyBroken as exc:
            return self._broken(str(exc))
        except BodyCut as exc:
            return Unavailable(self.vendor, self.operation, str(exc), self.request_id)
        return None

    def _judge(self, answer: Answer) -> None:
        accepted = answer.status in self.wanted.accept
        verdict: Verdict | None = None
        if self.wanted.judge is not None:
            try:
                verdict = self.wanted.judge(answer)
            except VendorError as exc:
                verdict = Verdict(exc) if accepted else None
        if verdict is not None:
            self.error, self.reported = verdict.error, verdict.reported
        if self.error is None and not accepted:
            self.error = self._error_of_status(answer)
        self.answer = answer

    def _conclude(self, outcome: CallOutcome | None) -> None:
        self.outcome = outcome or outcome_of(self.error, self.status)
        self.not_before = not_before(self.error) or self._asked_to_wait()
        if self.error is None:
            self.refusals.forget()
            return
        if isinstance(self.error, RateLimited):
            self.refusals.note(self.error.retry_at, now=self.clock.now())
        # the client's own errors too: what they were raised from may quote the answer
        self.error.args = (self.redactor.text(str(self.error)),)
        self.error.__cause__ = self.error.__context__ = None
        self.error.request_id = self.error.request_id or self.request_id

    def _error_of_status(self, answer: Answer) -> VendorError:
        wait = self.refusals.wait(self._headers.get("retry-after"), now=self.clock.now())
        return error_of_status(answer, self.clock.now() + wait)

    def _asked_to_wait(self) -> datetime | None:
        """Return until when a failing vendor (503) wants no call, None where it does not say."""
        now, header = self.clock.now(), self._headers.get("retry-after")
        if isinstance(self.error, Unavailable) and asked_wait_s(header, now=now) is not None:
            return now + self.refusals.wait(header, now=now)
        return None

    def _status_says_enough(self) -> bool:
        if self.status is None or self.status in self.wanted.accept:
            return False
        return self.status in _SAYS_ENOUGH or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    def _answer_with(self, body: bytes) -> Answer:
        return Answer(
            self.vendor,
            self.operation,
            self.status or 0,
            self._headers,
            body,
            self.request_id,
            self.redactor,
        )

    def _broken(self, reason: str) -> ContractBroken:
        return self._answer_with(b"").broken(reason)

    def _redirected(self) -> ContractBroken:
        try:
            host = urlsplit(self._headers["location"]).hostname
        except ValueError:
            host = None
        target = f"to the host {host[:EXCERPT_CHARS]}" if host else "on the same host"
        return self._broken(f"a redirect (status {self.status}) {target} is not followed")


def _says_where_it_ends(headers: Mapping[str, str]) -> bool:
    return (
        "content-length" in headers
        or "chunked" in headers.get("transfer-encoding", "").lower()
        or headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}
    )
