"""A cache whose looks are counted."""

from tcgtracker.runtime.metrics import Metrics
from tcgtracker.runtime.ports import Cache


class CountedCache:
    """Any `Cache`; a look that a store was too far away for is a miss like any other."""

    def __init__(self, cache: Cache, metrics: Metrics) -> None:
        self._cache = cache
        self._hits = metrics.cache_requests.labels("hit")
        self._misses = metrics.cache_requests.labels("miss")

    def get(self, key: str) -> bytes | None:
        found = self._cache.get(key)
        (self._misses if found is None else self._hits).inc()
        return found

    def set(self, key: str, value: bytes, *, ttl_s: int) -> None:
        self._cache.set(key, value, ttl_s=ttl_s)

    def delete(self, *keys: str) -> None:
        self._cache.delete(*keys)

    def delete_prefix(self, prefix: str) -> None:
        self._cache.delete_prefix(prefix)

    def close(self) -> None:
        self._cache.close()
