"""A kept connection reads what is committed now, holds nothing between reads, and gets well."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tcgtracker.database.engine import Database
from tcgtracker.database.kept import KeptReader
from tcgtracker.domain.errors import NotFound, StorageError


def numbers(connection: Connection) -> list[int]:
    return list(connection.scalars(text("SELECT number FROM kept ORDER BY number")))


def write(database: Database, statement: str) -> None:
    with database.write() as connection:
        connection.execute(text(statement))


@pytest.fixture
def reader(database: Database) -> Iterator[KeptReader]:
    write(database, "CREATE TABLE kept (number INTEGER)")
    reader = KeptReader(database)
    yield reader
    reader.close()
    write(database, "DROP TABLE IF EXISTS kept")


def test_each_read_sees_what_was_committed_before_it(
    database: Database, reader: KeptReader
) -> None:
    with reader.read() as connection:
        assert numbers(connection) == []
        write(database, "INSERT INTO kept VALUES (1)")
        assert numbers(connection) == []
    with reader.read() as connection:
        assert numbers(connection) == [1]


def test_nothing_is_held_between_reads(database: Database, reader: KeptReader) -> None:
    with reader.read() as connection:
        numbers(connection)
    write(database, "DROP TABLE kept")  # PostgreSQL waits for a reader's lock
    if database.dialect.name == "sqlite":  # a snapshot would keep the log from starting anew
        with database.engine(writes=True).connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 0


def test_after_an_error_of_the_database_the_next_read_is_well(
    database: Database, reader: KeptReader
) -> None:
    with pytest.raises(StorageError), reader.read() as connection:
        database.dialect.read_history(connection, "SELECT 1 FROM price_history_1999_01", {})
    with reader.read() as connection:
        assert numbers(connection) == []


def test_an_error_of_ours_keeps_the_connection(reader: KeptReader) -> None:
    with reader.read() as before:
        pass
    with pytest.raises(NotFound), reader.read():
        raise NotFound("there is no such card")
    with reader.read() as after:
        assert after is before


def test_a_reader_cannot_write(reader: KeptReader) -> None:
    with pytest.raises(Exception, match=r"read-?only"), reader.read() as connection:
        connection.execute(text("INSERT INTO kept VALUES (1)"))
    with reader.read() as connection:
        assert numbers(connection) == []


def test_a_connection_that_was_cut_is_replaced(postgres_url: str) -> None:
    database = Database(postgres_url)
    reader = KeptReader(database)
    with reader.read() as connection:
        process = connection.scalar(text("SELECT pg_backend_pid()"))
    write(database, f"SELECT pg_terminate_backend({process})")
    with pytest.raises(StorageError), reader.read() as connection:
        connection.scalar(text("SELECT 1"))
    with reader.read() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    reader.close()
    database.close()


def test_a_file_that_is_no_database_is_an_error_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    path.write_text("this is no database, however long it is made" * 100)
    database = Database(f"sqlite:///{path}")
    reader = KeptReader(database)
    for _ in range(2):
        with pytest.raises(StorageError, match="not a database"), reader.read() as connection:
            connection.scalar(text("SELECT 1"))
    reader.close()
    database.close()
