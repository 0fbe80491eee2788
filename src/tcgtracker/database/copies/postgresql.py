"""PostgreSQL: the rows of every table as the text of COPY, all of one snapshot.

Text and not the binary form, and no pg_dump: its version must fit the server's, and it knows
nothing of the months that the program makes.
"""

from typing import Any
from zipfile import ZipFile

from sqlalchemy import Connection, text

from tcgtracker.database import migrate
from tcgtracker.database.copies.values import SEEDED, Copied, Lines, RowSum, TableSum, write_stream
from tcgtracker.database.engine import Database
from tcgtracker.database.tables import metadata
from tcgtracker.domain.errors import StorageError

_CHUNK = 1 << 20
_MONTHS = text(
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " JOIN pg_class p ON p.oid = i.inhparent WHERE p.relname = 'price_history' ORDER BY 1"
)
_SEQUENCES = text(
    "SELECT sequencename, last_value FROM pg_sequences"
    " WHERE schemaname = current_schema() AND last_value IS NOT NULL ORDER BY 1"
)
_COLUMNS = text(
    "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    " AND table_name = :name AND is_generated = 'NEVER' ORDER BY ordinal_position"
)
_TABLES = text(
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    " AND c.relname <> 'alembic_version'"
)


def copy_out(database: Database, archive: ZipFile, folder: str) -> Copied:
    """Write the database into an archive, below a folder of it."""
    copied = Copied({})
    with database.read() as connection:  # one snapshot from the first statement on
        copied.months.extend(_months(connection))
        for name in _tables(connection):
            columns = copied.columns[name] = _columns(connection, name)
            with write_stream(archive, f"{folder}/{name}.copy") as sink:
                copied.tables[name] = _out(connection, name, columns, sink)
        copied.sequences.update({row[0]: row[1] for row in connection.execute(_SEQUENCES)})
    return copied


def copy_in(database: Database, archive: ZipFile, folder: str, copied: Copied) -> None:
    """Put the rows in place of what is there, in one transaction.

    The database is at the revision of the copy, or has no tables.

    Raises:
        StorageError: the copy is damaged; what is there stays as it is.
    """
    with database.write() as connection:
        names = _tables(connection)
        if set(names) != set(copied.tables) or set(names) != set(copied.columns):
            raise StorageError("the backup names other tables than its revision has")
        quoted = ", ".join(f'"{name}"' for name in names)
        connection.execute(text(f"TRUNCATE {quoted}"))
        for month in copied.months:
            database.dialect.create_month(connection, month)
        for name in names:
            if set(_columns(connection, name)) != set(copied.columns[name]):
                raise StorageError(
                    f"the backup names other columns of {name} than its revision has"
                )
            columns = ", ".join(f'"{one}"' for one in copied.columns[name])
            with (
                archive.open(f"{folder}/{name}.copy") as source,
                _driver(connection).cursor() as cursor,
                cursor.copy(f'COPY "{name}" ({columns}) FROM STDIN') as copy,
            ):
                while chunk := source.read(_CHUNK):
                    copy.write(chunk)
        for name in names:
            if _out(connection, name, copied.columns[name], None) != copied.tables[name]:
                raise StorageError(
                    f"the backup does not hold the rows of {name} that it names: it is damaged"
                )
        for name, value in copied.sequences.items():
            connection.execute(
                text("SELECT setval(to_regclass(:name), :value)"),
                {"name": f'"{name}"', "value": value},
            )


def table_sums(database: Database) -> dict[str, TableSum]:
    """Return what each table holds, at one moment."""
    with database.read() as connection:
        return {
            name: _out(connection, name, _columns(connection, name), None)
            for name in _tables(connection)
        }


def is_empty(database: Database) -> bool:
    """Tell whether there are no tables of ours, or no row in them."""
    if not migrate.current_revision(database):
        return True
    with database.read() as connection:
        return not any(
            connection.execute(text(f'SELECT EXISTS (SELECT 1 FROM "{name}")')).scalar_one()
            for name in _tables(connection)
            if name not in SEEDED
        )


def _out(connection: Connection, name: str, columns: list[str], sink: Any) -> TableSum:
    """Read a table as text; write it where `sink` is, and return what it holds."""
    rows, lines = RowSum(), Lines()
    quoted = ", ".join(f'"{one}"' for one in columns)
    with (
        _driver(connection).cursor() as cursor,
        cursor.copy(f'COPY (SELECT {quoted} FROM "{name}") TO STDOUT') as copy,
    ):
        for chunk in copy:
            if sink is not None:
                sink.write(chunk)
            for line in lines.feed(bytes(chunk)):
                rows.add(line)
    return rows.result()


def _tables(connection: Connection) -> list[str]:
    """Return the tables but for partitions, those that others refer to first.

    Of an older schema there may be some that this program no longer has: nothing refers to them.
    """
    there = set(connection.execute(_TABLES).scalars())
    known = [table.name for table in metadata.sorted_tables if table.name in there]
    return [*known, *sorted(there.difference(known))]


def _columns(connection: Connection, name: str) -> list[str]:
    return list(connection.execute(_COLUMNS, {"name": name}).scalars())


def _months(connection: Connection) -> list[int]:
    """Return the months that have a partition, as 202610."""
    names = connection.execute(_MONTHS).scalars()
    return [int("".join(name.rsplit("_", 2)[-2:])) for name in names]


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
