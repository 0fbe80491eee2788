"""`tcgtracker backup` and `restore`: everything in one file, and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tcgtracker.cli.opening import databases, open_tracker, require_existing

if TYPE_CHECKING:
    from tcgtracker.operations.backup import Manifest

File = Annotated[Path, typer.Argument(metavar="FILE", help="the backup")]


def backup(file: File) -> None:
    """Write everything into one file, while all goes on.

    It holds no key of a vendor; keep it as you keep the database.
    """
    from tcgtracker.operations.backup import make_backup

    # of an older schema too: the backup comes before the upgrade
    with open_tracker(require_current=False, quiet=True) as tracker:
        for database in databases(tracker):
            require_existing(database)
        made = make_backup(tracker.databases(), file, tracker.clock)
    typer.echo(f"{file}: {_told(made)}, {file.stat().st_size:,} bytes")


def restore(
    file: File,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Lose what is in the database now.")
    ] = False,
) -> None:
    """Put a backup into an empty database; stop the program first.

    All is checked before it takes its place: a damaged file changes nothing.
    """
    from tcgtracker.database import migrate
    from tcgtracker.operations.backup import restore as put_back

    with open_tracker(require_current=False, quiet=True) as tracker:
        manifest = put_back(tracker.databases(), file, replace=replace)
    typer.echo(f"restored: {_told(manifest)}")
    if any(part.revision != migrate.head_revision() for part in manifest.parts.values()):
        typer.echo("it is of an older version: run 'tcgtracker db upgrade' before you start")


def _told(manifest: "Manifest") -> str:
    tables = sum(len(part.copied.tables) for part in manifest.parts.values())
    revisions = {part.revision for part in manifest.parts.values()}
    return (
        f"{manifest.rows:,} rows in {tables} tables, revision {', '.join(sorted(revisions))},"
        f" version {manifest.version}, of {manifest.made_at}"
    )
