"""What every rate limiter and every cache does, whatever it is made of."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise

import pytest

from tcgtracker.runtime.memory_cache import MemoryCache
from tcgtracker.runtime.memory_limiter import MemoryRateLimiter
from tcgtracker.runtime.places import Pace
from tcgtracker.runtime.ports import Cache, NoPlace, RateLimiter
from tcgtracker.runtime.redis_cache import RedisCache
from tcgtracker.runtime.redis_limiter import RedisRateLimiter
from tests.redis_server import new_name, shared_redis_url
from tests.unit.runtime.virtual_time import VirtualTime

PATIENT_S = 30.0
"""No slow moment of this machine is a lost Redis; `test_redis_faults.py` has those."""


@dataclass
class Bench:
    """A limiter with one service, and the time in which it lives.

    `late_s` is how long after its moment a call may notice that it has its place: what two calls
    say of their distance is wrong by as much.
    """

    limiter: RateLimiter
    service: str
    now: Callable[[], float]
    run: Callable[..., Awaitable[None]]
    sleep: Callable[[float], Awaitable[None]]
    late_s: float

    async def call(self, patience_s: float, *, live: bool = False) -> float:
        await self.limiter.acquire(self.service, live=live, patience_s=patience_s)
        return self.now()

    async def together(self, count: int, patience_s: float, *, live: bool = False) -> list[float]:
        """Return when each of some callers that begin at once got its place."""
        tasks = [asyncio.ensure_future(self.call(patience_s, live=live)) for _ in range(count)]
        await self.run(*tasks)
        return [task.result() for task in tasks]

    async def places(self, *, live: bool) -> int:
        """Take all that is there at once."""
        count = 0
        while True:
            try:
                await self.call(0, live=live)
            except NoPlace:
                return count
            count += 1


@asynccontextmanager
async def open_bench(kind: str, pace: Pace) -> AsyncIterator[Bench]:
    service = new_name()
    if kind == "memory":
        virtual = VirtualTime()
        memory = MemoryRateLimiter(
            {service: pace}, monotonic=virtual.monotonic, sleep=virtual.sleep
        )
        yield Bench(memory, service, virtual.monotonic, virtual.run, virtual.sleep, 0.01)
        return
    limiter = RedisRateLimiter(shared_redis_url(), {service: pace}, timeout_s=PATIENT_S)

    async def run(*tasks: asyncio.Task[float]) -> None:
        await asyncio.wait(tasks)

    try:
        yield Bench(limiter, service, time.monotonic, run, asyncio.sleep, 0.25)
    finally:
        await limiter.close()


@pytest.fixture(params=["memory", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


class TestRateLimiter:
    """Windows of about a second, because the Redis form lives in real time."""

    def test_no_window_holds_more_calls_than_places(self, kind: str) -> None:
        async def act() -> tuple[list[float], float]:
            async with open_bench(kind, Pace(places=5, window_s=0.6)) as bench:
                return sorted(await bench.together(14, patience_s=20)), 0.6 - bench.late_s

        times, least = asyncio.run(act())
        # A background caller has 4 of 5: the fifth is kept.
        assert all(late - early >= least for early, late in zip(times, times[4:], strict=False))
        assert times[-1] - times[0] < 6  # four batches; one call in each window would take 8

    def test_pace_is_kept_between_any_two_calls(self, kind: str) -> None:
        async def act() -> tuple[list[float], float]:
            async with open_bench(kind, Pace(places=60, interval_s=0.5)) as bench:
                return sorted(await bench.together(5, patience_s=20)), 0.5 - bench.late_s

        times, least = asyncio.run(act())
        assert all(late - early >= least for early, late in pairwise(times))
        assert times[-1] - times[0] < 10

    def test_places_are_handed_out_in_the_order_of_the_callers(self, kind: str) -> None:
        async def act() -> list[float]:
            async with open_bench(kind, Pace(places=60, interval_s=0.2)) as bench:

                async def caller(place: int) -> float:
                    await bench.sleep(place * 0.04)
                    return await bench.call(10)

                tasks = [asyncio.ensure_future(caller(place)) for place in range(5)]
                await bench.run(*tasks)
                return [task.result() for task in tasks]

        times = asyncio.run(act())
        assert times == sorted(times)

    def test_two_callers_at_the_limit_both_finish(self, kind: str) -> None:
        async def act() -> list[float]:
            async with open_bench(kind, Pace(places=2, window_s=0.3)) as bench:
                await bench.call(0)
                return await bench.together(2, patience_s=5)

        assert len(asyncio.run(act())) == 2

    def test_a_fifth_is_kept_for_callers_who_are_waited_for(self, kind: str) -> None:
        async def act() -> tuple[int, int]:
            async with open_bench(kind, Pace(places=10)) as bench:
                return await bench.places(live=False), await bench.places(live=True)

        assert asyncio.run(act()) == (8, 2)

    def test_live_callers_do_not_cost_the_others_their_part(self, kind: str) -> None:
        async def act() -> tuple[int, int]:
            async with open_bench(kind, Pace(places=10)) as bench:
                await bench.call(0, live=True)
                await bench.call(0, live=True)
                return await bench.places(live=False), await bench.places(live=True)

        assert asyncio.run(act()) == (8, 0)

    def test_live_caller_passes_those_who_queue(self, kind: str) -> None:
        async def act() -> tuple[float, list[float]]:
            async with open_bench(kind, Pace(places=60, interval_s=0.2)) as bench:
                await bench.call(0)
                queue = [asyncio.ensure_future(bench.call(9)) for _ in range(4)]

                async def person() -> float:
                    await bench.sleep(0.05)
                    return await bench.call(9, live=True)

                live = asyncio.ensure_future(person())
                await bench.run(live, *queue)
                return live.result(), [task.result() for task in queue]

        live, queue = asyncio.run(act())
        assert live < sorted(queue)[1]  # the first may be gone before it

    def test_constant_live_calls_do_not_starve_the_others(self, kind: str) -> None:
        async def act() -> None:
            async with open_bench(kind, Pace(places=1000, interval_s=0.1)) as bench:
                done = asyncio.Event()

                async def person() -> None:
                    while not done.is_set():
                        await bench.call(60, live=True)

                async def job() -> float:
                    at = await bench.call(60)
                    done.set()
                    return at

                people = [asyncio.ensure_future(person()) for _ in range(2)]
                one = asyncio.ensure_future(job())
                await bench.run(one, *people)

        asyncio.run(act())

    def test_too_long_a_wait_is_known_at_once(self, kind: str) -> None:
        async def act() -> tuple[float, float]:
            async with open_bench(kind, Pace(places=1, window_s=30)) as bench:
                await bench.call(0)
                before = bench.now()
                with pytest.raises(NoPlace) as caught:
                    await bench.call(5)
                return caught.value.ready_in_s, bench.now() - before

        ready_in, took = asyncio.run(act())
        assert 25 < ready_in < 30.1
        assert took < 4

    def test_estimate_counts_those_who_wait_before(self, kind: str) -> None:
        async def act() -> float:
            async with open_bench(kind, Pace(places=60, interval_s=10)) as bench:
                await bench.call(0)
                queue = [asyncio.ensure_future(bench.call(100)) for _ in range(3)]
                for _ in range(50):
                    await asyncio.sleep(0.001)
                with pytest.raises(NoPlace) as caught:
                    await bench.call(5)
                for task in queue:
                    task.cancel()
                await asyncio.gather(*queue, return_exceptions=True)
                return caught.value.ready_in_s

        assert 30 < asyncio.run(act()) < 42.1  # spaced by 10.5 s; without them it would be 10.5

    def test_cancelled_caller_gives_its_promise_back(self, kind: str) -> None:
        async def act() -> float:
            async with open_bench(kind, Pace(places=60, interval_s=1)) as bench:
                await bench.call(0)
                queue = [asyncio.ensure_future(bench.call(9)) for _ in range(3)]
                for _ in range(50):
                    await asyncio.sleep(0.001)
                for task in queue:
                    task.cancel()
                await asyncio.gather(*queue, return_exceptions=True)
                before = bench.now()
                after = asyncio.ensure_future(bench.call(9))
                await bench.run(after)
                return after.result() - before

        assert asyncio.run(act()) < 2.5  # behind the three it would be 4

    def test_services_do_not_share_places(self, kind: str) -> None:
        async def act() -> None:
            async with open_bench(kind, Pace(places=1)) as one:
                await one.call(0)
                async with open_bench(kind, Pace(places=1)) as other:
                    await other.call(0)

        asyncio.run(act())


class TestCache:
    @pytest.fixture
    def cache(self, kind: str) -> Iterator[Cache]:
        cache = (
            MemoryCache()
            if kind == "memory"
            else RedisCache(shared_redis_url(), timeout_s=PATIENT_S)
        )
        yield cache
        cache.close()

    def test_value_comes_back_until_it_is_deleted(self, cache: Cache) -> None:
        key = new_name()
        assert cache.get(key) is None
        cache.set(key, b"\0one", ttl_s=60)
        assert cache.get(key) == b"\0one"
        cache.set(key, b"two", ttl_s=60)
        assert cache.get(key) == b"two"
        cache.delete(key, new_name())
        assert cache.get(key) is None

    def test_value_ends_with_its_time(self, cache: Cache) -> None:
        key = new_name()
        cache.set(key, b"x", ttl_s=1)
        assert cache.get(key) == b"x"
        time.sleep(1.05)  # Redis has no clock that a test could move
        assert cache.get(key) is None

    def test_prefix_takes_its_keys_only(self, cache: Cache) -> None:
        name = new_name()
        many = [f"{name}:sets:*:{number}" for number in range(1200)]
        for key in many:
            cache.set(key, b"x", ttl_s=60)
        cache.set(f"{name}:sets:other", b"x", ttl_s=60)
        cache.delete_prefix(f"{name}:sets:*:")
        assert [key for key in many if cache.get(key)] == []
        assert cache.get(f"{name}:sets:other") == b"x"
        cache.delete_prefix(name)
        assert cache.get(f"{name}:sets:other") is None

    def test_no_time_to_live_is_refused(self, cache: Cache) -> None:
        with pytest.raises(ValueError, match="no time"):
            cache.set(new_name(), b"x", ttl_s=0)
