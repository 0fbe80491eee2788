"""Ports that write down what they are asked, and the base of a client that stands on them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import (
    VendorError,
)
from tcgtracker.integrations.contract import CallPolicy
from tcgtracker.integrations.http import Answer, VendorHttp
from tcgtracker.runtime.ports import CallOutcome, CallTicket, NoPlace, ReportedQuota
from tests.raw_server import RawServer

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
QUICK = CallPolicy(deadline_s=5.0)
TWICE = CallPolicy(attempts=2, deadline_s=5.0)

T = TypeVar("T")


@dataclass
class Left:
    """What a gate heard at the end of a call."""

    outcome: CallOutcome
    message: str
    not_before: datetime | None
    reported: tuple[ReportedQuota, ...]


@dataclass
class Ports:
    """A limiter and a gate. steps: in which order they were used."""

    steps: list[str] = field(default_factory=list)
    patience: list[float] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    no_place_for_s: float | None = None
    refusal: VendorError | None = None

    async def acquire(self, service: str, *, live: bool = False, patience_s: float) -> None:
        self.steps.append("live place" if live else "place")
        self.patience.append(patience_s)
        if self.no_place_for_s is not None:
            raise NoPlace(service, self.no_place_for_s)

    async def enter(self, service: str, operation: str) -> CallTicket:
        self.steps.append("enter")
        if self.refusal is not None:
            raise self.refusal
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
        self.steps.append("leave")
        self.left.append(Left(outcome, message, not_before, reported))

    @property
    def outcomes(self) -> list[CallOutcome]:
        return [left.outcome for left in self.left]


def a_client(server: RawServer | str, ports: Ports, **options: Any) -> VendorHttp:
    url = server if isinstance(server, str) else server.url
    clock = options.pop("clock", None) or FixedClock(NOW)
    options.setdefault("backoff_s", 0.01)
    return VendorHttp("shop", url, limiter=ports, gate=ports, clock=clock, **options)


async def asked(
    server: RawServer,
    ports: Ports,
    use: Callable[[VendorHttp], Awaitable[T]],
    **options: Any,
) -> T:
    """Return what `use` makes of a client of this server, everything closed afterwards."""
    async with server:
        client = a_client(server, ports, **options)
        try:
            return await use(client)
        finally:
            await client.close()


async def get(client: VendorHttp, policy: CallPolicy = QUICK) -> Answer:
    return await client.call("product", "GET", "/p", policy=policy)


def failing(
    server: RawServer, ports: Ports, policy: CallPolicy = QUICK, **options: object
) -> VendorError:
    with pytest.raises(VendorError) as caught:
        asyncio.run(asked(server, ports, lambda client: get(client, policy), **options))
    return caught.value
