"""`tcgtracker sources`: which vendors are asked, how they are, and what is left of their quotas."""

import sys
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.output import write_json, write_table
from tcgtracker.domain.errors import InvalidInput

if TYPE_CHECKING:
    from tcgtracker.operations.source_status import SourceStatus
    from tcgtracker.quotes.vendors import VendorEntry
    from tcgtracker.tracker import Tracker

app = typer.Typer(
    help="Look at the vendors, switch them off and on, let stopped ones be tried again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="the vendor's name, as `sources list` shows it")]


@app.command("list")
def list_(
    *, as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")] = False
) -> None:
    """List the vendors with their health and what is left of their quotas."""
    from tcgtracker.operations.source_status import load_statuses

    with open_tracker(quiet=True) as tracker:
        entries = tracker.vendors.entries()
        plans = {entry.info.vendor: tracker.plans[entry.info.vendor] for entry in entries}
        with tracker.database.read() as connection:
            statuses = load_statuses(connection, plans, tracker.clock.now())
    lines = [line_of(entry, status) for entry, status in zip(entries, statuses, strict=True)]
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
    from tcgtracker.operations import source_status

    with open_tracker(quiet=True) as tracker:
        _entry(tracker, name)
        with tracker.database.write() as connection:
            source_status.resume(
                connection,
                tracker.database.dialect,
                name,
                tracker.plans[name],
                tracker.clock.now(),
            )
    typer.echo(f"{name} will be tried with the next call")


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
    from tcgtracker.operations.source_status import switch

    with open_tracker(quiet=True) as tracker:
        entry = _entry(tracker, name)
        with tracker.database.write() as connection:
            switch(connection, tracker.database.dialect, name, enabled=enabled)
    more = f", but is not asked: {entry.disabled}" if enabled and entry.disabled else ""
    typer.echo(f"{name} is switched {'on' if enabled else 'off'}{more}")


def _entry(tracker: "Tracker", name: str) -> "VendorEntry":
    entries = {entry.info.vendor: entry for entry in tracker.vendors.entries()}
    if name not in entries:
        raise InvalidInput(f"there is no vendor {name!r}; known: {', '.join(sorted(entries))}")
    return entries[name]


def _moment(moment: datetime | None) -> str:
    from tcgtracker.domain.clock import iso

    return "" if moment is None else iso(moment.replace(microsecond=0))
