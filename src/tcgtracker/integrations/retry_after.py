"""When to ask a vendor again: after it said "too fast", and how often after failures."""

import math
import random
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MIN_WAIT_S = 1.0
MAX_WAIT_S = 6 * 3600.0
"""What a vendor asks for is believed between these two; ten years have been seen."""

_NUMBER = re.compile(r"-?\d{1,400}(?:\.\d{1,400})?", re.ASCII)
_MAX_DOUBLINGS = 16
_JITTER = 0.25


def wait_after_refusal(
    header: str | None, *, now: datetime, refusals: int, first_wait_s: float, jitter: float
) -> timedelta:
    """Return the wait that `Retry-After` asks for, or a growing one where it says nothing usable.

    header: seconds (fractions too) or an HTTP date. refusals: how many in a row, this one included.
    first_wait_s: after the first refusal without a header; each further one doubles it.
    jitter: a random number of [0, 1), which makes that wait up to a quarter longer, never shorter.
    """
    asked = asked_wait_s(header, now=now)
    if asked is None:
        doublings = min(max(refusals - 1, 0), _MAX_DOUBLINGS)
        asked = first_wait_s * 2**doublings * (1 + _JITTER * jitter)
    return timedelta(seconds=min(max(asked, MIN_WAIT_S), MAX_WAIT_S))


def asked_wait_s(header: str | None, *, now: datetime) -> float | None:
    """Return the seconds that the header asks for, however many; None where it is no such header.

    now: aware UTC, what an HTTP date is compared with.
    """
    text = (header or "").strip()
    if _NUMBER.fullmatch(text):
        return float(text)  # infinite beyond 1e308, which the caller's limit cuts
    if not text or not text.isascii():
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:  # "-0000": the sender names no zone, HTTP's is UTC
        moment = moment.replace(tzinfo=UTC)
    try:
        return (moment - now).total_seconds()
    except OverflowError:  # a zone that moves the moment out of the calendar
        return math.inf


class Refusals:
    """How often in a row one vendor said "too fast".

    Refusals of calls that were on their way together count as one: none was made after the wait.
    """

    def __init__(self, first_wait_s: float) -> None:
        self._first_wait_s = first_wait_s
        self._count = 0
        self._wait_until: datetime | None = None

    def wait(self, header: str | None, *, now: datetime) -> timedelta:
        """Return the wait after one more refusal with this `Retry-After`."""
        return wait_after_refusal(
            header,
            now=now,
            refusals=self._count + self._is_new(now),
            first_wait_s=self._first_wait_s,
            jitter=random.random(),  # noqa: S311 - spreads calls, guards nothing
        )

    def note(self, wait_until: datetime, *, now: datetime) -> None:
        """Count a refusal; `wait_until` is aware UTC."""
        self._count += self._is_new(now)
        self._wait_until = max(wait_until, self._wait_until or wait_until)

    def forget(self) -> None:
        """Begin anew, after an answer."""
        self._count, self._wait_until = 0, None

    def _is_new(self, now: datetime) -> bool:
        return self._wait_until is None or now >= self._wait_until


class RetryBudget:
    """Lets at most one call in five be a repetition, beyond a few: an outage is not doubled.

    RELIABILITY V5: the extra calls of a burst of errors stay below a fifth.
    """

    SHARE = 0.2
    SPARE = 3.0

    def __init__(self) -> None:
        self._left = self.SPARE

    def earn(self) -> None:
        """Count a call that is no repetition."""
        self._left = min(self._left + self.SHARE, self.SPARE)

    def take(self) -> bool:
        """Return whether one repetition may be made, which is then counted."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
