"""Calls of a vendor's client to a server on loopback that answers what the test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from tcgtracker.domain.clock import FixedClock
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.runtime.ports import CallOutcome, CallTicket, ReportedQuota
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.sandbox.wire import Request, Response

NOW = datetime(2026, 5, 1, 15, 30, tzinfo=UTC)
T = TypeVar("T")


@dataclass
class ScriptedVendor:
    """Answers in the order given, the last one again and again; keeps what was asked."""

    answers: list[Response]
    name: str = "scripted"
    asked: list[Request] = field(default_factory=list)

    def handle(self, request: Request, _now: datetime) -> Response:
        self.asked.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass
class OpenGate:
    """Lets every call pass; keeps how each ended and what was reported."""

    outcomes: list[CallOutcome] = field(default_factory=list)
    reported: list[ReportedQuota] = field(default_factory=list)
    waits: list[datetime | None] = field(default_factory=list)

    async def enter(self, service: str, _operation: str) -> CallTicket:
        return CallTicket(service, NOW)

    async def leave(
        self,
        ticket: CallTicket,
        outcome: CallOutcome,
        *,
        message: str = "",
        not_before: datetime | None = None,
        reported: tuple[ReportedQuota, ...] = (),
    ) -> None:
        self.outcomes.append(outcome)
        self.waits.append(not_before)
        self.reported.extend(reported)


class FreeLimiter:
    """Has a place for every call."""

    async def acquire(self, service: str, *, live: bool = False, patience_s: float) -> None:
        return


def a_json(tree: object, status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps(tree).encode()
    return Response(status, body, {"Content-Type": "application/json", **named})


@dataclass
class Wire:
    """The vendor on the other side, the gate on this one, and the clock between them."""

    vendor: ScriptedVendor
    gate: OpenGate
    clock: FixedClock
    url: str

    def http(self, name: str, *secrets: str) -> VendorHttp:
        return VendorHttp(
            name,
            self.url,
            limiter=FreeLimiter(),
            gate=self.gate,
            clock=self.clock,
            secrets=secrets,
            backoff_s=0.001,
        )


@contextmanager
def a_wire(*answers: Response) -> Iterator[Wire]:
    vendor = ScriptedVendor(list(answers))
    with Sandbox([vendor], now=NOW) as sandbox:
        yield Wire(vendor, OpenGate(), FixedClock(NOW), sandbox.urls[vendor.name])


def drain(make: Callable[[], AsyncIterator[T]], close: Callable[[], object]) -> list[T]:
    """Return all pages, with the connections closed in the loop that opened them."""

    async def run() -> list[T]:
        try:
            return [page async for page in make()]
        finally:
            await close()  # type: ignore[misc]

    return asyncio.run(run())
