"""Worker processes that are killed or paused in the middle of a job."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.clock import SystemClock
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.registry import Job
from tests.integration.jobs_worker import MARK
from tests.pausing import pause_between_writes
from tests.unit.operations.kit import Kit, wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def kit(database: Database) -> Kit:
    """Give the worker that comes after the one in trouble."""

    def handler(context: JobContext) -> str:
        with database.write() as connection:
            connection.execute(text(MARK), {"who": "second"})
            context.hold(connection)
        return "second"

    return Kit(database, Job(name="work", handler=handler), clock=SystemClock())


@contextmanager
def worker(database_url: str) -> Iterator[subprocess.Popen[str]]:
    """Start a worker process and wait until it is in the middle of the job."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.jobs_worker", database_url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert line(process) == "started"
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def writers(kit: Kit) -> list[str]:
    with kit.database.read() as connection:
        return list(connection.execute(text("SELECT consumer FROM change_cursors")).scalars())


def test_the_job_of_a_killed_worker_is_done_by_another(kit: Kit, database_url: str):
    job_id = kit.enqueue("work")
    with worker(database_url) as process:
        held = kit.show(job_id)
        assert (held.state, held.attempts) == (JobState.RUNNING, 1)
        assert held.lease_owner.endswith(f":{process.pid}")
        process.kill()
        assert process.wait(10) == -signal.SIGKILL
    last = kit.show(job_id).lease_until
    assert last is not None
    wait_until(lambda: kit.runner.run_pending() == 1, limit_s=20)
    job = kit.show(job_id)
    assert (job.state, job.result, job.attempts) == (JobState.DONE, "second", 2)
    assert job.started_at is not None
    assert job.started_at >= last, "not before the lease ran out"
    assert writers(kit) == ["second"]


def test_a_working_process_keeps_its_job_beyond_the_lease(kit: Kit, database_url: str):
    job_id = kit.enqueue("work")
    with worker(database_url) as process:
        first = kit.show(job_id).lease_until
        assert first is not None
        wait_until(lambda: kit.clock.now() > first)
        assert kit.runner.run_pending() == 0
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        assert [line(process), line(process)] == ["written", "ended"]
    assert kit.show(job_id).result == "first"


def test_a_paused_worker_that_wakes_up_late_writes_nothing(kit: Kit, database_url: str):
    job_id = kit.enqueue("work")
    with worker(database_url) as process:
        pause_between_writes(process.pid, database_url)
        wait_until(lambda: kit.runner.run_pending() == 1, limit_s=20)
        done = kit.show(job_id)
        assert (done.state, done.result, done.attempts) == (JobState.DONE, "second", 2)
        assert process.poll() is None, "it is paused, not dead"
        process.send_signal(signal.SIGCONT)
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        assert [line(process), line(process)] == ["refused", "ended"]
    assert kit.show(job_id) == done
    assert writers(kit) == ["second"]
