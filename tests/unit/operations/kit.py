"""A tracker's background work on one database, with a clock that the test moves."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.clock import Clock, FixedClock
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import lease_repository, repository
from tcgtracker.operations.bell import Bell
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.registry import Job, JobRegistry
from tcgtracker.operations.runner import LocalRunner
from tcgtracker.operations.scheduler import Scheduler
from tcgtracker.operations.values import JobFilter, JobRecord, JsonValue

NOON = datetime(2025, 10, 1, 12, 0, tzinfo=UTC)


class Kit:
    def __init__(self, database: Database, *jobs: Job, clock: Clock | None = None) -> None:
        self.database = database
        self.time = FixedClock(NOON)
        self.clock: Clock = clock or self.time
        self.registry = JobRegistry(jobs)
        self.bell = Bell()
        self.queue = JobQueue(database, self.registry, self.clock, self.bell)
        self.scheduler = Scheduler(database, self.registry, self.clock, self.bell)
        self.runner = self.new_runner()

    def new_runner(self, **options: float) -> LocalRunner:
        threads = int(options.get("threads", 2))
        lease_s = options.get("lease_s", 30)
        return LocalRunner(
            self.database,
            self.registry,
            self.clock,
            threads=threads,
            lease_s=lease_s,
            poll_s=options.get("poll_s", 1),
            bell=self.bell,
        )

    def enqueue(
        self,
        name: str,
        args: dict[str, JsonValue] | None = None,
        *,
        dedupe_key: str | None = None,
        run_at: datetime | None = None,
        parent_id: JobId | None = None,
    ) -> JobId:
        with unit_of_work(self.database, self.database) as uow:
            return self.queue.enqueue(
                uow, name, args, dedupe_key=dedupe_key, run_at=run_at, parent_id=parent_id
            )

    def show(self, job_id: JobId) -> JobRecord:
        with self.database.read() as connection:
            return repository.show(connection, job_id)

    def all(self) -> list[JobRecord]:
        with self.database.read() as connection:
            return list(repository.list_page(connection, JobFilter(), limit=500).jobs)

    def claim(self, owner: str = "worker", lease_s: float = 30) -> JobRecord | None:
        now = self.clock.now()
        with self.database.write() as connection:
            return lease_repository.claim(
                connection,
                now,
                self.registry.names(),
                owner=owner,
                lease_until=now + timedelta(seconds=lease_s),
            )

    def claimed(self, owner: str = "worker") -> JobRecord:
        record = self.claim(owner)
        assert record is not None
        return record


def wait_until(condition: Callable[[], bool], *, limit_s: float = 10) -> None:
    """Wait for something that another thread or process does; fail after the limit."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
