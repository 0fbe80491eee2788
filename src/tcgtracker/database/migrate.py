"""Bring a database to the schema of this program, and say where the two differ."""

import re
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, Table

from tcgtracker.database.engine import Database
from tcgtracker.database.tables import metadata
from tcgtracker.database.tables.prices import ONLY_ON_POSTGRESQL
from tcgtracker.domain.errors import InvalidInput, StorageError

_SCRIPTS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config(cmd_opts=Namespace(quiet=True))  # standard output is the command's
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config


def head_revision() -> str:
    """Return the newest revision that this program knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def known_revisions() -> frozenset[str]:
    """Return the revisions that this program knows."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return frozenset(script.revision for script in scripts)


def current_revision(database: Database) -> str:
    """Return the revision of the database, empty for a database without our tables."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def upgrade(database: Database, revision: str = "head") -> bool:
    """Bring the database to a revision; return whether anything had to be done.

    Safe with several migrators at once: one applies, the others wait and find nothing to do.
    """
    return _locked(database, lambda config: command.upgrade(config, revision), revision)


def downgrade(database: Database, revision: str) -> bool:
    """Take the database back to a revision (`base` for none)."""
    return _locked(database, lambda config: command.downgrade(config, revision), revision)


def new_revision(database: Database, message: str) -> Path:
    """Write the next migration from the table definitions and return its file.

    Numbered after the newest one; to be read and corrected before it is used.

    Raises:
        InvalidInput: the message is no plain text (it becomes a docstring and a file name).
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ,.()_-]{0,79}", message):
        raise InvalidInput("a migration's message is letters, digits, blanks and , . ( ) _ -")
    with database.read() as connection:
        script = command.revision(
            _config(connection),
            message,
            autogenerate=True,
            rev_id=f"{int(head_revision()) + 1:04d}",
        )
    if script is None or isinstance(script, list):
        raise StorageError("no migration was written")
    return Path(script.path)


def _locked(database: Database, act: Callable[[Config], None], revision: str) -> bool:
    target = {"head": head_revision(), "base": ""}.get(revision, revision)
    with database.dialect.migrating(database.url, database.write) as connection:
        return _apply(connection, act, target)


def _apply(connection: Connection, act: Callable[[Config], None], target: str) -> bool:
    found = MigrationContext.configure(connection).get_current_revision() or ""
    if found == target:
        return False
    _refuse_unknown(found)
    act(_config(connection))
    return True


def _refuse_unknown(found: str) -> None:
    if found and found not in known_revisions():
        raise StorageError(
            f"the database is at revision {found}, which this program does not know: it was made by"
            " a newer version; install that version or restore a backup"
        )


def require_current(database: Database) -> None:
    """Refuse to work on a database of another schema.

    Raises:
        StorageError: says which command mends it.
    """
    found = current_revision(database)
    if found == head_revision():
        return
    _refuse_unknown(found)
    raise StorageError(
        f"the database is at revision {found or 'none'}, this program needs {head_revision()}:"
        " run 'tcgtracker db upgrade'"
    )


def drift(database: Database) -> list[str]:
    """Return the differences between the database and the table definitions, none when equal."""
    with database.read() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "include_object": include_object(database.dialect.name)},
        )
        differences = [_describe(item) for item in compare_metadata(context, metadata)]
        for table in metadata.sorted_tables:
            if database.dialect.name == "sqlite" and table.name in ONLY_ON_POSTGRESQL:
                continue
            found = database.dialect.check_constraints(connection, table.name)
            differences.extend(
                f"{table.name}: CHECK {check.name} is {found.get(str(check.name))}"
                for check in _checks(table)
                if _literals(str(check.sqltext)) != _literals(found.get(str(check.name), ""))
            )
    return differences


def _checks(table: Table) -> list[CheckConstraint]:
    places = [table.constraints, *(column.constraints for column in table.columns)]
    return [check for place in places for check in place if isinstance(check, CheckConstraint)]


def include_object(dialect: str) -> Callable[..., bool]:
    """Return Alembic's filter: months are made at run time, partitions are SQLite's to lack."""

    def include(_object: Any, name: str | None, kind: str, _reflected: Any, _other: Any) -> bool:
        if kind != "table" or name is None:
            return True
        if name.startswith("price_history_"):
            return False
        return not (dialect == "sqlite" and name in ONLY_ON_POSTGRESQL)

    return include


def _literals(check: str) -> set[str]:
    """Return the values that a CHECK names; each database writes the rest in its own words."""
    return set(re.findall(r"'([^']*)'", check)) | set(re.findall(r"(?<![\w'])\d+(?![\w'])", check))


def _describe(item: Any) -> str:
    return " ".join(str(part) for part in item) if isinstance(item, tuple) else str(item)
