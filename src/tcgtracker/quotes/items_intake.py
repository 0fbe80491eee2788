"""Intake of answers about single products: statements, links and prices in one transaction."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError

from tcgtracker.catalog.link_rows import links_of, products_of_ids
from tcgtracker.catalog.statements import StatedReport, take_stated
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.prices import RunState
from tcgtracker.database.unit_of_work import UnitOfWork, repeated, unit_of_work
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import StateChanged, TrackerError
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import ItemPage
from tcgtracker.prices.changes import NewChangeSet, save_change_sets
from tcgtracker.prices.items import ItemLook, write_items
from tcgtracker.prices.products import save_texts
from tcgtracker.prices.scope_page import Recorded
from tcgtracker.quotes.card_quotes import refresh_cards
from tcgtracker.quotes.following import follow
from tcgtracker.quotes.runs import count_rows, finish_run, quarantine, save_progress, start_run
from tcgtracker.runtime.metrics import Metrics

_log = structlog.get_logger()
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class TakenItem:
    """What the history made of a product's looks: when the newest was true, and what was new."""

    observed_at: datetime
    stored: int = 0
    held: int = 0


@dataclass(slots=True)
class ItemsReport:
    """The account of pages of single products; a row is one series of one look.

    looks: products (with their sub key) that were answered. stated: what became of the vendor's
    words. items: each product by the vendor's id, the sub keys together.
    """

    looks: int = 0
    stored: int = 0
    unchanged: int = 0
    held: int = 0
    released: int = 0
    revised: int = 0
    history_rows: int = 0
    new_series: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    stated: StatedReport = field(default_factory=StatedReport)
    items: dict[str, TakenItem] = field(default_factory=dict)

    @property
    def rows_read(self) -> int:
        """Series with or without a price, and rows that were refused."""
        counted = self.stored + self.unchanged + self.held
        return counted + self.skipped.total() + self.quarantined.total()

    def add(self, other: "ItemsReport") -> None:
        self.looks += other.looks
        self.stored += other.stored
        self.unchanged += other.unchanged
        self.held += other.held
        self.released += other.released
        self.revised += other.revised
        self.history_rows += other.history_rows
        self.new_series += other.new_series
        self.skipped += other.skipped
        self.quarantined += other.quarantined
        self.stated.add(other.stated)
        for external_id, item in other.items.items():
            self._taken(external_id, item)

    def count(self, look: ItemLook, done: Recorded) -> None:
        """Count one recorded look."""
        self._taken(look.external_id, TakenItem(look.observed_at, done.stored, done.held))
        self.looks += 1
        self.stored += done.stored
        self.unchanged += done.unchanged
        self.held += done.held
        self.released += done.released
        self.revised += done.revised
        self.history_rows += done.rows_written
        self.new_series += done.new_series

    def _taken(self, external_id: str, item: TakenItem) -> None:
        before = self.items.get(external_id, TakenItem(item.observed_at))
        self.items[external_id] = TakenItem(
            max(before.observed_at, item.observed_at),
            before.stored + item.stored,
            before.held + item.held,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "rows_read": self.rows_read,
            "looks": self.looks,
            "stored": self.stored,
            "unchanged": self.unchanged,
            "held": self.held,
            "released": self.released,
            "revised": self.revised,
            "history_rows": self.history_rows,
            "new_series": self.new_series,
            "skipped": dict(sorted(self.skipped.items())),
            "quarantined": dict(sorted(self.quarantined.items())),
            "suspended": self.stated.suspended,
            "restored": self.stated.restored,
        }


class ItemRun:
    """One run of one source: its row in `collect_runs`, and what it did so far."""

    def __init__(self, run_id: int, source: Source) -> None:
        self.id = run_id
        self.source = source
        self.report = ItemsReport()


class ItemIntake:
    """Takes answers about single products into the history, beside what they say of the catalog."""

    def __init__(
        self,
        database: Database,
        history: Database,
        clock: Clock,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._database = database
        self._history = history
        self._clock = clock

    @contextmanager
    def run(self, source: Source, input_name: str) -> Iterator[ItemRun]:
        """Keep one run record: done at the end of the block, failed when it raises."""
        with self._history.write() as connection:
            run_id = start_run(connection, source, input_name, now=self._clock.now())
        try:
            yield ItemRun(run_id, source)
        except BaseException as exc:  # Ctrl-C too
            self._finish(run_id, RunState.FAILED, f"{type(exc).__name__}: {exc}")
            raise
        self._finish(run_id, RunState.DONE, "")

    def take(self, page: ItemPage, run: ItemRun, *, trust: bool = False) -> ItemsReport:
        """Record a page in one transaction, then bring links and card quotes up to it.

        What the vendor says of the products is compared with their cards first, so that no price of
        a product that is no longer the card is ever read through its link. The same page again
        changes nothing. `trust` judges no price.

        Raises:
            StorageError: the database cannot be used.
        """
        report = self._recorded(page, run, trust=trust)
        run.report.add(report)
        count_rows(self._metrics, page.source, report.stored, page.rejected)
        # Also the cards whose price stayed: no change set names them, and it is newer by this look.
        looked_at = self._cards_of(page) | report.stated.cards
        refresh_cards(self._database, self._history, looked_at)
        follow(self._database, self._history, clock=self._clock)
        _log.info(
            "quotes.items_collected",
            source=page.source.value,
            run_id=run.id,
            looks=report.looks,
            stored=report.stored,
            held=report.held,
            quarantined=len(page.rejected),
            suspended=report.stated.suspended,
        )
        return report

    def _cards_of(self, page: ItemPage) -> set[int]:
        """Return the cards to which the products of a page are tied."""
        with self._history.read() as history:
            wanted = {item.external_id for item in page.items}
            products = products_of_ids(history, page.source, wanted)
        with self._database.read() as connection:
            links = links_of(connection, [product.id for product in products])
        return {link.card_id for link in links.values()}

    def _recorded(self, page: ItemPage, run: ItemRun, *, trust: bool) -> ItemsReport:
        refusals = (StateChanged, IntegrityError, self._history.dialect.integrity_error)
        try:  # somebody else may write the same series, claim or link at the same time
            return repeated(
                lambda: self._record_once(page, run, trust=trust), on=refusals, attempts=_ATTEMPTS
            )
        except refusals as exc:
            raise TrackerError(
                f"{page.source}: other processes write the same products all the time; try again"
            ) from exc

    def _record_once(self, page: ItemPage, run: ItemRun, *, trust: bool) -> ItemsReport:
        report = ItemsReport(skipped=Counter(page.skipped))
        report.quarantined.update(row.reason for row in page.rejected)
        if self._history is not self._database:
            # Two databases do not commit together: the doubt is there before the price.
            with unit_of_work(self._database, self._history) as uow:
                report.stated.add(self._stated(uow, page))
        with unit_of_work(self._database, self._history) as uow:
            news = self._write_prices(uow, page, run, report, trust=trust)
            if self._history is self._database:
                report.stated.add(self._stated(uow, page))
            # The last lock: who holds it keeps others from committing.
            save_change_sets(uow.history, self._history.dialect, news)
            total = ItemsReport()
            total.add(run.report)
            total.add(report)
            save_progress(uow.history, run.id, "", total.as_dict())
        return report

    def _write_prices(
        self, uow: UnitOfWork, page: ItemPage, run: ItemRun, report: ItemsReport, *, trust: bool
    ) -> list[NewChangeSet]:
        dialect = self._history.dialect
        now = self._clock.now()
        if empty := sum(not item.quotes for item in page.items):
            report.skipped["product without any series"] += empty
        looks = [
            ItemLook(page.source, item.external_id, item.observed_at, item.quotes)
            for item in sorted(page.items, key=lambda one: one.observed_at)
            if item.quotes
        ]
        recorded, news = write_items(
            uow.history, dialect, looks, run_id=run.id, trust=trust, now=now
        )
        for look, done in zip(looks, recorded, strict=True):
            report.count(look, done)
        if page.rejected:
            quarantine(
                uow.history,
                dialect,
                run_id=run.id,
                source=page.source,
                observed_at=max((item.observed_at for item in page.items), default=now),
                rows=page.rejected,
            )
        save_texts(
            uow.history,
            page.source,
            {
                one.external_id: (one.name, one.set_name, one.number, one.rarity, one.url)
                for one in page.stated
            },
        )
        return news

    def _stated(self, uow: UnitOfWork, page: ItemPage) -> StatedReport:
        return take_stated(uow, self._database.dialect, page.source, page.stated, clock=self._clock)

    def _finish(self, run_id: int, state: RunState, error: str) -> None:
        with self._history.write() as connection:
            finish_run(connection, run_id, state, now=self._clock.now(), error=error)
