"""The sandbox's own time: it stands, is moved, or runs faster than the world outside."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from tcgtracker.domain.clock import ensure_utc


class SandboxClock:
    """A clock that can be set, advanced, and run at `speed` times real speed (0 = it stands)."""

    def __init__(
        self,
        moment: datetime,
        *,
        speed: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._start = _sound(moment)
        self._since = monotonic()
        self._speed = _checked(speed)

    @property
    def speed(self) -> float:
        return self._speed

    def now(self) -> datetime:
        """Return the sandbox's present moment, aware UTC."""
        with self._lock:
            return self._now()

    def _now(self) -> datetime:
        return self._start + timedelta(seconds=(self._monotonic() - self._since) * self._speed)

    def set(self, moment: datetime) -> None:
        """Go to a moment; the past is allowed, as clocks do that too.

        Raises:
            ValueError: no time zone, or outside of the years that the sandbox knows.
        """
        sound = _sound(moment)
        with self._lock:
            self._start, self._since = sound, self._monotonic()

    def advance(self, delta: timedelta) -> None:
        """Go on by `delta`, or back when it is negative.

        Raises:
            ValueError, OverflowError: outside of the years that the sandbox knows.
        """
        with self._lock:
            self._start, self._since = _sound(self._now() + delta), self._monotonic()

    def run(self, speed: float) -> None:
        """Run at `speed` times real speed from now on.

        Raises:
            ValueError: the speed is negative or absurd.
        """
        checked = _checked(speed)
        with self._lock:
            self._start, self._since, self._speed = self._now(), self._monotonic(), checked


def _sound(moment: datetime) -> datetime:
    utc = ensure_utc(moment)
    if utc.year not in _YEARS:
        raise ValueError(f"the sandbox knows the years {_YEARS[0]} to {_YEARS[-1]}")
    return utc


def _checked(speed: float) -> float:
    if not 0 <= speed <= _MAX_SPEED:
        raise ValueError(f"speed must be from 0 to {_MAX_SPEED:,}, not {speed}")
    return float(speed)


_YEARS = range(1990, 2200)
_MAX_SPEED = 10_000_000
"""About four months a second; above that, timedelta overflows within a test run."""
