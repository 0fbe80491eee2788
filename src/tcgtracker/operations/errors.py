"""What a job can say beside a result, and what its worker is told."""

from datetime import datetime

from tcgtracker.domain.clock import ensure_utc
from tcgtracker.domain.errors import NotFound, TrackerError


class UnknownJob(NotFound):
    """No job of that name is registered in this program."""


class LeaseLost(TrackerError):
    """Another worker has the job, or it was cancelled: stop, and write nothing more."""


class Postpone(Exception):
    """Raised by a handler that cannot work now through no fault of the job: not an attempt.

    until: when to look again, aware UTC.
    reason: kept on the row, so that whoever looks sees what it waits for.
    """

    def __init__(self, until: datetime, reason: str = "") -> None:
        super().__init__(reason or f"postponed until {until.isoformat()}")
        self.until = ensure_utc(until)
        self.reason = reason
