"""`tcgtracker compare` and `tcgtracker consensus`: sources side by side, and what they agree on."""

from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.cards import AsJson, CardText, find_one
from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.output import write_fields, write_json, write_table
from tcgtracker.cli.text import printable
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.source import Source

if TYPE_CHECKING:
    from tcgtracker.api.comparison_schemas import PairComparison
    from tcgtracker.tracker import Tracker


def compare(
    card: Annotated[
        str | None,
        typer.Argument(metavar="[CARD]", help="A card as for `card`; left out with --left."),
    ] = None,
    *,
    left: Annotated[Source | None, typer.Option(help="A source, compared over a game.")] = None,
    right: Annotated[Source | None, typer.Option(help="The other source.")] = None,
    game: Annotated[str, typer.Option(help="The game, by its slug.")] = "pokemon",
    limit: Annotated[int, typer.Option(min=0, max=200, help="Outliers at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the sources of a card side by side, or two sources over a whole game."""
    if (card is None) == (left is None or right is None):
        raise InvalidInput("name a card, or two sources with --left and --right")
    with open_tracker(quiet=True) as tracker:
        if card is not None:
            _card(tracker, card, as_json=as_json)
        elif left is not None and right is not None:
            _pair(tracker, left, right, game, limit, as_json=as_json)


def consensus(card: CardText, *, as_json: AsJson = False) -> None:
    """Show one price per printing over all sources, with what each contributed."""
    from tcgtracker.api.comparison import consensus_answer

    with open_tracker(quiet=True) as tracker:
        found = consensus_answer(tracker, find_one(tracker, card))
    if as_json:
        write_json(found.model_dump(mode="json"))
        return
    typer.echo(printable(found.name))
    if not found.printings:
        typer.echo("no price: no trusted link leads to one that can be compared")
    for one in found.printings:
        name = printable(one.printing or "printing not proven")
        price = "no consensus" if one.price is None else f"{one.price} {one.currency}"
        spread = "" if one.spread_pct is None else f", spread {one.spread_pct} %"
        typer.echo(
            f"\n{name}, {one.state}: {price}"
            f" (confidence {one.confidence}, {one.sources} sources{spread})"
        )
        for reason in one.reasons:
            typer.echo(f"  {printable(reason)}")
        rows = [
            (
                voice.source,
                voice.kind,
                voice.variant,
                voice.market_price,
                voice.adjusted_price,
                voice.weight,
                str(voice.age_s // 3600),
                voice.reason,
            )
            for voice in one.voices
        ]
        headers = ("source", "kind", "variant", "price", "adjusted", "weight", "hours", "")
        write_table(headers, rows, right=("price", "adjusted", "weight", "hours"))


def _card(tracker: "Tracker", card: str, *, as_json: bool) -> None:
    from tcgtracker.api.market import comparison_of

    found = comparison_of(tracker, find_one(tracker, card))
    if as_json:
        write_json(found.model_dump(mode="json"))
        return
    typer.echo(printable(found.name))
    rows = [
        (
            one.source,
            one.market_price,
            one.currency,
            one.kind,
            one.variant,
            one.printing,
            None if one.age_s is None else str(one.age_s // 3600),
            "stale" if one.stale else "",
            one.ratio,
            ", ".join(one.differs_in),
        )
        for one in found.prices
    ]
    headers = (
        "source", "price", "currency", "kind", "variant", "printing", "hours", "", "ratio",
        "differs in",
    )  # fmt: skip
    write_table(headers, rows, right=("price", "ratio", "hours"))


def _pair(
    tracker: "Tracker", left: Source, right: Source, game: str, limit: int, *, as_json: bool
) -> None:
    from tcgtracker.api.comparison import pair_answer

    found = pair_answer(tracker, game, left, right, limit)
    if as_json:
        write_json(found.model_dump(mode="json"))
        return
    _write_pair(found)


def _write_pair(found: "PairComparison") -> None:
    rows: list[tuple[str | int | None, ...]] = [
        (one.state, one.currency, one.both, one.only_left, one.only_right, one.stale)
        for one in found.coverage
    ]
    headers: tuple[str, ...] = ("state", "currency", "both", f"only {found.left}",
                                f"only {found.right}", "stale")  # fmt: skip
    write_table(headers, rows, right=headers[2:])
    typer.echo(f"\nusual ratio, {found.right} over {found.left}:")
    rows = [
        (one.state, one.currency, one.from_price or "all", one.below_price or "", one.median_ratio,
         f"{one.spread_pct} %", one.pairs)
        for one in found.ratios
    ]  # fmt: skip
    headers = ("state", "currency", "from", "below", "ratio", "spread", "pairs")
    write_table(headers, rows, right=headers[2:])
    typer.echo("")
    write_fields(
        {
            "judged": found.judged,
            "too few to judge": found.unjudged,
            "departing": found.outlier_count,
        }
    )
    for outlier in found.outliers:
        one, other = outlier.left, outlier.right
        name = f"{outlier.card.name} {outlier.card.collector_number}, {outlier.printing or '-'}"
        typer.echo(
            f"\n{printable(name)}: {one.market_price} and {other.market_price}"
            f" {outlier.currency} (links {one.link_id} and {other.link_id});"
            f" suspect: {outlier.suspect}, {outlier.side}"
        )
        for text in outlier.evidence:
            typer.echo(f"  {printable(text)}")
