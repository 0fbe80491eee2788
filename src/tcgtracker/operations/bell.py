"""The doorbell: it says "look at the table", never what is there."""

import threading
from typing import Protocol

from tcgtracker.domain.ids import JobId


class Doorbell(Protocol):
    """Rung after the commit; losing a ring costs a wait, never a job."""

    def ring(self, name: str, job_id: JobId) -> None:
        """Say that a job is due; neither waits nor fails."""
        ...

    def close(self) -> None: ...


class Bell:
    """The doorbell of the threads of this process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rings = 0

    def ring(self, name: str, job_id: JobId) -> None:  # noqa: ARG002 - the threads look for themselves
        self.wake()

    def wake(self) -> None:
        """Let whoever waits look."""
        with self._changed:
            self._rings += 1
            self._changed.notify_all()

    def rings(self) -> int:
        """Return how often it rang; read it before looking at the table, and wait from there."""
        with self._changed:
            return self._rings

    def wait(self, heard: int, timeout_s: float) -> None:
        """Return once it rang more than `heard` times, or after the time-out."""
        with self._changed:
            self._changed.wait_for(lambda: self._rings > heard, timeout_s)

    def close(self) -> None:
        """Nothing is open."""
