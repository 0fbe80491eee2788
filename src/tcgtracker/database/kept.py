"""A connection for reads that stays open between them: taking one anew costs as much as a read."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tcgtracker.database.engine import Database


class KeptReader:
    """Reads of one database, one after the other: for a single thread, as an event loop is.

    Each read is a transaction of its own: between reads nothing is held but the open connection.
    After an error of the database the next read begins with a new one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state and cannot write.

        Raises:
            StorageError: the database does not answer.
        """
        with self._database.translated():
            if self._connection is None:
                self._connection = self._database.engine(writes=False).connect()
            try:
                try:
                    yield self._connection
                finally:
                    self._connection.rollback()
            except (DBAPIError, self._database.dialect.driver_errors):
                self._connection.invalidate()
                self.close()
                raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
