"""Reads that go to the driver directly: what they give, and that they get well after a fault."""

import pytest
from sqlalchemy import Connection

from tcgtracker.database.dialects import libpq_reads
from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import StorageError

VALUES = (0, -1, 7, 2**31 - 1, 253_402_300_799)


def numbers_sql(rows: int) -> str:
    listed = " UNION ALL ".join(
        f"SELECT CAST({row} AS bigint) AS place, CAST({VALUES[row % 5]} AS bigint) AS value"
        for row in range(rows)
    )
    return f"SELECT place, value FROM ({listed}) n WHERE place >= :least"  # noqa: S608 - ours


@pytest.mark.parametrize("rows", [1, 2, 60])
def test_numbers_come_as_a_table(database: Database, rows: int) -> None:
    with database.read() as connection:
        sql = numbers_sql(rows)
        table = database.dialect.read_numbers(connection, sql, ("place", "value"), {"least": 0})
        listed = database.dialect.read_history(connection, sql, {"least": 0})

    assert sorted(table.tolist()) == [[row, VALUES[row % 5]] for row in range(rows)]
    assert sorted(listed) == [(row, VALUES[row % 5]) for row in range(rows)]


def test_no_numbers_are_an_empty_table(database: Database) -> None:
    with database.read() as connection:
        table = database.dialect.read_numbers(
            connection, numbers_sql(1), ("place", "value"), {"least": 5}
        )

    assert table.shape == (0, 2)


def test_an_error_is_the_driver_s_and_the_next_read_is_well(database: Database) -> None:
    with (
        pytest.raises(StorageError, match="price_history_1999_01"),
        database.read() as connection,
    ):
        database.dialect.read_history(connection, "SELECT 1 FROM price_history_1999_01", {})
    with database.read() as connection:
        assert database.dialect.read_history(connection, "SELECT 1", {}) == [(1,)]


def one(database: Database, connection: Connection, sql: str) -> object:
    ((value,),) = database.dialect.read_history(connection, sql, {})
    return value


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_postgresql_reads_in_a_transaction_that_cannot_write(database: Database) -> None:
    with database.read() as connection:
        assert one(database, connection, "SHOW transaction_isolation") == "repeatable read"
        assert one(database, connection, "SHOW transaction_read_only") == "on"
        first = one(database, connection, "SELECT now()")
        assert one(database, connection, "SELECT now()") == first
    with database.read() as connection:
        assert one(database, connection, "SELECT now()") != first


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_prepared_statements_are_bounded(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libpq_reads, "_MOST_PREPARED", 5)
    with database.read() as connection:
        for turn in range(2):
            for number in range(12):
                assert one(database, connection, f"SELECT {number} + {turn} * 0") == number
        prepared = one(
            database,
            connection,
            "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'tcgtracker%'",
        )

    assert prepared == 5


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_connection_that_the_server_ended_is_not_given_out(database: Database) -> None:
    with database.read() as connection:
        pid = one(database, connection, "SELECT pg_backend_pid()")
    _end(database, pid)
    with database.read() as connection:
        assert one(database, connection, "SELECT pg_backend_pid()") != pid


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_connection_that_ends_during_a_read_is_an_error(database: Database) -> None:
    def read() -> None:
        with database.read() as connection:
            _end(database, one(database, connection, "SELECT pg_backend_pid()"))
            one(database, connection, "SELECT 1")

    with pytest.raises(StorageError):
        read()
    with database.read() as connection:
        assert one(database, connection, "SELECT 1") == 1


def _end(database: Database, pid: object) -> None:
    with database.write() as connection:
        ended = connection.exec_driver_sql(
            "SELECT pg_terminate_backend(%(pid)s, 10000)", {"pid": pid}
        )
        assert ended.scalar_one()


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_what_psycopg_prepares_and_forgets_is_its_own(database: Database) -> None:
    for _ in range(8):  # psycopg prepares what comes often
        with database.read() as connection:
            connection.exec_driver_sql("SELECT 1")
    for _ in range(3):
        with database.read() as connection:
            assert one(database, connection, "SELECT 1") == 1
