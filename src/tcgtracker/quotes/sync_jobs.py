"""Background work that keeps the catalog and the bulk sources up to date."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import Conflict, InvalidInput
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.registry import Handler, Job
from tcgtracker.quotes.bulk_sync import BulkSync
from tcgtracker.quotes.sync import CatalogSync
from tcgtracker.quotes.sync_report import SyncReport

SYNC_SETS = "sync_tcg_sets"
SYNC_VENDOR_SETS = "sync_vendor_sets"
SYNC_CARDS = "sync_card_data"
SYNC_PRICECHARTING = "sync_pricecharting_data"
SYNC_TCGCSV = "sync_tcgcsv"
RETRY_DELAY = timedelta(seconds=300)
_RETRIES = 3
_ATTEMPTS = 1 + _RETRIES


def jobs(
    database: Database,
    clock: Clock,
    *,
    catalog: CatalogSync,
    bulk: BulkSync,
    queue: Callable[[], JobQueue],
) -> list[Job]:
    """Return the jobs that synchronise.

    queue: gives the queue, which is made after the registry that these jobs are in.
    """
    work = _SyncJobs(database, clock, catalog, bulk, queue)

    def job(
        name: str, handler: Handler, *, at: time | None = None, max_attempts: int = _ATTEMPTS
    ) -> Job:
        return Job(
            name=name,
            handler=handler,
            at=at,
            max_attempts=max_attempts,
            retry_delay=RETRY_DELAY,
            retry_on=(Conflict,),
        )

    return [
        job(SYNC_SETS, work.sets, at=time(2)),
        job(SYNC_VENDOR_SETS, work.vendor_sets, max_attempts=_RETRIES),
        job(SYNC_CARDS, work.cards),
        job(SYNC_PRICECHARTING, work.pricecharting, at=time(3)),
        # vendors/tcgcsv.md section 2: the files are built around 20:00 UTC.
        job(SYNC_TCGCSV, work.tcgcsv, at=time(20, 20)),
    ]


class _SyncJobs:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        catalog: CatalogSync,
        bulk: BulkSync,
        queue: Callable[[], JobQueue],
    ) -> None:
        self._database = database
        self._clock = clock
        self._catalog = catalog
        self._bulk = bulk
        self._queue = queue

    def sets(self, job: JobContext) -> dict[str, Any]:
        """Synchronise all; what failed is repeated alone, unless nothing worked."""
        report = self._catalog.checking(job.check).sets(_text(job, "game"))
        if report.nothing_worked:
            report.raise_failure()
        first = self._clock.now() + RETRY_DELAY
        with unit_of_work(self._database, self._database) as uow:
            for one in report.failures:
                if one.worth_repeating:
                    self._queue().enqueue(
                        uow,
                        SYNC_VENDOR_SETS,
                        {"vendor": one.vendor, "game": one.game},
                        run_at=max(first, one.not_before or first),
                        dedupe_key=f"{SYNC_VENDOR_SETS}:{one.vendor}:{one.game}",
                        parent_id=job.job_id,
                    )
        return report.as_dict()

    def vendor_sets(self, job: JobContext) -> dict[str, Any]:
        """Synchronise the sets of one vendor and game."""
        game, vendor = _text(job, "game"), _text(job, "vendor")
        return _whole(self._catalog.checking(job.check).sets(game, vendor=vendor))

    def cards(self, job: JobContext) -> dict[str, Any]:
        set_id = job.args.get("set_id")
        if not isinstance(set_id, int) or isinstance(set_id, bool):
            raise InvalidInput(f"{job.name}: set_id is a number")
        return _whole(self._catalog.checking(job.check).cards(set_id))

    def pricecharting(self, job: JobContext) -> dict[str, Any]:
        force = job.args.get("force") is True
        return _whole(self._bulk.checking(job.check).pricecharting(_text(job, "game"), force=force))

    def tcgcsv(self, job: JobContext) -> dict[str, Any]:
        return _whole(self._bulk.checking(job.check).tcgcsv(_text(job, "game")))


def _whole(report: SyncReport) -> dict[str, Any]:
    """Return the report, or raise what failed: a repetition skips what has succeeded."""
    report.raise_failure()
    return report.as_dict()


def _text(job: JobContext, name: str) -> str | None:
    value = job.args.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"{job.name}: {name} is a text")
    return value
