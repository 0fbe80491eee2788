"""What a driver says directly reaches the caller as our error, or as itself when it is a bug."""

import sqlite3

import pytest
from sqlalchemy import text

from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import StorageError


def test_a_table_that_is_gone_can_be_asked_for_again(database: Database) -> None:
    with pytest.raises(StorageError, match="price_history_1999_01"), database.read() as connection:
        database.dialect.read_history(connection, "SELECT 1 FROM price_history_1999_01", {})


def test_a_full_disk_is_an_error_of_the_database(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE big (id INTEGER PRIMARY KEY, filler BLOB)"))
        connection.execute(text("PRAGMA max_page_count = 8"))  # of the one kept connection
    rows = [(number, b"x" * 4096) for number in range(64)]
    with pytest.raises(StorageError, match="full"), database.write() as connection:
        database.dialect.bulk_insert(connection, "big", ("id", "filler"), rows)
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM big")).scalar_one() == 0
    database.close()


def test_a_wrong_statement_stays_what_it_is(database: Database) -> None:
    error = sqlite3.ProgrammingError if database.dialect.name == "sqlite" else Exception
    with pytest.raises(error) as caught, database.read() as connection:
        database.dialect.read_history(connection, "SELECT 1 WHERE 1 = :missing", {})
    assert not isinstance(caught.value, StorageError)
