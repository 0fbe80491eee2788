"""A Celery worker of one job for the doorbell's tests: `... doorbell_worker DATABASE BROKER QUEUE`.

It says `listening` on standard output once it takes messages.
"""

import sys

from celery import signals

from tcgtracker.config import JobSettings
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import SystemClock
from tcgtracker.operations.bell import Bell
from tcgtracker.operations.celery_app import add_tasks, make_app
from tcgtracker.operations.celery_bell import CeleryBell, CeleryBroker
from tcgtracker.operations.celery_worker import PoolProcess, connect_signals, run_worker
from tcgtracker.operations.registry import Job, JobRegistry
from tcgtracker.operations.runner import LocalRunner
from tcgtracker.operations.scheduler import Scheduler
from tcgtracker.runtime.logging import configure_logging


class Parts:
    """What a tracker gives a worker, on one database and with one job."""

    def __init__(self, url: str, settings: JobSettings) -> None:
        self._database = Database(url)
        registry, clock = JobRegistry([the_job()]), SystemClock()
        self.runner = LocalRunner(self._database, registry, clock)
        self.bell = CeleryBell(CeleryBroker(settings), Bell())
        self.scheduler = Scheduler(self._database, registry, clock, self.bell)
        self.reconciler = None

    def close(self) -> None:
        self.bell.close()
        self._database.close()


def the_job() -> Job:
    """Return the job that both sides know."""
    return Job(name="work", handler=lambda context: context.args.get("answer"))


def main(url: str, broker_url: str, queue: str) -> None:
    configure_logging(level="WARNING")
    settings = JobSettings(broker_url=broker_url, queue=queue, threads=1)
    app = make_app(settings)
    process = PoolProcess(lambda: Parts(url, settings))
    add_tasks(app, [the_job()], process.run, process.ring_due)
    connect_signals(process)

    def listening(**_: object) -> None:
        sys.stdout.write("listening\n")
        sys.stdout.flush()

    signals.worker_ready.connect(listening, weak=False)
    run_worker(app, processes=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
