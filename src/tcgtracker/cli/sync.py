"""`tcgtracker sync`: take sets, cards and prices of the vendors in, now."""

from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.errors import FAILURE, report
from tcgtracker.cli.imports import progress_bar
from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.output import write_json, write_table
from tcgtracker.cli.text import printable

if TYPE_CHECKING:
    from tcgtracker.quotes.sync_report import SyncReport

app = typer.Typer(
    help="Take in what the vendors have: sets, cards, price guides, daily files.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Game = Annotated[
    str | None,
    typer.Option("--game", help="Only this game, as pokemon; all known ones otherwise."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")]
_REASONS = 8  # of a kind, written as text; --json has all


@app.command()
def sets(*, game: Game = None, as_json: AsJson = False) -> None:
    """Take in the sets of every enabled vendor that names them.

    Each vendor and game stands for itself. Exit code 1 when one failed; the others are kept.
    """
    with open_tracker(quiet=True) as tracker:
        _show(tracker.catalog_sync.sets(game), as_json=as_json)


@app.command()
def cards(
    *,
    set_: Annotated[
        str | None,
        typer.Option(
            "--set", help="Only this set: its number, its code, or its exact name in any case."
        ),
    ] = None,
    game: Game = None,
    as_json: AsJson = False,
) -> None:
    """Take in cards, their links and prices: of one set, or of all sets that are due.

    One set is asked for at each vendor that knows it. A set is due when its cards were never taken
    in completely, 30 days after that, and when its vendor states another number of cards; JustTCG's
    small quota is used only for sets that nobody else names.

    Exit code 1 when a vendor failed; what the others said is kept.
    """
    if set_ is None:
        with open_tracker(quiet=True) as tracker, progress_bar() as show:
            done = tracker.catalog_sync.due_cards(game, on_progress=show)
        if not done.outcomes and not done.idle and not as_json:
            typer.echo("The cards of no set are due.")
        _show(done, as_json=as_json)
        return
    with open_tracker(quiet=True) as tracker:
        set_id = tracker.catalog_sync.find_set(set_, game)
        _show(tracker.catalog_sync.cards(set_id), as_json=as_json)


@app.command()
def pricecharting(
    *,
    game: Game = None,
    force: Annotated[
        bool, typer.Option("--force", help="Fetch guides again that are less than 24 hours old.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take in PriceCharting's guides: catalog, links and prices; one guide every 10 minutes."""
    with open_tracker(quiet=True) as tracker:
        _show(tracker.bulk_sync.pricecharting(game, force=force), as_json=as_json)


@app.command()
def tcgcsv(*, game: Game = None, as_json: AsJson = False) -> None:
    """Take in TCGCSV's newest day; one call when there is nothing new."""
    with open_tracker(quiet=True) as tracker:
        _show(tracker.bulk_sync.tcgcsv(game), as_json=as_json)


def _show(done: "SyncReport", *, as_json: bool) -> None:
    """Write the report; exit with 1 when something failed, or when nothing could be asked."""
    body = done.as_dict()
    if as_json:
        write_json(body)
    elif done.outcomes:
        rows = [
            (
                one["vendor"],
                one["game"],
                one["state"],
                _counts(one["counts"]),
                _counts(one["bad"]),
            )
            for one in body["outcomes"]
        ]
        write_table(("vendor", "game", "state", "done", "refused"), rows)
        for outcome in done.outcomes:
            for note in outcome.notes:
                typer.echo(f"{outcome.vendor}: {printable(note)}")
    if done.idle:
        report(done.idle)
    for outcome in done.failures:
        report(f"{outcome.vendor} {outcome.game}: {outcome.reason}")
    if done.failures or done.idle:
        raise typer.Exit(FAILURE)


def _counts(counts: "dict[str, int]") -> str:
    parts = [f"{count} {name.replace('_', ' ')}" for name, count in counts.items()]
    if len(parts) > _REASONS:
        parts[_REASONS:] = [f"{len(parts) - _REASONS} other kinds (see --json)"]
    return "; ".join(parts)
