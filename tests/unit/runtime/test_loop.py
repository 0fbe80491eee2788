"""The bridge between threads and the event loop."""

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import AsyncIterator

import pytest

from tcgtracker.runtime.loop import LoopRunner, uninterrupted


@pytest.fixture
def runner():
    runner = LoopRunner()
    yield runner
    runner.close()


async def numbers(log: list[str], *, upto: int = 3) -> AsyncIterator[int]:
    try:
        for number in range(upto):
            yield number
    except GeneratorExit:
        log.append("closed early")
        raise
    finally:
        await asyncio.sleep(0)  # what a client does when it closes
        log.append("cleaned up")


def test_nothing_is_started_before_the_first_use() -> None:
    before = threading.active_count()
    LoopRunner().close()
    assert threading.active_count() == before


def test_all_threads_share_one_loop(runner: LoopRunner) -> None:
    async def loop_id() -> int:
        return id(asyncio.get_running_loop())

    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda: seen.append(runner.run(loop_id()))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1


@pytest.mark.parametrize("error", [KeyError("a"), StopAsyncIteration(), TimeoutError("t")])
def test_errors_keep_their_type(runner: LoopRunner, error: Exception) -> None:
    async def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        runner.run(fail())
    assert caught.value is error


def test_pages_come_in_order_and_end(runner: LoopRunner) -> None:
    log: list[str] = []
    assert list(runner.iterate(numbers(log))) == [0, 1, 2]
    assert log == ["cleaned up"]


def test_pages_are_asked_for_one_at_a_time(runner: LoopRunner) -> None:
    made: list[int] = []

    async def pages() -> AsyncIterator[int]:
        for number in range(5):
            made.append(number)
            yield number

    for number in runner.iterate(pages()):
        assert made == list(range(number + 1))


def test_leaving_the_pages_closes_them(runner: LoopRunner) -> None:
    log: list[str] = []
    with contextlib.closing(runner.iterate(numbers(log))) as pages:
        assert next(pages) == 0
    assert log == ["closed early", "cleaned up"]


def test_error_between_pages_reaches_the_reader(runner: LoopRunner) -> None:
    async def pages() -> AsyncIterator[int]:
        yield 1
        raise KeyError("page 2")

    read: list[int] = []
    with pytest.raises(KeyError, match="page 2"):
        read.extend(runner.iterate(pages()))


def test_stop_of_an_inner_iterator_does_not_end_the_pages_quietly(runner: LoopRunner) -> None:
    class Pages:
        def __aiter__(self) -> "Pages":
            return self

        async def __anext__(self) -> int:
            raise LookupError

    with pytest.raises(LookupError):
        list(runner.iterate(Pages()))


def test_interrupt_cancels_and_waits_for_the_end(runner: LoopRunner) -> None:
    began, log = threading.Event(), []

    async def slow() -> None:
        began.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)  # gives its ticket back
            log.append("given back")
            raise

    def interrupt() -> None:
        began.wait(5)
        os.kill(os.getpid(), signal.SIGINT)

    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            runner.run(slow())
    finally:
        thread.join()
        signal.signal(signal.SIGINT, former)
    assert log == ["given back"]


def test_interrupt_between_pages_closes_them(runner: LoopRunner) -> None:
    began, log = threading.Event(), []

    async def pages() -> AsyncIterator[int]:
        try:
            yield 1
            began.set()
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0.05)
            log.append("cleaned up")

    def interrupt() -> None:
        began.wait(5)
        os.kill(os.getpid(), signal.SIGINT)

    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            list(runner.iterate(pages()))
    finally:
        thread.join()
        signal.signal(signal.SIGINT, former)
    assert log == ["cleaned up"]


def test_closing_cancels_what_runs_and_tells_who_waits() -> None:
    runner, began = LoopRunner(), threading.Event()
    log: list[str] = []

    async def slow() -> None:
        began.set()
        try:
            await asyncio.sleep(30)
        finally:
            log.append("cleaned up")

    def wait() -> None:
        try:
            runner.run(slow())
        except RuntimeError as exc:
            log.append(str(exc))

    thread = threading.Thread(target=wait)
    thread.start()
    began.wait(5)
    runner.close()
    thread.join(5)
    assert log == ["cleaned up", "the event loop of the vendors is closed"]


def test_closing_while_pages_are_read_closes_them() -> None:
    runner = LoopRunner()
    log: list[str] = []
    pages = runner.iterate(numbers(log))
    assert next(pages) == 0
    runner.close()
    assert log == ["closed early", "cleaned up"]
    with pytest.raises(RuntimeError, match="is closed"):
        next(pages)


def test_pages_may_be_left_after_closing() -> None:
    runner = LoopRunner()
    with contextlib.closing(runner.iterate(numbers([]))) as pages:
        next(pages)
        runner.close()


def test_use_after_closing_is_refused_and_leaves_no_coroutine_behind() -> None:
    async def never() -> None:
        raise AssertionError

    runner = LoopRunner()
    runner.close()
    runner.close()
    with pytest.raises(RuntimeError, match="is closed"):
        runner.run(never())


def test_own_thread_must_not_wait_for_itself(runner: LoopRunner) -> None:
    async def inner() -> None:
        raise AssertionError

    async def outer() -> None:
        with pytest.raises(RuntimeError, match="cannot wait for itself"):
            runner.run(inner())
        with pytest.raises(RuntimeError, match="cannot wait for itself"):
            runner.close()

    runner.run(outer())


def test_closing_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tcgtracker.runtime.loop.GRACE_S", 0.1)
    runner, began = LoopRunner(), threading.Event()
    release: list[asyncio.Event] = []

    async def stubborn() -> None:
        release.append(asyncio.Event())
        began.set()
        while not release[0].is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait_for(release[0].wait(), 0.3)

    def wait() -> None:
        with contextlib.suppress(RuntimeError, TimeoutError):
            runner.run(stubborn())

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    began.wait(5)
    start = time.monotonic()
    runner.close()
    assert time.monotonic() - start < 2


def test_uninterrupted_work_ends_before_the_cancellation_goes_on() -> None:
    log: list[str] = []

    async def work() -> str:
        await asyncio.sleep(0.02)
        log.append("written")
        return "row"

    async def main() -> None:
        task = asyncio.ensure_future(uninterrupted(work()))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ["written"]
        assert await uninterrupted(work()) == "row"

    asyncio.run(main())
