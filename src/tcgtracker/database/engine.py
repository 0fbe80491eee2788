"""One database: its engine, its dialect, and the two ways in (a reader and a writer)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from tcgtracker.database.dialects.base import AT_ONCE, DatabaseDialect
from tcgtracker.database.dialects.postgresql import PostgresqlDialect
from tcgtracker.database.dialects.sqlite import SqliteDialect
from tcgtracker.domain.errors import Busy, Deadlock, InvalidInput, StorageError
from tcgtracker.runtime.metrics import Metrics

_DIALECTS: dict[str, type[DatabaseDialect]] = {
    "sqlite": SqliteDialect,
    "postgresql": PostgresqlDialect,
}
_BY_NAME = {name: make() for name, make in _DIALECTS.items()}

Fence: TypeAlias = Callable[[Connection], None]


class Database:
    """Opens nothing until it is used; `close` gives the connections back.

    pool: the name of its connections in the metrics.

    Raises:
        InvalidInput: the URL is not of a database that we know.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        busy_timeout_s: int = 15,
        metrics: Metrics | None = None,
        pool: str = "main",
    ) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as exc:
            raise InvalidInput(f"{url!r} is not a database URL") from exc
        name = parsed.get_backend_name()
        if name not in _DIALECTS:
            raise InvalidInput(
                f"{name} is not supported: use sqlite:///FILE or postgresql+psycopg://..."
            )
        if name == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        elif parsed.database in (None, "", ":memory:"):
            raise InvalidInput("SQLite needs a file: sqlite:///FILE")
        self.url = parsed
        self.dialect: DatabaseDialect = _DIALECTS[name]()
        self._pool_size = pool_size
        self._busy_timeout_s = busy_timeout_s
        self._metrics = metrics
        self._pool = pool
        self._engines: dict[bool, Engine] = {}
        self._making = threading.Lock()
        self._fences = threading.local()

    @property
    def path(self) -> Path | None:
        """The file of a SQLite database."""
        return (
            Path(self.url.database) if self.dialect.name == "sqlite" and self.url.database else None
        )

    def engine(self, *, writes: bool) -> Engine:
        if (known := self._engines.get(writes)) is not None:
            return known
        with self._making:  # threads that come first together share one pool
            if writes not in self._engines:
                made = self.dialect.create_engine(
                    self.url,
                    writes=writes,
                    pool_size=self._pool_size,
                    busy_timeout_s=self._busy_timeout_s,
                )
                if self._metrics is not None:
                    _watch(made, self._metrics, self._pool, 2 * self._pool_size)
                self._engines[writes] = made
            return self._engines[writes]

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state and cannot write.

        Raises:
            StorageError: the database does not answer.
        """
        with self.translated(), self.engine(writes=False).connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction: committed at the end, rolled back on an exception.

        Raises:
            StorageError: the database does not answer or the file is not a database.
        """
        with self._writing(self.engine(writes=True)) as connection:
            yield connection

    @contextmanager
    def write_at_once(self) -> Iterator[Connection]:
        """As `write`, for what another moment does as well: it waits in no line of writers.

        Raises:
            Busy: somebody else writes now; only where there is one writer at a time.
            StorageError: as `write`.
        """
        engine = self.engine(writes=True).execution_options(**{AT_ONCE: True})
        with self._writing(engine) as connection:
            yield connection

    @contextmanager
    def _writing(self, engine: Engine) -> Iterator[Connection]:
        with self.translated(), engine.begin() as connection:
            fence: Fence | None = getattr(self._fences, "fence", None)
            if fence is not None:
                fence(connection)
            yield connection

    @contextmanager
    def fenced(self, fence: Fence) -> Iterator[None]:
        """Begin each write transaction of this thread with `fence`, which refuses it by raising."""
        before = getattr(self._fences, "fence", None)
        self._fences.fence = fence
        try:
            yield
        finally:
            self._fences.fence = before

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what a driver says of a database that cannot be used into our error.

        Bulk statements go to the driver directly, so its own errors come beside SQLAlchemy's.
        """
        try:
            yield
        except DBAPIError as exc:
            if (mended := _mended(self, exc.orig)) is None:
                raise
            raise mended from exc
        except self.dialect.driver_errors as exc:
            if (mended := _mended(self, exc)) is None:
                raise
            raise mended from exc

    def close(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


def _watch(engine: Engine, metrics: Metrics, name: str, most: int) -> None:
    """Let the gauges follow the pool; `most` connections come on top of each other at most."""
    in_use = metrics.pool_in_use.labels(name)
    metrics.pool_size.labels(name).inc(most)

    def out(*_: object) -> None:
        in_use.inc()

    def back(*_: object) -> None:
        in_use.dec()

    event.listen(engine, "checkout", out)
    event.listen(engine, "checkin", back)


def dialect_of(connection: Connection) -> DatabaseDialect:
    """Return the dialect of a connection of ours."""
    return _BY_NAME[connection.dialect.name]


def _mended(database: Database, error: BaseException | None) -> StorageError | None:
    """Return what tells the operator, None for an error that is a fault of the program."""
    where = database.path or database.url.render_as_string(hide_password=True)
    lines = str(error).strip().splitlines()
    said = lines[0] if lines else type(error).__name__
    if "malformed" in said or "not a database" in said:
        return StorageError(
            f"database {where}: {said}; it is left as it is: restore a backup or name another"
            " file in DB_URL"
        )
    if database.dialect.is_deadlock(error):
        return Deadlock(f"database {where}: {said}")
    if database.dialect.is_busy(error):
        return Busy(f"database {where}: {said}")
    if database.dialect.is_unavailable(error):
        return StorageError(f"database {where}: {said}")
    return None
