"""Checks that run in a thread of their own, one run at a time however many ask.

What hangs holds one thread, not the server's pool, and nobody waits longer than the deadline.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedCheck(Generic[T]):
    """Runs a check for those who ask; those who come while it runs share its answer."""

    def __init__(self, check: Callable[[], T], *, name: str, deadline_s: float) -> None:
        self._check = check
        self._name = name
        self._deadline_s = deadline_s
        self._lock = threading.Lock()
        self._running: Future[T] | None = None

    async def result(self) -> T:
        """Return what the check returns, or raise what it raises.

        Raises:
            TimeoutError: it does not end within the deadline.
        """
        running = asyncio.wrap_future(self._start())
        return await asyncio.wait_for(asyncio.shield(running), self._deadline_s)

    def _start(self) -> "Future[T]":
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                # A daemon: a hung check must not hold up the end of the process.
                threading.Thread(
                    target=self._run, args=(self._running,), name=self._name, daemon=True
                ).start()
            return self._running

    def _run(self, future: "Future[T]") -> None:
        try:
            found = self._check()
        except Exception as exc:  # noqa: BLE001 - handed to those who wait for it
            future.set_exception(exc)
        else:
            future.set_result(found)
