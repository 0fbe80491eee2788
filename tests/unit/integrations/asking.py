"""A vendor in few lines, and a client that asks it over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from tcgtracker.domain.clock import FixedClock
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.sandbox.wire import Request, Response, SandboxVendor
from tests.unit.integrations.calling import FreeLimiter, OpenGate

T = TypeVar("T")
NOW = datetime(2026, 11, 22, 15, 40, 12, 345678, tzinfo=UTC)


@dataclass
class Scripted:
    """A vendor that answers with what the test says, and keeps what it was asked."""

    answer: Callable[[Request], Response]
    name: str = "scripted"
    asked: list[Request] = field(default_factory=list)

    def handle(self, request: Request, now: datetime) -> Response:
        self.asked.append(request)
        return self.answer(request)

    def count(self, path: str) -> int:
        return sum(request.path.startswith(path) for request in self.asked)


def answering(body: object, status: int = 200, **headers: str) -> Response:
    """Return JSON, or bytes as they are; header names are written with `_` for `-`."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, content, {"Content-Type": "application/json"} | named)


def ask(
    vendor: SandboxVendor,
    do: Callable[[VendorHttp], Awaitable[T]],
    *,
    gate: OpenGate | None = None,
    clock: FixedClock | None = None,
) -> T:
    """Return what `do` returns with a client of the vendor."""

    async def run(url: str) -> T:
        http = VendorHttp(
            "vendor",
            url,
            limiter=FreeLimiter(),
            gate=gate or OpenGate(),
            clock=clock or FixedClock(NOW),
            backoff_s=0.0,
        )
        try:
            return await do(http)
        finally:
            await http.close()

    with Sandbox([vendor], now=NOW) as sandbox:
        return asyncio.run(run(sandbox.urls[vendor.name]))


async def all_of(pages: AsyncIterator[T]) -> list[T]:
    return [page async for page in pages]
