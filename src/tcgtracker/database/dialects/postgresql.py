"""PostgreSQL: COPY for bulk, partitions for months, row locks for the month manager."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Insert, Table, create_engine, event, inspect, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import InvalidatePoolError

from tcgtracker.database.dialects.base import HistoryRows, IntArray
from tcgtracker.database.tables.prices import month_name
from tcgtracker.domain.quote import VALUE_NAMES

_MIGRATION_LOCK = 7_236_405_118_001
_MONTH_LOCK = 7_236_405_118_002
_COMMIT_LOCK = 7_236_405_118_003
_TABLES_LOCK = 7_236_405_118_004
_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"
_COPY_CHUNK = 1 << 20
# Binary timestamps count microseconds from 2000-01-01 (PostgreSQL manual, "Date/Time Types").
_PG_EPOCH_S = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_READER = "tcgtracker.reader"
_HISTORY_COLUMNS = ("observed_at", "series_id", "revision", "state", *VALUE_NAMES)


class PostgresqlDialect:
    """psycopg 3, read committed for writers, repeatable read for readers."""

    name: ClassVar[str] = "postgresql"

    @property
    def driver_errors(self) -> type[Exception]:
        error: type[Exception] = _driver().Error
        return error

    @property
    def integrity_error(self) -> type[Exception]:
        error: type[Exception] = _driver().IntegrityError
        return error

    def is_deadlock(self, error: BaseException | None) -> bool:
        return isinstance(error, _driver().errors.DeadlockDetected)

    def is_busy(self, error: BaseException | None) -> bool:  # noqa: ARG002 - writers wait for rows only
        return False

    def is_unavailable(self, error: BaseException | None) -> bool:
        driver = _driver()
        # A reader may name a month that was sealed and dropped meanwhile: it has to read again.
        kinds = (driver.OperationalError, driver.InterfaceError, driver.errors.UndefinedTable)
        return isinstance(error, kinds)

    def create_engine(
        self, url: URL, *, writes: bool, pool_size: int, busy_timeout_s: int
    ) -> Engine:
        engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
            connect_args={"connect_timeout": 5, "application_name": "tcgtracker"},
        )

        from tcgtracker.database.dialects import libpq_reads

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, record: Any) -> None:
            connection.read_only = not writes
            with connection.cursor() as cursor:
                cursor.execute("SET TIME ZONE 'UTC'")
                cursor.execute(f"SET lock_timeout = '{busy_timeout_s}s'")
                cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
            connection.commit()
            if not writes:
                record.info[_READER] = libpq_reads.LibpqReader(connection)

        # As SQLAlchemy's own ping before each use and its rollback after it, at a fifth the cost.
        @event.listens_for(engine, "checkout")
        def ping(connection: Any, _record: Any, _proxy: Any) -> None:
            if not libpq_reads.is_alive(connection):
                raise InvalidatePoolError

        @event.listens_for(engine, "rollback")
        def roll_back(connection: Connection) -> None:
            if not connection.invalidated:  # else there is nothing left to end
                libpq_reads.roll_back(_raw(connection))

        return engine

    @contextmanager
    def migrating(
        self,
        url: URL,  # noqa: ARG002 - SQLite needs it
        write: Callable[[], AbstractContextManager[Connection]],
    ) -> Iterator[Connection]:
        with write() as connection:
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            yield connection

    def insert_or_skip(self, table: Table) -> Insert:
        return _insert_or_skip(table)

    def upsert(self, table: Table, key: Sequence[str], update: Sequence[str]) -> Insert:
        return _upsert(table, tuple(key), tuple(update))

    def reserve_ids(self, connection: Connection, table: Table, count: int) -> range | list[int]:
        rows = connection.execute(
            text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :n)"),
            {"name": table.name, "n": count},
        )
        return [int(value) for value in rows.scalars()]

    def bulk_insert(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        with (
            _raw(connection).cursor() as cursor,
            cursor.copy(f"COPY {table} ({','.join(columns)}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def insert_history(self, connection: Connection, table: str, rows: HistoryRows) -> None:
        data = encode_history(rows)
        statement = f"COPY {table} ({','.join(_HISTORY_COLUMNS)}) FROM STDIN (FORMAT binary)"
        with _raw(connection).cursor() as cursor, cursor.copy(statement) as copy:
            for start in range(0, len(data), _COPY_CHUNK):
                copy.write(data[start : start + _COPY_CHUNK])

    def create_month(self, connection: Connection, month: int) -> None:
        start = f"{month // 100:04d}-{month % 100:02d}-01 00:00:00+00"
        following = month + 89 if month % 100 == 12 else month + 1  # noqa: PLR2004 - December
        end = f"{following // 100:04d}-{following % 100:02d}-01 00:00:00+00"
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MONTH_LOCK})
        connection.exec_driver_sql(
            f"CREATE TABLE IF NOT EXISTS {month_name(month)} PARTITION OF price_history"
            f" FOR VALUES FROM ('{start}') TO ('{end}')"
        )

    def drop_month(self, connection: Connection, month: int) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MONTH_LOCK})
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {month_name(month)}")

    def lock_months(
        self, connection: Connection, months: Sequence[int], *, exclusive: bool
    ) -> None:
        mode = "UPDATE" if exclusive else "KEY SHARE"
        connection.execute(
            text(
                "SELECT month FROM price_months WHERE month = ANY(:months)"
                f" ORDER BY month FOR {mode}"
            ),
            {"months": list(months)},
        )

    def hold_tables(self, connection: Connection, *, exclusive: bool) -> None:
        kind = "" if exclusive else "_shared"
        connection.execute(text(f"SELECT pg_advisory_xact_lock{kind}(:key)"), {"key": _TABLES_LOCK})

    def order_commits(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _COMMIT_LOCK})

    def read_history(
        self, connection: Connection, sql: str, parameters: dict[str, Any]
    ) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]]
        if _READER in connection.info:
            # So that SQLAlchemy ends what the reader begins: psycopg's own rollback would have the
            # server forget the reader's statements.
            connection.get_transaction() or connection.begin()
            rows = connection.info[_READER].read(sql, parameters)
            return rows
        # In binary: as text each blob would come as twice its bytes.
        with _raw(connection).cursor(binary=True) as cursor:
            rows = cursor.execute(_named(sql), parameters).fetchall()
        return rows

    def read_numbers(
        self,
        connection: Connection,
        sql: str,
        names: Sequence[str],
        parameters: dict[str, Any],
    ) -> IntArray:
        rows = self.read_history(connection, sql, parameters)
        count = len(rows) * len(names)
        return np.fromiter(chain.from_iterable(rows), np.int64, count).reshape(-1, len(names))

    def epoch_of(self, column: str) -> str:
        return f"CAST(EXTRACT(EPOCH FROM {column}) AS bigint)"

    def moment(self, parameter: str) -> str:
        return f"to_timestamp(CAST(:{parameter} AS double precision))"

    @contextmanager
    def ids(
        self,
        connection: Connection,  # noqa: ARG002 - SQLite needs it
        ids: IntArray,
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        # No temporary table: readers are in a read-only transaction.
        yield "unnest(CAST(:wanted AS int[])) AS w(id)", {"wanted": np.unique(ids).tolist()}

    def nearest_rows(self, columns: str, table: str, wanted: str, *, before: bool) -> str:
        # LATERAL with LIMIT is one index probe a series; with max() it was a probe a row.
        compare, order = ("<=", "DESC") if before else (">", "ASC")
        return (
            f"SELECT {columns} FROM {wanted} CROSS JOIN LATERAL"
            f" (SELECT * FROM {table} i WHERE i.series_id = w.id"
            f" AND i.observed_at {compare} {self.moment('at')}"
            f" ORDER BY i.observed_at {order}, i.revision DESC LIMIT 1) h"
        )

    def data_version(self, connection: Connection) -> int | str:
        # Which transactions count as committed, of all databases of the server: on a shared one
        # it moves more often than our data does. The write-ahead log would not do: its commit
        # record is there before the commit can be seen.
        return str(connection.execute(text("SELECT pg_current_snapshot()::text")).scalar_one())

    def now(self, connection: Connection) -> datetime:
        found: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return found.astimezone(UTC)

    def durability_problems(self, connection: Connection) -> list[str]:
        wanted = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
        found = {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in wanted}
        return [
            f"PostgreSQL {name} is {found[name]}, wanted {value}"
            for name, value in wanted.items()
            if found[name] != value
        ]

    def check_constraints(self, connection: Connection, table: str) -> dict[str, str]:
        return {
            str(check["name"]): check["sqltext"]
            for check in inspect(connection).get_check_constraints(table)
        }

    def size_bytes(self, connection: Connection, tables: Sequence[str]) -> int:
        total = 0
        for table in tables:
            total += connection.execute(
                text("SELECT coalesce(pg_total_relation_size(to_regclass(:name)), 0)"),
                {"name": table},
            ).scalar_one()
        return total


@lru_cache(maxsize=1024)
def _named(sql: str) -> str:
    """Return SQL with psycopg's marks for parameters instead of `:name`."""
    return re.sub(r":(\w+)", r"%(\1)s", sql)


@lru_cache(maxsize=256)
def _insert_or_skip(table: Table) -> Insert:
    return insert(table).on_conflict_do_nothing()


@lru_cache(maxsize=256)  # building the statement costs as much as running it
def _upsert(table: Table, key: tuple[str, ...], update: tuple[str, ...]) -> Insert:
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(key), set_={name: statement.excluded[name] for name in update}
    )


def _driver() -> Any:
    import psycopg  # of the extra `server`: not there where only SQLite is used

    return psycopg


def _raw(connection: Connection) -> Any:
    return connection.connection.driver_connection


def encode_history(rows: HistoryRows) -> bytes:
    """Return history rows in COPY's binary format (PostgreSQL manual, "COPY", file formats)."""
    count = len(rows)
    present = rows.values >= 0
    fields = len(_HISTORY_COLUMNS)
    # field count (2), then a length (4) and the bytes of each field; an absent value has no bytes
    fixed = 2 + 4 * fields + 8 + 4 + 2 + 2
    lengths = fixed + 4 * present.sum(axis=1)
    ends = np.cumsum(lengths)
    out = np.empty(int(ends[-1]) if count else 0, np.uint8)
    at = ends - lengths
    microseconds = (rows.observed_at - _PG_EPOCH_S) * 1_000_000
    head = np.empty((count, 2 + 12 + 8 + 6 + 6), np.uint8)
    head[:, 0:2] = _big_endian(np.full(count, fields), 2)
    head[:, 2:6] = _big_endian(np.full(count, 8), 4)
    head[:, 6:14] = _big_endian(microseconds, 8)
    head[:, 14:18] = _big_endian(np.full(count, 4), 4)
    head[:, 18:22] = _big_endian(rows.series_id, 4)
    head[:, 22:26] = _big_endian(np.full(count, 2), 4)
    head[:, 26:28] = _big_endian(rows.revision, 2)
    head[:, 28:32] = _big_endian(np.full(count, 2), 4)
    head[:, 32:34] = _big_endian(rows.state, 2)
    out[at[:, None] + np.arange(head.shape[1])] = head
    at = at + head.shape[1]
    for column in range(rows.values.shape[1]):
        has = present[:, column]
        out[at[:, None] + np.arange(4)] = _big_endian(np.where(has, 4, -1), 4)
        at = at + 4
        out[at[has][:, None] + np.arange(4)] = _big_endian(rows.values[has, column], 4)
        at = at + 4 * has
    return _COPY_HEADER + out.tobytes() + _COPY_END


def _big_endian(values: IntArray, width: int) -> NDArray[np.uint8]:
    return values.astype(f">i{width}").view(np.uint8).reshape(-1, width)
