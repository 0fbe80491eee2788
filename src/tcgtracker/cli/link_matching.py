"""`tcgtracker links evaluate|export|match`: how right the matching is, and what it links."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.output import Cell, write_json, write_table
from tcgtracker.cli.text import printable

if TYPE_CHECKING:
    from tcgtracker.catalog.matching.evaluation import Figures, Miss

_CATALOGS = ("tcgdex", "onepiece")
"""Folders that are looked for beside a file of pairs."""


def evaluate(
    file: Annotated[Path, typer.Argument(help="A CSV file of labelled pairs.")],
    *,
    catalog: Annotated[
        list[Path] | None,
        typer.Option(
            help="A catalog file or a folder of them; by default the folders tcgdex and onepiece"
            " beside FILE."
        ),
    ] = None,
    floors: Annotated[
        Path | None,
        typer.Option(help="A JSON file of the figures to reach; below them the exit code is 1."),
    ] = None,
    errors: Annotated[
        bool, typer.Option("--errors", help="List each pair that was not linked as labelled.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")] = False,
) -> None:
    """Match the left sides of labelled pairs against catalogs, without ids, and count."""
    from tcgtracker.catalog.matching.candidate_files import read_candidates
    from tcgtracker.catalog.matching.evaluation import evaluate as evaluate_pairs
    from tcgtracker.catalog.matching.floors import Demand, read_demand, shortfalls
    from tcgtracker.catalog.matching.pair_files import read_pairs

    pairs = read_pairs(file)
    demand = read_demand(floors, file.name) if floors else Demand({})
    candidates = read_candidates(_catalog_files(file, catalog))
    figures = evaluate_pairs(pairs, candidates, wrong_labels=demand.wrong_labels)
    missing = shortfalls(figures, demand)
    if as_json:
        write_json(
            {
                "figures": {kind: _shown(one) for kind, one in figures.items()},
                "errors": [_miss(one) for kind in figures.values() for one in kind.misses],
                "wrong_labels": demand.wrong_labels,
                "below": missing,
            }
        )
    else:
        rows: list[dict[str, Cell]] = [
            {"kind": kind, **_shown(one)} for kind, one in figures.items()
        ]
        headers = tuple(rows[0]) if rows else ()
        write_table(headers, [tuple(row.values()) for row in rows], right=headers[1:])
        if errors:
            lost = [_miss(one) for kind in figures.values() for one in kind.misses]
            typer.echo("")
            write_table(tuple(lost[0]) if lost else (), [tuple(row.values()) for row in lost])
        for name, reason in demand.wrong_labels.items() if errors else ():
            typer.echo(f"pair {name} is labelled wrongly: {reason}")
        for text in missing:
            typer.echo(f"below its floor: {text}", err=True)
    if missing:
        raise typer.Exit(1)


def export(
    file: Annotated[Path, typer.Argument(help="The CSV file to write.")],
) -> None:
    """Write which products and catalog cards are linked: left, right, state and score."""
    import csv

    from tcgtracker.catalog.link_export import COLUMNS, exported_links
    from tcgtracker.cli.opening import open_tracker
    from tcgtracker.domain.errors import InvalidInput
    from tcgtracker.domain.spreadsheet import cell_text

    with open_tracker(quiet=True) as tracker:
        try:
            with file.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(COLUMNS)
                rows = exported_links(tracker.database, tracker.history)
                writer.writerows([cell_text(cell) for cell in row] for row in rows)
        except OSError as exc:
            raise InvalidInput(f"{file} cannot be written: {exc.strerror or exc}") from exc
    typer.echo(f"{len(rows):,} links written")


def match(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")] = False,
) -> None:
    """Tie the products of vendors' guides that no id ties to a card, by what both sides say.

    What fits one card alone is linked; what may be one is put before a person. Nothing that a
    person decided, or that an id speaks against, is touched.
    """
    from tcgtracker.cli.opening import open_tracker
    from tcgtracker.quotes.guide_matching import match_guides

    with open_tracker(quiet=True) as tracker:
        reports = match_guides(
            tracker.database, tracker.history, clock=tracker.clock, dry_run=dry_run
        )
    found: list[dict[str, Cell]] = [
        {"source": str(one.source), "game": one.game, **one.counts()} for one in reports
    ]
    if as_json:
        write_json([{**row, "notes": one.notes} for row, one in zip(found, reports, strict=True)])
    elif found:
        headers = tuple(found[0])
        write_table(headers, [tuple(row.values()) for row in found], right=headers[2:])
        for one in reports:
            for note in one.notes:
                typer.echo(printable(note))
    else:
        typer.echo("no guide has named a product yet: 'tcgtracker sync pricecharting'")


def _catalog_files(file: Path, given: list[Path] | None) -> list[Path]:
    from tcgtracker.domain.errors import InvalidInput

    places = given or [file.parent / name for name in _CATALOGS]
    found = [
        one
        for place in places
        if place.exists() or given
        for one in (sorted(place.iterdir()) if place.is_dir() else [place])
        if not one.name.startswith(".")
    ]
    if not found:
        raise InvalidInput(f"no catalog stands beside {file.name}: name one with --catalog")
    return found


def _shown(one: "Figures") -> dict[str, Cell]:
    return {
        "pairs": one.pairs,
        "precision": f"{one.precision:.4f}",
        "recall": f"{one.recall:.4f}",
        "abstention": f"{one.abstention:.4f}",
        "right": one.right,
        "wrong": one.wrong,
        "unknown": one.unknown,
        "card absent": one.absent,
        "disputed": one.disputed,
    }


def _miss(one: "Miss") -> dict[str, Cell]:
    pair = one.pair
    return {
        "pair": pair.name,
        "kind": pair.kind,
        "left": pair.left[1],
        "name": pair.product.name,
        "set": pair.product.set_name or pair.product.set_code,
        "number": pair.product.number,
        "right": pair.right[1],
        "linked": one.linked[1] if one.linked else "",
        "cause": one.cause,
    }
