"""`tcgtracker import`: price and catalog files of the user's own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tcgtracker.cli.errors import FAILURE, report
from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.output import write_fields, write_json
from tcgtracker.cli.text import printable
from tcgtracker.domain.errors import InvalidInput

if TYPE_CHECKING:
    from tcgtracker.catalog.service import CatalogReport
    from tcgtracker.integrations.contract import PricePage
    from tcgtracker.quotes.report import CollectReport

app = typer.Typer(help="Take in files.", no_args_is_help=True, rich_markup_mode=None)

Files = Annotated[list[Path], typer.Argument(help="Files or folders.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")]
OnProgress = Callable[[str, int, int], None]
_REASONS = 8  # of a field, written as text; --json has all


@app.command()
def prices(
    files: Files,
    *,
    trust: Annotated[
        bool, typer.Option("--trust", help="Judge no price: the files are your own.")
    ] = False,
    observed_at: Annotated[
        str | None,
        typer.Option(
            help="When PriceCharting guides were true, as 2026-05-01 or with a time (UTC).",
            show_default=False,
        ),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(help="Category of PriceCharting guides, as pokemon-cards."),
    ] = None,
    complete: Annotated[
        bool,
        typer.Option("--complete", help="Parts that are missing now are gone for good."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take in price files: TCGCSV answers and archives, PriceCharting guides.

    Every row is counted in the report. Exit code 1 when a file broke off: what it held before that
    is kept.
    """
    from tcgtracker.integrations.price_files import iter_price_pages, total_bytes
    from tcgtracker.quotes.following import follow

    moment = None if observed_at is None else moment_of(observed_at)
    seen: list[CollectReport] = []

    def keep(_page: "PricePage", total: "CollectReport") -> None:
        seen[:] = [total]

    fault = ""
    with open_tracker(quiet=True) as tracker, progress_bar() as show:
        total = total_bytes(files)
        pages = iter_price_pages(
            files,
            observed_at=moment,
            category=category,
            on_progress=lambda done: show("prices", done, total),
        )
        name = ", ".join(str(path) for path in files)[:500]
        try:
            done = tracker.intake.collect(
                pages, input_name=name, trust=trust, forget_missing=complete, on_page=keep
            )
        except InvalidInput as exc:
            if not seen:
                raise
            done, fault = seen[0], str(exc)
        show("links", 0, 0)
        followed = follow(tracker.database, tracker.history, clock=tracker.clock)
    body = done.as_dict() | {"links_written": followed.links.written, "fault": fault}
    if as_json:
        write_json(body)
    else:
        _write_report(body)
    if fault:
        report(fault)
        raise typer.Exit(FAILURE)


@app.command()
def catalog(files: Files, *, as_json: AsJson = False) -> None:
    """Take in catalog files: TCGCSV groups and products, tcgdex and One Piece cards.

    Files of one catalog are best given together. The same files again change nothing.
    """
    from tcgtracker.catalog.service import import_catalog
    from tcgtracker.quotes.card_quotes import rebuild

    with open_tracker(quiet=True) as tracker, progress_bar() as show:
        done = import_catalog(
            tracker.database, tracker.history, files, clock=tracker.clock, on_progress=show
        )
        show("prices", 0, 0)
        rebuild(tracker.database, tracker.history)
    body = catalog_body(done)
    if as_json:
        write_json(body)
    else:
        _write_report(body)


def catalog_body(done: "CatalogReport") -> dict[str, Any]:
    """Return the report of a catalog import as JSON values."""
    links: dict[str, Any] = {
        field.name: getattr(done.links, field.name) for field in fields(done.links)
    }
    links["cards"] = len(done.links.cards)
    return {
        "files": [
            {
                "name": file.name,
                "kind": file.kind.value,
                "rows_read": file.rows.read,
                "skipped": dict(sorted(file.rows.skipped.items())),
                "bad": dict(sorted(file.rows.bad.items())),
            }
            for file in done.files
        ],
        "counts": {field.name: getattr(done.counts, field.name) for field in fields(done.counts)},
        "links": links,
    }


def moment_of(text: str) -> datetime:
    """Return a moment; a day alone is its first second, and no zone means UTC.

    Raises:
        InvalidInput: the text is no moment.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as exc:
        raise InvalidInput(f"{text!r} is no moment: write it as 2026-05-01T20:00Z") from exc
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@contextmanager
def progress_bar() -> Iterator[OnProgress]:
    """Give what shows how far the work is: a bar when standard error is a terminal."""
    import sys

    if not sys.stderr.isatty():
        yield lambda _step, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total or None)
            progress.update(tasks[step], completed=done, total=total or None)

        yield show


def _write_report(body: dict[str, Any]) -> None:
    """Write a report, a field a line; of many reasons the most frequent."""
    write_fields(
        {
            name.replace("_", " "): _shown(value)
            for name, value in body.items()
            if value != "" and name != "files"
        }
    )
    for file in body.get("files", []):
        typer.echo(f"\n{printable(file['name'])}")
        write_fields(
            {f"  {name.replace('_', ' ')}": _shown(file[name]) for name in file if name != "name"}
        )
    for reason in body.get("incomplete", []):
        typer.echo(f"incomplete: {printable(reason)}")


def _shown(value: object) -> str | int | None:
    if isinstance(value, list):
        return len(value)
    if not isinstance(value, dict):
        return value if isinstance(value, str | int) else str(value)
    counts: dict[str, int] = {}
    for key, count in value.items():
        if isinstance(count, dict):  # reasons below a reason stand beside the others
            counts |= {str(reason): number for reason, number in count.items() if number}
        elif count:
            counts[str(key).replace("_", " ")] = count
    most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    parts = [f"{count} {printable(reason)}" for reason, count in most[:_REASONS]]
    if rest := most[_REASONS:]:
        parts.append(f"{sum(count for _, count in rest)} of {len(rest)} other kinds (see --json)")
    return "; ".join(parts) or 0
