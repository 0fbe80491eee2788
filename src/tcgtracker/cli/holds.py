"""`tcgtracker holds`: prices that were too far off to be believed."""

from typing import Annotated

import typer

from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.output import write_json, write_table

app = typer.Typer(
    help="Decide on prices that were held back.", no_args_is_help=True, rich_markup_mode=None
)

HoldId = Annotated[int, typer.Argument(min=1, max=2**31 - 1, help="As `holds list` shows it.")]
_BY = "operator"


@app.command("list")
def list_(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")] = False,
) -> None:
    """List the prices that wait for a decision, oldest first."""
    from tcgtracker.domain.clock import from_epoch, iso
    from tcgtracker.domain.money import format_minor
    from tcgtracker.domain.quote import HoldState
    from tcgtracker.prices.holds import load_holds
    from tcgtracker.prices.products import load_series

    with open_tracker(quiet=True) as tracker, tracker.history.read() as connection:
        holds = load_holds(connection, state=HoldState.HELD, limit=limit)
        wanted = sorted({hold.series_id for hold in holds})
        series = {one.id: one for one in load_series(connection, series_ids=wanted)}
    found: list[dict[str, str | int | None]] = [
        {
            "hold_id": hold.id,
            "source": series[hold.series_id].source,
            "external_id": series[hold.series_id].external_id,
            "printing": series[hold.series_id].facet.sub_key,
            "variant": series[hold.series_id].facet.variant,
            "observed_at": iso(from_epoch(hold.observed_at)),
            "market_price": format_minor(hold.market, series[hold.series_id].facet.currency),
            "currency": series[hold.series_id].facet.currency,
            "confirmed_days": len(hold.confirmed_days),
            "reason": hold.reason,
        }
        for hold in holds
    ]
    if as_json:
        write_json(found)
    elif found:
        headers = tuple(found[0])
        write_table(headers, [tuple(row.values()) for row in found], right=("market_price",))
    else:
        typer.echo("no price is held back")


@app.command()
def release(hold_id: HoldId) -> None:
    """Let a held price into the history, at its own moment."""
    from tcgtracker.prices.decisions import release_hold
    from tcgtracker.quotes.following import follow

    with open_tracker(quiet=True) as tracker:
        with tracker.history.write() as connection:
            now = tracker.clock.now()
            release_hold(connection, tracker.history.dialect, hold_id, by=_BY, now=now)
        follow(tracker.database, tracker.history, clock=tracker.clock)
    typer.echo(f"released {hold_id}")


@app.command()
def reject(hold_id: HoldId) -> None:
    """Keep a held price out of the history for good."""
    from tcgtracker.prices.decisions import reject_hold

    with open_tracker(quiet=True) as tracker, tracker.history.write() as connection:
        reject_hold(connection, hold_id, by=_BY, now=tracker.clock.now())
    typer.echo(f"rejected {hold_id}")
