"""Which adapters REDIS_URL chooses, and what a pace means."""

import pytest

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.runtime.adapters import choose_adapters
from tcgtracker.runtime.memory_cache import MemoryCache
from tcgtracker.runtime.memory_limiter import MemoryRateLimiter
from tcgtracker.runtime.places import Pace
from tcgtracker.runtime.redis_cache import RedisCache
from tcgtracker.runtime.redis_limiter import RedisRateLimiter


def test_no_url_is_memory() -> None:
    chosen = choose_adapters("", {"justtcg": Pace(10)})
    assert isinstance(chosen.limiter, MemoryRateLimiter)
    assert isinstance(chosen.cache, MemoryCache)


def test_url_is_redis_and_opens_nothing() -> None:
    chosen = choose_adapters("redis://127.0.0.1:1/0", {"justtcg": Pace(10)})
    assert isinstance(chosen.limiter, RedisRateLimiter)
    assert isinstance(chosen.cache, RedisCache)


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "http://127.0.0.1", "redis://127.0.0.1:port/0"])
def test_other_text_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(InvalidInput, match="REDIS_URL"):
        choose_adapters(url, {})


@pytest.mark.parametrize(("places", "background"), [(1, 1), (2, 1), (9, 7), (10, 8), (60, 48)])
def test_a_fifth_of_the_places_is_kept(places: int, background: int) -> None:
    assert Pace(places).background == background


@pytest.mark.parametrize(("places", "background"), [(60, 60), (59, 59), (58, 46), (30, 24)])
def test_none_is_kept_where_the_spacing_leaves_places_free(places: int, background: int) -> None:
    assert Pace(places, interval_s=1.0).background == background


@pytest.mark.parametrize("pace", [(0, 0.0, 60.0), (1, -1.0, 60.0), (1, 0.0, 0.0)])
def test_pace_without_calls_is_refused(pace: tuple[int, float, float]) -> None:
    with pytest.raises(ValueError, match="allows no call"):
        Pace(*pace)


def test_memory_cache_drops_the_oldest_beyond_its_size() -> None:
    now = [0.0]
    cache = MemoryCache(max_bytes=10, monotonic=lambda: now[0])
    cache.set("a", b"12345", ttl_s=60)
    cache.set("b", b"12345", ttl_s=60)
    cache.set("b", b"1234", ttl_s=60)
    cache.set("c", b"12", ttl_s=5)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (None, b"1234", b"12")
    now[0] = 5.0
    assert cache.get("c") is None
