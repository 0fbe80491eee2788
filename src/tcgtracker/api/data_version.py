"""Whether the data changed: a thread asks twice a second, so that no request has to.

What it watches changes with every commit of anybody, so what is kept under a version is never
older than the watcher's last look.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import StorageError

log = structlog.get_logger()

POLL_S = 0.5
TRUSTED_S = 1.0
"""A version that was looked at longer ago is not vouched for."""
Version = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    version: Version
    at: float


class DataVersion:
    """The version of some databases as of the last look; `start` and `stop` its thread."""

    def __init__(
        self, databases: list[Database], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._databases = databases
        self._monotonic = monotonic
        self._look: _Look | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._rounds = 0

    def current(self) -> Version | None:
        """Return the version, None when nobody has looked within the last second."""
        look = self._look
        if look is None or self._monotonic() - look.at > TRUSTED_S:
            return None
        return look.version

    def start(self) -> None:
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name="data-version", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._look = None

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._watch()
            except (StorageError, SQLAlchemyError) as exc:
                # Without a version nothing is answered from memory: slower, never wrong.
                self._look = None
                log.warning("data_version.failed", error=str(exc))
            self._stopped.wait(POLL_S)

    def _watch(self) -> None:
        """Look again and again on connections that are kept, since SQLite counts for each."""
        self._rounds += 1  # a new connection counts anew
        with ExitStack() as stack:
            kept = [(one, stack.enter_context(one.read())) for one in self._databases]
            while not self._stopped.is_set():
                at = self._monotonic()
                found = [one.dialect.data_version(connection) for one, connection in kept]
                for _, connection in kept:
                    _end(connection)
                self._look = _Look((self._rounds, *found), at)
                self._stopped.wait(POLL_S)


def _end(connection: Connection) -> None:
    """End the transaction: it would hold back the clean-up of both databases."""
    connection.rollback()
