"""Rings again for jobs whose message was lost, or whose worker vanished.

The table says what is due; the broker may forget: it was flushed, restarted, or out of reach when
the job was written. A job that waits for its moment has no message at all before it.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

import structlog

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import lease_repository
from tcgtracker.operations.registry import JobRegistry
from tcgtracker.runtime.loop_thread import LoopThread
from tcgtracker.runtime.reach import Reach

log = structlog.get_logger(__name__)

LOOK_S = 2.0
_GRACE = timedelta(seconds=1)
"""What was due a moment ago has a message on the way."""
_AGAIN_S = 15.0
"""A job is rung again so long after the last time, if nobody has begun it."""
_MOST = 200
"""Messages that wait at the broker, by our doing: what is taken is rung for at the next look."""


class Broker(Protocol):
    """Where messages wait."""

    def publish(self, name: str, job_id: JobId) -> None: ...

    def waiting(self) -> int: ...

    def close(self) -> None: ...


class Reconciler:
    """`tick` does it once; `start` does it in a thread until `stop`. Several do no harm."""

    def __init__(
        self,
        database: Database,
        registry: JobRegistry,
        clock: Clock,
        broker: Broker,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock
        self._broker = broker
        self._monotonic = monotonic
        self._rung: dict[JobId, float] = {}
        self._reach = Reach("broker")
        self._thread = LoopThread("reconciler", self._run)

    def tick(self) -> int:
        """Ring for what is due, while few messages wait; return how many were rung.

        While many wait, no worker is idle for want of one, and more would only pile up.

        Raises:
            StorageError: the database does not answer.
            Exception: the broker is lost.
        """
        now = self._clock.now()
        with self._database.read() as connection:
            due = lease_repository.due_jobs(
                connection, now, self._registry.names(), since=_GRACE, limit=_MOST
            )
        moment = self._monotonic()
        self._rung = {
            job_id: at
            for job_id, _ in due
            if (at := self._rung.get(job_id)) is not None and moment - at < _AGAIN_S
        }
        missing = [(job_id, name) for job_id, name in due if job_id not in self._rung]
        if not missing:
            return 0
        room = max(0, _MOST - self._broker.waiting())
        for job_id, name in missing[:room]:
            self._broker.publish(name, job_id)
            self._rung[job_id] = moment
        return len(missing[:room])

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
        while not self._thread.stopped.wait(LOOK_S):
            try:
                rung = self.tick()
            except Exception as exc:  # noqa: BLE001 - outermost loop; each transport has its own
                self._reach.failed(exc, "workers finish what they have")
                self._thread.stopped.wait(LOOK_S)
            else:
                self._reach.answered()
                if rung:
                    log.info("jobs.rung", count=rung)
        self._broker.close()
