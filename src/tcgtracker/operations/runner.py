"""Threads of this process that claim jobs and run them."""

import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

import structlog
from sqlalchemy import Connection
from structlog.contextvars import bound_contextvars

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.clock import Clock, iso
from tcgtracker.domain.errors import SourcePaused
from tcgtracker.operations import lease_repository, repository
from tcgtracker.operations.bell import Bell
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.errors import LeaseLost, Postpone
from tcgtracker.operations.heartbeat import Heartbeat
from tcgtracker.operations.registry import Job, JobRegistry
from tcgtracker.operations.values import JobRecord, plain_json

log = structlog.get_logger(__name__)

_LEAST_WAIT = timedelta(seconds=1)
"""A job put off into the past would be claimed again at once, in a busy loop."""

_Outcome: TypeAlias = tuple[JobState, Callable[[Connection], None]]


class LocalRunner:
    """Claims the jobs that its registry knows; others stay for a worker that knows them.

    Delivery is at least once: a job whose worker dies after its work and before its mark runs
    again, so handlers are idempotent and tie their writes to the lease with `JobContext.hold`.

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
    ) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock
        self._count = threads
        self._poll_s = poll_s
        self._lease = timedelta(seconds=lease_s)
        self._bell = bell or Bell()
        self._heartbeat = Heartbeat(database, clock, lease_s=lease_s)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.owner = f"{socket.gethostname()}:{os.getpid()}"

    def ring(self) -> None:
        """Say that there may be work: call it after the commit."""
        self._bell.ring()

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
        self._bell.ring()
        deadline = time.monotonic() + limit_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        unfinished = [thread for thread in self._threads if thread.is_alive()]
        self._threads = []
        try:
            if unfinished:
                for context in self._heartbeat.held():
                    self._release(context)
        finally:
            self._heartbeat.stop()
        return not unfinished

    def run_pending(self, limit: int | None = None) -> int:
        """Run what is due in this thread until nothing is, or `limit` jobs; return how many."""
        done = 0
        try:
            while (limit is None or done < limit) and self._run_one():
                done += 1
        finally:
            if not self._threads:
                self._heartbeat.stop()
        return done

    def _work(self) -> None:
        while not self._stopping.is_set():
            heard = self._bell.rings()
            try:
                if self._run_one():
                    continue
            except Exception:  # outermost loop of the worker: the thread must outlive a bad moment
                log.exception("runner.failed")
            self._bell.wait(heard, self._poll_s)

    def _run_one(self) -> bool:
        record = self._claim()
        if record is None:
            return False
        with bound_contextvars(job_id=str(record.id), job=record.name, attempt=record.attempts):
            self._execute(record)
        return True

    def _claim(self) -> JobRecord | None:
        now, names = self._clock.now(), self._registry.names()
        with self._database.read() as connection:
            if not lease_repository.anything_to_do(connection, now, names):
                return None
        with self._database.write() as connection:
            buried = lease_repository.bury(connection, now, names)
            record = lease_repository.claim(
                connection, now, names, owner=self.owner, lease_until=now + self._lease
            )
        for lost in buried:
            log.error(
                "job.failed", job_id=str(lost.id), job=lost.name, state="dead", error=lost.error
            )
        return record

    def _execute(self, record: JobRecord) -> None:
        declared = self._registry.get(record.name)
        context = JobContext(self._database, self._clock, record)
        self._heartbeat.add(context)
        try:
            state, write = self._outcome(declared, record, context)
            with self._database.write() as connection:
                if context.reached is not context.written:
                    lease_repository.progress(connection, context.lease, context.reached)
                write(connection)
            log.info("job.settled", state=state)
        except LeaseLost as exc:
            log.warning("job.lease_lost", error=str(exc))
        except BaseException as exc:
            # Ctrl-C or the end of the process is not the job's fault. Anything else here is the
            # database's: the row stays as it is, and is taken over when its lease has run out.
            if isinstance(exc, Exception):
                log.error("job.unsettled", error=str(exc))  # noqa: TRY400 - the loop has the trace
            else:
                self._release(context)
            raise
        finally:
            self._heartbeat.remove(context)

    def _outcome(self, declared: Job, record: JobRecord, context: JobContext) -> _Outcome:
        """Run the handler; return what is to be written of how it ended."""
        try:
            result = plain_json(declared.handler(context))
        except LeaseLost:
            raise
        except Postpone as exc:
            return self._postponed(context, exc.until, exc.reason, "Postpone")
        except SourcePaused as exc:
            return self._postponed(context, exc.until, str(exc), type(exc).__name__)
        except Exception as exc:  # noqa: BLE001 - outermost: logged, and kept on the row
            return self._failed(declared, record, context, exc)
        now = self._clock.now()
        return JobState.DONE, partial(
            lease_repository.finish, lease=context.lease, now=now, result=result
        )

    def _postponed(
        self, context: JobContext, until: datetime, reason: str, reason_type: str
    ) -> _Outcome:
        until = max(until, self._clock.now() + _LEAST_WAIT)
        log.info("job.postponed", until=iso(until), reason=reason)
        return JobState.READY, partial(
            lease_repository.postpone,
            lease=context.lease,
            until=until,
            reason=reason,
            reason_type=reason_type,
        )

    def _failed(
        self, declared: Job, record: JobRecord, context: JobContext, error: Exception
    ) -> _Outcome:
        now, kind = self._clock.now(), type(error).__name__
        text = str(error) or kind
        if declared.retries(error) and record.attempts < record.max_attempts:
            moment = now + declared.retry_delay
            retry_at = iso(moment)
            log.warning("job.failed", state="retry", retry_at=retry_at, error=text, error_type=kind)
            return JobState.RETRY, partial(
                lease_repository.retry_at,
                lease=context.lease,
                moment=moment,
                error=text,
                error_type=kind,
            )
        log.error("job.failed", state="dead", error=text, error_type=kind, exc_info=error)
        return JobState.DEAD, partial(
            lease_repository.dead, lease=context.lease, now=now, error=text, error_type=kind
        )

    def _release(self, context: JobContext) -> None:
        context.lose()
        try:
            with self._database.write() as connection:
                lease_repository.release(connection, context.lease, self._clock.now())
        except LeaseLost:
            return  # it ended, or was taken, just now
        log.warning("job.released", job_id=str(context.job_id), job=context.name)
