"""One database: its engine, its dialect, and the two ways in (a reader and a writer)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.dialects.postgresql import PostgresqlDialect
from tcgtracker.database.dialects.sqlite import SqliteDialect
from tcgtracker.domain.errors import InvalidInput, StorageError

_DIALECTS: dict[str, type[DatabaseDialect]] = {
    "sqlite": SqliteDialect,
    "postgresql": PostgresqlDialect,
}
_BY_NAME = {name: make() for name, make in _DIALECTS.items()}


class Database:
    """Opens nothing until it is used; `close` gives the connections back.

    Raises:
        InvalidInput: the URL is not of a database that we know.
    """

    def __init__(self, url: str, *, pool_size: int = 10, busy_timeout_s: int = 15) -> None:
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
        self._engines: dict[bool, Engine] = {}

    @property
    def path(self) -> Path | None:
        """The file of a SQLite database."""
        return (
            Path(self.url.database) if self.dialect.name == "sqlite" and self.url.database else None
        )

    def engine(self, *, writes: bool) -> Engine:
        if writes not in self._engines:
            self._engines[writes] = self.dialect.create_engine(
                self.url,
                writes=writes,
                pool_size=self._pool_size,
                busy_timeout_s=self._busy_timeout_s,
            )
        return self._engines[writes]

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state and cannot write.

        Raises:
            StorageError: the database does not answer.
        """
        with _translated(self), self.engine(writes=False).connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction: committed at the end, rolled back on an exception.

        Raises:
            StorageError: the database does not answer or the file is not a database.
        """
        with _translated(self), self.engine(writes=True).begin() as connection:
            yield connection

    def close(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


def dialect_of(connection: Connection) -> DatabaseDialect:
    """Return the dialect of a connection of ours."""
    return _BY_NAME[connection.dialect.name]


@contextmanager
def _translated(database: Database) -> Iterator[None]:
    """Turn what a driver says of a database that cannot be used into our error.

    Bulk statements go to the driver directly, so its own errors come beside SQLAlchemy's.
    """
    try:
        yield
    except DBAPIError as exc:
        if (mend := _mend(database, exc.orig)) is None:
            raise
        raise StorageError(mend) from exc
    except database.dialect.driver_errors as exc:
        if (mend := _mend(database, exc)) is None:
            raise
        raise StorageError(mend) from exc


def _mend(database: Database, error: BaseException | None) -> str | None:
    """Return what to tell the operator, None for an error that is a fault of the program."""
    where = database.path or database.url.render_as_string(hide_password=True)
    lines = str(error).strip().splitlines()
    said = lines[0] if lines else type(error).__name__
    if "malformed" in said or "not a database" in said:
        return (
            f"database {where}: {said}; it is left as it is: restore a backup or name another"
            " file in DB_URL"
        )
    if database.dialect.is_unavailable(error):
        return f"database {where}: {said}"
    return None
