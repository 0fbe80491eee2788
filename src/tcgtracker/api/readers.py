"""Readers of the main and of the history database that stay open between requests."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from tcgtracker.database.kept import KeptReader
from tcgtracker.tracker import Tracker


class KeptReading:
    """As `Tracker.reading`, with connections that stay open: for reads in the event loop."""

    def __init__(self, tracker: Tracker) -> None:
        self._main = KeptReader(tracker.database)
        separate = tracker.history is not tracker.database
        self._history = KeptReader(tracker.history) if separate else None

    @classmethod
    def of(cls, tracker: Tracker) -> "KeptReading | None":
        """Return them where a read takes about as long as the way to a thread and back."""
        names = {tracker.database.dialect.name, tracker.history.dialect.name}
        return cls(tracker) if names == {"sqlite"} else None

    @contextmanager
    def read(self) -> Iterator[tuple[Connection, Connection]]:
        with self._main.read() as connection:
            if self._history is None:
                yield connection, connection
            else:
                with self._history.read() as history:
                    yield connection, history

    def close(self) -> None:
        self._main.close()
        if self._history is not None:
            self._history.close()
