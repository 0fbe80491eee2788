"""Slots become rows: once each, one after a down time. On both databases."""

import threading
from datetime import datetime, time, timedelta

import pytest

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.clock import SystemClock
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.registry import Job, JobRegistry
from tcgtracker.operations.scheduler import Scheduler
from tests.unit.operations.kit import NOON, Kit, wait_until


def nothing(_context: JobContext) -> None:
    return None


def hourly(name: str = "prices") -> Job:
    return Job(name=name, handler=nothing, every=timedelta(hours=1), max_attempts=2)


def slots(kit: Kit) -> list[datetime | None]:
    return sorted((job.due_at for job in kit.all() if job.schedule), key=str)


def test_the_first_tick_writes_a_row_that_runs(database: Database):
    kit = Kit(database, hourly())
    (job_id,) = kit.scheduler.tick()
    job = kit.show(job_id)
    assert (job.name, job.schedule, job.due_at, job.max_attempts) == ("prices", "prices", NOON, 2)
    assert kit.bell.rings() == 1
    assert kit.runner.run_pending() == 1
    assert kit.show(job_id).state is JobState.DONE


def test_every_schedule_resolves_to_a_registered_job(database: Database):
    kit = Kit(
        database,
        hourly("a"),
        Job(name="b", handler=nothing, at=time(2)),
        Job(name="c", handler=nothing),
    )
    written = [kit.show(job_id) for job_id in kit.scheduler.tick()]
    assert [job.name for job in written] == ["a", "b"]
    assert all(kit.registry.get(job.name).scheduled for job in written)


def test_a_slot_is_written_once_and_the_next_one_in_its_time(database: Database):
    kit = Kit(database, hourly())
    assert len(kit.scheduler.tick()) == 1
    kit.runner.run_pending()
    assert kit.scheduler.tick() == []
    kit.time.advance(timedelta(minutes=59))
    assert kit.scheduler.tick() == []
    kit.time.advance(timedelta(minutes=1))
    assert len(kit.scheduler.tick()) == 1
    assert slots(kit) == [NOON, NOON + timedelta(hours=1)]


def test_two_schedulers_run_each_slot_once(database: Database):
    kit = Kit(database, hourly("a"), hourly("b"))
    other = Kit(database, hourly("a"), hourly("b"))
    for hour in range(4):
        start = threading.Barrier(2)
        for each in (kit, other):
            each.time.set(NOON + timedelta(hours=hour))

        def tick(each: Kit, start: threading.Barrier = start) -> None:
            start.wait(5)
            each.scheduler.tick()

        threads = [threading.Thread(target=tick, args=(each,)) for each in (kit, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert kit.runner.run_pending() + other.runner.run_pending() == 2
    assert len(kit.all()) == 8
    assert len({(job.schedule, job.due_at) for job in kit.all()}) == 8


def test_six_hours_down_cost_one_run_for_each_schedule(database: Database):
    kit = Kit(database, hourly(), Job(name="daily", handler=nothing, at=time(2)))
    kit.scheduler.tick()
    kit.runner.run_pending()
    kit.time.advance(timedelta(hours=6, minutes=20))
    assert len(kit.scheduler.tick()) == 1
    assert kit.scheduler.tick() == []
    assert kit.runner.run_pending() == 1
    assert kit.scheduler.tick() == []
    due = [job.due_at for job in kit.all() if job.schedule == "prices"]
    assert due == [NOON + timedelta(hours=6), NOON]


def test_a_run_written_before_the_down_time_stands_for_the_catch_up(database: Database):
    kit = Kit(database, hourly())
    (waiting,) = kit.scheduler.tick()
    kit.time.advance(timedelta(hours=6))
    assert kit.scheduler.tick() == [waiting]
    assert kit.runner.run_pending() == 1
    assert kit.scheduler.tick() == []
    assert slots(kit) == [NOON + timedelta(hours=6)]


def test_a_run_does_not_overlap_the_one_before(database: Database):
    kit = Kit(database, hourly())
    kit.scheduler.tick()
    kit.claimed()
    kit.time.advance(timedelta(hours=2))
    assert kit.scheduler.tick() == [], "the first still runs"
    kit.runner.run_pending()  # its worker vanished: this is the takeover
    assert len(kit.scheduler.tick()) == 1
    assert slots(kit) == [NOON, NOON + timedelta(hours=2)]


def test_a_dead_run_does_not_stop_the_schedule(database: Database):
    def fail(_context: JobContext) -> None:
        raise ValueError("no")

    kit = Kit(database, Job(name="prices", handler=fail, every=timedelta(hours=1)))
    kit.scheduler.tick()
    kit.runner.run_pending()
    kit.time.advance(timedelta(hours=1))
    assert len(kit.scheduler.tick()) == 1


def test_a_clock_set_back_repeats_no_slot(database: Database):
    kit = Kit(database, hourly())
    kit.time.advance(timedelta(days=1))
    kit.scheduler.tick()
    kit.runner.run_pending()
    kit.time.set(NOON)
    assert kit.scheduler.tick() == []


@pytest.mark.parametrize("worked", [True, False])
def test_a_clock_that_was_years_ahead_stops_no_schedule(database: Database, worked: bool):  # noqa: FBT001
    kit = Kit(database, hourly())
    kit.time.advance(timedelta(days=1000))
    assert len(kit.scheduler.tick()) == 1
    if worked:
        kit.runner.run_pending()
    for hour in range(3):
        kit.time.set(NOON + timedelta(hours=hour))
        (job_id,) = kit.scheduler.tick()
        assert kit.scheduler.tick() == []
        assert kit.runner.run_pending() == 1
        job = kit.show(job_id)
        assert (job.state, job.due_at) == (JobState.DONE, NOON + timedelta(hours=hour))


def test_the_thread_writes_slots_and_outlives_a_bad_moment(database: Database):
    class Flaky(JobRegistry):
        calls = 0

        def scheduled(self) -> list[Job]:
            self.calls += 1
            if self.calls == 1:
                raise RuntimeError("a bad moment")
            return super().scheduled()

    kit = Kit(database, clock=SystemClock())
    registry = Flaky([Job(name="tick", handler=nothing, every=timedelta(seconds=1))])
    scheduler = Scheduler(database, registry, kit.clock, kit.bell)
    scheduler.start()
    try:
        with pytest.raises(RuntimeError, match="runs already"):
            scheduler.start()
        wait_until(lambda: len(kit.all()) == 1, limit_s=20)
    finally:
        scheduler.stop()
    assert registry.calls > 1
