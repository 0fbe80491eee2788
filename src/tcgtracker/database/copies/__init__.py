"""Whole copies of a database: out into an archive at one moment, and in again, all or nothing.

Each engine copies as is sure for it: SQLite gives a file, PostgreSQL rows as text of one snapshot.
A copy goes into an engine of its own kind.
"""

from collections.abc import Callable
from typing import TypeAlias
from zipfile import ZipFile

from tcgtracker.database.copies import postgresql, sqlite
from tcgtracker.database.copies.values import Copied, TableSum, write_stream
from tcgtracker.database.engine import Database

__all__ = ["Copied", "TableSum", "copy_in", "copy_out", "is_empty", "table_sums", "write_stream"]

_Out: TypeAlias = Callable[[Database, ZipFile, str], Copied]
_In: TypeAlias = Callable[[Database, ZipFile, str, Copied], None]

copy_out: dict[str, _Out] = {"sqlite": sqlite.copy_out, "postgresql": postgresql.copy_out}
copy_in: dict[str, _In] = {"sqlite": sqlite.copy_in, "postgresql": postgresql.copy_in}
_SUMS = {"sqlite": sqlite.table_sums, "postgresql": postgresql.table_sums}
_EMPTY = {"sqlite": sqlite.is_empty, "postgresql": postgresql.is_empty}


def table_sums(database: Database) -> dict[str, TableSum]:
    """Return the count and the sum of the rows of each table, at one moment."""
    return _SUMS[database.dialect.name](database)


def is_empty(database: Database) -> bool:
    """Tell whether restoring would lose nothing: no database, no table, or no row of ours."""
    return _EMPTY[database.dialect.name](database)
