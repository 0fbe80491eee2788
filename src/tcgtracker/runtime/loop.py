"""The one bridge from threads to the event loop: one loop in one thread for the process's life."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

T = TypeVar("T")


class LoopRunner:
    """Runs coroutines in its own thread. Nothing is started before the first use.

    Clients, limiters and whatever else is bound to a loop belong to this one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns; the caller's thread waits, an interrupt cancels it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._start())
        return _result(future)

    def iterate(self, pages: AsyncIterator[T]) -> Iterator[T]:
        """Yield what the iterator yields, one at a time; closing the one closes the other."""
        try:
            while True:
                try:
                    yield self.run(_next(pages))
                except StopAsyncIteration:
                    return
        finally:
            close = getattr(pages, "aclose", None)
            if close is not None:
                self.run(close())

    def close(self) -> None:
        """End the loop; what still runs in it is cancelled."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_cancel_others(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _start(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="vendors", daemon=True
                )
                self._thread.start()
            return self._loop


def _result(future: "Future[T]") -> T:
    try:
        return future.result()
    except (KeyboardInterrupt, SystemExit):
        future.cancel()
        raise
    except CancelledError as exc:
        raise RuntimeError("the event loop of the vendors is being closed") from exc


async def _next(pages: AsyncIterator[T]) -> T:
    return await anext(pages)


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def uninterrupted(work: Awaitable[T]) -> T:
    """Return what `work` returns; a cancellation waits until it has ended, and then goes on."""
    task = asyncio.ensure_future(work)
    interrupted = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            interrupted = True
    if interrupted:
        if not task.cancelled():
            task.exception()  # marked as seen
        raise asyncio.CancelledError
    return task.result()
