"""Time is aware UTC; a day is a UTC date; "now" comes from a clock that is handed in."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

DAY_S = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Where "now" comes from."""

    def now(self) -> datetime:
        """Return the present moment, aware UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands until it is moved: for tests and generated data."""

    def __init__(self, moment: datetime) -> None:
        self._moment = ensure_utc(moment)

    def now(self) -> datetime:
        return self._moment

    def set(self, moment: datetime) -> None:
        self._moment = ensure_utc(moment)

    def advance(self, delta: timedelta) -> None:
        self._moment += delta


def ensure_utc(moment: datetime) -> datetime:
    """Return the moment in UTC.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC)


def to_epoch(moment: datetime) -> int:
    """Return whole seconds since 1970-01-01 UTC (fractions are cut off)."""
    return int((ensure_utc(moment) - EPOCH) // timedelta(seconds=1))


def from_epoch(seconds: int) -> datetime:
    """Return the aware UTC moment of whole seconds since 1970-01-01."""
    return EPOCH + timedelta(seconds=int(seconds))


def start_of_day(day: date) -> datetime:
    """Return the first moment of a UTC day."""
    return datetime.combine(day, time(), tzinfo=UTC)


def iso(moment: datetime) -> str:
    """Return ISO 8601 with a Z: `2025-10-01T20:00:00Z`."""
    return ensure_utc(moment).isoformat().replace("+00:00", "Z")
