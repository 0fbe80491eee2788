"""Who may work on a job, and who may no longer, on both databases."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlalchemy import Connection, text

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.database.tables.operations import JobState
from tcgtracker.operations import lease_repository
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.errors import LeaseLost
from tcgtracker.operations.registry import Job, JobRegistry
from tcgtracker.operations.runner import LocalRunner
from tcgtracker.operations.values import Lease, Progress
from tests.unit.operations.kit import NOON, Kit

MARK = "INSERT INTO change_cursors (consumer, change_set_id) VALUES (:who, 1)"
Write: TypeAlias = Callable[[Connection, Lease], None]


def nothing(_context: JobContext) -> None:
    return None


@pytest.fixture
def kit(database: Database) -> Kit:
    return Kit(database, Job(name="work", handler=nothing, max_attempts=2))


def test_a_claim_counts_the_attempt_and_raises_the_fence(kit: Kit):
    job_id = kit.enqueue("work")
    job = kit.claimed("me")
    assert job.id == job_id
    assert (job.state, job.attempts, job.fence) == (JobState.RUNNING, 1, 1)
    assert (job.lease_owner, job.lease_until) == ("me", NOON + timedelta(seconds=30))
    assert kit.claim() is None


def test_what_is_due_first_is_claimed_first_and_nothing_before_its_time(kit: Kit):
    second = kit.enqueue("work", run_at=NOON - timedelta(minutes=1))
    first = kit.enqueue("work", run_at=NOON - timedelta(minutes=2))
    later = kit.enqueue("work", run_at=NOON + timedelta(seconds=1))
    assert [kit.claimed().id, kit.claimed().id] == [first, second]
    assert kit.claim() is None
    kit.time.advance(timedelta(seconds=1))
    assert kit.claimed().id == later


def test_a_job_of_another_program_is_left_alone(kit: Kit):
    Kit(kit.database, Job(name="newer", handler=nothing)).enqueue("newer")
    assert kit.claim() is None
    with kit.database.read() as connection:
        assert not lease_repository.anything_to_do(connection, NOON, kit.registry.names())


def test_a_lapsed_lease_is_taken_over_not_before_its_end(kit: Kit):
    job_id = kit.enqueue("work")
    kit.claimed("first")
    kit.time.advance(timedelta(seconds=29.9))
    assert kit.claim("second") is None
    kit.time.advance(timedelta(seconds=0.1))
    job = kit.claimed("second")
    assert (job.id, job.lease_owner, job.attempts, job.fence) == (job_id, "second", 2, 2)


def test_a_lease_written_by_a_clock_that_ran_ahead_does_not_hold_for_days(kit: Kit):
    kit.enqueue("work")
    kit.time.advance(timedelta(days=1))
    kit.claimed("first")
    kit.time.set(NOON)
    assert kit.claimed("second").attempts == 2


WRITES: dict[str, Write] = {
    "renew": lambda c, lease: lease_repository.renew(c, lease, NOON + timedelta(hours=1)),
    "progress": lambda c, lease: lease_repository.progress(c, lease, Progress(1, 2, "late")),
    "finish": lambda c, lease: lease_repository.finish(c, lease, NOON, {"late": True}),
    "retry_at": lambda c, lease: lease_repository.retry_at(
        c, lease, NOON, error="late", error_type="Late"
    ),
    "dead": lambda c, lease: lease_repository.dead(c, lease, NOON, error="late", error_type="Late"),
    "postpone": lambda c, lease: lease_repository.postpone(
        c, lease, NOON, reason="late", reason_type="Late"
    ),
    "release": lambda c, lease: lease_repository.release(c, lease, NOON),
    "hold": lease_repository.hold,
}


@pytest.mark.parametrize("name", WRITES)
def test_a_late_write_of_the_former_holder_is_refused(kit: Kit, name):
    kit.enqueue("work")
    former = kit.claimed("first")
    with kit.database.write() as connection:
        WRITES[name](connection, former.lease)  # while it is ours, it is allowed
        connection.rollback()
    kit.time.advance(timedelta(seconds=31))
    before = kit.claimed("second")
    with kit.database.write() as connection, pytest.raises(LeaseLost, match="fence 1"):
        WRITES[name](connection, former.lease)
    assert kit.show(before.id) == before, "the row of the new holder is untouched"


@pytest.mark.parametrize("name", WRITES)
def test_a_finished_job_is_not_written_again_by_its_own_holder(kit: Kit, name):
    kit.enqueue("work")
    held = kit.claimed()
    with kit.database.write() as connection:
        lease_repository.finish(connection, held.lease, NOON, {"n": 1})
    with kit.database.write() as connection, pytest.raises(LeaseLost):
        WRITES[name](connection, held.lease)
    assert kit.show(held.id).result == {"n": 1}


def test_a_lease_that_lapsed_but_was_not_taken_can_be_renewed(kit: Kit):
    kit.enqueue("work")
    held = kit.claimed()
    kit.time.advance(timedelta(minutes=5))
    with kit.database.write() as connection:
        lease_repository.renew(connection, held.lease, kit.time.now() + timedelta(seconds=30))
    assert kit.claim() is None


def test_a_job_whose_worker_vanishes_in_every_attempt_is_dead_with_the_reason(kit: Kit):
    job_id = kit.enqueue("work")
    for attempt in (1, 2):
        assert kit.claimed(f"host:{attempt}").attempts == attempt
        kit.time.advance(timedelta(seconds=31))
    assert kit.claim() is None
    assert kit.runner.run_pending() == 0
    job = kit.show(job_id)
    assert (job.state, job.error_type, job.finished_at) == (
        JobState.DEAD,
        "WorkerVanished",
        kit.time.now(),
    )
    assert "(host:2) stopped without a word in attempt 2 of 2" in job.error


def test_check_asks_the_row_once_the_lease_ran_out(kit: Kit):
    kit.enqueue("work")
    context = JobContext(kit.database, kit.clock, kit.claimed("first"))
    context.check()
    kit.time.advance(timedelta(seconds=31))
    context.check()  # lapsed, but nobody took it
    kit.claimed("second")
    with pytest.raises(LeaseLost):
        context.check()


def test_a_write_tied_to_the_lease_is_rolled_back_for_the_former_holder(kit: Kit):
    kit.enqueue("work")
    context = JobContext(kit.database, kit.clock, kit.claimed("first"))
    kit.time.advance(timedelta(seconds=31))
    kit.claimed("second")
    statement = text("INSERT INTO change_cursors (consumer, change_set_id) VALUES ('me', 1)")

    def write_late() -> None:
        with kit.database.write() as connection:
            connection.execute(statement)
            context.hold(connection)

    with pytest.raises(LeaseLost):
        write_late()
    with kit.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM change_cursors")).scalar() == 0


@pytest.mark.postgres
def test_nobody_takes_a_job_over_while_a_tied_write_is_open(postgres_url):
    from tcgtracker.database.migrate import upgrade

    database = Database(postgres_url)
    upgrade(database)
    kit = Kit(database, Job(name="work", handler=nothing))
    kit.enqueue("work")
    held = kit.claimed("first")
    kit.time.advance(timedelta(seconds=31))
    with database.write() as connection:
        lease_repository.hold(connection, held.lease)
        assert kit.claim("second") is None
        with database.write() as other:  # the heartbeat still gets through
            lease_repository.renew(other, held.lease, NOON)
    assert kit.claimed("second").fence == 2
    database.close()


def test_claims_use_the_indexes_of_waiting_and_running_rows(sqlite_url):
    from tcgtracker.database.migrate import upgrade

    database = Database(sqlite_url)
    upgrade(database)
    seen: list[str] = []
    until = NOON + timedelta(seconds=30)
    with database.write() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_trace_callback(seen.append)
        lease_repository.anything_to_do(connection, NOON, {"work"})
        lease_repository.bury(connection, NOON, {"work"})
        lease_repository.claim(connection, NOON, {"work"}, owner="me", lease_until=until)
        raw.set_trace_callback(None)
        plans = [
            str([row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")])
            for sql in seen
            if sql.startswith("SELECT")
        ]
    database.close()
    used = [
        next(name for name in ("ix_jobs_due", "ix_jobs_asked", "ix_jobs_lease") if name in plan)
        for plan in plans
    ]
    assert used == [
        "ix_jobs_lease",
        "ix_jobs_due",
        "ix_jobs_lease",
        "ix_jobs_lease",
        "ix_jobs_asked",
        "ix_jobs_due",
    ]
    assert "asked=? AND run_at<?" in plans[4]


def test_no_write_of_a_handler_outlives_its_lease(kit: Kit, tmp_path: Path):
    history = Database(f"sqlite:///{tmp_path / 'history.db'}")
    upgrade(history)
    tried = []

    def handler(_context: JobContext) -> None:
        with kit.database.write() as connection:
            connection.execute(text(MARK), {"who": "in time"})
        kit.time.advance(timedelta(seconds=31))
        kit.claimed("another")
        for database in (kit.database, history):
            with pytest.raises(LeaseLost), database.write() as connection:
                connection.execute(text(MARK), {"who": "late"})
            tried.append(database)
        with database.read():
            tried.append(database)  # reading is free
        raise LeaseLost("as the last write said")

    registry = JobRegistry([Job(name="work", handler=handler)])
    runner = LocalRunner(kit.database, registry, kit.time, history=history)
    job_id = kit.enqueue("work")
    assert runner.run_pending(limit=1) == 1
    assert len(tried) == 3
    assert kit.show(job_id).lease_owner == "another"
    with kit.database.write() as connection:  # outside of the handler nothing is fenced
        assert connection.execute(text("SELECT consumer FROM change_cursors")).scalars().all() == [
            "in time"
        ]
    with history.write() as connection:
        assert not connection.execute(text("SELECT consumer FROM change_cursors")).first()
    history.close()
