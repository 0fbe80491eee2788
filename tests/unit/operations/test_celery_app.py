"""What Celery is told: a task for each registered job, and a schedule that names only these."""

import os
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from celery.schedules import BaseSchedule

from tcgtracker.bootstrap import build_celery, build_tracker
from tcgtracker.config import JobSettings, Settings
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.operations.celery_app import RING_DUE, add_tasks, beat_schedule, make_app
from tcgtracker.operations.registry import Job, JobRegistry

REDIS = JobSettings(broker_url="redis://127.0.0.1:1/0")
RABBIT = JobSettings(broker_url="amqp://127.0.0.1:1//")
IMPORT = """
import sys
opened = []
def hear(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "sqlite3.connect"):
        opened.append((event, str(arguments)))
sys.addaudithook(hear)
from tcgtracker.entrypoints.celery import app
print(sorted(name for name in app.tasks if not name.startswith("celery.")))
print(opened)
"""


@pytest.fixture
def registry(sqlite_url: str) -> JobRegistry:
    return build_tracker(Settings(database={"url": sqlite_url})).registry


def a_job(**schedule: timedelta | time) -> Job:
    every, at = schedule.get("every"), schedule.get("at")
    return Job(
        name="work",
        handler=lambda _context: None,
        every=every if isinstance(every, timedelta) else None,
        at=at if isinstance(at, time) else None,
    )


def test_every_job_is_a_task_and_every_scheduled_name_is_one(registry: JobRegistry) -> None:
    app = make_app(REDIS)
    add_tasks(app, registry.all(), lambda _name, _id: None, lambda: None)
    tasks = {name for name in app.tasks if not name.startswith("celery.")}
    assert tasks == registry.names() | {RING_DUE}
    named = {entry["task"] for entry in beat_schedule(registry.all()).values()}
    assert {"update_all_card_prices", "sync_tcg_sets"} <= named
    assert named <= tasks
    assert named == {job.name for job in registry.scheduled()} | {RING_DUE}


def test_importing_the_tasks_opens_nothing_and_needs_no_key(
    registry: JobRegistry, tmp_path: Path
) -> None:
    keyless = {name: value for name, value in os.environ.items() if "KEY" not in name}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        env={
            **keyless,
            "JOBS_BROKER_URL": REDIS.broker_url,
            "DB_URL": f"sqlite:///{tmp_path / 'none.db'}",
            "XDG_DATA_HOME": str(tmp_path),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    names, opened = done.stdout.splitlines()
    assert names == str(sorted([*registry.names(), RING_DUE]))
    assert opened == "[]"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("job", "moment", "wait"),
    [
        (a_job(at=time(2, 0)), datetime(2026, 5, 1, 1, 59, tzinfo=UTC), timedelta(minutes=1)),
        (a_job(at=time(20, 20)), datetime(2026, 5, 1, 20, 20, tzinfo=UTC), timedelta(days=1)),
        (
            a_job(every=timedelta(hours=6)),
            datetime(2026, 5, 1, 11, 0, tzinfo=UTC),
            timedelta(hours=1),
        ),
        (
            a_job(every=timedelta(hours=24)),
            datetime(2026, 5, 1, 23, 0, tzinfo=UTC),
            timedelta(hours=1),
        ),
        (
            a_job(every=timedelta(minutes=10)),
            datetime(2026, 5, 1, 11, 51, tzinfo=UTC),
            timedelta(minutes=9),
        ),
    ],
)
def test_beat_wakes_at_the_slots_of_the_registry(
    job: Job, moment: datetime, wait: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry: BaseSchedule = beat_schedule([job])["work"]["schedule"]
    monkeypatch.setattr(entry, "nowfun", lambda: moment)
    assert entry.remaining_estimate(moment) == wait
    assert moment + wait == job.next_slot(moment)


def test_a_period_that_no_clock_face_shows_is_kept_as_it_is() -> None:
    entry = beat_schedule([a_job(every=timedelta(hours=7))])["work"]["schedule"]
    assert entry.run_every == timedelta(hours=7)


def test_a_task_ends_long_before_its_message_comes_again() -> None:
    conf = make_app(REDIS).conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.task_soft_time_limit < conf.task_time_limit
    assert 2 * conf.task_time_limit < conf.broker_transport_options["visibility_timeout"]


def test_rabbitmq_puts_a_message_aside_that_kills_its_workers() -> None:
    conf = make_app(RABBIT).conf
    (queue,) = conf.task_queues
    assert queue.queue_arguments["x-queue-type"] == "quorum"
    assert queue.queue_arguments["x-delivery-limit"] == 5
    assert queue.queue_arguments["x-dead-letter-exchange"] == "tcgtracker.dead"
    assert conf.broker_transport_options["confirm_publish"]


def test_what_is_no_broker_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBS_BROKER_URL", "sqla+sqlite:///x.db")
    with pytest.raises(InvalidInput, match=r"JOBS_BROKER_URL must begin with one of redis://"):
        Settings()
    monkeypatch.setenv("JOBS_BROKER_URL", "")
    with pytest.raises(InvalidInput, match="Celery needs a broker"):
        build_celery(Settings())
