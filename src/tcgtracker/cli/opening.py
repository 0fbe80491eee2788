"""The tracker that a command works with: opened late, closed always."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tcgtracker.domain.errors import StorageError

if TYPE_CHECKING:  # heavy imports, wanted when a command runs and not for its help
    from tcgtracker.config import Settings
    from tcgtracker.database.engine import Database
    from tcgtracker.tracker import Tracker


@contextmanager
def open_tracker(
    settings: "Settings | None" = None, *, require_current: bool = True, quiet: bool = False
) -> "Iterator[Tracker]":
    """Give a tracker on the configured databases.

    quiet: log no news, for a command whose own report says what it did.

    Raises:
        InvalidInput: the configuration is wrong.
        StorageError: with `require_current`, a database is missing or of another schema.
    """
    from tcgtracker.bootstrap import build_tracker
    from tcgtracker.config import Settings
    from tcgtracker.runtime.logging import configure_logging

    settings = settings or Settings()
    level = settings.app.log_level
    configure_logging(level="WARNING" if quiet and level == "INFO" else level)
    if settings.app.log_level != "DEBUG":
        logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells each step as news
    tracker = build_tracker(settings)
    try:
        if require_current:
            for database in databases(tracker):
                require_usable(database)
        yield tracker
    finally:
        tracker.close()


def databases(tracker: "Tracker") -> "list[Database]":
    """Return the databases, each once."""
    if tracker.history is tracker.database:
        return [tracker.database]
    return [tracker.database, tracker.history]


def require_existing(database: "Database") -> None:
    """Refuse a SQLite file that is not there, which opening would create.

    Raises:
        StorageError: says which command makes it.
    """
    if database.path is not None and not database.path.exists():
        raise StorageError(f"there is no database {database.path}: run 'tcgtracker db upgrade'")


def require_usable(database: "Database") -> None:
    """Refuse a database that is missing or of another schema.

    Raises:
        StorageError: says which command mends it.
    """
    from tcgtracker.database.migrate import require_current

    require_existing(database)
    require_current(database)
