"""A real Celery worker: what it lists, runs, survives, and gives back."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery.beat import Scheduler as BeatScheduler
from redis import Redis

from tcgtracker.bootstrap import build_tracker
from tcgtracker.cli.fleet import Fleet, Member
from tcgtracker.config import Settings
from tcgtracker.database.tables.operations import JobState
from tcgtracker.database.tables.prices import change_sets
from tcgtracker.domain.ids import JobId
from tcgtracker.domain.source import Source
from tcgtracker.operations import repository
from tcgtracker.operations.celery_app import add_tasks, beat_schedule, make_app
from tcgtracker.operations.values import JobFilter, JobRecord
from tcgtracker.quotes.update_jobs import enqueue_card
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.tracker import Tracker
from tests.integration.sandboxed import a_sandbox, a_tracker, base_cards, import_cards, world_of
from tests.pausing import pause_between_writes
from tests.redis_server import new_name, shared_redis_url
from tests.unit.operations.kit import wait_until

LEASE_S = 3


@dataclass
class Shop:
    """A worker with one process, its vendors, and a tracker that looks on."""

    tracker: Tracker
    sandbox: Sandbox
    fleet: Fleet
    cards: list[int]
    stalls: int = 0

    def ask(self, card_id: int) -> JobId:
        with self.tracker.unit_of_work() as uow:
            return enqueue_card(self.tracker.queue, uow, card_id, source=Source.TCGPLAYER)

    def show(self, job_id: JobId) -> JobRecord:
        with self.tracker.database.read() as connection:
            return repository.show(connection, job_id)

    def await_state(self, job_id: JobId, state: JobState, limit_s: float = 30) -> JobRecord:
        wait_until(lambda: self.show(job_id).state is state, limit_s=limit_s)
        return self.show(job_id)

    def pages(self) -> int:
        """Return how many pages were committed to the history."""
        with self.tracker.database.read() as connection:
            return len(connection.execute(change_sets.select()).all())

    def stalled(self, job_id: JobId) -> int:
        """Wait until the job hangs in its call to the vendor; return the id of its process."""
        job = self.await_state(job_id, JobState.RUNNING)
        wait_until(lambda: self.sandbox.fired().get("tcgplayer stall", 0) > self.stalls)
        self.stalls += 1
        return int(job.lease_owner.rpartition(":")[2])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    queue = new_name()
    settings = {
        "JOBS_BROKER_URL": shared_redis_url(),
        "JOBS_QUEUE": queue,
        "JOBS_LEASE_S": str(LEASE_S),
        "SECURITY_SECRET_KEY": "no secret, only long enough to be one",
    }
    with a_sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        tracker = a_tracker(sandbox, folder, f"sqlite:///{folder / 'jobs.db'}", patch, **settings)
        wanted = base_cards(world_of(sandbox), 10)
        cards = import_cards(tracker.database, folder / "catalog", world_of(sandbox), wanted)
        shop = Shop(tracker, sandbox, Fleet(folder, {}), list(cards.values()))
        yield shop
        for member in shop.fleet.members.values():
            member.send_group(signal.SIGKILL)
            member.wait()
        tracker.close()
    with Redis.from_url(shared_redis_url()) as client:
        if keys := client.keys(f"{queue}:*"):
            client.delete(*keys)


@pytest.fixture
def worker(shop: Shop) -> Iterator[Member]:
    """A worker with one process, the same for all tests that leave it alive."""
    member = shop.fleet.members.get("worker")
    if member is None or not member.runs:
        member = shop.fleet.start("worker", "worker", "--jobs", "1")
        wait_until(lambda: member.said("ready"), limit_s=60)
    yield member
    member.send_group(signal.SIGCONT)
    shop.sandbox.clear_faults()


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_its_tasks_are_those_of_the_registry(shop: Shop, worker: Member) -> None:
    assert worker.runs
    words = ("-A", "tcgtracker.entrypoints.celery", "inspect", "registered")
    said = subprocess.run(
        [sys.executable, "-m", "celery", *words],
        env=os.environ,
        cwd=shop.fleet.folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    listed = {line.strip(" *") for line in said.splitlines() if line.strip().startswith("*")}
    assert listed == shop.tracker.registry.names() | {"ring_due_jobs"}
    asked = {
        "update_card_price",
        "update_all_card_prices",
        "sync_tcg_sets",
        "sync_pricecharting_data",
        "sync_card_data",
    }
    assert asked <= listed


def test_ten_jobs_in_a_row_have_network_and_database_in_one_process(
    shop: Shop, worker: Member
) -> None:
    processes = children_of(worker.pid)
    before = len(shop.sandbox.calls("tcgplayer"))
    jobs = [shop.ask(card_id) for card_id in shop.cards]
    done = [shop.await_state(job_id, JobState.DONE) for job_id in jobs]
    assert [job.attempts for job in done] == [1] * 10
    outcomes = [job.result["outcome"] for job in done if isinstance(job.result, dict)]
    assert len(outcomes) == 10
    assert set(outcomes) <= {"stored", "unchanged"}
    assert len(shop.sandbox.calls("tcgplayer")) - before >= 10, "each asked the vendor"
    assert children_of(worker.pid) == processes, "it is the process that was forked first"


def test_a_worker_bears_garbage(shop: Shop, worker: Member) -> None:
    settings = shop.tracker.settings.jobs
    with Redis.from_url(settings.broker_url) as client:
        for junk in (b"junk", b"{}", b'{"body": "eA==", "headers": {}, "properties": {}}'):
            client.lpush(f"{settings.queue}:{settings.queue}", junk)
    app = make_app(settings)
    app.send_task("update_prices", args=("no id",))
    app.send_task("update_prices", args=({"id": 1},))
    app.send_task("no_such_job", args=("x",))
    app.close()
    shop.await_state(shop.ask(shop.cards[0]), JobState.DONE)
    assert worker.runs, "and it is the same one"


def test_the_first_tick_of_beat_runs_its_job_once(shop: Shop, worker: Member) -> None:
    assert worker.runs
    registry = shop.tracker.registry
    app = make_app(shop.tracker.settings.jobs)
    add_tasks(app, registry.all(), lambda _name, _id: None, lambda: None)
    entries = beat_schedule([registry.get("follow_changes")])
    app.conf.beat_schedule = {"follow_changes": entries["follow_changes"]}
    beat = BeatScheduler(app)
    for entry in beat.schedule.values():
        entry.last_run_at = datetime.now(UTC) - timedelta(days=1)
    for _ in range(2):  # the second is not due any more
        beat.tick()
    beat.apply_entry(beat.schedule["follow_changes"])  # as a second beat would
    beat.close()
    app.close()
    wanted = JobFilter(name="follow_changes")

    def found() -> list[JobRecord]:
        with shop.tracker.database.read() as connection:
            return list(repository.list_page(connection, wanted).jobs)

    wait_until(lambda: any(job.state is JobState.DONE for job in found()), limit_s=20)
    shop.await_state(shop.ask(shop.cards[1]), JobState.DONE)  # after all messages of beat
    runs = found()
    assert {job.fence for job in runs} == {1}
    assert len({(job.schedule, job.due_at) for job in runs}) == len(runs)


def test_a_worker_that_is_stopped_gives_its_job_back(shop: Shop, worker: Member) -> None:
    shop.sandbox.fault("stall", vendor="tcgplayer", params={"seconds": 60.0})
    job_id = shop.ask(shop.cards[2])
    shop.stalled(job_id)
    worker.send(signal.SIGTERM)
    assert worker.wait(40) == 0
    given_back = shop.show(job_id)
    assert (given_back.state, given_back.attempts) == (JobState.READY, 0)


def test_what_a_paused_process_writes_late_is_refused(shop: Shop, worker: Member) -> None:
    shop.sandbox.fault("stall", vendor="tcgplayer", params={"seconds": 2.0}, first=1)
    job_id = shop.ask(shop.cards[3])
    pid = shop.stalled(job_id)
    pause_between_writes(pid, str(shop.tracker.database.url))
    wait_until(lambda: shop.tracker.runner.executor.run_one(job_id) == job_id, limit_s=30)
    done = shop.show(job_id)
    assert (done.state, done.attempts) == (JobState.DONE, 2)
    pages = shop.pages()
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: worker.said("job.lease_lost"), limit_s=30)
    assert shop.show(job_id) == done
    assert shop.pages() == pages > 0


def test_the_job_of_a_killed_process_is_done_by_the_next_one(shop: Shop, worker: Member) -> None:
    shop.sandbox.fault("stall", vendor="tcgplayer", params={"seconds": 60.0}, first=1)
    job_id = shop.ask(shop.cards[4])
    pid = shop.stalled(job_id)
    os.kill(pid, signal.SIGKILL)
    reconciler = shop.tracker.reconciler
    assert reconciler is not None
    reconciler.start()
    done = shop.await_state(job_id, JobState.DONE, limit_s=60)
    reconciler.stop()
    assert done.attempts == 2
    assert str(pid) not in children_of(worker.pid)


def test_without_a_broker_a_worker_looks_at_the_table_and_two_schedulers_run_a_slot_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBS_BROKER_URL", "")
    job_id = shop.ask(shop.cards[0])
    fleet = Fleet(shop.fleet.folder, {})
    member = fleet.start("threads", "worker")
    for name in ("scheduler-1", "scheduler-2"):
        fleet.start(name, "scheduler")
    try:
        fleet.await_all()
        shop.await_state(job_id, JobState.DONE)
    finally:
        assert fleet.stop() == []
    assert [one.exit_code for one in fleet.members.values()] == [0, 0, 0]
    with shop.tracker.database.read() as connection:
        found = repository.list_page(connection, JobFilter(), limit=500).jobs
    slots = [(job.schedule, job.due_at) for job in found if job.schedule]
    assert len(slots) == len(set(slots))
    assert {name for name, _ in slots} == {job.name for job in shop.tracker.registry.scheduled()}
    assert member.said("working on")
    assert build_tracker(Settings()).reconciler is None
