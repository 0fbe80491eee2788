"""The rate limit of one process alone."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping

from tcgtracker.runtime.places import Pace, Places, Question, Reply, wait_for_place


class MemoryRateLimiter:
    """A `RateLimiter` whose buckets are in this process; may be shared by threads and loops."""

    def __init__(
        self,
        paces: Mapping[str, Pace],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._places = {service: Places(pace) for service, pace in paces.items()}
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()

    async def acquire(self, service: str, *, live: bool = False, patience_s: float) -> None:
        places = self._places[service]

        async def ask(question: Question) -> Reply:
            with self._lock:
                return places.ask(question, self._monotonic())

        async def give_back(question: Question) -> None:
            with self._lock:
                places.give_back(question.caller)

        await wait_for_place(
            service,
            ask,
            give_back,
            live=live,
            patience_s=patience_s,
            monotonic=self._monotonic,
            sleep=self._sleep,
        )

    async def close(self) -> None:
        """Nothing is open."""
