"""Which adapters a process stands on: chosen by the URL of Redis, empty for memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.runtime.memory_cache import MemoryCache
from tcgtracker.runtime.memory_limiter import MemoryRateLimiter
from tcgtracker.runtime.places import Pace
from tcgtracker.runtime.redis_cache import RedisCache
from tcgtracker.runtime.redis_limiter import RedisRateLimiter


@dataclass(frozen=True, slots=True)
class Adapters:
    """Both ports over one store; nothing is opened before the first use.

    Close the limiter in the event loop in which it was used, the cache from anywhere.
    """

    limiter: MemoryRateLimiter | RedisRateLimiter
    cache: MemoryCache | RedisCache


def choose_adapters(redis_url: str, paces: Mapping[str, Pace]) -> Adapters:
    """Return the adapters for `REDIS_URL`; `paces` by the service's name.

    Raises:
        InvalidInput: the URL cannot be one of Redis, or redis-py is not installed.
    """
    if not redis_url:
        return Adapters(MemoryRateLimiter(paces), MemoryCache())
    try:
        from redis import Redis  # of the extra `server`
    except ImportError as exc:
        raise InvalidInput("REDIS_URL is set: install tcgtracker[server]") from exc
    try:
        Redis.from_url(redis_url).close()  # reads the URL, connects to nothing
    except ValueError as exc:
        raise InvalidInput(
            f"REDIS_URL is no URL of Redis ({exc}): redis://HOST:PORT/NUMBER"
        ) from exc
    return Adapters(RedisRateLimiter(redis_url, paces), RedisCache(redis_url))
