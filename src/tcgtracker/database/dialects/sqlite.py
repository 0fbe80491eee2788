"""SQLite: one file, one writer at a time, every acknowledged write on disk."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sqlalchemy import Connection, Engine, Insert, Table, create_engine, event, text
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import URL
from sqlalchemy.schema import CreateTable

from tcgtracker.database.dialects.base import AT_ONCE, HistoryRows, IntArray
from tcgtracker.database.tables.prices import month_name, month_table
from tcgtracker.domain.quote import VALUE_NAMES

_READER_KIB, _WRITER_KIB = 4 << 10, 8 << 10
"""Page cache of a connection. There are many, and the system keeps the file in memory already: with
eight times as much, neither the intake of a day nor a page took less time."""
_LOOK_S = 0.005
_LOCKED = "database is locked"
_COLUMNS = ("series_id", "observed_at", "revision", "state", *VALUE_NAMES)


class SqliteDialect:
    """WAL, foreign keys, a full sync at each commit, BEGIN IMMEDIATE for all that writes."""

    name: ClassVar[str] = "sqlite"

    @property
    def driver_errors(self) -> type[Exception]:
        return sqlite3.Error

    @property
    def integrity_error(self) -> type[Exception]:
        return sqlite3.IntegrityError

    def is_deadlock(self, error: BaseException | None) -> bool:  # noqa: ARG002 - one writer at a time
        return False

    def is_busy(self, error: BaseException | None) -> bool:
        # Of our own waiting in line there is no code, only the words.
        return isinstance(error, sqlite3.OperationalError) and str(error) == _LOCKED

    def is_unavailable(self, error: BaseException | None) -> bool:
        return isinstance(error, sqlite3.OperationalError)

    def create_engine(
        self, url: URL, *, writes: bool, pool_size: int, busy_timeout_s: int
    ) -> Engine:
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        # The connection given back last is taken first: its page cache is warm, and one visitor
        # fills one cache and not those of all connections in turn.
        engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size, pool_use_lifo=True)
        turn = Path(f"{url.database}.turn")

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # we say BEGIN ourselves
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout = {busy_timeout_s * 1000}")
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.execute("PRAGMA foreign_keys = ON")
            cursor.execute(f"PRAGMA cache_size = -{_WRITER_KIB if writes else _READER_KIB}")
            # A day's intake writes 90 MB of log; its checkpoint should come after it.
            cursor.execute("PRAGMA wal_autocheckpoint = 32768")
            cursor.execute("PRAGMA journal_size_limit = 67108864")
            if not writes:
                cursor.execute("PRAGMA query_only = ON")
            cursor.close()

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            # To the driver directly: through SQLAlchemy it takes as long as a few reads.
            driver: Any = connection.connection.driver_connection
            if not writes:
                driver.execute("BEGIN")
                return
            if connection.get_execution_options().get(AT_ONCE):
                driver.execute("PRAGMA busy_timeout = 0")
                try:
                    with _first_in_line(turn, 0):
                        driver.execute("BEGIN IMMEDIATE")
                finally:
                    driver.execute(f"PRAGMA busy_timeout = {busy_timeout_s * 1000}")
                return
            with _first_in_line(turn, busy_timeout_s):
                driver.execute("BEGIN IMMEDIATE")

        return engine

    @contextmanager
    def migrating(
        self, url: URL, write: Callable[[], AbstractContextManager[Connection]]
    ) -> Iterator[Connection]:
        # A lock file, taken before the transaction: the wait must outlast the busy timeout.
        path = Path(f"{url.database}.migrate.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                with write() as connection:
                    yield connection
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)

    def insert_or_skip(self, table: Table) -> Insert:
        return _insert_or_skip(table)

    def upsert(self, table: Table, key: Sequence[str], update: Sequence[str]) -> Insert:
        return _upsert(table, tuple(key), tuple(update))

    def reserve_ids(self, connection: Connection, table: Table, count: int) -> range | list[int]:
        # The transaction is the only writer (BEGIN IMMEDIATE), so the next numbers are ours.
        last = connection.execute(
            text(
                f"SELECT max(coalesce((SELECT max(id) FROM {table.name}), 0),"
                " coalesce((SELECT floor FROM id_floors WHERE name = :name), 0))"
            ),
            {"name": table.name},
        ).scalar_one()
        return range(int(last) + 1, int(last) + 1 + count)

    def bulk_insert(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        marks = ",".join("?" * len(columns))
        _raw(connection).executemany(
            f"INSERT INTO {table} ({','.join(columns)}) VALUES ({marks})",
            rows,
        )

    def insert_history(self, connection: Connection, table: str, rows: HistoryRows) -> None:
        if not len(rows):
            return
        columns = [rows.series_id, rows.observed_at, rows.revision, rows.state, *rows.values.T]
        # A value that all rows share stands in the statement: binding costs as much as storing.
        shared = [_literal(column) for column in columns]
        marks = ",".join("?" if literal is None else literal for literal in shared)
        bound = [
            _nullable(column)
            for column, literal in zip(columns, shared, strict=True)
            if not literal
        ]
        statement = f"INSERT INTO {table} ({','.join(_COLUMNS)}) VALUES ({marks})"
        raw = _raw(connection)
        if bound:
            raw.executemany(statement, zip(*bound, strict=True))
        else:
            raw.execute(statement)

    def create_month(self, connection: Connection, month: int) -> None:
        connection.execute(CreateTable(month_table(month), if_not_exists=True))

    def drop_month(self, connection: Connection, month: int) -> None:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {month_name(month)}")

    def lock_months(
        self, connection: Connection, months: Sequence[int], *, exclusive: bool
    ) -> None:
        """Do nothing: a SQLite writer is alone."""

    def hold_tables(self, connection: Connection, *, exclusive: bool) -> None:
        """Do nothing: a SQLite writer is alone."""

    def order_commits(self, connection: Connection) -> None:
        """Do nothing: a SQLite writer is alone."""

    def read_history(
        self, connection: Connection, sql: str, parameters: dict[str, Any]
    ) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = _raw(connection).execute(sql, parameters).fetchall()
        return rows

    def read_numbers(
        self,
        connection: Connection,
        sql: str,
        names: Sequence[str],
        parameters: dict[str, Any],
    ) -> IntArray:
        # As one text: handing the numbers over one by one takes twice as long.
        whole = _numbers_sql(sql, tuple(names))
        ((text,),) = _raw(connection).execute(whole, parameters)
        flat = text[2:-2].replace("],[", ",")
        if not flat:
            return np.empty((0, len(names)), np.int64)
        return np.fromstring(flat, np.int64, sep=",").reshape(-1, len(names))

    def epoch_of(self, column: str) -> str:
        return column

    def moment(self, parameter: str) -> str:
        return f":{parameter}"

    @contextmanager
    def ids(self, connection: Connection, ids: IntArray) -> Iterator[tuple[str, dict[str, Any]]]:
        raw = _raw(connection)
        query_only = raw.execute("PRAGMA query_only").fetchone()[0]
        if query_only:  # temporary tables are refused otherwise; they touch no file of ours
            raw.execute("PRAGMA query_only = OFF")
        raw.execute("CREATE TEMP TABLE IF NOT EXISTS wanted_ids (id INTEGER PRIMARY KEY)")
        raw.execute("DELETE FROM wanted_ids")
        raw.executemany(
            "INSERT INTO wanted_ids VALUES (?)", zip(np.unique(ids).tolist(), strict=True)
        )
        try:
            yield "wanted_ids w", {}
        finally:
            raw.execute("DELETE FROM wanted_ids")
            if query_only:
                raw.execute("PRAGMA query_only = ON")

    def nearest_rows(self, columns: str, table: str, wanted: str, *, before: bool) -> str:
        # CROSS JOIN keeps the order: without statistics SQLite would read the whole month instead.
        pick, compare = ("max", "<=") if before else ("min", ">")
        return (
            f"SELECT {columns} FROM {wanted} CROSS JOIN {table} h ON h.series_id = w.id"
            f" AND h.observed_at = (SELECT {pick}(i.observed_at) FROM {table} i"
            f" WHERE i.series_id = w.id AND i.observed_at {compare} :at)"
        )

    def data_version(self, connection: Connection) -> int | str:
        return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())

    def now(self, connection: Connection) -> datetime:
        found = connection.exec_driver_sql("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')")
        return datetime.fromisoformat(str(found.scalar_one()))

    def durability_problems(self, connection: Connection) -> list[str]:
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in wanted}
        return [
            f"SQLite {name} is {found[name]}, wanted {value}"
            for name, value in wanted.items()
            if found[name] != value
        ]

    def check_constraints(self, connection: Connection, table: str) -> dict[str, str]:
        from sqlalchemy import inspect

        return {
            str(check["name"]): check["sqltext"]
            for check in inspect(connection).get_check_constraints(table)
        }

    def size_bytes(self, connection: Connection, _tables: Sequence[str]) -> int:
        """Return the bytes of the tables' pages.

        Without the dbstat module the file is what can be measured: callers compare whole files.
        """
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        free = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
        return int(pages - free) * int(size)


@contextmanager
def _first_in_line(turn: Path, limit_s: float) -> Iterator[None]:
    """Wait until nobody else waits for the write lock, and be the one who does.

    SQLite's waiters look every 100 ms whether the lock is free; a writer whose transactions follow
    each other leaves it free for microseconds, and would keep everybody out. Here its next one must
    line up behind the waiter, in this process or another.

    Raises:
        sqlite3.OperationalError: others wait all the time, or the file cannot be made.
    """
    deadline = time.monotonic() + limit_s
    try:
        file = os.open(turn, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise sqlite3.OperationalError(f"{turn.name}: {exc.strerror}") from exc
    try:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as exc:
                if time.monotonic() >= deadline:
                    raise sqlite3.OperationalError(_LOCKED) from exc
            time.sleep(_LOOK_S)
        yield
    finally:
        os.close(file)


@lru_cache(maxsize=64)
def _numbers_sql(sql: str, names: tuple[str, ...]) -> str:
    return f"SELECT json_group_array(json_array({', '.join(names)})) FROM ({sql})"


@lru_cache(maxsize=256)
def _insert_or_skip(table: Table) -> Insert:
    return insert(table).on_conflict_do_nothing()


@lru_cache(maxsize=256)  # building the statement costs as much as running it
def _upsert(table: Table, key: tuple[str, ...], update: tuple[str, ...]) -> Insert:
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(key), set_={name: statement.excluded[name] for name in update}
    )


def _raw(connection: Connection) -> Any:
    """Return the sqlite3 connection inside the transaction that SQLAlchemy has begun."""
    connection.get_transaction() or connection.begin()
    return connection.connection.driver_connection


def _literal(values: IntArray) -> str | None:
    """Return the one value of a column as SQL, None when there are several."""
    first = int(values[0])
    if not (values == first).all():
        return None
    return "NULL" if first < 0 else str(first)


def _nullable(values: IntArray) -> list[int | None]:
    listed: list[int | None] = values.tolist()
    if not (values < 0).any():
        return listed
    return [None if value is None or value < 0 else value for value in listed]
