"""Answers kept as bytes under the version of the data they were made from."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from anyio import to_thread

from tcgtracker.api.data_version import Version
from tcgtracker.database.engine import Database
from tcgtracker.quotes.manual_prices import keeps_any

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


@dataclass(frozen=True, slots=True)
class Made:
    """An answer, and whether it holds prices of the asking user's own."""

    rendered: Rendered
    own: bool


class Keepers:
    """Who keeps prices of their own, asked once a user and version: all others share answers.

    in_loop: the database may be read in the event loop.
    """

    def __init__(self, database: Database, *, in_loop: bool) -> None:
        self._database = database
        self._in_loop = in_loop
        self._known: tuple[Version | None, dict[UUID, bool]] = (None, {})

    async def includes(self, user_id: UUID, version: Version) -> bool:
        """Tell whether the user does, as of the version or later."""
        of_version, known = self._known
        if of_version == version and user_id in known:
            return known[user_id]
        found = (
            self._ask(user_id) if self._in_loop else await to_thread.run_sync(self._ask, user_id)
        )
        of_version, known = self._known
        if of_version != version:
            known = {}
            self._known = version, known
        known[user_id] = found
        return found

    def _ask(self, user_id: UUID) -> bool:
        with self._database.read() as connection:
            return keeps_any(connection, user_id)


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
