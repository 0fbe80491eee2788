"""What a process stands on, whatever it is made of: one process alone, or many with Redis."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class RateLimiter(Protocol):
    """Spaces the calls to each service, shared by every process that uses the same store."""

    async def acquire(self, service: str, *, live: bool = False, patience_s: float) -> None:
        """Wait for a place; `live` calls may use the part that is reserved for them.

        Raises:
            NoPlace: none comes free within `patience_s` seconds.
        """
        ...


class NoPlace(Exception):
    """The bucket is empty for longer than the caller waits. `ready_in_s` is an estimate."""

    def __init__(self, service: str, ready_in_s: float) -> None:
        super().__init__(f"{service}: no place in the rate limit for about {ready_in_s:.1f} s")
        self.ready_in_s = ready_in_s


class CallOutcome(StrEnum):
    """How a call ended, as far as quota and breaker care."""

    OK = "ok"
    FAILED = "failed"
    """Connect error, timeout or 5xx: counts for the breaker."""
    REFUSED = "refused"
    """Any other answer: says nothing about the vendor's health."""
    BAD_CREDENTIALS = "bad_credentials"
    ABANDONED = "abandoned"
    """We gave up before an answer for our own reasons (cancelled); it may count at the vendor."""
    NOT_MADE = "not_made"
    """No request was sent after all: what was taken for it is given back."""


@dataclass(frozen=True, slots=True)
class ReportedQuota:
    """What the vendor says is left. `limit` where it says that too."""

    window: str
    remaining: int
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class QuotaUnit:
    """One call out of a quota: the `ordinal`-th of the period that began at `starts_at`."""

    window: str
    starts_at: datetime
    ordinal: int


@dataclass(frozen=True, slots=True)
class CallTicket:
    """Leave to make one call; `probe` when it is the one that tests an open breaker."""

    service: str
    taken_at: datetime
    probe: bool = False
    units: tuple[QuotaUnit, ...] = ()


class CallGate(Protocol):
    """Budget, breaker and operator's switch of each service, the same for all processes."""

    async def enter(self, service: str, operation: str) -> CallTicket:
        """Take one call out of every quota window, before it is made.

        Raises:
            SourceDisabled: switched off, or stopped after the vendor refused the key.
            SourcePaused: the breaker is open, or the vendor asked to wait.
            QuotaExhausted: a window is spent.
        """
        ...

    async def leave(
        self,
        ticket: CallTicket,
        outcome: CallOutcome,
        *,
        message: str = "",
        not_before: datetime | None = None,
        reported: tuple[ReportedQuota, ...] = (),
    ) -> None:
        """Record how the call ended.

        not_before: the vendor asks for no call before (aware UTC); reported: what it says is left.
        """
        ...


class Cache(Protocol):
    """Bytes by key, for a while. A store that is down is a miss, never an error."""

    def get(self, key: str) -> bytes | None: ...

    def set(self, key: str, value: bytes, *, ttl_s: int) -> None: ...

    def delete(self, *keys: str) -> None: ...

    def delete_prefix(self, prefix: str) -> None: ...

    def close(self) -> None: ...
