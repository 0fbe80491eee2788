"""What each database must offer beside plain SQL."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Insert, Table
from sqlalchemy.engine import URL

AT_ONCE = "tcgtracker_at_once"
"""Option of a connection whose write transactions begin now or not at all."""
IntArray = NDArray[np.int64]


class DatabaseDialect(Protocol):
    """Engine set-up, bulk load and the manager of month tables."""

    name: ClassVar[str]

    @property
    def driver_errors(self) -> type[Exception]:
        """The base of the driver's errors."""
        ...

    @property
    def integrity_error(self) -> type[Exception]:
        """What the driver raises, in statements handed to it directly, for a row that may not be.

        As when another transaction has just written the same key.
        """
        ...

    def is_deadlock(self, error: BaseException | None) -> bool:
        """Tell whether the database gave a transaction up so that another can go on."""
        ...

    def is_busy(self, error: BaseException | None) -> bool:
        """Tell whether another writer was waited for in vain."""
        ...

    def is_unavailable(self, error: BaseException | None) -> bool:
        """Tell whether a driver's error is of the database's state and not of our statement."""
        ...

    def create_engine(
        self, url: URL, *, writes: bool, pool_size: int, busy_timeout_s: int
    ) -> Engine:
        """Return an engine whose transactions suit reading or writing."""
        ...

    @contextmanager
    def migrating(
        self, url: URL, write: Callable[[], AbstractContextManager[Connection]]
    ) -> Iterator[Connection]:
        """Give the transaction of the one migrator that is let in; the others wait."""
        ...

    def insert_or_skip(self, table: Table) -> Insert:
        """Return an INSERT that leaves rows alone that exist already."""
        ...

    def upsert(self, table: Table, key: Sequence[str], update: Sequence[str]) -> Insert:
        """Return an INSERT that overwrites the columns `update` of a row with the same `key`."""
        ...

    def reserve_ids(self, connection: Connection, table: Table, count: int) -> range | list[int]:
        """Return ids of `table` that nobody else will get, inside the caller's transaction."""
        ...

    def bulk_insert(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
    ) -> None:
        """Insert many rows of database values (no type conversion by SQLAlchemy)."""
        ...

    def insert_history(self, connection: Connection, table: str, rows: "HistoryRows") -> None:
        """Append history rows, sorted by their key, to a month table or `price_late`."""
        ...

    def create_month(self, connection: Connection, month: int) -> None:
        """Make the table of a month if it is not there."""
        ...

    def drop_month(self, connection: Connection, month: int) -> None:
        """Drop the table of a month if it is there."""
        ...

    def lock_months(
        self, connection: Connection, months: Sequence[int], *, exclusive: bool
    ) -> None:
        """Hold the rows of `price_months` still: shared for intake, alone for sealing."""
        ...

    def hold_tables(self, connection: Connection, *, exclusive: bool) -> None:
        """Keep month tables from being dropped (shared), or keep those away who need that (alone).

        The first lock of a transaction: what holds others and then waits for this one deadlocks.
        """
        ...

    def order_commits(self, connection: Connection) -> None:
        """Let transactions that call this commit in the order of their calls.

        Without it a cursor over ascending ids could pass an id that is committed later.
        """
        ...

    def read_history(
        self, connection: Connection, sql: str, parameters: dict[str, Any]
    ) -> list[tuple[Any, ...]]:
        """Run a SELECT and return plain tuples, times as epoch seconds."""
        ...

    def read_numbers(
        self,
        connection: Connection,
        sql: str,
        names: Sequence[str],
        parameters: dict[str, Any],
    ) -> IntArray:
        """Run a SELECT of whole numbers, none NULL, and return them as a table.

        names: of the columns, as the SELECT gives them.
        """
        ...

    def epoch_of(self, column: str) -> str:
        """Return SQL that gives a column of type UtcSeconds as epoch seconds."""
        ...

    def moment(self, parameter: str) -> str:
        """Return SQL that turns an epoch-seconds parameter into a value of type UtcSeconds."""
        ...

    @contextmanager
    def ids(self, connection: Connection, ids: IntArray) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give a FROM item `w(id)` of the ids, and the parameters that it needs."""
        ...

    def nearest_rows(self, columns: str, table: str, wanted: str, *, before: bool) -> str:
        """Return SQL for the row nearest to `:at` of each series of `wanted`.

        columns: a select list over `h`. before: the newest at or before the moment, else the
        oldest after it. All revisions of the moment, or only the highest.
        """
        ...

    def data_version(self, connection: Connection) -> int | str:
        """Return what differs after every commit of another connection to this database.

        It may differ without one. Values of two connections do not compare.
        """
        ...

    def now(self, connection: Connection) -> datetime:
        """Return the clock of the machine that the database is on, aware UTC."""
        ...

    def durability_problems(self, connection: Connection) -> list[str]:
        """Return what would lose an acknowledged write on a power cut."""
        ...

    def check_constraints(self, connection: Connection, table: str) -> dict[str, str]:
        """Return the CHECK constraints of a table: name to SQL."""
        ...

    def size_bytes(self, connection: Connection, tables: Sequence[str], /) -> int:
        """Return the bytes of the tables with their indexes."""
        ...


class HistoryRows:
    """History rows as columns. `values` is (n, 5) minor units, -1 where there is none."""

    __slots__ = ("observed_at", "revision", "series_id", "state", "values")

    def __init__(
        self,
        series_id: IntArray,
        observed_at: IntArray,
        revision: IntArray,
        state: IntArray,
        values: IntArray,
    ) -> None:
        self.series_id = series_id
        self.observed_at = observed_at
        self.revision = revision
        self.state = state
        self.values = values

    def __len__(self) -> int:
        return len(self.series_id)

    def select(self, chosen: NDArray[Any]) -> "HistoryRows":
        """Return the rows that a mask or an index array names."""
        return HistoryRows(
            self.series_id[chosen],
            self.observed_at[chosen],
            self.revision[chosen],
            self.state[chosen],
            self.values[chosen],
        )

    def between(self, start: int, end: int) -> "HistoryRows":
        """Return the rows of a range of places, not copied."""
        return HistoryRows(
            self.series_id[start:end],
            self.observed_at[start:end],
            self.revision[start:end],
            self.state[start:end],
            self.values[start:end],
        )

    def sorted_by_key(self) -> "HistoryRows":
        ids, at = self.series_id, self.observed_at
        if (ids[1:] > ids[:-1]).all():  # as rows of one look mostly come
            return self
        if (ids == ids[0]).all() and (at[1:] > at[:-1]).all():  # as one series is read
            return self
        return self.select(np.lexsort((self.revision, self.observed_at, self.series_id)))

    @classmethod
    def concatenate(cls, parts: "Sequence[HistoryRows]") -> "HistoryRows":
        if not parts:
            empty = np.empty(0, np.int64)
            return cls(empty, empty, empty, empty, np.empty((0, 5), np.int64))
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.series_id for part in parts]),
            np.concatenate([part.observed_at for part in parts]),
            np.concatenate([part.revision for part in parts]),
            np.concatenate([part.state for part in parts]),
            np.concatenate([part.values for part in parts]),
        )
