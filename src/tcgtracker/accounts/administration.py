"""What an operator does to the whole installation: every act with its row in the audit log."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from tcgtracker.database.engine import Database
from tcgtracker.database.unit_of_work import UnitOfWork, unit_of_work
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import NotFound
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import source_status
from tcgtracker.operations.audit import Actor, add_audit
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.quota import Plan
from tcgtracker.operations.registry import Job
from tcgtracker.operations.source_status import SourceStatus
from tcgtracker.prices.decisions import reject_hold, release_hold
from tcgtracker.quotes.following import follow
from tcgtracker.quotes.product_import import ImportedProduct, ProductImport
from tcgtracker.quotes.purge import OnProgress, PurgeReport, SourcePurge
from tcgtracker.quotes.runs import LastRun, load_last_runs
from tcgtracker.quotes.vendors import VendorEntry, Vendors

PURGE_JOB = "purge_source"


@dataclass(frozen=True, slots=True)
class SourceOverview:
    """A vendor as configured, how it is as a service, and its newest intake."""

    entry: VendorEntry
    status: SourceStatus
    last_run: LastRun | None


class Administration:
    """Acts of admins and of the command line on one tracker."""

    def __init__(
        self,
        database: Database,
        history: Database,
        clock: Clock,
        *,
        vendors: Vendors,
        plans: Mapping[str, Plan],
        queue: JobQueue,
        purge: SourcePurge,
        imports: ProductImport,
    ) -> None:
        self._database = database
        self._history = history
        self._clock = clock
        self._vendors = vendors
        self._plans = plans
        self._queue = queue
        self._purge = purge
        self._imports = imports

    def sources(self) -> list[SourceOverview]:
        """Return every vendor, in the order in which they are configured."""
        entries = self._vendors.entries()
        plans = {entry.info.vendor: self._plans[entry.info.vendor] for entry in entries}
        with self._database.read() as connection:
            statuses = source_status.load_statuses(connection, plans, self._clock.now())
        with self._history.read() as history:
            runs = load_last_runs(history)
        return [
            SourceOverview(
                entry, status, runs.get(entry.info.source) if entry.info.source else None
            )
            for entry, status in zip(entries, statuses, strict=True)
        ]

    def source(self, name: str) -> SourceOverview:
        """Return one vendor.

        Raises:
            NotFound: there is none of that name.
        """
        self._entry(name)
        return next(one for one in self.sources() if one.entry.info.vendor == name)

    def switch(self, name: str, *, enabled: bool, by: Actor) -> None:
        """Switch a vendor on or off, for all processes, from the next call on.

        Raises:
            NotFound: there is none of that name.
        """
        self._entry(name)
        with self._database.write() as connection:
            source_status.switch(connection, self._database.dialect, name, enabled=enabled)
            self._note(connection, "source.enabled" if enabled else "source.disabled", name, by)

    def resume(self, name: str, *, by: Actor) -> None:
        """Let a vendor be tried again that was stopped or is left alone for its failures.

        Raises:
            NotFound: there is none of that name.
        """
        self._entry(name)
        with self._database.write() as connection:
            source_status.resume(
                connection, self._database.dialect, name, self._plans[name], self._clock.now()
            )
            self._note(connection, "source.resumed", name, by)

    def ask_purge(self, name: str, *, by: Actor) -> JobId:
        """Switch a vendor off and let a job delete what is stored of it; return the job.

        Raises:
            NotFound: there is none of that name.
        """
        self._entry(name)
        with self._work() as uow:
            self._begin_purge(uow.connection, name, by)
            return self._queue.enqueue(
                uow, PURGE_JOB, {"source": name}, dedupe_key=f"{PURGE_JOB}:{name}"
            )

    def purge(self, name: str, *, by: Actor, on_progress: OnProgress | None = None) -> PurgeReport:
        """Switch a vendor off and delete what is stored of it, here and now.

        Raises:
            NotFound: there is none of that name.
        """
        entry = self._entry(name)
        with self._database.write() as connection:
            self._begin_purge(connection, name, by)
        return self._purge.purge(name, entry.info.source, on_progress=on_progress)

    def import_product(
        self, vendor: str, external_id: str, *, game: str, by: Actor
    ) -> ImportedProduct:
        """Take in a product of a vendor, as the vendor says it is.

        Raises:
            NotFound, InvalidInput, Conflict, VendorError: as `ProductImport.take`.
        """
        taken = self._imports.take(vendor, external_id, game=game)
        with self._database.write() as connection:
            self._note(
                connection,
                "product.imported",
                f"{vendor}:{taken.external_id}",
                by,
                {"outcome": taken.outcome.value, "card_id": taken.card_id},
            )
        return taken

    def release_hold(self, hold_id: int, *, by: Actor, name: str) -> None:
        """Let a held price into the history; `name` is kept with it.

        Raises:
            NotFound: there is no such hold.
            Conflict: it was decided already.
        """
        with self._work() as uow:
            now = self._clock.now()
            release_hold(uow.history, self._history.dialect, hold_id, by=name, now=now)
            self._note(uow.connection, "hold.released", str(hold_id), by)
        follow(self._database, self._history, clock=self._clock)

    def reject_hold(self, hold_id: int, *, by: Actor, name: str) -> None:
        """Keep a held price out of the history for good; `name` is kept with it.

        Raises:
            NotFound: there is no such hold.
            Conflict: it was decided already.
        """
        with self._work() as uow:
            reject_hold(uow.history, hold_id, by=name, now=self._clock.now())
            self._note(uow.connection, "hold.rejected", str(hold_id), by)

    def retry_job(self, job_id: JobId, *, by: Actor) -> None:
        """Let a dead job begin again.

        Raises:
            NotFound: there is none with that id.
            Conflict: it is not dead, or another open job does the same work.
        """
        with self._work() as uow:
            self._queue.retry(uow, job_id)
            self._note(uow.connection, "job.retried", str(job_id), by)

    def jobs(self) -> list[Job]:
        """Return the background work of operators."""

        def purge_source(job: JobContext) -> dict[str, int]:
            name = str(job.args["source"])
            entry = self._entry(name)
            # Somebody may have switched it on since: what is deleted must not come back.
            with self._database.write() as connection:
                source_status.switch(connection, self._database.dialect, name, enabled=False)

            def on_progress(done: int, total: int) -> None:
                job.progress(done, total, "products")

            return self._purge.purge(
                name, entry.info.source, check=job.check, on_progress=on_progress
            ).as_dict()

        return [Job(name=PURGE_JOB, handler=purge_source)]

    def _begin_purge(self, connection: Connection, name: str, by: Actor) -> None:
        source_status.switch(connection, self._database.dialect, name, enabled=False)
        self._note(connection, "source.purged", name, by)

    def _entry(self, name: str) -> VendorEntry:
        entries = {entry.info.vendor: entry for entry in self._vendors.entries()}
        if name not in entries:
            raise NotFound(f"there is no vendor {name!r}; known: {', '.join(sorted(entries))}")
        return entries[name]

    def _work(self) -> AbstractContextManager[UnitOfWork]:
        return unit_of_work(self._database, self._history)

    def _note(
        self,
        connection: Connection,
        action: str,
        subject: str,
        by: Actor,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        add_audit(
            connection,
            action,
            now=self._clock.now(),
            user_id=by.user_id,
            subject=subject,
            detail=detail,
            address=by.address,
        )
