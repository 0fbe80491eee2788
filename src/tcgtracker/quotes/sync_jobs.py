"""Background work that keeps the catalog and the bulk sources up to date."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState
from tcgtracker.database.tables.operations import jobs as jobs_table
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import Conflict, InvalidInput
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.registry import Handler, Job
from tcgtracker.operations.rows import IS_OPEN
from tcgtracker.quotes.bulk_sync import BulkSync
from tcgtracker.quotes.sync import CatalogSync
from tcgtracker.quotes.sync_report import SyncReport

SYNC_SETS = "sync_tcg_sets"
SYNC_VENDOR_SETS = "sync_vendor_sets"
SYNC_CARDS = "sync_card_data"
SYNC_PRICECHARTING = "sync_pricecharting_data"
SYNC_TCGCSV = "sync_tcgcsv"
MOST_SETS = 50
"""Sets whose cards one synchronisation of sets asks for; the next one goes on."""
AFTER_FAILURE = timedelta(days=3)
"""For so long a set that could not be taken in leaves its turn to others."""
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
            # somebody else made the same claim, link or card just now
            retry_on=(Conflict, IntegrityError),
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
        self._enqueue_cards(job)
        return report.as_dict()

    def vendor_sets(self, job: JobContext) -> dict[str, Any]:
        """Synchronise the sets of one vendor and game."""
        game, vendor = _text(job, "game"), _text(job, "vendor")
        done = _whole(self._catalog.checking(job.check).sets(game, vendor=vendor))
        self._enqueue_cards(job)
        return done

    def _enqueue_cards(self, job: JobContext) -> None:
        """Ask for the cards of the newest sets that are due, some at a time.

        What an open job does is not asked for again, nor what one failed at in the last days.
        """
        due = self._catalog.due_sets(_text(job, "game"))
        with unit_of_work(self._database, self._database) as uow:
            rows = uow.connection.execute(
                select(jobs_table.c.args).where(
                    jobs_table.c.name == SYNC_CARDS,
                    or_(
                        IS_OPEN,
                        (jobs_table.c.state == JobState.DEAD)
                        & (jobs_table.c.created_at > self._clock.now() - AFTER_FAILURE),
                    ),
                )
            )
            taken = {args.get("set_id") for args in rows.scalars()}
            wanted = [one.known.set_id for one in due if one.known.set_id not in taken]
            for set_id in wanted[:MOST_SETS]:
                self._queue().enqueue(
                    uow,
                    SYNC_CARDS,
                    {"set_id": set_id},
                    dedupe_key=f"{SYNC_CARDS}:{set_id}",
                    parent_id=job.job_id,
                )

    def cards(self, job: JobContext) -> dict[str, Any]:
        """Take in the cards of a set where they are due; `all` asks every vendor again."""
        set_id = job.args.get("set_id")
        if not isinstance(set_id, int) or isinstance(set_id, bool):
            raise InvalidInput(f"{job.name}: set_id is a number")
        due = job.args.get("all") is not True
        return _whole(self._catalog.checking(job.check).cards(set_id, due=due))

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
