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
    from tcgtracker.prices.decisions import load_open_holds

    with open_tracker(quiet=True) as tracker, tracker.history.read() as connection:
        waiting = load_open_holds(connection, limit=limit)
    found: list[dict[str, str | int | None]] = [
        {
            "hold_id": one.hold.id,
            "source": one.series.source,
            "external_id": one.series.external_id,
            "product_name": one.series.product_name,
            "printing": one.series.facet.sub_key,
            "kind": one.series.facet.kind,
            "variant": one.series.facet.variant,
            "observed_at": iso(from_epoch(one.hold.observed_at)),
            "market_price": format_minor(one.hold.market, one.series.facet.currency),
            "reference_price": (
                None
                if one.hold.reference is None
                else format_minor(one.hold.reference, one.series.facet.currency)
            ),
            "currency": one.series.facet.currency,
            "confirmed_days": len(one.hold.confirmed_days),
            "reason": one.hold.reason,
        }
        for one in waiting
    ]
    if as_json:
        write_json(found)
    elif found:
        headers = tuple(found[0])
        write_table(
            headers,
            [tuple(row.values()) for row in found],
            right=("market_price", "reference_price"),
        )
    else:
        typer.echo("no price is held back")


@app.command()
def release(hold_id: HoldId) -> None:
    """Let a held price into the history, at its own moment."""
    from tcgtracker.operations.audit import Actor

    with open_tracker(quiet=True) as tracker:
        tracker.administration.release_hold(hold_id, by=Actor(), name=_BY)
    typer.echo(f"released {hold_id}")


@app.command()
def reject(hold_id: HoldId) -> None:
    """Keep a held price out of the history for good."""
    from tcgtracker.operations.audit import Actor

    with open_tracker(quiet=True) as tracker:
        tracker.administration.reject_hold(hold_id, by=Actor(), name=_BY)
    typer.echo(f"rejected {hold_id}")
