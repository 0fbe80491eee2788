"""What every doorbell does, whoever listens: threads of this process, or Celery workers."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tcgtracker.config import JobSettings
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.clock import SystemClock
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import repository
from tcgtracker.operations.bell import Bell, Doorbell
from tcgtracker.operations.celery_bell import CeleryBell, CeleryBroker
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.values import NewJob, new_job_id
from tests.contract.doorbell_worker import the_job
from tests.rabbitmq import drop_queues, shared_amqp_url
from tests.redis_server import new_name, shared_redis_url
from tests.unit.operations.kit import Kit, wait_until

ROOT = Path(__file__).resolve().parents[2]
NOBODY = {"redis": "redis://127.0.0.1:1/0", "rabbitmq": "amqp://guest:guest@127.0.0.1:1//"}
FAR_S = 600
NEVER = datetime.max.replace(tzinfo=UTC)


class House:
    """A doorbell, somebody who listens, and the table."""

    def __init__(self, database: Database, bell: Doorbell) -> None:
        self.bell = bell
        self.kit = Kit(database, the_job(), clock=SystemClock())
        self.queue = JobQueue(database, self.kit.registry, self.kit.clock, bell)
        self._database = database

    def ask(self, answer: str = "yes") -> JobId:
        """Write a job and ring, as a service does."""
        with unit_of_work(self._database, self._database) as uow:
            return self.queue.enqueue(uow, "work", {"answer": answer})

    def quietly(self) -> JobId:
        """Write a job without a ring, as if the ring was lost."""
        return self.kit.enqueue("work", {"answer": "quiet"})

    def schedule_and_ask(self, count: int) -> tuple[list[JobId], JobId]:
        """Write jobs of the schedule and then one that a person asks for, all at one moment."""
        now = self.kit.clock.now()
        with unit_of_work(self._database, self._database) as uow:
            slot = NewJob(name="work", run_at=now, args={}, max_attempts=1)
            parent, _ = repository.enqueue(self._database.dialect, uow.connection, slot, now)
            parts = [
                self.queue.enqueue(uow, "work", {"answer": "part"}, parent_id=parent)
                for _ in range(count)
            ]
            return [parent, *parts], self.queue.enqueue(uow, "work", {"answer": "wish"})

    def settle(self, job_id: JobId) -> None:
        wait_until(lambda: self.kit.show(job_id).state is JobState.DONE, limit_s=20)


@pytest.fixture(scope="module", params=["local", "redis", "rabbitmq"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def house(
    kind: str, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    path = tmp_path_factory.mktemp("doorbell") / "jobs.db"
    shutil.copyfile(migrated_sqlite, path)
    database = Database(f"sqlite:///{path}")
    opened = _threads(database) if kind == "local" else _celery(database, kind)
    with opened as house:
        yield house
    database.close()


@contextmanager
def _threads(database: Database) -> Iterator[House]:
    bell = Bell()
    house = House(database, bell)
    house.kit.bell = bell
    runner = house.kit.new_runner(poll_s=FAR_S, threads=1)
    runner.start()
    yield house
    assert runner.stop()


@contextmanager
def _celery(database: Database, kind: str) -> Iterator[House]:
    name = new_name()
    url = shared_redis_url() if kind == "redis" else shared_amqp_url()
    words = (database.url.render_as_string(hide_password=False), url, name)
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.contract.doorbell_worker", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    bell = CeleryBell(CeleryBroker(JobSettings(broker_url=url, queue=name)), Bell())
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "listening\n"
        yield House(database, bell)
        worker.terminate()
        assert worker.wait(20) == 0
    finally:
        worker.kill()
        worker.communicate()
        bell.close()
        if kind == "rabbitmq":
            drop_queues(url, name)


def test_a_rung_job_is_done_soon(house: House) -> None:
    start = time.monotonic()
    job_id = house.ask("soon")
    house.settle(job_id)
    assert time.monotonic() - start < 10, "no poll is that far away"
    assert house.kit.show(job_id).result == "soon"


def test_two_rings_run_it_once(house: House) -> None:
    job_id = house.ask()
    for _ in range(5):
        house.bell.ring("work", job_id)
    house.settle(job_id)
    house.settle(house.ask())  # after all rings were heard
    assert house.kit.show(job_id).fence == 1, "the fence grows with each claim"


def test_what_a_person_asks_for_begins_before_what_is_scheduled(house: House) -> None:
    scheduled, wish = house.schedule_and_ask(60)
    house.bell.ring("work", scheduled[0])
    house.settle(wish)
    for job_id in scheduled:
        house.settle(job_id)
    began = sorted(house.kit.all(), key=lambda job: job.started_at or NEVER)
    assert next(job.id for job in began if job.id in {wish, *scheduled}) == wish


def test_the_job_of_another_is_left_alone(house: House) -> None:
    job_id = house.quietly()
    held = house.kit.claimed("another")
    assert held.id == job_id
    house.bell.ring("work", job_id)
    house.settle(house.ask())
    assert house.kit.show(job_id) == held


def test_a_job_before_its_time_is_left_alone(house: House) -> None:
    soon = house.kit.clock.now() + timedelta(hours=1)
    job_id = house.kit.enqueue("work", run_at=soon)
    house.bell.ring("work", job_id)
    house.settle(house.ask())
    assert house.kit.show(job_id).fence == 0


def test_rings_for_nothing_harm_nobody(house: House) -> None:
    gone = house.quietly()
    with house.kit.database.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET state = 'cancelled' WHERE id = ?", (gone.hex,))
    house.bell.ring("work", gone)
    house.bell.ring("work", new_job_id())
    house.settle(house.ask())
    assert house.kit.show(gone).state is JobState.CANCELLED


def test_a_ring_that_nobody_hears_neither_waits_nor_fails(kind: str) -> None:
    bell: Doorbell = Bell()
    if kind != "local":
        bell = CeleryBell(CeleryBroker(JobSettings(broker_url=NOBODY[kind])), Bell())
    start = time.monotonic()
    for _ in range(100):
        bell.ring("work", new_job_id())
    assert time.monotonic() - start < 5  # of waiting, each ring would take seconds
    bell.close()
    assert time.monotonic() - start < 12
