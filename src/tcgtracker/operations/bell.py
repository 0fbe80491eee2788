"""The doorbell of this process: it says "look at the table", never what is there."""

import threading


class Bell:
    """Rung after a commit; losing a ring costs a poll, never a job."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rings = 0

    def ring(self) -> None:
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
