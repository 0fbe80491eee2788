"""Running jobs: how attempts end, who runs what, how a runner stops. On both databases."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import structlog

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.clock import SystemClock
from tcgtracker.domain.errors import QuotaExhausted, RetryableVendorError, StorageError
from tcgtracker.operations import repository
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.errors import LeaseLost, Postpone
from tcgtracker.operations.registry import Handler, Job
from tcgtracker.operations.values import MAX_TEXT, Progress
from tests.unit.operations.kit import NOON, Kit, wait_until


def raising(error: BaseException) -> Handler:
    def handler(_context: JobContext) -> None:
        raise error

    return handler


def test_a_done_job_keeps_its_result(database: Database):
    def double(context: JobContext) -> dict[str, object]:
        n = context.args["n"]
        assert isinstance(n, int)
        return {"n": 2 * n, "job": str(context.job_id), "tries": context.attempt}

    kit = Kit(database, Job(name="double", handler=double))
    job_id = kit.enqueue("double", {"n": 21})
    assert kit.runner.run_pending() == 1
    job = kit.show(job_id)
    assert job.result == {"n": 42, "job": str(job_id), "tries": 1}
    assert (job.state, job.lease_until, job.lease_owner) == (JobState.DONE, None, "")
    assert (job.started_at, job.finished_at) == (NOON, NOON)


@pytest.mark.parametrize(
    "error", [RetryableVendorError("justtcg", "cards", "503"), StorageError("locked")]
)
def test_passing_trouble_is_tried_again_three_times_a_minute_apart_then_dead(
    database: Database, error
):
    kit = Kit(database, Job(name="work", handler=raising(error)))
    job_id = kit.enqueue("work")
    for attempt in (1, 2, 3):
        assert kit.runner.run_pending() == 1
        job = kit.show(job_id)
        assert (job.state, job.attempts) == (JobState.RETRY, attempt)
        assert job.run_at == kit.time.now() + timedelta(seconds=60)
        kit.time.advance(timedelta(seconds=59))
        assert kit.runner.run_pending() == 0, "not before its time"
        kit.time.advance(timedelta(seconds=1))
    assert kit.runner.run_pending() == 1
    job = kit.show(job_id)
    assert (job.state, job.attempts) == (JobState.DEAD, 4)
    assert (job.error, job.error_type) == (str(error), type(error).__name__)
    kit.time.advance(timedelta(days=1))
    assert kit.runner.run_pending() == 0


def test_the_declaration_says_how_often_how_long_and_for_what(database: Database):
    kit = Kit(
        database,
        Job(
            name="work",
            handler=raising(KeyError("x")),
            max_attempts=2,
            retry_delay=timedelta(seconds=300),
            retry_on=(KeyError,),
        ),
    )
    job_id = kit.enqueue("work")
    kit.runner.run_pending()
    assert kit.show(job_id).run_at == NOON + timedelta(seconds=300)
    kit.time.advance(timedelta(seconds=300))
    kit.runner.run_pending()
    assert kit.show(job_id).state is JobState.DEAD


def test_a_lasting_error_is_dead_at_the_first_attempt_with_its_text(database: Database):
    kit = Kit(database, Job(name="work", handler=raising(ValueError("no such card"))))
    job_id = kit.enqueue("work")
    with structlog.testing.capture_logs(
        processors=[structlog.contextvars.merge_contextvars]
    ) as logs:
        assert kit.runner.run_pending() == 1
    job = kit.show(job_id)
    assert (job.state, job.attempts, job.finished_at) == (JobState.DEAD, 1, NOON)
    assert (job.error_type, job.error) == ("ValueError", "no such card")
    failed = [entry for entry in logs if entry["event"] == "job.failed"]
    assert [(e["job_id"], e["state"], e["log_level"]) for e in failed] == [
        (str(job_id), "dead", "error")
    ]


@pytest.mark.parametrize(
    ("said", "kept"),
    [("a\0b", "a\ufffdb"), ("\ud800", "?"), ("x" * 10_000, "x" * MAX_TEXT), ("", "ValueError")],
)
def test_an_error_text_that_a_database_would_refuse_still_ends_the_job(
    database: Database, said, kept
):
    kit = Kit(database, Job(name="work", handler=raising(ValueError(said))))
    job_id = kit.enqueue("work")
    kit.runner.run_pending()
    assert (kit.show(job_id).state, kit.show(job_id).error) == (JobState.DEAD, kept)


def test_a_result_that_is_no_json_is_an_error_of_the_job(database: Database):
    kit = Kit(database, Job(name="work", handler=lambda _context: {"price": float("nan")}))
    job_id = kit.enqueue("work")
    kit.runner.run_pending()
    job = kit.show(job_id)
    assert (job.state, job.error_type) == (JobState.DEAD, "InvalidInput")


def test_postponing_is_no_attempt(database: Database):
    def not_now(_context: JobContext) -> None:
        raise Postpone(kit.time.now() + timedelta(hours=3), "breaker is open")

    kit = Kit(database, Job(name="work", handler=not_now))
    job_id = kit.enqueue("work")
    for _ in range(6):  # more often than it may fail
        assert kit.runner.run_pending() == 1
        job = kit.show(job_id)
        until = kit.time.now() + timedelta(hours=3)
        assert (job.state, job.attempts, job.run_at) == (JobState.READY, 0, until)
        assert (job.error, job.error_type) == ("breaker is open", "Postpone")
        kit.time.set(until)


def test_a_spent_quota_waits_for_its_reset(database: Database):
    resets_at = NOON + timedelta(hours=12)
    error = QuotaExhausted("justtcg", "cards", "100 of 100 used", until=resets_at)
    kit = Kit(database, Job(name="work", handler=raising(error)))
    job_id = kit.enqueue("work")
    assert kit.runner.run_pending() == 1
    job = kit.show(job_id)
    assert (job.state, job.attempts, job.run_at) == (JobState.READY, 0, resets_at)
    assert "100 of 100 used" in job.error


def test_postponing_into_the_past_does_not_spin(database: Database):
    kit = Kit(database, Job(name="work", handler=raising(Postpone(NOON - timedelta(days=1)))))
    job_id = kit.enqueue("work")
    assert kit.runner.run_pending() == 1
    assert kit.show(job_id).run_at == NOON + timedelta(seconds=1)


def test_one_job_that_fails_does_not_stop_the_others(database: Database):
    kit = Kit(
        database,
        Job(name="bad", handler=raising(ZeroDivisionError())),
        Job(name="good", handler=lambda _context: "ok"),
    )
    kit.enqueue("bad", run_at=NOON - timedelta(hours=1))
    good = kit.enqueue("good")
    assert kit.runner.run_pending() == 2
    assert kit.show(good).result == "ok"


def test_an_interrupt_gives_the_job_back_and_counts_no_attempt(database: Database):
    kit = Kit(database, Job(name="work", handler=raising(KeyboardInterrupt())))
    job_id = kit.enqueue("work")
    with pytest.raises(KeyboardInterrupt):
        kit.runner.run_pending()
    assert (kit.show(job_id).state, kit.show(job_id).attempts) == (JobState.READY, 0)


def test_a_handler_that_lost_its_job_writes_no_outcome(database: Database):
    def overtaken(context: JobContext) -> str:
        kit.time.advance(timedelta(seconds=31))
        assert kit.claimed("other").id == context.job_id
        return "mine"

    kit = Kit(database, Job(name="work", handler=overtaken))
    job_id = kit.enqueue("work")
    assert kit.runner.run_pending(limit=1) == 1
    job = kit.show(job_id)
    assert (job.state, job.lease_owner, job.result) == (JobState.RUNNING, "other", None)


def test_two_runners_run_each_job_once(database: Database):
    ran: list[str] = []
    kit = Kit(
        database,
        Job(name="work", handler=lambda context: ran.append(str(context.job_id))),
        clock=SystemClock(),
    )
    ids = [str(kit.enqueue("work")) for _ in range(30)]
    runners = [kit.new_runner(threads=3) for _ in range(2)]
    for runner in runners:
        runner.start()
    try:
        wait_until(lambda: len(ran) >= 30, limit_s=30)
    finally:
        stopped = [runner.stop() for runner in runners]
    assert stopped == [True, True]
    assert Counter(ran) == Counter(ids)
    assert {job.state for job in kit.all()} == {JobState.DONE}
    assert {job.attempts for job in kit.all()} == {1}


def test_two_claimers_at_the_same_moment_get_different_jobs(database: Database):
    kit = Kit(database, Job(name="work", handler=lambda _context: None))
    for _ in range(5):
        kit.enqueue("work")
    start, got = threading.Barrier(8), []

    def claim() -> None:
        start.wait(5)
        got.append(kit.claim())

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    claimed = [job.id for job in got if job is not None]
    assert len(got) == 8
    assert len(claimed) == len(set(claimed)) == 5


def test_the_bell_wakes_a_waiting_runner(database: Database):
    done = threading.Event()
    kit = Kit(database, Job(name="work", handler=lambda _context: done.set()), clock=SystemClock())
    runner = kit.new_runner(poll_s=60)
    runner.start()
    try:
        kit.enqueue("work")
        assert done.wait(10), "only a poll would have found it"
    finally:
        assert runner.stop()


def test_progress_is_seen_while_the_job_runs_and_after(database: Database):
    seen = threading.Event()

    def steps(context: JobContext) -> None:
        context.progress(1, 3, "page 1\0")
        assert seen.wait(10)
        context.progress(3, 3, "all")

    kit = Kit(database, Job(name="steps", handler=steps), clock=SystemClock())
    job_id = kit.enqueue("steps")
    runner = kit.new_runner(lease_s=3)
    runner.start()
    try:
        wait_until(lambda: kit.show(job_id).progress == Progress(1, 3, "page 1\ufffd"))
        assert kit.show(job_id).state is JobState.RUNNING
        seen.set()
        wait_until(lambda: kit.show(job_id).state is JobState.DONE)
    finally:
        seen.set()
        assert runner.stop()
    assert kit.show(job_id).progress == Progress(3, 3, "all")


def test_progress_inside_a_write_transaction_does_not_wait_for_itself(database: Database):
    def steps(context: JobContext) -> None:
        with database.write() as connection:
            context.hold(connection)
            context.progress(1, 1)
            context.check()

    kit = Kit(database, Job(name="steps", handler=steps))
    job_id = kit.enqueue("steps")
    assert kit.runner.run_pending() == 1
    assert (kit.show(job_id).state, kit.show(job_id).progress.done) == (JobState.DONE, 1)


def test_a_job_longer_than_its_lease_is_kept_by_the_heartbeat(database: Database):
    release = threading.Event()
    kit = Kit(
        database, Job(name="long", handler=lambda _context: release.wait(10)), clock=SystemClock()
    )
    job_id = kit.enqueue("long")
    runner = kit.new_runner(lease_s=0.6, threads=1)
    runner.start()
    try:
        wait_until(lambda: kit.show(job_id).state is JobState.RUNNING)
        first = kit.show(job_id).lease_until
        assert first is not None
        wait_until(lambda: kit.clock.now() > first + timedelta(seconds=0.6))
        assert kit.claim("thief") is None
        job = kit.show(job_id)
        assert job.lease_until is not None
        assert job.lease_until > first
        assert (job.attempts, job.fence) == (1, 1)
    finally:
        release.set()
        assert runner.stop()
    assert kit.show(job_id).state is JobState.DONE


def test_cancelling_reaches_the_running_handler(database: Database):
    ended: list[str] = []

    def until_told(context: JobContext) -> None:
        for _ in range(1000):
            try:
                context.check()
            except LeaseLost:
                ended.append("told")
                raise
            threading.Event().wait(0.02)

    kit = Kit(database, Job(name="long", handler=until_told), clock=SystemClock())
    job_id = kit.enqueue("long")
    runner = kit.new_runner(lease_s=0.6)
    runner.start()
    try:
        wait_until(lambda: kit.show(job_id).state is JobState.RUNNING)
        with database.write() as connection:
            repository.cancel(connection, job_id, kit.clock.now())
        wait_until(lambda: ended == ["told"])
    finally:
        assert runner.stop()
    assert kit.show(job_id).state is JobState.CANCELLED


def test_stop_lets_a_running_job_finish(database: Database):
    started, release = threading.Event(), threading.Event()

    def slow(_context: JobContext) -> str:
        started.set()
        release.wait(10)
        return "whole"

    kit = Kit(database, Job(name="slow", handler=slow), clock=SystemClock())
    job_id = kit.enqueue("slow")
    kit.runner.start()
    assert started.wait(10)
    threading.Timer(0.2, release.set).start()
    assert kit.runner.stop(limit_s=10)
    assert kit.show(job_id).result == "whole"
    waiting = kit.enqueue("slow")
    assert kit.show(waiting).state is JobState.READY


def test_stop_gives_back_what_does_not_end_in_time(database: Database):
    started, release = threading.Event(), threading.Event()
    late: list[Any] = []

    def stuck(context: JobContext) -> None:
        started.set()
        release.wait(10)
        try:
            context.check()
        except LeaseLost as exc:
            late.append(exc)
            raise

    kit = Kit(database, Job(name="stuck", handler=stuck), clock=SystemClock())
    job_id = kit.enqueue("stuck")
    kit.runner.start()
    assert started.wait(10)
    assert not kit.runner.stop(limit_s=0.1)
    job = kit.show(job_id)
    assert (job.state, job.attempts, job.lease_until) == (JobState.READY, 0, None)
    taken = kit.claimed("next")
    release.set()
    wait_until(lambda: len(late) == 1)
    assert kit.show(job_id) == taken, "the stuck one wrote nothing"


def test_a_runner_is_started_once_and_can_start_again(database: Database):
    kit = Kit(database, Job(name="work", handler=lambda _context: None), clock=SystemClock())
    kit.runner.start()
    with pytest.raises(RuntimeError, match="runs already"):
        kit.runner.start()
    assert kit.runner.stop()
    job_id = kit.enqueue("work")
    kit.runner.start()
    try:
        wait_until(lambda: kit.show(job_id).state is JobState.DONE)
    finally:
        assert kit.runner.stop()


def test_open_jobs_that_nobody_here_knows_are_named_at_the_start(database: Database):
    Kit(database, Job(name="newer", handler=lambda _context: None)).enqueue("newer")
    kit = Kit(database, Job(name="work", handler=lambda _context: None), clock=SystemClock())
    with structlog.testing.capture_logs() as logs:
        kit.runner.start()
        assert kit.runner.stop()
    assert [entry["names"] for entry in logs if entry["event"] == "jobs.unknown"] == [["newer"]]
