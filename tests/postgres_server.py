"""A PostgreSQL server of one test's own, which may be killed, stopped and restarted at once."""

import signal
from pathlib import Path

from tcgtracker.cli.own_servers import OwnPostgres
from tcgtracker.domain.errors import StorageError
from tests.conftest import skip_or_fail


class PostgresServer(OwnPostgres):
    """A running server in `folder`, whose parents must let everybody pass."""

    def __init__(self, folder: Path) -> None:
        try:
            super().__init__(folder)
        except StorageError as exc:
            skip_or_fail(str(exc))
        self.start()

    def restart_immediately(self) -> None:
        """Restart without a word to anybody, as `pg_ctl restart -m immediate`; it recovers."""
        self.send(signal.SIGQUIT)
        self.ended()
        self.start()

    def hang(self) -> None:
        """Stop the main process, which takes new connections; those that are there go on."""
        self.send(signal.SIGSTOP)

    def wake(self) -> None:
        self.send(signal.SIGCONT)
