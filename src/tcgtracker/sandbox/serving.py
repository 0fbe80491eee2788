"""The whole sandbox in one object: started in a thread of its own, stopped cleanly."""

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, date, datetime, time
from threading import Thread
from types import TracebackType
from typing import Self, TypeVar

from tcgtracker.sandbox import fault_answers, fault_bodies
from tcgtracker.sandbox.clock import SandboxClock
from tcgtracker.sandbox.control import Control
from tcgtracker.sandbox.environment import environment
from tcgtracker.sandbox.faults import FaultBoard, FaultRule
from tcgtracker.sandbox.ledger import Call, Ledger
from tcgtracker.sandbox.served import ServedPrice, prices_in
from tcgtracker.sandbox.server import Port, Surroundings
from tcgtracker.sandbox.wire import SandboxVendor, TunableVendor

FAULT_KINDS = (*fault_answers.KINDS, *fault_bodies.KINDS)
_TICK_S = 0.05
_START_S = 30.0
T = TypeVar("T")


class Sandbox:
    """Vendors on loopback ports, and a control port.

    port_base: the control port's number, the vendors follow in their order; 0 = free ones.
    speed: of the day clock, 0 = it stands until it is moved.
    """

    def __init__(
        self,
        vendors: Sequence[SandboxVendor],
        *,
        now: datetime,
        speed: float = 0.0,
        port_base: int = 0,
    ) -> None:
        self.clock = SandboxClock(now, speed=speed)
        self.vendors = {vendor.name: vendor for vendor in vendors}
        self._shared = Surroundings(self.clock, FaultBoard(FAULT_KINDS, self.vendors), Ledger())
        self._ports = {
            vendor.name: Port(vendor, self._shared, port=port_base + place if port_base else 0)
            for place, vendor in enumerate(vendors, start=1)
        }
        self._control = Port(
            Control(self._shared, vendors),
            self._shared,
            port=port_base,
            logged=False,
            settle=self._settle,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)

    def start(self) -> None:
        """Open all ports.

        Raises:
            OSError: a port is taken.
        """
        ready: Future[None] = Future()
        self._thread = Thread(target=self._run, args=(ready,), name="sandbox", daemon=True)
        self._thread.start()
        try:
            ready.result(_START_S)
        except BaseException:
            self._thread.join()
            self._thread = None
            raise

    def stop(self) -> None:
        """Close all ports.

        Raises:
            RuntimeError: the sandbox itself failed in some call, which no test may take for a
                vendor's fault.
        """
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()
            self._loop = self._thread = None
        if self._shared.crashes:
            raise RuntimeError("the sandbox itself failed") from self._shared.crashes[0]

    @property
    def control_url(self) -> str:
        return self._control.url

    @property
    def urls(self) -> dict[str, str]:
        """The address of each vendor."""
        return {name: port.url for name, port in self._ports.items()}

    def environment(self) -> dict[str, str]:
        """Return the environment variables that point the tracker's clients here."""
        return environment(self.vendors, self.urls)

    def fault(self, name: str, /, **given: object) -> FaultRule:
        """Set a fault; the arguments are the fields of `FaultRule`, `params` those of the fault.

        Raises:
            ValueError: as `FaultBoard.set`.
        """
        rule = self._shared.board.set(name, **given)
        self._await(self._settle())
        return rule

    def clear_faults(self, *, vendor: str = "", name: str = "") -> int:
        """Clear the faults of a vendor, of a name, or all; return how many there were."""
        cleared = self._shared.board.clear(vendor=vendor, name=name)
        self._await(self._settle())
        return cleared

    def tune(self, vendor: str, **options: object) -> None:
        """Set options of a vendor.

        Raises:
            ValueError: the vendor has no such option, or the value cannot be used.
        """
        tunable = self.vendors[vendor]
        if not isinstance(tunable, TunableVendor):
            raise ValueError(f"{vendor} has no options")  # noqa: TRY004 - as the others
        tunable.tune(options)

    def reset(self) -> None:
        """Forget the log and all counts; faults and options stay."""
        self._shared.ledger.clear()
        self._shared.board.reset()
        for vendor in self.vendors.values():
            if isinstance(vendor, TunableVendor):
                vendor.reset()

    def calls(self, vendor: str = "", since: int = 0) -> list[Call]:
        """Return the calls that came in, of one vendor or of all."""
        return self._shared.ledger.calls(vendor, since)

    def served(self, vendor: str = "", since: int = 0) -> list[ServedPrice]:
        """Return the prices that left, of one vendor or of all."""
        bodies = self._shared.ledger.bodies(vendor, since)
        return [price for body in bodies for price in prices_in(body)]

    def fired(self) -> dict[str, int]:
        """Return how often each fault did something, by `vendor fault`."""
        return dict(self._shared.board.fired)

    def _run(self, ready: Future[None]) -> None:
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._settling = asyncio.Lock()
        ports = [self._control, *self._ports.values()]
        try:
            for port in ports:
                await port.open()
        except OSError as exc:
            for port in ports:
                await port.close()
            ready.set_exception(exc)
            return
        ready.set_result(None)
        while not self._ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _TICK_S)
            await self._settle()  # a flapping door opens and closes without anybody asking
        for port in ports:
            await port.close()
        await asyncio.sleep(0)  # lets the transports that were aborted close their sockets

    async def _settle(self) -> None:
        async with self._settling:
            for port in self._ports.values():
                await port.follow_faults()

    def _await(self, coroutine: Coroutine[object, object, T]) -> T | None:
        if self._loop is None:
            coroutine.close()
            return None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_START_S)


def noon(day: date) -> datetime:
    """Return 12:00 UTC of a day."""
    return datetime.combine(day, time(12), tzinfo=UTC)
