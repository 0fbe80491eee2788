"""The keys with which vendors sign notices: asked for once, and never at the pace of a stranger."""

import threading
import time
from collections import deque
from collections.abc import Callable

import msgspec

from tcgtracker.domain.errors import Unavailable
from tcgtracker.integrations.contract import NoticeKey
from tcgtracker.quotes.vendors import Vendors
from tcgtracker.runtime.ports import Cache

KEPT_FOR_S = 86_400
UNKNOWN_FOR_S = 3_600
MOST_ASKED, WITHIN_S = 5, 60.0
"""Ids that nobody has asked for before: anybody can make them up, and each costs a call."""


class NoticeKeys:
    """The keys of one tracker; safe to use from several threads."""

    def __init__(
        self,
        vendors: Vendors,
        cache: Cache,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vendors = vendors
        self._cache = cache
        self._monotonic = monotonic
        self._asked: deque[float] = deque(maxlen=MOST_ASKED)
        self._lock = threading.Lock()

    def key(self, vendor: str, key_id: str) -> NoticeKey | None:
        """Return a key of a vendor, None for an id that the vendor does not know.

        Raises:
            VendorError: the vendor does not answer, is not configured, or is asked too often.
        """
        name = f"{vendor}:notice_key:{key_id}"
        raw = self._cache.get(name)
        if raw is not None:
            try:
                return msgspec.json.decode(raw, type=NoticeKey | None)
            except msgspec.MsgspecError:  # of another version of the program
                self._cache.delete(name)
        self._take_turn(vendor)
        found = self._vendors.notice_key(vendor, key_id)
        kept = UNKNOWN_FOR_S if found is None else KEPT_FOR_S
        self._cache.set(name, msgspec.json.encode(found), ttl_s=kept)
        return found

    def _take_turn(self, vendor: str) -> None:
        now = self._monotonic()
        with self._lock:
            if len(self._asked) == MOST_ASKED and now - self._asked[0] < WITHIN_S:
                raise Unavailable(vendor, "notice_key", "too many keys are asked for: wait")
            self._asked.append(now)
