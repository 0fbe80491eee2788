"""Time that passes only while everybody sleeps."""

import asyncio
import heapq
import itertools
from typing import Any


class VirtualTime:
    """A monotonic clock and the sleep that goes with it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), woken))
        await woken.wait()

    async def run(self, *tasks: asyncio.Future[Any]) -> None:
        """Let time pass until the tasks have ended."""
        while not all(task.done() for task in tasks):
            for _ in range(20):  # whoever is awake goes as far as it can
                await asyncio.sleep(0)
            if self._sleepers and not all(task.done() for task in tasks):
                moment, _, woken = heapq.heappop(self._sleepers)
                self.now = max(self.now, moment)
                woken.set()
