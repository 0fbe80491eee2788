"""Tables for people, tab-separated lines for pipes, JSON for programs."""

import sys
from collections.abc import Mapping, Sequence

import typer

from tcgtracker.cli.text import printable

Cell = str | int | None


def write_json(value: object) -> None:
    """Write one JSON document: times as ISO 8601 with a Z, amounts as the text they are given as.

    Raises:
        TypeError: the value holds something that JSON has no form for.
    """
    import orjson

    options = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    if sys.stdout.isatty():
        options |= orjson.OPT_INDENT_2
    typer.echo(orjson.dumps(value, option=options), nl=False)


def write_table(
    headers: Sequence[str], rows: Sequence[Sequence[Cell]], *, right: Sequence[str] = ()
) -> None:
    """Write a table: drawn on a terminal, tab-separated with a header line otherwise.

    `right` names the columns whose cells are aligned to the right. None is an empty cell.
    """
    cells = [[_text(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in (headers, *cells):
            typer.echo("\t".join(line))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for header in headers:
        table.add_column(Text(header), justify="right" if header in right else "left")
    for row in cells:
        # Text and not str: rich reads markup such as [red] out of plain strings.
        table.add_row(*(Text(cell) for cell in row))
    Console(markup=False, highlight=False, emoji=False).print(table)


def write_fields(fields: Mapping[str, Cell]) -> None:
    """Write `name: value` lines, the values of one column aligned."""
    width = max((len(name) for name in fields), default=0) + 1
    for name, value in fields.items():
        typer.echo(f"{name + ':':<{width}} {_text(value)}".rstrip())


def _text(cell: Cell) -> str:
    return "" if cell is None else printable(str(cell))
