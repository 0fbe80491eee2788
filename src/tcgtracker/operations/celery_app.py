"""Celery as the doorbell of many processes: it carries the ids of jobs, the table has the rest.

Made from the job registry: a task of the same name for each job, and the beat schedule. A task
claims its row by compare-and-set, so a message that comes twice, late or after another worker
does nothing; one that is lost is rung again by the `Reconciler`.
"""

import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from celery import Celery, bootsteps
from celery.schedules import BaseSchedule, crontab, schedule
from kombu import Exchange, Queue

from tcgtracker.config import JobSettings
from tcgtracker.domain.ids import JobId
from tcgtracker.operations.registry import Job

log = structlog.get_logger(__name__)

RING_DUE = "ring_due_jobs"
"""A task for beat alone: what the `Reconciler` beside our own scheduler does in its thread."""
RING_DUE_EVERY_S = 10
_SOFT_S = 30
"""So long before the hard end a job is interrupted, and may say so on its row."""
_DELIVERIES = 5
"""RabbitMQ puts a message aside that came so often: its task kills the processes that run it."""
_DAY_S = 86_400
_HOUR_S = 3_600

RunJob = Callable[[str, JobId | None], None]
"""Runs the job with that id; without one, writes and runs the newest slot of that schedule."""


def make_app(settings: JobSettings) -> Celery:
    """Return a Celery application for the broker of the settings; connects to nothing."""
    queue = _queue(settings)
    app = Celery("tcgtracker", set_as_current=False)
    app.conf.update(
        broker_url=settings.broker_url,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=4,
        broker_transport_options=_transport_options(settings),
        task_default_queue=queue.name,
        task_default_queue_type="quorum" if is_amqp(settings) else "classic",
        task_default_exchange=queue.name,
        task_default_exchange_type=queue.exchange.type,
        task_default_routing_key=queue.name,
        task_queues=(queue,),
        task_create_missing_queues=False,
        worker_detect_quorum_queues=True,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_time_limit=settings.time_limit_s,
        task_soft_time_limit=settings.time_limit_s - _SOFT_S,
        worker_prefetch_multiplier=1,
        worker_concurrency=settings.threads,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        enable_utc=True,
        timezone="UTC",
    )
    app.steps["consumer"].add(_DeclareDeadLetters)
    return app


def is_amqp(settings: JobSettings) -> bool:
    """Tell whether the broker is RabbitMQ."""
    return urlsplit(settings.broker_url).scheme.startswith("amqp")


def add_tasks(app: Celery, jobs: Iterable[Job], run: RunJob, ring_due: Callable[[], None]) -> None:
    """Add a task for each job, and one that rings for what was lost."""
    for job in jobs:
        _add_task(app, job.name, run)

    @app.task(name=RING_DUE, shared=False)
    def ring() -> None:
        ring_due()


def _add_task(app: Celery, name: str, run: RunJob) -> None:
    @app.task(name=name, shared=False)
    def task(job_id: str | None = None) -> None:
        try:
            wanted = None if job_id is None else JobId(uuid.UUID(job_id))
        except (ValueError, AttributeError, TypeError):
            log.warning("message.refused", task=name, why="it carries no job id")
            return
        run(name, wanted)


def beat_schedule(jobs: Iterable[Job]) -> dict[str, dict[str, Any]]:
    """Return the schedule for `celery beat`: the registry's, and the ringing for what was lost.

    Beat knows no job ids: its messages have none, and the task writes the row of the slot, which is
    unique. So beat and our own scheduler may run side by side.
    """
    entries: dict[str, dict[str, Any]] = {
        job.name: {"task": job.name, "schedule": _when(job)} for job in jobs if job.scheduled
    }
    entries[RING_DUE] = {
        "task": RING_DUE,
        "schedule": schedule(timedelta(seconds=RING_DUE_EVERY_S)),
        "options": {"expires": RING_DUE_EVERY_S},
    }
    return entries


def _when(job: Job) -> BaseSchedule:
    """Return the moments of a job's slots; a period that does not divide a day runs from beat's."""
    if job.at is not None:
        return crontab(minute=str(job.at.minute), hour=str(job.at.hour))
    every = job.every or timedelta(days=1)
    seconds = int(every.total_seconds())
    if seconds % 60 == 0 and _HOUR_S % seconds == 0:
        return crontab(minute=f"*/{seconds // 60}")
    if seconds % _HOUR_S == 0 and _DAY_S % seconds == 0:
        return crontab(minute="0", hour=f"*/{seconds // _HOUR_S}")
    return schedule(every)


def _queue(settings: JobSettings) -> Queue:
    name = settings.queue
    if not is_amqp(settings):
        return Queue(name, Exchange(name, type="direct"), routing_key=name)
    return Queue(
        name,
        Exchange(name, type="topic"),
        routing_key=name,
        queue_arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": _DELIVERIES,
            "x-dead-letter-exchange": f"{name}.dead",
            "x-dead-letter-routing-key": f"{name}.dead",
        },
    )


def dead_letters(name: str) -> Queue:
    """Return RabbitMQ's queue of messages that were put aside; their jobs stand in the table."""
    return Queue(
        f"{name}.dead",
        Exchange(f"{name}.dead", type="direct"),
        routing_key=f"{name}.dead",
        queue_arguments={"x-queue-type": "quorum"},
    )


class _DeclareDeadLetters(bootsteps.StartStopStep):
    """Makes the queue of dead letters before messages are taken."""

    requires = ("celery.worker.consumer.connection:Connection",)

    def start(self, consumer: Any) -> None:  # noqa: ANN401 - Celery's consumer has no type
        conf = consumer.app.conf
        if conf.task_default_queue_type == "quorum":
            dead_letters(conf.task_default_queue)(consumer.connection.default_channel).declare()


def _transport_options(settings: JobSettings) -> dict[str, Any]:
    if is_amqp(settings):
        return {"confirm_publish": True, "read_timeout": 10, "write_timeout": 10}
    return {
        # A message of a worker that vanished comes back after this. The row's lease is over far
        # earlier, and the reconciler rings then; so the time only has to be longer than any task.
        "visibility_timeout": 2 * settings.time_limit_s + 300,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "global_keyprefix": f"{settings.queue}:",
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
