"""`tcgtracker db`: the schema of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.opening import databases, open_tracker, require_existing, require_usable
from tcgtracker.cli.text import printable
from tcgtracker.domain.errors import InvalidInput

if TYPE_CHECKING:
    from tcgtracker.database.engine import Database

app = typer.Typer(help="The schema of the database.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def _root(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(2)


@app.command()
def upgrade(
    revision: Annotated[str, typer.Argument(help="The revision to reach.")] = "head",
) -> None:
    """Bring the database to this program's schema.

    Makes it when it is not there.
    """
    from tcgtracker.database import migrate

    with open_tracker(require_current=False) as tracker:
        for database in databases(tracker):
            with _revisions_are_input():
                changed = migrate.upgrade(database, revision)
            reached = migrate.current_revision(database) or "none"
            said = "upgraded to" if changed else "already at"
            typer.echo(f"{_name(database)}: {said} revision {reached}")


@app.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="The revision to go back to, 'base' for none.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the database back to an older schema.

    What that schema cannot hold is lost.
    """
    from tcgtracker.database import migrate

    with open_tracker(require_current=False) as tracker:
        for database in databases(tracker):
            require_existing(database)
            found = migrate.current_revision(database) or "none"
            if not yes:
                typer.confirm(
                    f"{_name(database)}: go back from revision {found} to {revision}, losing what"
                    " that schema cannot hold?",
                    abort=True,
                    err=True,
                )
            with _revisions_are_input():
                changed = migrate.downgrade(database, revision)
            reached = migrate.current_revision(database) or "none"
            said = "went back to" if changed else "already at"
            typer.echo(f"{_name(database)}: {said} revision {reached}")


@app.command()
def check() -> None:
    """Compare the tables with their definitions.

    Exit code 1 when they differ.
    """
    from tcgtracker.database import migrate

    drifted = False
    with open_tracker() as tracker:
        for database in databases(tracker):
            differences = migrate.drift(database)
            drifted = drifted or bool(differences)
            for difference in differences:
                typer.echo(f"{_name(database)}: {printable(difference)}")
            if not differences:
                typer.echo(f"{_name(database)}: as the program defines it")
    if drifted:
        raise typer.Exit(1)


@app.command()
def revision(
    message: Annotated[str, typer.Argument(help="What the migration does, as 'add alerts'.")],
) -> None:
    """Write a migration (for developers).

    Made from the table definitions; read and correct it before use.
    """
    from tcgtracker.database.migrate import new_revision

    with open_tracker(require_current=False) as tracker:
        require_usable(tracker.database)
        typer.echo(new_revision(tracker.database, message))


@app.command("rebuild-state")
def rebuild_state(
    *,
    scope: Annotated[
        int | None, typer.Option(min=1, max=2**31 - 1, help="Only this scope; all otherwise.")
    ] = None,
) -> None:
    """Make what the intake remembers of each scope anew from the history.

    For when it says that the state of a scope cannot be read. No price is changed.
    """
    from tcgtracker.prices import rebuild

    with open_tracker() as tracker:
        with tracker.history.read() as connection:
            wanted = rebuild.scope_ids(connection) if scope is None else [scope]
        for one in wanted:
            typer.echo(f"scope {one}: {rebuild.rebuild_state(tracker.history, one)} series")


def _name(database: "Database") -> str:
    return printable(database.url.render_as_string(hide_password=True))


@contextmanager
def _revisions_are_input() -> Iterator[None]:
    from alembic.util import CommandError

    try:
        yield
    except CommandError as exc:
        raise InvalidInput(str(exc)) from exc
