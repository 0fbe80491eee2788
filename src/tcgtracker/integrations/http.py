"""The one way to call a vendor: budget, pace, deadline, bounded bytes, typed errors, no secrets."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2

from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import ContractBroken, RequestRefused, Unavailable, VendorError
from tcgtracker.integrations.contract import CallPolicy
from tcgtracker.runtime.ports import CallGate, CallOutcome, RateLimiter, ReportedQuota

MAX_BYTES = 32 * 2**20
"""Of one answer after decompression, where the caller does not say otherwise."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Header names are lower case."""

    vendor: str
    operation: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    request_id: str

    def json(self) -> Any:  # noqa: ANN401 - what it is, the payload models say
        """Return the decoded body; numbers with a point are Decimal, NaN and infinities refused.

        Raises:
            ContractBroken: it is no JSON.
        """
        try:
            return json.loads(self.body, parse_float=Decimal)
        except ValueError as exc:
            raise self.broken(f"no JSON: {exc}") from exc

    def broken(self, reason: str) -> ContractBroken:
        """Return the error for a body that is not what the vendor documents."""
        return ContractBroken(self.vendor, self.operation, reason, self.request_id)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a client reads in an answer beyond its status.

    error: raised once the gate has heard of it. reported: what the vendor says is left.
    """

    error: VendorError | None = None
    reported: tuple[ReportedQuota, ...] = ()


Judge = Callable[[Answer], Verdict | None]
"""A client's reading of any whole answer (also 4xx and 5xx); None leaves it to the status."""


class VendorHttp:
    """Calls to one vendor. Opens nothing before the first call; used in one event loop only.

    secrets: texts that no error, log line or metric may show.
    """

    def __init__(
        self,
        vendor: str,
        base_url: str,
        *,
        limiter: RateLimiter,
        gate: CallGate,
        clock: Clock,
        secrets: Collection[str] = (),
        user_agent: str = "",
    ) -> None:
        self.vendor = vendor
        self._base_url = base_url.rstrip("/")
        self._limiter = limiter
        self._gate = gate
        self._clock = clock
        self._secrets = tuple(secrets)
        self._user_agent = user_agent
        self._client: httpx2.AsyncClient | None = None

    def conceal(self, secret: str) -> None:
        """Keep one more text out of errors, log lines and metrics (a token that was given)."""
        self._secrets = (*self._secrets, secret)

    async def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        policy: CallPolicy,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        accept: Collection[int] = (200,),
        judge: Judge | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """Return an answer with one of the statuses in `accept`.

        operation: a fixed word for logs and metrics (`product`, `cards_batch`); never the URL.

        Raises:
            SourceDisabled, SourcePaused, QuotaExhausted: not called at all.
            RateLimited, VendorTimeout, Unavailable: after `policy.attempts` calls.
            BadCredentials: 401; another status where the client's `judge` says so.
            RequestRefused: another 4xx that is not accepted.
            ContractBroken: a redirect, too many bytes, or a body that cannot be decompressed.
        """
        ticket = await self._gate.enter(self.vendor, operation)
        await self._limiter.acquire(self.vendor, live=policy.live, patience_s=policy.deadline_s)
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=policy.deadline_s, follow_redirects=False)
        try:
            response = await self._client.request(
                method, self._base_url + path, params=params, headers=headers, content=content
            )
        except httpx2.TransportError as exc:
            await self._gate.leave(ticket, CallOutcome.FAILED)
            raise Unavailable(self.vendor, operation, type(exc).__name__) from exc
        outcome = CallOutcome.OK if response.status_code in accept else CallOutcome.REFUSED
        await self._gate.leave(ticket, outcome)
        answer = Answer(
            self.vendor,
            operation,
            response.status_code,
            dict(response.headers),
            response.content,
            "",
        )
        verdict = judge(answer) if judge else None
        if verdict and verdict.error:
            raise verdict.error
        if len(answer.body) > max_bytes:
            raise answer.broken(f"more than {max_bytes} bytes")
        if answer.status not in accept:
            raise RequestRefused(self.vendor, operation, f"status {answer.status}")
        return answer

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
