"""Redis killed, hung, flushed: calls go on, never faster than the vendor allows."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from structlog.testing import capture_logs

from tcgtracker.runtime.places import Pace
from tcgtracker.runtime.ports import NoPlace
from tcgtracker.runtime.redis_cache import RedisCache
from tcgtracker.runtime.redis_limiter import RedisRateLimiter
from tests.redis_server import RedisServer

SERVICE = "justtcg"
PAUSE_S = 5.2
"""A little more than a lost store is left alone."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.wake()
    server.kill()


async def taken(limiter: RedisRateLimiter, *, live: bool = False) -> int:
    """Take all places that are there at once; return how many."""
    count = 0
    while True:
        try:
            await limiter.acquire(SERVICE, live=live, patience_s=0)
        except NoPlace:
            return count
        count += 1


class TestRateLimiter:
    def test_key_and_its_time_to_live_are_as_documented(self, server: RedisServer) -> None:
        async def act() -> None:
            limiter = RedisRateLimiter(server.url, {SERVICE: Pace(10)})
            await limiter.acquire(SERVICE, patience_s=0)
            await limiter.close()

        asyncio.run(act())
        with Redis.from_url(server.url) as client:
            assert client.keys("*") == [b"rate_limit:justtcg:60"]
            assert 59_000 < client.pttl("rate_limit:justtcg:60") <= 60_000

    def test_killed_redis_leaves_a_part_less_what_was_taken(self, server: RedisServer) -> None:
        async def act() -> tuple[int, int]:
            limiter = RedisRateLimiter(server.url, {SERVICE: Pace(40)})
            for _ in range(8):
                await limiter.acquire(SERVICE, patience_s=0)
            server.kill()
            background, live = await taken(limiter), await taken(limiter, live=True)
            await limiter.close()
            return background, live

        with capture_logs() as logs:
            # A quarter of 40 is 10; of the 8 that were taken a quarter is 2; 2 are kept.
            assert asyncio.run(act()) == (6, 2)
        assert [line["event"] for line in logs] == ["store.lost"]

    def test_process_alone_at_its_limit_goes_on_soon(self, server: RedisServer) -> None:
        async def act() -> float:
            limiter = RedisRateLimiter(server.url, {SERVICE: Pace(60, interval_s=0.05)})
            for _ in range(30):
                await limiter.acquire(SERVICE, patience_s=5)
            server.kill()
            before = time.monotonic()
            await limiter.acquire(SERVICE, patience_s=30)
            await limiter.close()
            return time.monotonic() - before

        assert asyncio.run(act()) < 10  # a background window is a minute

    def test_hung_redis_costs_a_second_once(self, server: RedisServer) -> None:
        async def act() -> tuple[float, float]:
            limiter = RedisRateLimiter(server.url, {SERVICE: Pace(1000)})
            await limiter.acquire(SERVICE, patience_s=0)
            server.hang()
            start = time.monotonic()
            await limiter.acquire(SERVICE, patience_s=0)
            first = time.monotonic() - start
            await limiter.acquire(SERVICE, patience_s=0)
            await limiter.close()
            return first, time.monotonic() - start - first

        first, second = asyncio.run(act())
        assert first < 3
        assert second < 0.4  # it did not wait for the time-out again

    @pytest.mark.parametrize("fault", ["flush", "restart"])
    def test_what_a_process_took_is_not_forgotten_with_the_store(
        self, server: RedisServer, fault: str
    ) -> None:
        async def act() -> tuple[int, int]:
            limiter = RedisRateLimiter(server.url, {SERVICE: Pace(10)})
            before = await taken(limiter)
            if fault == "flush":
                server.flush()
            else:
                server.kill()
                with pytest.raises(NoPlace):  # 8 of 10 were taken: this process's part is gone
                    await limiter.acquire(SERVICE, patience_s=0)
                server.start()
                await asyncio.sleep(PAUSE_S)
            after = await taken(limiter)
            await limiter.close()
            return before, after

        with capture_logs() as logs:
            assert asyncio.run(act()) == (8, 0)
        lost = [] if fault == "flush" else ["store.lost", "store.back"]
        assert [line["event"] for line in logs] == lost
        with Redis.from_url(server.url) as client:
            assert client.zcard("rate_limit:justtcg:60") == 8

    def test_places_taken_without_redis_are_told_to_it(self, server: RedisServer) -> None:
        async def act() -> int:
            limiter = RedisRateLimiter(server.url, {SERVICE: Pace(40)})
            server.kill()
            alone = await taken(limiter)
            server.start()
            await asyncio.sleep(PAUSE_S)
            await limiter.acquire(SERVICE, patience_s=0)
            await limiter.close()
            return alone

        assert asyncio.run(act()) == 8
        with Redis.from_url(server.url) as client:
            assert client.zcard("rate_limit:justtcg:60") == 9

    def test_answer_that_came_after_the_loss_hides_nothing(self, server: RedisServer) -> None:
        async def act() -> None:
            limiter = RedisRateLimiter(server.url, {SERVICE: Pace(40)})
            await limiter.acquire(SERVICE, patience_s=0)
            server.kill()
            await limiter.acquire(SERVICE, patience_s=0)
            server.start()
            limiter._regain()  # as by a call that was answered although others were not
            await limiter.acquire(SERVICE, patience_s=0)
            await limiter.close()

        asyncio.run(act())
        with Redis.from_url(server.url) as client:
            assert client.zcard("rate_limit:justtcg:60") == 3

    def test_places_of_a_clock_that_ran_ahead_are_counted_as_taken_now(
        self, server: RedisServer
    ) -> None:
        key = "rate_limit:justtcg:60"
        ahead = (time.time() + 86_400) * 1_000_000
        with Redis.from_url(server.url) as client:
            client.zadd(key, {f"t:b:{number}": ahead for number in range(5)})
            client.zadd(key, {"w:b:promise": ahead})

        async def act() -> int:
            limiter = RedisRateLimiter(server.url, {SERVICE: Pace(10)})
            count = await taken(limiter)
            await limiter.close()
            return count

        assert asyncio.run(act()) == 3
        with Redis.from_url(server.url) as client:
            assert max(score for _, score in client.zrange(key, 0, -1, withscores=True)) < ahead


class TestCache:
    def test_lost_store_is_a_miss_said_once(self, server: RedisServer) -> None:
        cache = RedisCache(server.url)
        cache.set("k", b"v", ttl_s=60)
        server.kill()
        with capture_logs() as logs:
            for _ in range(3):
                assert cache.get("k") is None
                cache.set("k", b"w", ttl_s=60)
                cache.delete("k")
                cache.delete_prefix("k")
        assert [line["event"] for line in logs] == ["store.lost"]
        cache.close()

    def test_hung_store_costs_a_time_out_once(self, server: RedisServer) -> None:
        cache = RedisCache(server.url)
        cache.set("k", b"v", ttl_s=60)
        server.hang()
        start = time.monotonic()
        for _ in range(20):
            assert cache.get("k") is None
        assert time.monotonic() - start < 4  # 20 time-outs would be 10 s
        cache.close()

    def test_value_deleted_while_the_store_hung_is_not_read_later(
        self, server: RedisServer
    ) -> None:
        cache = RedisCache(server.url)
        for key in ("card:1", "card:2", "sets:a", "sets:b"):
            cache.set(key, b"old", ttl_s=60)
        server.hang()
        cache.delete("card:1")
        cache.delete_prefix("sets:")
        server.wake()
        time.sleep(PAUSE_S)
        assert cache.get("card:2") == b"old"
        assert [cache.get(key) for key in ("card:1", "sets:a", "sets:b")] == [None] * 3
        cache.close()
