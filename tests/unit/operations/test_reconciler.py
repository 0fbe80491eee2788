"""Rings for jobs whose message was lost, no more than needed."""

from datetime import timedelta

import pytest

from tcgtracker.database.engine import Database
from tcgtracker.domain.ids import JobId
from tcgtracker.operations.reconciler import Reconciler
from tcgtracker.operations.registry import Job
from tests.unit.operations.kit import NOON, Kit

SECOND = timedelta(seconds=1)


class Wire:
    """A broker that forgets what it is told to, or is out of reach."""

    def __init__(self) -> None:
        self.messages: list[JobId] = []
        self.lost = False

    def publish(self, name: str, job_id: JobId) -> None:
        assert name == "work"
        if self.lost:
            raise ConnectionError("gone")
        self.messages.append(job_id)

    def waiting(self) -> int:
        if self.lost:
            raise ConnectionError("gone")
        return len(self.messages)

    def close(self) -> None:
        """Nothing is open."""


class Bench:
    def __init__(self, database: Database) -> None:
        self.kit = Kit(database, Job(name="work", handler=lambda _context: None, max_attempts=2))
        self.wire = Wire()
        self.now = 1000.0
        self.reconciler = Reconciler(
            database,
            self.kit.registry,
            self.kit.clock,
            self.wire,
            monotonic=lambda: self.now,
        )

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.kit.time.advance(timedelta(seconds=seconds))

    def rung(self) -> list[JobId]:
        """Look once; return what was rung for, which workers then take from the wire."""
        self.reconciler.tick()
        taken, self.wire.messages = self.wire.messages, []
        return taken


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


def test_what_nobody_began_is_rung_for_after_a_moment_and_again_after_a_while(bench: Bench) -> None:
    job_id = bench.kit.enqueue("work")
    assert bench.rung() == [], "its own message is on the way"
    bench.later(1)
    assert bench.rung() == [job_id]
    bench.later(14)
    assert bench.rung() == []
    bench.later(1)
    assert bench.rung() == [job_id]


def test_a_job_of_later_is_rung_for_when_it_is_due(bench: Bench) -> None:
    job_id = bench.kit.enqueue("work", run_at=NOON + 60 * SECOND)
    bench.later(60)
    assert bench.rung() == []
    bench.later(1)
    assert bench.rung() == [job_id]


def test_a_running_job_is_rung_for_when_its_lease_is_over(bench: Bench) -> None:
    job_id = bench.kit.enqueue("work")
    bench.kit.claimed()
    bench.later(29)
    assert bench.rung() == []
    bench.later(1)
    assert bench.rung() == [job_id]


def test_a_job_whose_worker_vanished_too_often_is_rung_for_to_be_buried(bench: Bench) -> None:
    job_id = bench.kit.enqueue("work")
    for _ in range(2):
        bench.kit.claimed()
        bench.later(30)
    assert bench.rung() == [job_id]
    assert not bench.kit.runner.executor.run_one(job_id)
    assert bench.kit.show(job_id).error_type == "WorkerVanished"


def test_jobs_that_this_program_does_not_know_are_left_alone(bench: Bench) -> None:
    other = Kit(bench.kit.database, Job(name="newer", handler=lambda _context: None))
    other.enqueue("newer")
    bench.later(5)
    assert bench.rung() == []


def test_messages_do_not_pile_up_while_workers_are_busy(bench: Bench) -> None:
    ids = [bench.kit.enqueue("work", run_at=NOON + n * SECOND / 1000) for n in range(250)]
    bench.later(5)
    assert bench.reconciler.tick() == 200
    for _ in range(10):
        bench.later(15)
        assert bench.reconciler.tick() == 0, "200 wait already"
    assert bench.wire.messages == ids[:200]


def test_a_lost_broker_costs_the_ring_and_not_the_job(bench: Bench) -> None:
    job_id = bench.kit.enqueue("work")
    bench.later(5)
    bench.wire.lost = True
    with pytest.raises(ConnectionError):
        bench.reconciler.tick()
    bench.wire.lost = False
    assert bench.rung() == [job_id]
