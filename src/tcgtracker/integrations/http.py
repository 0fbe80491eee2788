"""The one way to call a vendor: budget, pace, deadline, bounded bytes, typed errors, no secrets."""

import asyncio
import math
import random
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx2
import stamina
import structlog

from tcgtracker import __version__
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import (
    QuotaExhausted,
    RequestRefused,
    RetryableVendorError,
    SourceDisabled,
    SourcePaused,
    VendorTimeout,
)
from tcgtracker.integrations.answers import Answer, Judge, Verdict
from tcgtracker.integrations.contract import CallPolicy
from tcgtracker.integrations.exchange import HEAD_BYTES, Exchange, Wanted
from tcgtracker.integrations.retry_after import MAX_WAIT_S, Refusals, RetryBudget
from tcgtracker.runtime.logging import hush_http_clients, redact
from tcgtracker.runtime.loop import uninterrupted
from tcgtracker.runtime.metrics import Metrics
from tcgtracker.runtime.ports import CallGate, CallOutcome, CallTicket, NoPlace, RateLimiter
from tcgtracker.runtime.redaction import Redactor

__all__ = ["HEAD_BYTES", "MAX_BYTES", "Answer", "Judge", "VendorHttp", "Verdict"]

MAX_BYTES = 16 * 2**20
"""Of one answer after decompression, where the caller does not say otherwise."""

CONNECT_S = 10.0

MAX_PAUSE_S = 5.0
"""A longer wait before the next attempt is raised, and the job waits without holding anything."""

_LIMITS = httpx2.Limits(max_connections=10, max_keepalive_connections=5, keepalive_expiry=15.0)
_WAKES_EARLY_S = 0.05  # a timer and the wall clock differ by so much at most
_WITHOUT_STATUS = {CallOutcome.FAILED: "unreachable", CallOutcome.NOT_MADE: "not-made"}
_log = structlog.get_logger(__name__)


class VendorHttp:
    """Calls to one vendor. Opens nothing before the first call; used in one event loop only.

    secrets: texts that no error, log line or metric may show. default_retry_after_s: how long to
    wait after a first 429 that does not say it; each further one in a row doubles it.
    backoff_s: the pause before a second attempt after a failure, on average; then it doubles.
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
        default_retry_after_s: float = 30.0,
        backoff_s: float = 0.5,
        metrics: Metrics | None = None,
    ) -> None:
        self.vendor = vendor
        self._base_url = base_url.rstrip("/")
        self._limiter = limiter
        self._gate = gate
        self._clock = clock
        self._secrets = set(secrets)
        self._redactor = Redactor(secrets)
        self._user_agent = user_agent or f"tcgtracker/{__version__}"
        self._refusals = Refusals(default_retry_after_s)
        self._backoff_s = backoff_s
        self._metrics = metrics or Metrics()
        self._spare = RetryBudget()
        self._client: httpx2.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        redact(secrets)

    def conceal(self, secret: str, *, instead_of: str = "") -> None:
        """Keep one more text out of errors (a token that was given), for the one before it.

        Logs mask what stands behind `Authorization` and `Bearer` whatever it is.
        """
        self._secrets = (self._secrets - {instead_of}) | {secret}
        self._redactor = Redactor(self._secrets)

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
        path: with its parts quoted by the caller; params are quoted here.

        The deadline of the policy is for each HTTP call, from connecting to the last byte; of a
        live call it is for everything together, places in the rate limit, attempts and pauses too,
        because a person waits.
        A place in the rate limit is taken first and the gate asked last, right before the call, so
        that no unit of a quota is spent on waiting and what the gate has learned meanwhile counts.

        Raises:
            SourceDisabled, SourcePaused, QuotaExhausted: not called at all; also when our own rate
                limit has no place in time.
            RateLimited, VendorTimeout, Unavailable: after `policy.attempts` calls at most.
            BadCredentials: 401; another status where the client's `judge` says so.
            RequestRefused: another 4xx that is not accepted.
            ContractBroken: a redirect, too many bytes, or a body that cannot be decompressed.
        """
        body = Wanted(accept, judge, max_bytes)
        return await self._repeat(
            _Call(operation, method, path, params, headers, content, policy, body)
        )

    async def call_to_file(
        self,
        operation: str,
        method: str,
        path: str,
        file: Path,
        *,
        policy: CallPolicy,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        accept: Collection[int] = (200,),
        judge: Judge | None = None,
        max_bytes: int,
    ) -> Answer:
        """As `call`, with the body of a 200 in a file that is there only when it is whole.

        `Answer.body`, also the one that the judge sees, is then the first `HEAD_BYTES` of it.

        Raises:
            ContractBroken: also where the vendor does not say where the body ends.
            OSError: the file cannot be written.
            Every other error of `call`.
        """
        body = Wanted(accept, judge, max_bytes, file)
        return await self._repeat(
            _Call(operation, method, path, params, headers, content, policy, body)
        )

    async def close(self) -> None:
        """Close the connections; calls that are under way end, which is not the vendor's fault."""
        client, self._client, self._loop = self._client, None, None
        if client is not None:
            await client.aclose()

    async def _repeat(self, call: "_Call") -> Answer:
        def pause(error: Exception) -> bool | float:
            return self._pause_s(call, error)

        async for attempt in stamina.retry_context(
            on=pause, attempts=call.policy.attempts, timeout=None
        ):
            with attempt:
                return await self._attempt(call)
        raise AssertionError("the last attempt either returns or raises")

    def _pause_s(self, call: "_Call", error: Exception) -> bool | float:
        """Return the seconds to wait before the next attempt, False for none."""
        if not isinstance(error, RetryableVendorError) or call.made >= call.policy.attempts:
            return False
        pause = call.asked_s
        if pause is None:
            pause = random.uniform(0.5, 1.5) * self._backoff_s * 2 ** (call.made - 1)  # noqa: S311
        if pause > MAX_PAUSE_S or time.monotonic() + pause >= call.ends_at:
            return False
        return pause if self._spare.take() else False

    async def _attempt(self, call: "_Call") -> Answer:
        if not call.made:
            self._spare.earn()
        call.made += 1
        call.asked_s = None
        client = self._open()
        await self._take_place(call)
        request = self._request(client, call)
        if call.left_s() <= 0:
            raise VendorTimeout(self.vendor, call.operation, "no time is left for a call")
        exchange = Exchange(
            self.vendor, call.operation, call.wanted, self._redactor, self._clock, self._refusals
        )
        ticket = await self._enter(call.operation)
        started = time.monotonic()
        try:
            await exchange.run(
                client, request, seconds=call.left_s(), fair=call.policy.deadline_s / 2
            )
        finally:
            if exchange.error is not None and self._client is not client:
                exchange.outcome = CallOutcome.ABANDONED
            self._say(exchange, time.monotonic() - started)
            await uninterrupted(
                self._gate.leave(
                    ticket,
                    exchange.outcome,
                    message=str(exchange.error or ""),
                    not_before=exchange.not_before,
                    reported=exchange.reported,
                )
            )
        if exchange.not_before is not None:
            asked = exchange.not_before - self._clock.now()
            call.asked_s = max(asked.total_seconds(), 0.0) + _WAKES_EARLY_S
        if exchange.error is not None:
            raise exchange.error
        if exchange.answer is None:
            raise AssertionError("an exchange brings an answer or an error")
        return exchange.answer

    async def _take_place(self, call: "_Call") -> None:
        policy = call.policy
        patience = call.left_s() if policy.live else policy.patience_s
        began = time.monotonic()
        try:
            await self._limiter.acquire(self.vendor, live=policy.live, patience_s=patience)
            waited = round(time.monotonic() - began, 3)
            _log.info("vendor.place_taken", vendor=self.vendor, waited_s=waited)
        except NoPlace as exc:
            self._metrics.vendor_requests.labels(self.vendor, "no-place").inc()
            ready_in = timedelta(seconds=min(max(exc.ready_in_s, 0.0), MAX_WAIT_S))
            raise SourcePaused(
                self.vendor,
                call.operation,
                "our own rate limit has no place",
                until=self._clock.now() + ready_in,
            ) from exc

    async def _enter(self, operation: str) -> CallTicket:
        entering = asyncio.ensure_future(self._gate.enter(self.vendor, operation))
        try:
            ticket = await uninterrupted(entering)
        except (SourcePaused, SourceDisabled) as exc:
            kind = "quota-spent" if isinstance(exc, QuotaExhausted) else "paused"
            kind = "disabled" if isinstance(exc, SourceDisabled) else kind
            self._metrics.vendor_requests.labels(self.vendor, kind).inc()
            raise
        except asyncio.CancelledError:
            if not entering.cancelled() and entering.exception() is None:
                ticket = entering.result()
                await uninterrupted(self._gate.leave(ticket, CallOutcome.NOT_MADE))
            raise
        windows = [unit.window for unit in ticket.units]
        _log.info("vendor.admitted", vendor=self.vendor, operation=operation, taken_from=windows)
        return ticket

    def _open(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None:
            hush_http_clients()
            self._client = httpx2.AsyncClient(
                headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip"},
                follow_redirects=False,
                trust_env=False,
                limits=_LIMITS,
            )
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError(f"the client of {self.vendor} belongs to another event loop")
        return self._client

    def _request(self, client: httpx2.AsyncClient, call: "_Call") -> httpx2.Request:
        left = call.left_s()
        try:
            return client.build_request(
                call.method,
                self._base_url + call.path,
                params=call.params,
                headers=call.headers,
                content=call.content,
                timeout=httpx2.Timeout(left, connect=min(left, CONNECT_S)),
            )
        except (httpx2.InvalidURL, ValueError):
            refused = RequestRefused(
                self.vendor, call.operation, "the request cannot be written as HTTP"
            )
        raise refused  # outside of `except`: that error quotes the URL or a header

    def _say(self, exchange: Exchange, seconds: float) -> None:
        status = str(exchange.status or _WITHOUT_STATUS.get(exchange.outcome, "abandoned"))
        if isinstance(exchange.error, VendorTimeout):
            status = "timeout"
        self._metrics.vendor_requests.labels(self.vendor, status).inc()
        self._metrics.vendor_seconds.labels(self.vendor, exchange.operation).observe(seconds)
        fine = exchange.outcome is CallOutcome.OK
        (_log.info if fine else _log.warning)(
            "vendor.called",
            vendor=self.vendor,
            operation=exchange.operation,
            status=exchange.status,
            outcome=exchange.outcome.value,
            error=type(exchange.error).__name__ if exchange.error else None,
            seconds=round(seconds, 3),
            bytes=exchange.received,
            request_id=exchange.request_id,
        )


@dataclass(slots=True)
class _Call:
    """One answer being asked for; made: attempts so far; asked_s: the wait that the last named."""

    operation: str
    method: str
    path: str
    params: Mapping[str, str] | None
    headers: Mapping[str, str] | None
    content: bytes | None
    policy: CallPolicy
    wanted: Wanted
    ends_at: float = math.inf
    made: int = 0
    asked_s: float | None = None

    def __post_init__(self) -> None:
        if self.policy.live:
            self.ends_at = time.monotonic() + self.policy.deadline_s

    def left_s(self) -> float:
        """Return how long the next step may take."""
        return max(min(self.policy.deadline_s, self.ends_at - time.monotonic()), 0.0)
