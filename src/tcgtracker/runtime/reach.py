"""Whether a shared store answers: said once when it is lost and once when it is back."""

import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

TIMEOUT_S = 0.5
"""For connecting and for each answer."""
_PAUSE_S = 5.0
"""How long a store that failed is left alone, so that not every caller waits for its time-out."""


class Reach:
    """Tells callers whether asking the store is worth it. `what` it is used for."""

    def __init__(self, what: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._again_at: float | None = None

    @property
    def lost(self) -> bool:
        return self._again_at is not None

    def worth_trying(self) -> bool:
        """Return False for a while after a failure."""
        return self._again_at is None or self._monotonic() >= self._again_at

    def failed(self, error: Exception, meanwhile: str) -> bool:
        """Note a failure; return True when the store was well until now."""
        with self._lock:
            first = self._again_at is None
            self._again_at = self._monotonic() + _PAUSE_S
        if first:
            log.warning(
                "store.lost",
                used_for=self._what,
                error=f"{type(error).__name__}: {error}",
                meanwhile=meanwhile,
            )
        return first

    def answered(self) -> None:
        """Note that the store works."""
        if self._again_at is None:
            return
        with self._lock:
            back, self._again_at = self._again_at is not None, None
        if back:
            log.warning("store.back", used_for=self._what)
