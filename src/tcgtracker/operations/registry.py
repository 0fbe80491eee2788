"""What jobs there are: each is declared once, beside its feature, and added by bootstrap."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias

from tcgtracker.domain.clock import EPOCH, ensure_utc
from tcgtracker.domain.errors import Conflict, InvalidInput, RetryableVendorError, StorageError
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.errors import UnknownJob

Handler: TypeAlias = Callable[[JobContext], object]
"""Does the work; returns JSON or None. It may be run more than once: twice must change nothing."""

ALWAYS_RETRYABLE: tuple[type[Exception], ...] = (RetryableVendorError, StorageError)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A kind of work.

    every: run at each multiple of this period since 1970-01-01 UTC (whole seconds).
    at: run each day at this time, UTC. At most one of the two; neither = only when asked for.
    max_attempts: the first one and its repetitions.
    retry_delay: the wait before each repetition.
    retry_on: errors that are worth a repetition, beside `ALWAYS_RETRYABLE`; no other is.
    """

    name: str
    handler: Handler
    every: timedelta | None = None
    at: time | None = None
    max_attempts: int = 4
    retry_delay: timedelta = timedelta(seconds=60)
    retry_on: tuple[type[Exception], ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidInput(f"{self.name!r} is no job name: use a-z, 0-9 and _")
        if self.every is not None and self.at is not None:
            raise InvalidInput(f"job {self.name}: give `every` or `at`, not both")
        if self.every is not None and (
            self.every < timedelta(seconds=1) or self.every % timedelta(seconds=1)
        ):
            raise InvalidInput(f"job {self.name}: `every` must be whole seconds, at least one")
        if self.at is not None and self.at.tzinfo not in (None, UTC):
            raise InvalidInput(f"job {self.name}: `at` is a time of day in UTC")
        if self.max_attempts < 1 or self.retry_delay < timedelta(0):
            raise InvalidInput(f"job {self.name}: max_attempts or retry_delay is too small")

    @property
    def scheduled(self) -> bool:
        return self.every is not None or self.at is not None

    def last_slot(self, now: datetime) -> datetime:
        """Return the newest moment, not after `now`, at which the job is due by its schedule.

        Raises:
            InvalidInput: the job has no schedule.
        """
        now = ensure_utc(now)
        if self.every is not None:
            return now - (now - EPOCH) % self.every
        if self.at is not None:
            today = datetime.combine(now.date(), self.at.replace(tzinfo=UTC))
            return today if today <= now else today - _DAY
        raise InvalidInput(f"job {self.name} has no schedule")

    def next_slot(self, now: datetime) -> datetime:
        """Return the first moment after `now` at which the job is due by its schedule."""
        return self.last_slot(now) + (self.every or _DAY)

    def retries(self, error: Exception) -> bool:
        """Tell whether the error may be gone the next time."""
        return isinstance(error, ALWAYS_RETRYABLE + self.retry_on)


class JobRegistry:
    """The jobs of one tracker. There is no global one, so that two trackers can live in a test."""

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._jobs: dict[str, Job] = {}
        for job in jobs:
            self.add(job)

    def add(self, job: Job) -> None:
        """Add a job.

        Raises:
            Conflict: the name is taken.
        """
        if job.name in self._jobs:
            raise Conflict(f"two jobs are named {job.name}")
        self._jobs[job.name] = job

    def get(self, name: str) -> Job:
        """Return the job of that name.

        Raises:
            UnknownJob: there is none.
        """
        try:
            return self._jobs[name]
        except KeyError:
            known = ", ".join(sorted(self._jobs)) or "none"
            raise UnknownJob(f"there is no job {name!r}; known: {known}") from None

    def names(self) -> frozenset[str]:
        return frozenset(self._jobs)

    def all(self) -> list[Job]:
        """Return every job, by name."""
        return sorted(self._jobs.values(), key=lambda job: job.name)

    def scheduled(self) -> list[Job]:
        """Return the jobs that have a schedule, by name."""
        return [job for job in self.all() if job.scheduled]
