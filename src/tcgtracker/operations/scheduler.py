"""Writes a row for each slot of each scheduled job. Several schedulers do no harm.

A row is unique by (schedule, slot), and by a dedupe key while it is open: a run never overlaps
the one before it, and after a down time there is one run, for the newest slot.
"""

from datetime import datetime

import structlog

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock, iso
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import repository
from tcgtracker.operations.bell import Doorbell
from tcgtracker.operations.registry import Job, JobRegistry
from tcgtracker.operations.values import NewJob
from tcgtracker.runtime.loop_thread import LoopThread

log = structlog.get_logger(__name__)

_LOOK_S = 30.0
"""Longest wait between two looks, so that a clock set forward is noticed."""


class Scheduler:
    """`tick` does it once; `start` does it in a thread until `stop`."""

    def __init__(
        self, database: Database, registry: JobRegistry, clock: Clock, bell: Doorbell
    ) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock
        self._bell = bell
        self._thread = LoopThread("scheduler", self._run)

    def tick(self) -> list[JobId]:
        """Write the rows that are due and not there; return the jobs that stand for them."""
        now = self._clock.now()
        jobs = self._registry.scheduled()
        with self._database.read() as connection:
            names = [job.name for job in jobs]
            last = repository.last_slots(connection, names, now=now)
        # Also quiet when a clock was set back: the newest row is then later than the slot.
        missing = [
            job for job in jobs if job.name not in last or last[job.name] < job.last_slot(now)
        ]
        written = []
        for job in missing:
            job_id = self._write(job, now)
            if job_id is not None:
                written.append(job_id)
                self._bell.ring(job.name, job_id)
        return written

    def write_slot(self, name: str) -> JobId | None:
        """Write the row of a job's newest slot; None when it is there, or its last run still works.

        Rings no bell: whoever asks runs it.

        Raises:
            UnknownJob: there is no such job.
            InvalidInput: it has no schedule.
        """
        return self._write(self._registry.get(name), self._clock.now())

    def _write(self, job: Job, now: datetime) -> JobId | None:
        slot = job.last_slot(now)
        with self._database.write() as connection:
            job_id = repository.bring_back(
                connection, job.name, slot, now=now
            ) or repository.carry_forward(connection, job.name, slot)
            new = False
            if job_id is None:
                job_id, new = repository.enqueue(
                    self._database.dialect,
                    connection,
                    NewJob(
                        name=job.name,
                        args={},
                        run_at=slot,
                        max_attempts=job.max_attempts,
                        dedupe_key=f"schedule:{job.name}",
                        schedule=job.name,
                        due_at=slot,
                    ),
                    now,
                )
                if not new:  # the last run still works, or another scheduler was faster
                    return None
        log.info("job.scheduled", job=job.name, job_id=str(job_id), slot=iso(slot), carried=not new)
        return job_id

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: it runs already.
        """
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the look it is in."""
        self._thread.stop()

    def _run(self) -> None:
        while not self._thread.stopped.is_set():
            try:
                self.tick()
            except Exception:  # outermost loop: the next look may find the database again
                log.exception("scheduler.failed")
            self._thread.stopped.wait(self._pause_s())

    def _pause_s(self) -> float:
        now = self._clock.now()
        waits = [(job.next_slot(now) - now).total_seconds() for job in self._registry.scheduled()]
        return min([_LOOK_S, *waits])
