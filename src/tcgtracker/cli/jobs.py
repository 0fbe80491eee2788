"""`tcgtracker jobs`: what the queue holds, and another try for what it gave up."""

import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tcgtracker.cli.opening import open_tracker
from tcgtracker.domain.clock import iso
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.ids import JobId

if TYPE_CHECKING:
    from rich.console import Console

    from tcgtracker.operations.values import JobRecord

app = typer.Typer(
    help="Look at background jobs, and try dead ones again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="one JSON object a line")]
Id = Annotated[UUID, typer.Argument(help="the job's id, as `jobs list` shows it")]


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="only jobs in this state")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="at most so many")] = 50,
    as_json: AsJson = False,  # noqa: FBT002 - typer reads the default from here
) -> None:
    """List jobs, newest first."""
    from rich.table import Table
    from rich.text import Text

    from tcgtracker.database.tables.operations import JobState
    from tcgtracker.operations import repository
    from tcgtracker.operations.values import JobFilter

    if state is not None and state not in set(JobState):
        raise InvalidInput(f"{state!r} is no state of a job: {', '.join(JobState)}")
    wanted = JobFilter(states=frozenset({JobState(state)} if state else ()))
    with open_tracker() as tracker, tracker.database.read() as connection:
        page = repository.list_page(connection, wanted, limit=limit)
    if as_json:
        for job in page.jobs:
            _write_json(job)
        return
    if not page.jobs:
        typer.echo(f"no job is {state}" if state else "no jobs yet")
        return
    table = Table("id", "job", "state", "tries", "progress", "when", "error")
    table.columns[0].no_wrap = True
    for job in page.jobs:
        tries = f"{job.attempts}/{job.max_attempts}"
        cells = (str(job.id), job.name, job.state, tries, _progress(job), _when(job), job.error)
        table.add_row(*(Text(_plain(cell)) for cell in cells))
    _console().print(table)
    if page.next_cursor:
        typer.echo(f"only the newest {limit} are shown: --limit shows more")


@app.command()
def show(job_id: Id, as_json: AsJson = False) -> None:  # noqa: FBT002 - as above
    """Show everything about one job."""
    import orjson
    from rich.table import Table
    from rich.text import Text

    from tcgtracker.operations import repository

    with open_tracker() as tracker, tracker.database.read() as connection:
        job = repository.show(connection, JobId(job_id))
    if as_json:
        _write_json(job)
        return
    table = Table(show_header=False, box=None)
    for name, value in asdict(job).items():
        if name == "progress":
            table.add_row(name, Text(_plain(_progress(job))))
        elif isinstance(value, datetime):
            table.add_row(name, iso(value))
        elif value not in (None, ""):
            said = orjson.dumps(value).decode() if name in ("args", "result") else str(value)
            table.add_row(name, Text(_plain(said)))
    _console().print(table)


@app.command()
def retry(job_id: Id) -> None:
    """Let a dead job begin again: ready now, with all its tries."""
    from tcgtracker.operations.audit import Actor

    with open_tracker() as tracker:
        tracker.administration.retry_job(JobId(job_id), by=Actor())
    typer.echo(f"job {job_id} is ready: a running worker takes it within seconds")


def _write_json(job: "JobRecord") -> None:
    import orjson

    line = orjson.dumps(job, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
    sys.stdout.write(line.decode())


def _console() -> "Console":
    from rich.console import Console

    # Into a pipe nothing is cut off: who asked for text there wants to grep it.
    return Console() if sys.stdout.isatty() else Console(width=250)


def _progress(job: "JobRecord") -> str:
    reached = job.progress
    if not reached.done and reached.total is None:
        return reached.note
    of = "" if reached.total is None else f"/{reached.total}"
    return f"{reached.done}{of} {reached.note}".strip()


def _when(job: "JobRecord") -> str:
    """Return when it ended, began, or will be looked at: what the state asks for."""
    running = job.started_at if job.state == "running" else None
    return iso((job.finished_at or running or job.run_at).replace(microsecond=0))


def _plain(text: str) -> str:
    """Return text from a job or a vendor without what a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
