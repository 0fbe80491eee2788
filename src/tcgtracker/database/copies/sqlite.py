"""SQLite: VACUUM INTO writes a whole, compact file of one moment while others go on writing."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from zipfile import ZipFile

from tcgtracker.database.copies.values import SEEDED, Copied, RowSum, TableSum, write_stream
from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import StorageError

_FILE = "data.db"
_BUSY_S = 60


def copy_out(database: Database, archive: ZipFile, folder: str) -> Copied:
    """Write the database into an archive, below a folder of it.

    Raises:
        StorageError: the copy that was made is damaged.
    """
    target = _path(database)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as place:
        copy = Path(place) / _FILE
        with closing(_open(target)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        tables = _sums(copy)
        with copy.open("rb") as source, write_stream(archive, f"{folder}/{_FILE}") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
    return Copied(tables)


def copy_in(database: Database, archive: ZipFile, folder: str, copied: Copied) -> None:
    """Put the database in place of what is there, once the whole copy is read and right.

    Raises:
        StorageError: the copy is damaged, or somebody writes; what is there stays as it is.
    """
    target = _path(database)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".restore-") as place:
        copy = Path(place) / _FILE
        with archive.open(f"{folder}/{_FILE}") as source, copy.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
            sink.flush()
            os.fsync(sink.fileno())
        if _sums(copy) != copied.tables:
            raise StorageError("the backup does not hold the rows that it names: it is damaged")
        database.close()
        if target.exists():
            _empty_log(target)
        # From here on the old file is gone: what is left of its log must not be read into the new.
        for rest in ("-wal", "-shm"):
            Path(f"{target}{rest}").unlink(missing_ok=True)
        copy.replace(target)
    folder_handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder_handle)
    finally:
        os.close(folder_handle)


def table_sums(database: Database) -> dict[str, TableSum]:
    """Return what each table holds."""
    return _sums(_path(database))


def is_empty(database: Database) -> bool:
    """Tell whether there is no file, or no row of ours in it."""
    path = _path(database)
    if not path.exists() or not path.stat().st_size:
        return True
    return not any(one.rows for name, one in _sums(path).items() if name not in SEEDED)


def _path(database: Database) -> Path:
    if database.path is None:
        raise AssertionError("a SQLite database is a file")
    return database.path


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)


def _empty_log(path: Path) -> None:
    """Write the log into the file, alone: whoever still writes would lose what is written now."""
    try:
        with closing(_open(path)) as connection:
            connection.execute("PRAGMA busy_timeout = 2000")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as exc:
        if "not a database" in str(exc) or "malformed" in str(exc):
            return  # it is what the backup is to replace
        raise StorageError(f"{path}: {exc}: stop the program before you restore") from exc
    if busy:
        raise StorageError(f"{path} is in use: stop the program before you restore")


def _sums(path: Path) -> dict[str, TableSum]:
    try:
        with closing(_open(path)) as connection:
            lines = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
            if lines != ["ok"]:
                raise StorageError(f"the copy is damaged: {'; '.join(map(str, lines))}")
            names = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
                " AND name NOT LIKE 'sqlite_%' ORDER BY name"
            ).fetchall()
            return {
                name: RowSum().add_all(connection.execute(f'SELECT * FROM "{name}"')).result()
                for (name,) in names
            }
    except sqlite3.DatabaseError as exc:
        raise StorageError(f"{path.name}: {exc}") from exc
