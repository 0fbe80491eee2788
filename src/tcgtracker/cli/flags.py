"""`tcgtracker flags`: which source is asked and shown first, changed while all processes run."""

import getpass
import os
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.opening import open_tracker
from tcgtracker.cli.output import write_json, write_table
from tcgtracker.domain.clock import iso

if TYPE_CHECKING:
    from tcgtracker.operations.flag_settings import FlagRow
    from tcgtracker.operations.values import JsonValue
    from tcgtracker.tracker import Tracker

app = typer.Typer(
    help="Look at and change which source speaks for which cards, while everything runs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="the flag's name, as `flags list` shows it")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")]


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the flags with their values."""
    from tcgtracker.operations.flag_settings import list_flags

    with open_tracker(quiet=True) as tracker, tracker.database.read() as connection:
        rows = list_flags(connection)
    if as_json:
        write_json([_as_json(row) for row in rows])
        return
    headers = ("flag", "value", "changed", "by", "what it is")
    write_table(
        headers,
        [
            (
                row.name,
                _text(row.value),
                iso(row.changed_at.replace(microsecond=0)) if row.changed_at else "default",
                row.changed_by,
                row.about,
            )
            for row in rows
        ],
    )


@app.command()
def get(name: Name) -> None:
    """Print the value of a flag, sources separated by commas."""
    from tcgtracker.operations.flag_settings import list_flags, require_flag

    require_flag(name)
    with open_tracker(quiet=True) as tracker, tracker.database.read() as connection:
        (row,) = (row for row in list_flags(connection) if row.name == name)
    typer.echo(_text(row.value))


@app.command("set")
def set_(
    name: Name,
    value: Annotated[str, typer.Argument(help="a source, sources separated by commas, a percent")],
) -> None:
    """Change a flag; it holds in every process with the next thing that it does."""
    from tcgtracker.operations.flag_settings import parse_value

    with open_tracker(quiet=True) as tracker:
        row = _change(tracker, name, parse_value(name, value))
        typer.echo(f"{name} is {_text(row.value) or 'empty'}")
        for source in row.sources:
            entry = tracker.vendors.of_source(source)
            if entry is None or entry.disabled:
                why = entry.disabled if entry else "it has no service to call"
                typer.echo(f"note: {source} is not asked: {why}", err=True)


@app.command()
def reset(name: Name) -> None:
    """Give a flag its default back."""
    with open_tracker(quiet=True) as tracker:
        row = _change(tracker, name, None)
    typer.echo(f"{name} is {_text(row.value) or 'empty'}, its default")


@app.command()
def history(
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="at most so many")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show who changed which flag, newest first; it is kept in the audit log."""
    from tcgtracker.operations.flag_settings import flag_changes

    with open_tracker(quiet=True) as tracker, tracker.database.read() as connection:
        rows = flag_changes(connection, limit=limit)
    if as_json:
        write_json([{"at": row.at, "flag": row.subject, **row.detail} for row in rows])
        return
    write_table(
        ("at", "flag", "old", "new", "by"),
        [
            (
                iso(row.at.replace(microsecond=0)),
                row.subject,
                _text(row.detail["old"]),
                _text(row.detail["new"]),
                row.detail["by"],
            )
            for row in rows
        ],
    )


def _change(tracker: "Tracker", name: str, value: object) -> "FlagRow":
    from tcgtracker.operations.flag_settings import ChangedBy, change_flags

    with tracker.database.write() as connection:
        rows = change_flags(
            connection,
            tracker.database.dialect,
            {name: value},
            by=ChangedBy(f"command line ({_operator()})"),
            now=tracker.clock.now(),
        )
    (row,) = (row for row in rows if row.name == name)
    return row


def _operator() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return f"uid {os.getuid()}"


def _as_json(row: "FlagRow") -> dict[str, object]:
    return {
        "flag": row.name,
        "value": row.value,
        "default": row.default,
        "about": row.about,
        "changed_at": row.changed_at,
        "changed_by": row.changed_by,
    }


def _text(value: "JsonValue") -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
