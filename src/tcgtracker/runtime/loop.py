"""The one bridge from threads to the event loop: one loop in one thread for the process's life."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")

GRACE_S = 5.0
"""How long what is cancelled may take to end: it gives back tickets and closes connections."""

_CLOSED = "the event loop of the vendors is closed"


class LoopRunner:
    """Runs coroutines in its own thread. Nothing is started before the first use.

    Clients, limiters and whatever else is bound to a loop belong to this one. Closing is final: in
    a second loop they would fail in ways that are hard to read.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, or raise what it raises.

        The caller's thread waits. An interrupt of it cancels the coroutine and waits for its end.

        Raises:
            RuntimeError: the runner is closed, or this is its own thread, which must not wait.
        """
        crossing = _Crossing(coroutine)
        try:  # from here on, because an interrupt may come between any two steps
            self._send(crossing)
            crossing.ended.wait()
        except BaseException:
            crossing.abandon()
            raise
        return crossing.result()

    def iterate(self, pages: AsyncIterator[T]) -> Generator[T, None, None]:
        """Yield what the iterator yields, one at a time; closing the one closes the other."""
        try:
            while True:
                page = self.run(_next(pages))
                if isinstance(page, _End):
                    return
                yield page
        finally:
            if not self._closed:  # closing the loop has closed the pages too
                self.run(_close(pages))

    def close(self) -> None:
        """End the loop; what still runs in it is cancelled, and its callers get a RuntimeError."""
        with self._lock:
            self._refuse_own_thread()
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_end_all(loop), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _send(self, crossing: "_Crossing[Any]") -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError(_CLOSED)
            self._refuse_own_thread()
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="vendors", daemon=True
                )
                self._thread.start()
            crossing.begin_in(self._loop)

    def _refuse_own_thread(self) -> None:
        if threading.current_thread() is self._thread:
            raise RuntimeError("the thread of the event loop cannot wait for itself")


class _Crossing(Generic[T]):
    """One coroutine on its way through the loop. `ended` is set when it has really ended."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.ended = threading.Event()
        self._coroutine = coroutine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[T] | None = None
        self._abandoned = False

    def begin_in(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        loop.call_soon_threadsafe(self._begin)

    def abandon(self) -> None:
        """Cancel it, wherever it is, and wait a while for its end."""
        if self._loop is None:
            self._coroutine.close()
            return
        self._loop.call_soon_threadsafe(self._cancel)
        self.ended.wait(GRACE_S)

    def result(self) -> T:
        if self._task is None or self._task.cancelled():
            raise RuntimeError(_CLOSED)
        return self._task.result()

    def _begin(self) -> None:
        if self._abandoned:
            return
        self._task = asyncio.get_running_loop().create_task(self._coroutine)
        self._task.add_done_callback(lambda _: self.ended.set())

    def _cancel(self) -> None:
        self._abandoned = True
        if self._task is not None:
            self._task.cancel()
        else:
            self._coroutine.close()
            self.ended.set()


class _End:
    """Stands for the end of pages: their own StopAsyncIteration must not cross threads."""


async def _next(pages: AsyncIterator[T]) -> T | _End:
    return await anext(pages, _End())


async def _close(pages: AsyncIterator[Any]) -> None:
    close = getattr(pages, "aclose", None)
    if close is not None:
        await close()


async def _end_all(loop: asyncio.AbstractEventLoop) -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=GRACE_S)
    await loop.shutdown_asyncgens()


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
