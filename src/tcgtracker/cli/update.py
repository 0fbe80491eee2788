"""`tcgtracker update`: prices from the vendors now."""

from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.errors import FAILURE
from tcgtracker.cli.imports import progress_bar
from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.output import write_json, write_table
from tcgtracker.cli.plan import DEFAULT_LIMIT, AsJson, Limit
from tcgtracker.cli.text import printable
from tcgtracker.domain.clock import iso
from tcgtracker.domain.errors import InvalidInput, NotFound
from tcgtracker.domain.source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tcgtracker.quotes.outcomes import CardOutcome
    from tcgtracker.tracker import Tracker


def update(
    card: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CARD]...", help="Ids, names, or collector numbers."),
    ] = None,
    *,
    source: Annotated[
        Source | None, typer.Option(help="Ask this source first, then the others.")
    ] = None,
    stale: Annotated[
        bool, typer.Option("--stale", help="The cards that are due, as `plan` shows them.")
    ] = False,
    limit: Limit = DEFAULT_LIMIT,
    background: Annotated[
        bool, typer.Option("--background", help="Leave it to a running worker.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask the vendors for prices now; ends with code 1 when a card got none."""
    if stale == bool(card):
        raise InvalidInput("name one or more cards, or give --stale")
    if stale and source is not None:
        raise InvalidInput("--source goes with cards: --stale follows the plan")
    with open_tracker(quiet=True) as tracker:
        ids = [] if stale else [_card_id(tracker, text) for text in card or ()]
        if background:
            _enqueue(tracker, ids, source, limit, as_json=as_json)
            return
        if stale:
            outcomes = _update_due(tracker, limit)
            failed = bool(outcomes) and not any(one.answered for one in outcomes)
        else:
            outcomes = _update_cards(tracker, ids, source)
            failed = not all(one.answered for one in outcomes)
        names = _names(tracker, outcomes)
    if as_json:
        write_json([{**one.as_dict(), "name": names.get(one.card_id)} for one in outcomes])
    elif outcomes:
        _write(outcomes, names)
    else:
        typer.echo("no card is due that a source can be asked for now: `plan` says why")
    if failed:
        raise typer.Exit(FAILURE)


def _update_cards(
    tracker: "Tracker", ids: "Sequence[int]", source: Source | None
) -> "list[CardOutcome]":
    from tcgtracker.integrations.contract import LIVE_CALL, PAGE_CALL

    # One card is answered within seconds; more wait for places in the rate limit like any job.
    policy = LIVE_CALL if len(ids) == 1 else PAGE_CALL
    with progress_bar() as show:
        return tracker.updater.update(
            ids,
            source=source,
            policy=policy,
            on_progress=lambda done, total: show("cards", done, total),
        )


def _update_due(tracker: "Tracker", limit: int) -> "list[CardOutcome]":
    from tcgtracker.quotes.update_jobs import update_due

    def read_file(vendor: str, game: str) -> None:
        for one in tracker.bulk_sync.read(vendor, game).failures:
            typer.echo(f"{vendor} {game}: {printable(str(one.exception()))}", err=True)

    with progress_bar() as show:
        return update_due(
            tracker.database,
            tracker.clock,
            planner=tracker.planner,
            updater=tracker.updater,
            read_file=read_file,
            limit=limit,
            on_progress=lambda done, total: show("cards", done, total),
        )


def _enqueue(
    tracker: "Tracker", ids: "Sequence[int]", source: Source | None, limit: int, *, as_json: bool
) -> None:
    from tcgtracker.quotes.update_jobs import UPDATE_ALL, enqueue_card, enqueue_cards

    with tracker.unit_of_work() as uow:
        if not ids:
            job_id = tracker.queue.enqueue(
                uow, UPDATE_ALL, {"limit": limit}, dedupe_key=f"{UPDATE_ALL}:asked"
            )
        elif len(ids) == 1:
            job_id = enqueue_card(tracker.queue, uow, ids[0], source=source)
        else:
            job_id = enqueue_cards(tracker.queue, uow, ids, source=source)
    if as_json:
        write_json({"job_id": str(job_id)})
    else:
        typer.echo(f"job {job_id}: a running worker takes it; 'jobs show' tells how it went")


def _card_id(tracker: "Tracker", text: str) -> int:
    from tcgtracker.catalog import repository

    with tracker.database.read() as connection:
        found = repository.find_cards(connection, text)
    if not found:
        raise NotFound(f"no card fits {text!r}")
    if len(found) > 1:
        raise InvalidInput(f"{len(found)} cards fit {text!r}: `card` lists them; give an id")
    return found[0].id


def _names(tracker: "Tracker", outcomes: "Sequence[CardOutcome]") -> dict[int, str]:
    from tcgtracker.catalog import repository
    from tcgtracker.domain.ids import CardId

    with tracker.database.read() as connection:
        rows = repository.get_cards(connection, [CardId(one.card_id) for one in outcomes])
    return {row.id: row.name for row in rows}


def _write(outcomes: "Sequence[CardOutcome]", names: "Mapping[int, str]") -> None:
    rows = []
    for one in outcomes:
        said = one.as_dict()
        price = one.price
        rows.append(
            (
                one.card_id,
                names.get(one.card_id),
                one.outcome.value,
                price.source.value if price else None,
                f"{price.kind} {price.variant}" if price else None,
                str(said["market_price"] or "") or None,
                price.currency if price else None,
                iso(price.observed_at) if price and price.observed_at else None,
                f"stale, {_age(one)}" if one.stale else None,
                one.fallback_reason or None,
            )
        )
    headers = (
        "card", "name", "outcome", "source", "kind", "price", "currency", "observed", "stale",
        "why not the first source",
    )  # fmt: skip
    write_table(headers, rows, right=("card", "price"))


def _age(one: "CardOutcome") -> str:
    if one.age is None:
        return "of unknown age"
    hours = int(one.age.total_seconds() // 3600)
    return f"{hours // 24} d old" if hours >= 48 else f"{hours} h old"  # noqa: PLR2004 - two days
