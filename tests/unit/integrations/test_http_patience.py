"""Deadlines, patience and cancelled calls of the base of all vendors."""

import asyncio
from datetime import timedelta

import pytest

from tcgtracker.domain.errors import (
    RateLimited,
    Unavailable,
    VendorTimeout,
)
from tcgtracker.integrations.contract import CallPolicy
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.runtime.ports import CallOutcome, CallTicket
from tests.raw_server import RawServer, a_reply
from tests.unit.integrations.vendor_ports import (
    NOW,
    TWICE,
    Ports,
    asked,
    failing,
    get,
)


def test_live_call_ends_within_its_deadline_with_all_attempts() -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        await server.drip(writer, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 900, pause_s=0.005)

    server, ports = RawServer(a_reply(status=500), hang), Ports()
    policy = CallPolicy(attempts=3, deadline_s=0.5, live=True)

    async def timed(client: VendorHttp) -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises(VendorTimeout):
            await get(client, policy)
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(asked(server, ports, timed)) < 3  # the whole answer takes 4.5 s
    assert ports.steps[0] == "live place"
    assert ports.outcomes == [CallOutcome.FAILED] * 2
    assert server.sent > 10


def test_live_call_does_not_sleep_past_its_deadline() -> None:
    server, ports = RawServer(a_reply(status=429, Retry_After="3")), Ports()
    error = failing(server, ports, CallPolicy(attempts=3, deadline_s=1.0, live=True))
    assert isinstance(error, RateLimited)
    assert error.retry_at == NOW + timedelta(seconds=3)
    assert ports.steps == ["live place", "enter", "leave"]


def test_timeout_after_long_waiting_for_a_place_is_not_the_vendors_fault() -> None:
    class SlowPlace(Ports):
        async def acquire(self, service: str, *, live: bool = False, patience_s: float) -> None:
            await asyncio.sleep(0.3)

    async def hang(writer: asyncio.StreamWriter) -> None:
        await server.drip(writer, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 900, pause_s=0.005)

    server, ports = RawServer(hang), SlowPlace()
    error = failing(server, ports, CallPolicy(deadline_s=0.4, live=True))
    assert isinstance(error, VendorTimeout)
    assert ports.outcomes == [CallOutcome.ABANDONED]


def test_cancelled_call_gives_its_ticket_back() -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        await server.drip(writer, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 900, pause_s=0.01)

    async def cancel(client: VendorHttp) -> None:
        task = asyncio.ensure_future(get(client, TWICE))
        await server.began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    server, ports = RawServer(hang), Ports()
    asyncio.run(asked(server, ports, cancel))
    assert ports.outcomes == [CallOutcome.ABANDONED]


def test_call_cancelled_while_it_enters_gives_its_ticket_back() -> None:
    class SlowGate(Ports):
        async def enter(self, service: str, operation: str) -> CallTicket:
            entering.set()
            await asyncio.sleep(0.05)  # the row is being written in another thread
            return await super().enter(service, operation)

    async def cancel(client: VendorHttp) -> None:
        task = asyncio.ensure_future(get(client))
        await entering.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    server, ports, entering = RawServer(a_reply()), SlowGate(), asyncio.Event()
    asyncio.run(asked(server, ports, cancel))
    assert ports.outcomes == [CallOutcome.NOT_MADE]
    assert not server.requests


def test_call_under_way_while_its_client_is_closed_is_not_the_vendors_fault() -> None:
    async def hang(writer: asyncio.StreamWriter) -> None:
        await server.drip(writer, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 900, pause_s=0.01)

    async def close(client: VendorHttp) -> None:
        task = asyncio.ensure_future(get(client))
        await server.began.wait()
        await client.close()
        with pytest.raises(Unavailable):
            await asyncio.wait_for(task, 2)

    server, ports = RawServer(hang), Ports()
    asyncio.run(asked(server, ports, close))
    assert ports.outcomes == [CallOutcome.ABANDONED]
