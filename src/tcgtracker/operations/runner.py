"""Threads of this process that claim jobs and run them."""

import threading
import time

import structlog

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.operations import repository
from tcgtracker.operations.bell import Bell
from tcgtracker.operations.executor import JobExecutor
from tcgtracker.operations.registry import JobRegistry
from tcgtracker.runtime.memory import give_back_memory
from tcgtracker.runtime.metrics import Metrics

log = structlog.get_logger(__name__)


class LocalRunner:
    """Claims the jobs that its registry knows; others stay for a worker that knows them.

    poll_s: how long a job waits at most that another process wrote, or whose time has come.
    """

    def __init__(
        self,
        database: Database,
        registry: JobRegistry,
        clock: Clock,
        *,
        threads: int = 2,
        lease_s: float = 30,
        poll_s: float = 1,
        bell: Bell | None = None,
        history: Database | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._database = database
        self._registry = registry
        self._count = threads
        self._poll_s = poll_s
        self._bell = bell or Bell()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.executor = JobExecutor(
            database, registry, clock, lease_s=lease_s, history=history, metrics=metrics
        )

    @property
    def owner(self) -> str:
        """Return who holds the leases of this process."""
        return self.executor.owner

    def wake(self) -> None:
        """Let the threads look at once: there may be work."""
        self._bell.wake()

    def start(self) -> None:
        """Start the threads.

        Raises:
            RuntimeError: they run already.
            StorageError: the database does not answer.
        """
        if self._threads:
            raise RuntimeError("the runner runs already")
        with self._database.read() as connection:
            unknown = repository.unknown_names(connection, self._registry.names())
        if unknown:
            log.warning("jobs.unknown", names=unknown, next_step="start a worker that knows them")
        self._database.engine(writes=True)  # made here once: engines are not made thread-safely
        self._stopping.clear()
        self._threads = [
            threading.Thread(target=self._work, name=f"tcgtracker-job-{n}", daemon=True)
            for n in range(self._count)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, limit_s: float = 15) -> bool:
        """Claim no more, let running handlers finish for so long, give back what still runs.

        Returns whether all had finished. A handler that goes on has lost its lease: its `check` and
        `hold` raise, and nothing that it writes through them is kept.
        """
        self._stopping.set()
        self._bell.wake()
        deadline = time.monotonic() + limit_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        unfinished = [thread for thread in self._threads if thread.is_alive()]
        self._threads = []
        try:
            if unfinished:
                self.executor.release_all()
        finally:
            self.executor.rest()
        return not unfinished

    def run_pending(self, limit: int | None = None) -> int:
        """Run what is due in this thread until nothing is, or `limit` jobs; return how many."""
        done = 0
        try:
            while (limit is None or done < limit) and self.executor.run_one() is not None:
                done += 1
        finally:
            if not self._threads:
                self.executor.rest()
        return done

    def _work(self) -> None:
        worked = False
        while not self._stopping.is_set():
            heard = self._bell.rings()
            try:
                if self.executor.run_one() is not None:
                    worked = True
                    continue
                if worked:  # a job over a whole catalog leaves the process half empty
                    give_back_memory()
                    worked = False
            except Exception:  # outermost loop of the worker: the thread must outlive a bad moment
                log.exception("runner.failed")
            self._bell.wait(heard, self._poll_s)
