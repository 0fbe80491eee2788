"""What keeps the databases from being used, in words that tell an outsider nothing of them."""

from dataclasses import dataclass

import structlog

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import require_current
from tcgtracker.domain.errors import StorageError
from tcgtracker.tracker import Tracker

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that failed, and what the operator may know of it without reading the log."""

    check: str
    message: str


def check_databases(tracker: Tracker) -> list[Failure]:
    """Return what keeps the databases of a tracker from being used."""
    databases = {"database": tracker.database}
    if tracker.history is not tracker.database:
        databases["history"] = tracker.history
    return [item for name, one in databases.items() for item in check_database(name, one)]


def check_database(name: str, database: Database) -> list[Failure]:
    """Return what keeps a database from being used: no answer, another schema, weak durability."""
    if database.path is not None and not database.path.exists():
        return [Failure(name, "there is no database: run 'tcgtracker db upgrade'")]
    try:
        with database.read() as connection:
            problems = database.dialect.durability_problems(connection)
    except StorageError as exc:
        log.warning("readiness.database_failed", database=name, error=str(exc))
        return [Failure(name, "does not answer; the log says why")]
    failures = [Failure(f"{name} durability", problem) for problem in problems]
    try:
        require_current(database)
    except StorageError as exc:
        failures.append(Failure(f"{name} schema", str(exc)))
    return failures
