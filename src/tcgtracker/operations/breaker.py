"""When a source that fails is left alone, and how it is tried again. Pure rules."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tcgtracker.runtime.ports import CallOutcome

FAILURES = 5
"""So many calls in a row without an answer open the breaker (DESIGN section 8)."""
OPEN_FOR = timedelta(seconds=60)
PROBE_FOR = timedelta(seconds=60)
"""How long one probe keeps the others away; twice the deadline of a call."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Open while `opened_at` is set; `probe_until` is the lease of the call that tests it."""

    failures: int = 0
    opened_at: datetime | None = None
    probe_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None

    def closed_until(self, now: datetime) -> datetime | None:
        """Return until when nobody may call; None when somebody may, as the probe if it is open.

        A moment that lies further ahead than it could was written by a clock that ran ahead: it
        holds nobody back.
        """
        if self.opened_at is None:
            return None
        for until, longest in (
            (self.opened_at + OPEN_FOR, 2 * OPEN_FOR),
            (self.probe_until, PROBE_FOR),
        ):
            if until is not None and now < until <= now + longest:
                return until
        return None

    def probed(self, now: datetime) -> "Breaker":
        """Return the breaker with its one probe on the way."""
        return replace(self, probe_until=now + PROBE_FOR)

    def after(self, outcome: CallOutcome, now: datetime, *, probe: bool) -> "Breaker":
        """Return the breaker once a call has ended; `probe` when that call holds the lease."""
        if self.is_open and not probe:
            return self  # of a call that was on its way when it opened: the probe decides
        if outcome is CallOutcome.OK:
            return Breaker()
        if outcome is CallOutcome.FAILED:
            failures = self.failures + 1
            opened_at = now if self.is_open or failures >= FAILURES else None
            return Breaker(failures, opened_at)
        return replace(self, probe_until=None)  # nothing learned: the next call tests again
