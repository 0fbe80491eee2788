"""The cache of one process alone."""

import threading
import time
from collections.abc import Callable

MAX_BYTES = 64 * 2**20


class MemoryCache:
    """A `Cache` in this process. Beyond `max_bytes` of values the oldest are dropped."""

    def __init__(
        self, *, max_bytes: int = MAX_BYTES, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_bytes = max_bytes
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[bytes, float]] = {}
        self._bytes = 0

    def get(self, key: str) -> bytes | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            value, ends_at = found
            if self._monotonic() >= ends_at:
                self._drop(key)
                return None
            return value

    def set(self, key: str, value: bytes, *, ttl_s: int) -> None:
        if ttl_s < 1:
            raise ValueError(f"{ttl_s} s is no time to keep something")
        with self._lock:
            self._drop(key)
            self._kept[key] = (value, self._monotonic() + ttl_s)
            self._bytes += len(value)
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))

    def delete(self, *keys: str) -> None:
        with self._lock:
            for key in keys:
                self._drop(key)

    def delete_prefix(self, prefix: str) -> None:
        with self._lock:
            for key in [key for key in self._kept if key.startswith(prefix)]:
                self._drop(key)

    def close(self) -> None:
        """Nothing is open."""

    def _drop(self, key: str) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._bytes -= len(gone[0])
