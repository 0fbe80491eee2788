"""Asking for work: the row in the caller's transaction, the bell after its commit."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import UnitOfWork
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import repository
from tcgtracker.operations.bell import Doorbell
from tcgtracker.operations.registry import JobRegistry
from tcgtracker.operations.values import JsonValue, NewJob


class JobQueue:
    """What services and faces hold to start, repeat and stop jobs."""

    def __init__(
        self, database: Database, registry: JobRegistry, clock: Clock, bell: Doorbell
    ) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock
        self._bell = bell

    def enqueue(
        self,
        uow: UnitOfWork,
        name: str,
        args: Mapping[str, JsonValue] | None = None,
        *,
        run_at: datetime | None = None,
        dedupe_key: str | None = None,
        parent_id: JobId | None = None,
        max_attempts: int | None = None,
        asked: bool = True,
    ) -> JobId:
        """Write a job; return its id, or that of the open job with the same dedupe key.

        What no other job asks for, a person does: it begins before the jobs of the schedule, and so
        do its parts. asked: False where nobody waits for it.

        run_at: not before this moment (aware UTC); now when left out. max_attempts: fewer than the
        declaration says, for a part of a job that has had some already.

        Raises:
            UnknownJob: no job of that name is registered.
            InvalidInput: the arguments are no JSON.
        """
        now = self._clock.now()
        job = NewJob(
            name=name,
            args=args or {},
            run_at=run_at or now,
            max_attempts=max_attempts or self._registry.get(name).max_attempts,
            dedupe_key=dedupe_key,
            parent_id=parent_id,
            asked=asked and (parent_id is None or repository.is_asked(uow.connection, parent_id)),
        )
        job_id, _new = repository.enqueue(self._database.dialect, uow.connection, job, now)
        if job.run_at <= now:
            uow.after_commit(partial(self._bell.ring, name, job_id))
        return job_id

    def retry(self, uow: UnitOfWork, job_id: JobId) -> None:
        """Let a dead job begin again.

        Raises:
            NotFound: there is none with that id.
            Conflict: it is not dead, or another open job does the same work.
        """
        name = repository.retry(uow.connection, job_id, self._clock.now())
        uow.after_commit(partial(self._bell.ring, name, job_id))

    def cancel(self, uow: UnitOfWork, job_id: JobId) -> None:
        """Stop an open job.

        Raises:
            NotFound: there is none with that id.
            Conflict: it has ended already.
        """
        repository.cancel(uow.connection, job_id, self._clock.now())
