"""Answers kept as bytes under the version of the data they were made from."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from hashlib import blake2b

from tcgtracker.api.data_version import Version

MAX_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer; it holds from `made_at` until `valid_until` (epoch seconds) if no data changes."""

    body: bytes
    etag: str
    made_at: int
    valid_until: int

    @classmethod
    def of(cls, body: bytes, *, made_at: int, valid_until: int) -> "Rendered":
        digest = blake2b(body, digest_size=12).hexdigest()
        return cls(body, f'"{digest}"', made_at, valid_until)


class RenderedCache:
    """The answers used last, up to a number of bytes. For many threads."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._version: Version | None = None
        self._kept: OrderedDict[Hashable, Rendered] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, version: Version, now: int) -> Rendered | None:
        """Return the answer if it is of this version and of this time."""
        with self._lock:
            if version != self._version:
                return None
            found = self._kept.get(key)
            if found is None or not found.made_at <= now < found.valid_until:
                return None
            self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, version: Version, rendered: Rendered) -> None:
        """Keep an answer; everything of another version is dropped."""
        with self._lock:
            if version != self._version:
                self._kept.clear()
                self._bytes = 0
                self._version = version
            before = self._kept.pop(key, None)
            self._bytes += len(rendered.body) - (len(before.body) if before else 0)
            self._kept[key] = rendered
            while self._bytes > self._max_bytes and self._kept:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= len(dropped.body)
