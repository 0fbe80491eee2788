"""What the queue itself costs: jobs of a chunk of cards against one job per card."""

import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import func, select

from tcgtracker.config import JobSettings
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState, jobs
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.clock import SystemClock
from tcgtracker.operations.bell import Bell, Doorbell
from tcgtracker.operations.celery_bell import CeleryBell, CeleryBroker
from tcgtracker.operations.executor import JobExecutor
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.registry import JobRegistry
from tests.bench.support import emit, note, scratch_database
from tests.contract.doorbell_worker import the_job
from tests.redis_server import new_name, shared_redis_url

CARDS = 100_000
CHUNK = 200
"""Cards of a scheduled chunk, as `quotes/update_jobs.py` makes them."""
SAMPLE = 500
"""So many jobs of one card are run; all of them would take so many times as long."""
LIMIT = 0.01
ROOT = Path(__file__).resolve().parents[2]


def run() -> None:
    for kind in ("sqlite", "postgresql"):
        with scratch_database(kind) as database:
            _report(kind, *(_local(database, size, count) for size, count in _SIZES))
    with scratch_database("postgresql") as database:
        _report("celery on redis and postgresql", *_celery(database))


_SIZES = ((1, SAMPLE), (CHUNK, CARDS // CHUNK))


def _report(kind: str, one_each: float, chunks: float) -> None:
    singles = one_each * CARDS / SAMPLE
    emit(f"queue: {CARDS} cards, one job each, {kind}", singles, "s")
    emit(
        f"queue: {CARDS} cards, {CHUNK} a job, {kind}",
        chunks,
        "s",
        limit=LIMIT,
        ratio=chunks / singles,
    )


def _local(database: Database, size: int, count: int) -> float:
    """Return the seconds for writing, claiming and ending jobs that do nothing."""
    registry = JobRegistry([the_job()])
    executor = JobExecutor(database, registry, SystemClock())
    start = time.perf_counter()
    _enqueue(database, registry, Bell(), size, count)
    while executor.run_one():
        pass
    executor.rest()
    return time.perf_counter() - start


def _celery(database: Database) -> list[float]:
    url, name = shared_redis_url(), new_name()
    worker = subprocess.Popen(
        [
            sys.executable,
            *("-m", "tests.contract.doorbell_worker"),
            database.url.render_as_string(hide_password=False),
            url,
            name,
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    bell = CeleryBell(CeleryBroker(JobSettings(broker_url=url, queue=name)), Bell())
    took = []
    try:
        assert worker.stdout is not None
        worker.stdout.readline()
        for size, count in _SIZES:
            note(f"celery: {count} jobs of {size} cards")
            start = time.perf_counter()
            _enqueue(database, JobRegistry([the_job()]), bell, size, count)
            while _open_jobs(database):
                time.sleep(0.02)
            took.append(time.perf_counter() - start)
    finally:
        worker.terminate()
        worker.communicate()
        bell.close()
    return took


def _enqueue(
    database: Database, registry: JobRegistry, bell: Doorbell, size: int, count: int
) -> None:
    queue = JobQueue(database, registry, SystemClock(), bell)
    for number in range(count):
        first = number * size
        with unit_of_work(database, database) as uow:
            queue.enqueue(uow, "work", {"card_ids": list(range(first, first + size))})


def _open_jobs(database: Database) -> int:
    with database.read() as connection:
        statement = select(func.count()).where(jobs.c.state != JobState.DONE)
        return int(connection.execute(statement).scalar_one())
