"""The wired program: what every face and every job receives. It builds nothing."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from tcgtracker.config import Settings
from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import UnitOfWork, unit_of_work
from tcgtracker.domain.clock import Clock


@dataclass(slots=True)
class Tracker:
    """Settings, clock, databases and services of one process."""

    settings: Settings
    clock: Clock
    database: Database
    history: Database

    def unit_of_work(self) -> AbstractContextManager[UnitOfWork]:
        """Return a transaction: committed at the end of the block, rolled back when it raises."""
        return unit_of_work(self.database, self.history)

    def close(self) -> None:
        self.database.close()
        self.history.close()
