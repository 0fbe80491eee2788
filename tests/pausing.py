"""Processes that are stopped in the middle of their work."""

import os
import signal

from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import StorageError
from tests.unit.operations.kit import wait_until


def pause_between_writes(pid: int, database_url: str) -> None:
    """Stop a process, but not while it holds the database: on SQLite that would stop everybody."""
    impatient = Database(database_url, busy_timeout_s=0)

    def paused() -> bool:
        os.kill(pid, signal.SIGSTOP)
        try:
            with impatient.write():
                return True
        except StorageError:
            os.kill(pid, signal.SIGCONT)
            return False

    wait_until(paused, limit_s=2)
    impatient.close()
