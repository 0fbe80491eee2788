"""Commands that run until Ctrl-C or SIGTERM."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event
    from types import FrameType


@contextmanager
def until_told() -> "Iterator[Event]":
    """Give an event that Ctrl-C and SIGTERM set, so that both end the command as it should."""
    import signal
    from threading import Event

    ended = Event()

    def stop(_number: int, _frame: "FrameType | None") -> None:
        ended.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
