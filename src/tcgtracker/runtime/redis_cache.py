"""The cache that all processes on one Redis share."""

import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from tcgtracker.runtime.reach import TIMEOUT_S, Reach

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")
_BATCH = 500


class RedisCache:
    """A `Cache` on Redis; connects when it is first used. While Redis is down all is a miss.

    What should have been deleted meanwhile is deleted before anything is read again, so that this
    process never reads what it knows to be outdated.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._reach = Reach("cache")
        self._lock = threading.Lock()
        self._client: Redis | None = None
        self._owed: set[str] = set()
        self._owed_prefixes: set[str] = set()

    def get(self, key: str) -> bytes | None:
        def ask(client: "Redis") -> bytes | None:
            found = client.get(key)
            return found if isinstance(found, bytes) else None

        return self._try(ask)

    def set(self, key: str, value: bytes, *, ttl_s: int) -> None:
        if ttl_s < 1:
            raise ValueError(f"{ttl_s} s is no time to keep something")
        self._try(lambda client: client.set(key, value, ex=ttl_s))

    def delete(self, *keys: str) -> None:
        with self._lock:
            self._owed.update(keys)
        self._try(lambda _: None)

    def delete_prefix(self, prefix: str) -> None:
        with self._lock:
            self._owed_prefixes.add(prefix)
        self._try(lambda _: None)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _try(self, ask: "Callable[[Redis], T]") -> T | None:
        from redis.exceptions import RedisError

        if not self._reach.worth_trying():
            return None
        try:
            client = self._connected()
            self._settle(client)
            answer = ask(client)
        except (RedisError, OSError) as exc:
            self._reach.failed(exc, "every look is a miss")
            return None
        self._reach.answered()
        return answer

    def _settle(self, client: "Redis") -> None:
        """Delete what is owed; it stays owed until it is deleted."""
        with self._lock:
            keys, prefixes = list(self._owed), list(self._owed_prefixes)
        for start in range(0, len(keys), _BATCH):
            client.unlink(*keys[start : start + _BATCH])
        for prefix in prefixes:
            found: list[bytes] = []
            for key in client.scan_iter(match=f"{_literal(prefix)}*", count=_BATCH):
                found.append(key)
                if len(found) == _BATCH:
                    client.unlink(*found)
                    found.clear()
            if found:
                client.unlink(*found)
        if keys or prefixes:
            with self._lock:
                self._owed.difference_update(keys)
                self._owed_prefixes.difference_update(prefixes)

    def _connected(self) -> "Redis":
        with self._lock:
            if self._client is None:
                from redis import Redis
                from redis.backoff import NoBackoff
                from redis.retry import Retry

                self._client = Redis.from_url(
                    self._url,
                    socket_timeout=self._timeout_s,
                    socket_connect_timeout=self._timeout_s,
                    retry=Retry(NoBackoff(), 0),
                )
            return self._client


def _literal(text: str) -> str:
    r"""Return a pattern of Redis that matches the text alone (`*`, `?`, `[` and `\` escaped)."""
    return re.sub(r"([*?\[\]\\^])", r"\\\1", text)
