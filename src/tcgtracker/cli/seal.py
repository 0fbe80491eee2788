"""`tcgtracker seal`: old months of prices into their small form."""

from typing import Annotated

import typer

from tcgtracker.cli.opening import open_tracker


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
