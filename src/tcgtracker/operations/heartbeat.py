"""A thread that keeps the leases of running jobs and writes their progress."""

import threading
import time
from datetime import timedelta

import structlog

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import lease_repository
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.errors import LeaseLost

log = structlog.get_logger(__name__)

_PROGRESS_S = 1.0
"""Progress is written at most this often: a reader cannot follow faster, each write is a sync."""


class Heartbeat:
    """Renews every lease each third of its length, so that two renewals may fail."""

    def __init__(self, database: Database, clock: Clock, *, lease_s: float) -> None:
        self._database = database
        self._clock = clock
        self._lease_s = lease_s
        self._lock = threading.Lock()
        self._held: dict[JobId, JobContext] = {}
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, context: JobContext) -> None:
        """Keep the lease of a job that was just claimed; starts the thread."""
        with self._lock:
            self._held[context.job_id] = context
            if self._thread is None:
                self._stopped.clear()
                self._thread = threading.Thread(
                    target=self._run, name="tcgtracker-heartbeat", daemon=True
                )
                self._thread.start()

    def remove(self, context: JobContext) -> None:
        """Let a job go."""
        with self._lock:
            # Not another attempt at the same job, which a fellow thread may have taken over.
            if self._held.get(context.job_id) is context:
                del self._held[context.job_id]

    def held(self) -> list[JobContext]:
        with self._lock:
            return list(self._held.values())

    def stop(self) -> None:
        """End the thread; the leases then run out unless they are given back."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        third = self._lease_s / 3
        tick = min(_PROGRESS_S, third / 4)
        renewed = time.monotonic()
        while not self._stopped.wait(tick):
            renew = time.monotonic() - renewed + tick > third
            try:
                self._beat(renew=renew)
            except Exception:  # the loop must live: a dead heartbeat costs every running job
                log.exception("leases.renewal_failed", held=len(self.held()))
                continue  # and try again at the next tick
            if renew:
                renewed = time.monotonic()

    def _beat(self, *, renew: bool) -> None:
        until = self._clock.now() + timedelta(seconds=self._lease_s)
        wanted = [(context, context.reached) for context in self.held()]
        wanted = [(context, now) for context, now in wanted if renew or now is not context.written]
        if not wanted:
            return
        renewed = []
        with self._database.write() as connection:
            for context, reached in wanted:
                try:
                    lease_repository.renew(connection, context.lease, until)
                    lease_repository.progress(connection, context.lease, reached)
                except LeaseLost:
                    context.lose()
                else:
                    renewed.append((context, reached))
        for context, reached in renewed:  # only now is it committed
            context.lease_until = until
            context.written = reached
