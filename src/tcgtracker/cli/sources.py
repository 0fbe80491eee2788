"""`tcgtracker sources`: which vendors are asked, how they are, and what is left of their quotas."""

import sys
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.imports import progress_bar
from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.output import write_json, write_table
from tcgtracker.domain.errors import InvalidInput

if TYPE_CHECKING:
    from tcgtracker.operations.source_status import SourceStatus
    from tcgtracker.quotes.vendors import VendorEntry
    from tcgtracker.tracker import Tracker

app = typer.Typer(
    help="Look at the vendors, switch them off and on, try stopped ones again, delete their data.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="the vendor's name, as `sources list` shows it")]


@app.command("list")
def list_(
    *, as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")] = False
) -> None:
    """List the vendors with their health and what is left of their quotas."""
    with open_tracker(quiet=True) as tracker:
        lines = [line_of(one.entry, one.status) for one in tracker.administration.sources()]
    if as_json:
        write_json(lines)
        return
    headers = (
        "source",
        "state",
        "breaker",
        "paused until",
        "left",
        "last ok",
        "last error",
        "terms",
    )
    rows = [
        (
            line.source,
            line.disabled or "enabled",
            line.breaker,
            _moment(line.paused_until),
            " ".join(f"{window.left}/{window.allowed} {window.window}" for window in line.quota),
            _moment(line.last_ok_at),
            f"{_moment(line.last_error_at)} {line.last_error}".strip(),
            line.terms,
        )
        for line in lines
    ]
    if not sys.stdout.isatty():
        write_table(headers, rows)
        return
    write_table(headers[:-1], [row[:-1] for row in rows])  # the terms are too long for a column
    typer.echo("\nTerms")
    for line in lines:
        typer.echo(f"{line.source}: {line.terms}")


@app.command()
def enable(name: Name) -> None:
    """Let calls go to a vendor again that was switched off."""
    _switch(name, enabled=True)


@app.command()
def disable(name: Name) -> None:
    """Let no more calls go to a vendor, from any process, until it is enabled."""
    _switch(name, enabled=False)


@app.command()
def resume(name: Name) -> None:
    """Try a vendor again that was stopped for its key or is left alone for its failures.

    Its quota is taken from the settings again, less what is used. A wait that the vendor asked for
    is kept.
    """
    from tcgtracker.operations.audit import Actor

    with open_tracker(quiet=True) as tracker:
        _must_know(tracker, name)
        tracker.administration.resume(name, by=Actor())
    typer.echo(f"{name} will be tried with the next call")


@app.command()
def purge(
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")] = False,
) -> None:
    """Switch a vendor off and delete what is stored of it: prices, products, links, statements.

    Cards and sets stay. There is no way back but a backup; stopped in the middle, it is run again.
    """
    from tcgtracker.operations.audit import Actor

    with open_tracker(quiet=True) as tracker:
        _must_know(tracker, name)
        if not yes:
            typer.confirm(f"Delete everything that is stored of {name}?", abort=True)
        with progress_bar() as show:
            report = tracker.administration.purge(
                name, by=Actor(), on_progress=lambda done, total: show("products", done, total)
            )
    if as_json:
        write_json(report)
        return
    counts = ", ".join(f"{count} {what}" for what, count in report.as_dict().items())
    typer.echo(f"{name} is switched off; deleted: {counts}")


@dataclass(frozen=True, slots=True)
class QuotaLine:
    """One budget; `resets_at` aware UTC."""

    window: str
    used: int
    allowed: int
    left: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One vendor as the command shows it; `disabled` says why it is not asked, '' when it is."""

    source: str
    title: str
    disabled: str
    breaker: str
    paused_until: datetime | None
    quota: tuple[QuotaLine, ...]
    last_ok_at: datetime | None
    last_error: str
    last_error_at: datetime | None
    terms: str


def line_of(entry: "VendorEntry", status: "SourceStatus") -> SourceLine:
    """Return what is shown of a vendor."""
    return SourceLine(
        source=entry.info.vendor,
        title=entry.info.title,
        disabled=entry.disabled or status.disabled,
        breaker=status.breaker,
        paused_until=status.paused_until,
        quota=tuple(
            QuotaLine(one.period, one.used, one.allowed, one.left, one.resets_at)
            for one in status.budgets
        ),
        last_ok_at=status.last_ok_at,
        last_error=status.last_error,
        last_error_at=status.last_error_at,
        terms=entry.info.terms.note,
    )


def _switch(name: str, *, enabled: bool) -> None:
    from tcgtracker.operations.audit import Actor

    with open_tracker(quiet=True) as tracker:
        _must_know(tracker, name)
        tracker.administration.switch(name, enabled=enabled, by=Actor())
        entry = tracker.administration.source(name).entry
    more = f", but is not asked: {entry.disabled}" if enabled and entry.disabled else ""
    typer.echo(f"{name} is switched {'on' if enabled else 'off'}{more}")


def _must_know(tracker: "Tracker", name: str) -> None:
    known = sorted(entry.info.vendor for entry in tracker.vendors.entries())
    if name not in known:
        raise InvalidInput(f"there is no vendor {name!r}; known: {', '.join(known)}")


def _moment(moment: datetime | None) -> str:
    from tcgtracker.domain.clock import iso

    return "" if moment is None else iso(moment.replace(microsecond=0))
