"""A Celery worker: processes that are forked first and open their tracker afterwards."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Protocol

import structlog
from celery import Celery, signals
from celery.exceptions import SoftTimeLimitExceeded

from tcgtracker.domain.ids import JobId
from tcgtracker.operations.bell import Doorbell
from tcgtracker.operations.reconciler import Reconciler
from tcgtracker.operations.runner import LocalRunner
from tcgtracker.operations.scheduler import Scheduler

log = structlog.get_logger(__name__)

GRACE_S = 15.0
"""A worker that is told to stop lets running jobs end for so long, then gives them back."""


class WorkerParts(Protocol):
    """What a worker process needs of a tracker."""

    @property
    def runner(self) -> LocalRunner: ...

    @property
    def bell(self) -> Doorbell: ...

    @property
    def scheduler(self) -> Scheduler: ...

    @property
    def reconciler(self) -> Reconciler | None: ...

    def close(self) -> None: ...


class PoolProcess:
    """What one process of the pool works with: its own tracker, loop, engines and clients.

    Connections made before a fork would be shared with the parent; so nothing is opened before.
    """

    def __init__(self, open_parts: Callable[[], WorkerParts]) -> None:
        self._open_parts = open_parts
        self._parts: WorkerParts | None = None
        self._pid = 0

    def open(self) -> None:
        """Make the parts of this process."""
        parts = self._open_parts()
        parts.runner.executor.retry_on = (SoftTimeLimitExceeded,)
        self._parts, self._pid = parts, os.getpid()

    def close(self) -> None:
        """Give everything back; nothing to do in a process that opened nothing."""
        if self._parts is not None and self._pid == os.getpid():
            self._parts.runner.executor.rest()
            self._parts.close()
        self._parts = None

    def run(self, name: str, job_id: JobId | None) -> None:
        """Run a job if it is due and nobody has it; without an id, the newest slot's if missing."""
        parts = self._opened()
        if job_id is None:
            job_id = parts.scheduler.write_slot(name)
            if job_id is None:
                return
        ran = parts.runner.executor.run_one(job_id)
        if ran is None:
            log.debug("message.late", job=name, job_id=str(job_id))
        elif ran != job_id:  # what a person asked for used this message up
            parts.bell.ring(name, job_id)

    def ring_due(self) -> None:
        """Ring for jobs that are due and that nobody has begun."""
        reconciler = self._opened().reconciler
        if reconciler is not None:
            reconciler.tick()

    def _opened(self) -> WorkerParts:
        if self._parts is None or self._pid != os.getpid():
            self.open()  # a pool of threads, or the process itself
        if self._parts is None:
            raise RuntimeError("the worker process is not open")
        return self._parts


def connect_signals(process: PoolProcess) -> None:
    """Open a process after its fork and close it at its end; leave the logging to the program.

    Celery's signals belong to the process, so this is for a worker's own process only.
    """

    def opened(**_: object) -> None:
        process.open()

    def closed(**_: object) -> None:
        process.close()

    def hands_off(**_: object) -> None:
        """Celery sets no logging up when somebody listens here; its news of tasks are ours too."""
        for name in ("celery.worker.strategy", "celery.app.trace"):
            logging.getLogger(name).setLevel(logging.WARNING)

    # weak=False: nobody else holds these functions
    signals.worker_process_init.connect(opened, weak=False)
    signals.worker_process_shutdown.connect(closed, weak=False)
    signals.setup_logging.connect(hands_off, weak=False)


def run_worker(app: Celery, *, processes: int) -> "WorkerEnd":
    """Work until a signal says stop; return how it ended.

    SIGTERM lets running jobs end for `GRACE_S`, then ends their processes, which give them back.
    """
    stopping, ready = threading.Event(), threading.Event()

    def limited(**_: object) -> None:
        if not stopping.is_set():
            stopping.set()
            timer = threading.Timer(GRACE_S, os.kill, (os.getpid(), signal.SIGQUIT))
            timer.daemon = True
            timer.start()

    def is_ready(**_: object) -> None:
        ready.set()

    signals.worker_shutting_down.connect(limited, weak=False)
    signals.worker_ready.connect(is_ready, weak=False)
    worker = app.Worker(
        hostname=f"tcgtracker-{os.getpid()}@{socket.gethostname()}",
        pool_cls="prefork",
        concurrency=processes,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    with suppress(SystemExit):  # how Celery ends a cold stop, whatever its code
        worker.start()
    if stopping.is_set():
        return WorkerEnd.TOLD
    return WorkerEnd.CRASHED if ready.is_set() else WorkerEnd.UNUSABLE


class WorkerEnd(Enum):
    """Why a worker does not work any more."""

    TOLD = "told to stop"
    CRASHED = "something that Celery cannot bear, as a message in its queue that is no JSON"
    UNUSABLE = "it could not begin"
