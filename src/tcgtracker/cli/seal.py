"""`tcgtracker seal` and `cleanup`: old prices into their small form, or dropped where wished."""

from dataclasses import asdict
from typing import Annotated

import typer

from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.output import write_json

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")]


def seal(
    *,
    after_days: Annotated[
        int | None,
        typer.Option(
            min=31, max=3650, help="Days after which a month is old; HISTORY_SEAL_AFTER_DAYS."
        ),
    ] = None,
) -> None:
    """Compress months of prices that are old. Nothing is lost, and late prices still fit in."""
    from tcgtracker.prices.seal import seal_price_history

    with open_tracker(quiet=True) as tracker:
        wanted = after_days or tracker.settings.history.seal_after_days
        done = seal_price_history(tracker.history, now=tracker.clock.now(), after_days=wanted)
    typer.echo(
        f"sealed {len(done.months)} months: {done.rows} rows of {done.series} series;"
        f" {done.late_rows} late rows folded in"
    )


def cleanup(*, as_json: AsJson = False) -> None:
    """Drop prices that are older than HISTORY_KEEP_DAYS says, and notes that all have followed.

    Without HISTORY_KEEP_DAYS no price is dropped. The ones in force at the limit stay.
    """
    from tcgtracker.prices.jobs import clean_history

    with open_tracker(quiet=True) as tracker:
        kept = tracker.settings.history.retention
        done = clean_history(
            tracker.database, tracker.history, tracker.clock.now(), kept, check=lambda: None
        )
    if as_json:
        write_json(asdict(done))
        return
    for source, one in done.prices.items():
        typer.echo(
            f"{source}: {one.rows} rows of {one.series} series dropped, {one.sealed_rows} of them"
            " sealed"
        )
    if not kept:
        typer.echo("no price is dropped: HISTORY_KEEP_DAYS is empty")
    typer.echo(f"{done.change_sets} change sets dropped")
