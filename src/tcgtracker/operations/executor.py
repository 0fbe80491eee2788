"""One job from its claim to the mark of how it ended."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import lease_repository
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.errors import LeaseLost, Postpone
from tcgtracker.operations.heartbeat import Heartbeat
from tcgtracker.operations.registry import Job, JobRegistry
from tcgtracker.operations.values import JobRecord, plain_json
from tcgtracker.runtime.metrics import Metrics

log = structlog.get_logger(__name__)

_LEAST_WAIT = timedelta(seconds=1)
"""A job put off into the past would be claimed again at once, in a busy loop."""

_ASKED_IN_A_ROW = 3
"""After so many that people asked for while others waited, the one due longest has its turn."""

_Outcome: TypeAlias = tuple[JobState, Callable[[Connection], None]]


class JobExecutor:
    """Claims jobs that its registry knows and runs them in the caller's thread.

    Delivery is at least once: a job whose worker dies after its work and before its mark runs
    again, so handlers are idempotent. What a handler writes is tied to its lease: a process that
    was paused while another took its job writes nothing more.

    history: written to beside `database`, when it is another one.
    retry_on: errors of the way in which jobs are run here that are worth a repetition.
    """

    def __init__(
        self,
        database: Database,
        registry: JobRegistry,
        clock: Clock,
        *,
        lease_s: float = 30,
        history: Database | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._database = database
        self._history = history or database
        self._registry = registry
        self._clock = clock
        self._lease = timedelta(seconds=lease_s)
        self._metrics = metrics or Metrics()
        self._heartbeat = Heartbeat(database, clock, lease_s=lease_s)
        self._asked_in_a_row = 0
        self.owner = f"{socket.gethostname()}:{os.getpid()}"
        self.retry_on: tuple[type[Exception], ...] = ()

    def run_one(self, job_id: JobId | None = None) -> JobId | None:
        """Run what is due next; return which job that was, None when nothing is due.

        job_id: this one if it is due and nobody has it; but first what a person asked for, and then
        this one has still to be run.
        """
        record = self._claim(job_id)
        if record is None:
            return None
        bound = {"job_id": str(record.id), "job": record.name, "attempt": record.attempts}
        if record.parent_id is not None:
            bound["parent_id"] = str(record.parent_id)
        with bound_contextvars(**bound):
            log.info("job.began", waited_s=self._waited_s(record))
            self._execute(record)
        return record.id

    def release_all(self) -> None:
        """Give back what still runs."""
        for context in self._heartbeat.held():
            self._release(context)

    def rest(self) -> None:
        """End the heartbeat; it begins again with the next job."""
        self._heartbeat.stop()

    def _waited_s(self, record: JobRecord) -> float:
        """Return for how long the job was due."""
        return max(0.0, round((self._clock.now() - record.run_at).total_seconds(), 1))

    def _claim(self, job_id: JobId | None) -> JobRecord | None:
        now, names = self._clock.now(), self._registry.names()
        with self._database.read() as connection:
            if not lease_repository.anything_to_do(connection, now, names, job_id):
                return None
        with self._database.write() as connection:
            buried = lease_repository.bury(connection, now, names)
            record = lease_repository.claim(
                connection,
                now,
                names,
                owner=self.owner,
                lease_until=now + self._lease,
                job_id=job_id,
                asked_first=self._asked_in_a_row < _ASKED_IN_A_ROW,
            )
            passed = record and record.asked and lease_repository.unasked(connection, now, names)
            self._asked_in_a_row = self._asked_in_a_row + 1 if passed else 0
        for lost in buried:
            self._metrics.jobs.labels(lost.name, JobState.DEAD.value).inc()
            log.error(
                "job.failed", job_id=str(lost.id), job=lost.name, state="dead", error=lost.error
            )
        return record

    def _execute(self, record: JobRecord) -> None:
        declared = self._registry.get(record.name)
        context = JobContext(self._database, self._clock, record)
        self._heartbeat.add(context)
        began = time.monotonic()
        ended = "unsettled"
        try:
            state, write = self._outcome(declared, record, context)
            with self._database.write() as connection:
                if context.reached is not context.written:
                    lease_repository.progress(connection, context.lease, context.reached)
                write(connection)
            ended = state.value
            log.info("job.settled", state=state)
        except LeaseLost as exc:
            ended = "lease-lost"
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
            self._metrics.jobs.labels(record.name, ended).inc()
            self._metrics.job_seconds.labels(record.name).observe(time.monotonic() - began)
            self._heartbeat.remove(context)

    def _outcome(self, declared: Job, record: JobRecord, context: JobContext) -> _Outcome:
        """Run the handler; return what is to be written of how it ended."""
        try:
            with self._fenced(context):
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

    @contextmanager
    def _fenced(self, context: JobContext) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(self._database.fenced(context.hold))
            if self._history is not self._database:
                stack.enter_context(self._history.fenced(lambda _: context.look()))
            yield

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
        worth = declared.retries(error) or isinstance(error, self.retry_on)
        if worth and record.attempts < record.max_attempts:
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
