"""What a person asked for begins before what the schedule did, and takes not every turn."""

from datetime import timedelta

import pytest

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import lease_repository, repository
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.registry import Job
from tests.unit.operations.kit import NOON, Kit

WAITING = 200


class Run:
    """A worker, and the order in which it began its jobs."""

    def __init__(self, database: Database) -> None:
        self.began: list[JobId] = []
        nightly = Job(name="nightly", handler=self._begin, every=timedelta(hours=6))
        self.kit = Kit(database, nightly, Job(name="work", handler=self._begin))

    def _begin(self, job: JobContext) -> None:
        self.began.append(job.job_id)

    def of_the_schedule(self, count: int = WAITING) -> list[JobId]:
        """Let the schedule ask for a job, and that one for its parts; return all of them."""
        slot = self.kit.scheduler.write_slot("nightly")
        assert slot is not None
        hour = timedelta(hours=1)
        return [
            slot,
            *(
                self.kit.enqueue("work", run_at=NOON - hour, parent_id=slot)
                for _ in range(count - 1)
            ),
        ]

    def run(self, count: int | None = None) -> list[JobId]:
        self.kit.runner.run_pending(count)
        return self.began


@pytest.fixture
def run(database: Database) -> Run:
    return Run(database)


def test_a_wish_is_next_however_many_scheduled_jobs_wait(run: Run) -> None:
    run.of_the_schedule()
    before = run.run(2)[:]
    wish = run.kit.enqueue("work")
    assert run.run(1) == [*before, wish]


def test_parts_of_a_wish_are_wished_for_and_whole_wishes_pass_them(run: Run) -> None:
    run.of_the_schedule(20)
    big = run.kit.enqueue("work")
    parts = [run.kit.enqueue("work", parent_id=big) for _ in range(2)]
    run.run(1)
    small = run.kit.enqueue("work")
    assert run.run(3)[:3] == [big, small, parts[0]]


def test_the_schedule_has_its_turn_among_many_wishes(run: Run) -> None:
    scheduled = run.of_the_schedule(4)
    wishes = [run.kit.enqueue("work") for _ in range(12)]
    order = run.run()
    assert len(order) == len(scheduled) + len(wishes)
    turns = [place for place, job_id in enumerate(order) if job_id in scheduled]
    assert turns == [3, 7, 11, 15]


def test_a_message_of_a_scheduled_job_serves_the_wish_first(run: Run) -> None:
    scheduled = run.of_the_schedule(3)
    wish = run.kit.enqueue("work")
    executor = run.kit.runner.executor
    assert executor.run_one(scheduled[2]) == wish
    assert executor.run_one(scheduled[2]) == scheduled[2]
    executor.rest()


def test_a_message_of_a_wish_serves_no_other(run: Run) -> None:
    first, second = (
        run.kit.enqueue("work", run_at=NOON - timedelta(hours=1)),
        run.kit.enqueue("work"),
    )
    executor = run.kit.runner.executor
    assert executor.run_one(second) == second
    assert executor.run_one(first) == first
    executor.rest()


def test_a_wish_for_what_waits_already_speeds_it_up(run: Run) -> None:
    slot, *others = run.of_the_schedule(5)
    kept = run.kit.enqueue("work", parent_id=slot, dedupe_key="card:1")
    assert run.kit.enqueue("work", dedupe_key="card:1") == kept
    assert run.run(1) == [kept]
    assert not any(run.kit.show(job_id).asked for job_id in others)


def test_a_dead_job_that_somebody_tries_again_is_a_wish(run: Run) -> None:
    dead, *_ = run.of_the_schedule(5)
    record = run.kit.claimed()
    while record.id != dead:
        record = run.kit.claimed()
    with run.kit.database.write() as connection:
        lease_repository.dead(connection, record.lease, NOON, error="no", error_type="Error")
        repository.retry(connection, dead, NOON)
    assert run.kit.show(dead).state is JobState.READY
    assert run.run(1) == [dead]
