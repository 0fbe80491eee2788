"""`tcgtracker worker` and `tcgtracker scheduler`: the background work in processes of its own."""

import os
import sys
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.errors import FAILURE, report
from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.stopping import until_told

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tcgtracker.config import Settings
    from tcgtracker.tracker import Tracker

_PAUSE_S = 1.0


def worker(
    *,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Jobs at the same time; JOBS_THREADS otherwise."),
    ] = None,
) -> None:
    """Do background work until Ctrl-C or SIGTERM; what then runs ends or is given back.

    With JOBS_BROKER_URL it is a Celery worker with a process for each job, which the broker wakes;
    without, threads of one process look at the database each second.
    """
    from tcgtracker.config import Settings

    settings = Settings()
    if jobs is not None:
        settings.jobs = settings.jobs.model_copy(update={"threads": jobs})
    if settings.jobs.broker_url:
        _celery_worker(settings)
        return
    with open_tracker(settings) as tracker, _metrics(tracker), until_told() as ended:
        tracker.runner.start()
        _say(f"working on {settings.jobs.threads} jobs at a time")
        ended.wait()
        tracker.runner.stop()


def _celery_worker(settings: "Settings") -> None:
    from tcgtracker.bootstrap import build_celery
    from tcgtracker.operations.celery_worker import WorkerEnd, run_worker
    from tcgtracker.runtime.metrics import Metrics
    from tcgtracker.runtime.metrics_server import serving_metrics

    with open_tracker(settings):
        pass  # an unusable database is said here once, not by each process
    app = build_celery(settings)
    metrics = Metrics(settings.metrics.folder)  # of the pool's processes, when there is a folder
    serving = serving_metrics(metrics.render, settings.metrics.port)
    _say(f"working on {settings.jobs.threads} jobs at a time, as the broker says")
    with serving if settings.metrics.port else nullcontext():
        end = run_worker(app, processes=settings.jobs.threads)
    if end is WorkerEnd.CRASHED:
        report(f"the worker begins again after {end.value}")
        time.sleep(_PAUSE_S)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves
    if end is WorkerEnd.UNUSABLE:
        raise typer.Exit(FAILURE)


def _metrics(tracker: "Tracker") -> "AbstractContextManager[object]":
    from tcgtracker.runtime.metrics_server import serving_metrics

    port = tracker.settings.metrics.port
    return serving_metrics(tracker.render_metrics, port) if port else nullcontext()


def scheduler() -> None:
    """Write the jobs that are due, until Ctrl-C or SIGTERM; several schedulers do no harm.

    With JOBS_BROKER_URL it also rings for jobs whose message was lost.
    """
    with open_tracker() as tracker, until_told() as ended:
        tracker.start_scheduling()
        _say("scheduling")
        ended.wait()
        tracker.stop_scheduling()


def _say(words: str) -> None:
    typer.echo(words)
    sys.stdout.flush()  # whoever started us through a pipe waits for this line
