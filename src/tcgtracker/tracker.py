"""The wired program: what every face and every job receives. It builds nothing."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tcgtracker.accounts.door import Door
from tcgtracker.accounts.keys import ApiKeys
from tcgtracker.accounts.service import Accounts
from tcgtracker.catalog.search.store import CardSearch
from tcgtracker.config import Settings
from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import UnitOfWork, unit_of_work
from tcgtracker.domain.clock import Clock
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.quota import Plan
from tcgtracker.operations.registry import JobRegistry
from tcgtracker.operations.runner import LocalRunner
from tcgtracker.operations.scheduler import Scheduler
from tcgtracker.prices.quick import ScopeLooks
from tcgtracker.quotes.bulk_sync import BulkSync
from tcgtracker.quotes.planning import Planner
from tcgtracker.quotes.service import Intake
from tcgtracker.quotes.sync import CatalogSync
from tcgtracker.quotes.update import CardUpdater
from tcgtracker.quotes.vendor_search import VendorSearch
from tcgtracker.quotes.vendors import Vendors
from tcgtracker.runtime.ports import Cache


@dataclass(slots=True)
class Tracker:
    """Settings, clock, databases and services of one process.

    looks: the looks at scopes that reads of the history share. plans: the budgets of the vendors.
    """

    settings: Settings
    clock: Clock
    database: Database
    history: Database
    intake: Intake
    looks: ScopeLooks
    registry: JobRegistry
    queue: JobQueue
    runner: LocalRunner
    scheduler: Scheduler
    cache: Cache
    vendors: Vendors
    plans: Mapping[str, Plan]
    updater: CardUpdater
    planner: Planner
    catalog_sync: CatalogSync
    bulk_sync: BulkSync
    accounts: Accounts
    api_keys: ApiKeys
    door: Door
    search: CardSearch
    vendor_search: VendorSearch

    def unit_of_work(self) -> AbstractContextManager[UnitOfWork]:
        """Return a transaction: committed at the end of the block, rolled back when it raises."""
        return unit_of_work(self.database, self.history)

    def start_jobs(self) -> None:
        """Start the threads that run and schedule jobs.

        Raises:
            StorageError: the database does not answer.
        """
        self.runner.start()
        self.scheduler.start()

    def stop_jobs(self) -> None:
        """Schedule no more, let running jobs end or give them back."""
        self.scheduler.stop()
        self.runner.stop()

    def close(self) -> None:
        self.vendors.close()
        self.cache.close()
        self.database.close()
        self.history.close()
