"""The wired program: what every face and every job receives. It builds nothing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from tcgtracker.accounts.administration import Administration
from tcgtracker.accounts.door import Door
from tcgtracker.accounts.keys import ApiKeys
from tcgtracker.accounts.service import Accounts
from tcgtracker.catalog.search.store import CardSearch
from tcgtracker.config import Settings
from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import UnitOfWork, unit_of_work
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import StorageError
from tcgtracker.operations.bell import Doorbell
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.quota import Plan
from tcgtracker.operations.reconciler import Reconciler
from tcgtracker.operations.registry import JobRegistry
from tcgtracker.operations.runner import LocalRunner
from tcgtracker.operations.samples import load_samples
from tcgtracker.operations.scheduler import Scheduler
from tcgtracker.prices.quick import ScopeLooks
from tcgtracker.quotes.bulk_sync import BulkSync
from tcgtracker.quotes.link_review import LinkReview
from tcgtracker.quotes.notice_keys import NoticeKeys
from tcgtracker.quotes.planning import Planner
from tcgtracker.quotes.service import Intake
from tcgtracker.quotes.sync import CatalogSync
from tcgtracker.quotes.update import CardUpdater
from tcgtracker.quotes.vendor_search import VendorSearch
from tcgtracker.quotes.vendors import Vendors
from tcgtracker.runtime.metrics import Metrics, Sample
from tcgtracker.runtime.ports import Cache

log = structlog.get_logger()


@dataclass(slots=True)
class Tracker:
    """Settings, clock, databases and services of one process.

    looks: the looks at scopes that reads of the history share. plans: the budgets of the vendors.
    reconciler: None where no broker wakes workers.
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
    bell: Doorbell
    scheduler: Scheduler
    reconciler: Reconciler | None
    cache: Cache
    metrics: Metrics
    vendors: Vendors
    plans: Mapping[str, Plan]
    updater: CardUpdater
    planner: Planner
    catalog_sync: CatalogSync
    bulk_sync: BulkSync
    accounts: Accounts
    api_keys: ApiKeys
    door: Door
    administration: Administration
    search: CardSearch
    vendor_search: VendorSearch
    link_review: LinkReview
    notice_keys: NoticeKeys

    def databases(self) -> dict[str, Database]:
        """Return the databases by name, each once."""
        if self.history is self.database:
            return {"main": self.database}
        return {"main": self.database, "history": self.history}

    def render_metrics(self) -> bytes:
        """Return the numbers of this process, with those that the database has."""
        return self.metrics.render(self._samples)

    def _samples(self) -> Sequence[Sample]:
        try:
            with self.database.read() as connection:
                return list(load_samples(connection, self.plans, self.clock))
        except StorageError as exc:
            # What the process counted is told all the same; that these are absent is an alert.
            log.warning("metrics.database_away", error=str(exc))
            return ()

    def unit_of_work(self) -> AbstractContextManager[UnitOfWork]:
        """Return a transaction: committed at the end of the block, rolled back when it raises."""
        return unit_of_work(self.database, self.history)

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, Connection]]:
        """Give readers of the main and of the history database."""
        with self.database.read() as connection:
            if self.history is self.database:
                yield connection, connection
            else:
                with self.history.read() as history:
                    yield connection, history

    def start_jobs(self) -> None:
        """Start the threads that run and schedule jobs.

        Raises:
            StorageError: the database does not answer.
        """
        self.runner.start()
        self.start_scheduling()

    def stop_jobs(self) -> None:
        """Schedule no more, let running jobs end or give them back."""
        self.stop_scheduling()
        self.runner.stop()

    def start_scheduling(self) -> None:
        """Start the threads that write what is due and ring for what was lost."""
        self.scheduler.start()
        if self.reconciler is not None:
            self.reconciler.start()

    def stop_scheduling(self) -> None:
        self.scheduler.stop()
        if self.reconciler is not None:
            self.reconciler.stop()

    def close(self) -> None:
        self.bell.close()
        self.search.finish()
        self.vendors.close()
        self.cache.close()
        self.database.close()
        self.history.close()
