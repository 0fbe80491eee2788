"""`tcgtracker search`: cards by what one remembers of them."""

import json
from typing import Annotated

import typer

from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.text import printable


def search(
    text: Annotated[list[str], typer.Argument(help="words and numbers, as they come")],
    *,
    game: Annotated[str, typer.Option(help="only cards of this game")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100, help="at most so many")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Find cards in the catalog; typing errors are forgiven."""
    from tcgtracker.catalog import repository
    from tcgtracker.catalog.search.index import Filters

    with open_tracker(quiet=True) as tracker:
        hits = tracker.search.search(" ".join(text), Filters(game), limit=limit)
        with tracker.database.read() as connection:
            found = repository.get_cards(connection, hits.card_ids)
    for card in found:
        if as_json:
            row = {
                "card_id": card.id,
                "game": card.game,
                "set": card.set_name,
                "collector_number": card.collector_number,
                "name": card.name,
                "rarity": card.rarity,
            }
            typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            where = f"{card.set_name} {card.collector_number}".strip()
            typer.echo(f"{card.id:>8}  {printable(card.name)}  ({printable(where)}, {card.game})")
    if as_json:
        return
    if not found:
        typer.echo("nothing found")
    elif hits.total > len(found):
        typer.echo(f"and {hits.total - len(found)} more")
    if hits.corrected:
        typer.echo("nothing is written exactly so; these come close")
