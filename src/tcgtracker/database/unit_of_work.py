"""One transaction per request or per page of a job; what must follow the commit follows it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import Deadlock

log = structlog.get_logger(__name__)

_T = TypeVar("_T")


@dataclass(slots=True)
class UnitOfWork:
    """`connection` is the main database, `history` the price history's (often the same one)."""

    connection: Connection
    history: Connection
    _after_commit: list[Callable[[], None]] = field(default_factory=list)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run the action once the transaction is committed, never when it is rolled back."""
        self._after_commit.append(action)


@contextmanager
def unit_of_work(database: Database, history: Database) -> Iterator[UnitOfWork]:
    """Commit at the end of the block, roll back when it raises."""
    with database.write() as connection:
        if history is database:
            uow = UnitOfWork(connection, connection)
            yield uow
        else:
            with history.write() as history_connection:
                uow = UnitOfWork(connection, history_connection)
                yield uow
    for action in uow._after_commit:
        action()


def repeated(
    act: Callable[[], _T], *, on: tuple[type[Exception], ...] = (), attempts: int = 3
) -> _T:
    """Return what a whole transaction returns; run it again when another one was in its way.

    on: what says so beside a deadlock. The last refusal is raised as it is.
    """
    refusals: tuple[type[Exception], ...] = (Deadlock, *on)
    for _ in range(attempts - 1):
        try:
            return act()
        except refusals as exc:
            log.info("transaction.repeated", reason=str(exc))
    return act()
