"""Asking for work and looking at it, on both databases."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.errors import Conflict, InvalidInput, NotFound
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import lease_repository, repository
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.errors import LeaseLost, UnknownJob
from tcgtracker.operations.registry import Job
from tcgtracker.operations.values import JobFilter
from tests.unit.operations.kit import NOON, Kit


def nothing(_context: JobContext) -> None:
    return None


def fail(_context: JobContext) -> None:
    raise ValueError("always")


@pytest.fixture
def kit(database: Database) -> Kit:
    return Kit(database, Job(name="work", handler=nothing), Job(name="fail", handler=fail))


def test_a_job_is_written_as_asked(kit: Kit):
    parent = kit.enqueue("work")
    later = NOON + timedelta(hours=1)
    job = kit.show(kit.enqueue("work", {"ids": [1, 2]}, run_at=later, parent_id=parent))
    assert (job.name, job.args, job.parent_id, job.run_at) == (
        "work",
        {"ids": [1, 2]},
        parent,
        later,
    )
    assert (job.state, job.attempts, job.max_attempts) == (JobState.READY, 0, 4)
    assert job.created_at == NOON
    assert job.id.version == 7


def test_a_rolled_back_request_leaves_no_job_and_rings_no_bell(kit: Kit):
    def change_of_mind() -> None:
        with unit_of_work(kit.database, kit.database) as uow:
            kit.queue.enqueue(uow, "work")
            raise RuntimeError("after all not")

    with pytest.raises(RuntimeError, match="after all not"):
        change_of_mind()
    assert kit.all() == []
    assert kit.bell.rings() == 0


def test_the_bell_rings_after_the_commit(kit: Kit):
    with unit_of_work(kit.database, kit.database) as uow:
        kit.queue.enqueue(uow, "work")
        assert kit.bell.rings() == 0
    assert kit.bell.rings() == 1


def test_an_unregistered_name_is_not_written(kit: Kit):
    with pytest.raises(UnknownJob, match="'wrok'"):
        kit.enqueue("wrok")
    assert kit.all() == []


@pytest.mark.parametrize(
    "wrong", [float("nan"), object(), 2**64, "\ud800", datetime(2025, 1, 1, tzinfo=UTC)]
)
def test_arguments_that_are_no_json_are_refused(kit: Kit, wrong):
    with pytest.raises(InvalidInput, match="must be JSON"):
        kit.enqueue("work", {"x": wrong})
    assert kit.all() == []


def test_the_same_work_is_queued_once_while_it_is_open(kit: Kit):
    first = kit.enqueue("work", {"n": 1}, dedupe_key="card:1")
    assert kit.enqueue("work", {"n": 2}, dedupe_key="card:1") == first
    assert kit.enqueue("work", dedupe_key="card:2") != first
    kit.claimed()
    assert kit.enqueue("work", dedupe_key="card:1") == first, "a running job is open"
    with kit.database.write() as connection:
        lease_repository.finish(connection, kit.show(first).lease, NOON, None)
    assert kit.enqueue("work", dedupe_key="card:1") != first
    assert len(kit.all()) == 3


def test_the_same_work_asked_for_at_once_is_queued_once(kit: Kit):
    start, ids = threading.Barrier(6), []

    def ask() -> None:
        start.wait(5)
        ids.append(kit.enqueue("work", dedupe_key="card:1"))

    kit.enqueue("work")  # the engine is there
    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(ids) == 6
    assert len(set(ids)) == 1
    assert len(kit.all()) == 2


def test_a_list_is_paged_newest_first(kit: Kit):
    ids = [kit.enqueue("work") for _ in range(5)]
    seen, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        with kit.database.read() as connection:
            page = repository.list_page(connection, JobFilter(), limit=2, cursor=cursor)
        seen += [job.id for job in page.jobs]
        cursor, pages = page.next_cursor, pages + 1
    assert seen == ids[::-1]
    assert pages == 3


def test_a_list_is_narrowed_by_state_name_and_parent(kit: Kit):
    parent = kit.enqueue("fail")
    child = kit.enqueue("work", parent_id=parent)
    kit.runner.run_pending(limit=1)
    with kit.database.read() as connection:

        def ids(wanted: JobFilter) -> list[JobId]:
            return [job.id for job in repository.list_page(connection, wanted).jobs]

        assert ids(JobFilter(states=frozenset({JobState.DEAD}))) == [parent]
        assert ids(JobFilter(states=frozenset({JobState.DEAD, JobState.READY}))) == [child, parent]
        assert ids(JobFilter(name="work")) == [child]
        assert ids(JobFilter(parent_id=parent)) == [child]
        assert ids(JobFilter(parent_id=child)) == []


@pytest.mark.parametrize(("limit", "cursor"), [(0, ""), (501, ""), (10, "zzz")])
def test_a_wrong_page_is_refused(kit: Kit, limit, cursor):
    with kit.database.read() as connection, pytest.raises(InvalidInput):
        repository.list_page(connection, JobFilter(), limit=limit, cursor=cursor)


def test_a_dead_job_begins_again_with_all_its_attempts(kit: Kit):
    job_id = kit.enqueue("fail")
    kit.runner.run_pending()
    assert kit.show(job_id).state is JobState.DEAD
    kit.time.advance(timedelta(hours=1))
    with unit_of_work(kit.database, kit.database) as uow:
        kit.queue.retry(uow, job_id)
    job = kit.show(job_id)
    assert (job.state, job.attempts, job.finished_at) == (JobState.READY, 0, None)
    assert job.run_at == NOON + timedelta(hours=1)
    assert job.error == "always", "the reason stays until the next attempt ends"
    assert kit.runner.run_pending() == 1
    assert kit.show(job_id).attempts == 1


def test_only_a_dead_job_is_retried(kit: Kit):
    job_id = kit.enqueue("work")
    with kit.database.write() as connection:
        with pytest.raises(Conflict, match="is ready"):
            repository.retry(connection, job_id, NOON)
        with pytest.raises(NotFound):
            repository.retry(connection, JobId(uuid4()), NOON)


def test_a_dead_job_is_not_retried_beside_an_open_one_for_the_same_work(kit: Kit):
    first = kit.enqueue("fail", dedupe_key="card:1")
    kit.runner.run_pending()
    second = kit.enqueue("fail", dedupe_key="card:1")
    with kit.database.write() as connection:
        with pytest.raises(Conflict, match="another open job"):
            repository.retry(connection, first, NOON)
        assert repository.show(connection, second).state is JobState.READY, "transaction is usable"
    assert kit.show(first).state is JobState.DEAD


def test_a_cancelled_job_is_not_run(kit: Kit):
    job_id = kit.enqueue("work")
    with unit_of_work(kit.database, kit.database) as uow:
        kit.queue.cancel(uow, job_id)
    assert kit.runner.run_pending() == 0
    assert kit.show(job_id).state is JobState.CANCELLED
    with kit.database.write() as connection:
        with pytest.raises(Conflict, match="cancelled already"):
            repository.cancel(connection, job_id, NOON)
        with pytest.raises(NotFound):
            repository.cancel(connection, JobId(uuid4()), NOON)


def test_who_runs_a_cancelled_job_can_write_nothing_more(kit: Kit):
    job_id = kit.enqueue("work")
    held = kit.claimed()
    with kit.database.write() as connection:
        repository.cancel(connection, job_id, NOON)
    with kit.database.write() as connection, pytest.raises(LeaseLost):
        lease_repository.finish(connection, held.lease, NOON, None)
    assert kit.show(job_id).state is JobState.CANCELLED
