"""Synchronisations on one database: vendors in memory behind the real loop, jobs and catalog."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import numpy as np
from sqlalchemy import select

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import cards, set_aliases, tcg_sets
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.quote import Facet
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tcgtracker.integrations.catalog_records import CardRecord, SetRecord
from tcgtracker.integrations.contract import (
    NO_PRICE,
    PAGE_CALL,
    BulkPage,
    CallPolicy,
    Capability,
    CatalogPage,
    PricePage,
    StatedProduct,
    VendorInfo,
)
from tcgtracker.operations.bell import Bell
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.registry import JobRegistry
from tcgtracker.operations.runner import LocalRunner
from tcgtracker.quotes import sync_jobs
from tcgtracker.quotes.bulk_sync import BulkSync
from tcgtracker.quotes.service import Intake
from tcgtracker.quotes.sync import CatalogSync, SyncParts
from tcgtracker.quotes.vendors import VendorEntry, Vendors
from tcgtracker.runtime.loop import LoopRunner
from tcgtracker.runtime.memory_cache import MemoryCache
from tcgtracker.runtime.metrics import Metrics
from tests.unit.quotes.kit import an_info

Page = TypeVar("Page")
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
GUIDE = Facet(kind=PriceKind.GUIDE)


class Shelf:
    """A vendor with sets, cards and bulk files; `faults` are raised by game or call."""

    def __init__(self, info: VendorInfo) -> None:
        self.info = info
        self.set_pages: dict[str, list[CatalogPage]] = {}
        self.card_pages: dict[str, list[CatalogPage]] = {}
        self.bulk_pages: dict[str, list[BulkPage]] = {}
        self.build = "2026-05-01T20:05:00+0000"
        self.faults: dict[str, Exception] = {}
        self.calls: list[str] = []

    async def sets(
        self, game: str, *, policy: CallPolicy = PAGE_CALL
    ) -> AsyncIterator[CatalogPage]:
        for page in self._answer(f"sets {game}", game, self.set_pages.get(game, [])):
            yield page

    async def cards(
        self, game: str, set_code: str, *, policy: CallPolicy = PAGE_CALL
    ) -> AsyncIterator[CatalogPage]:
        for page in self._answer(f"cards {set_code}", game, self.card_pages.get(set_code, [])):
            yield page

    async def version(self, *, policy: CallPolicy = PAGE_CALL) -> str:
        self._answer("version", "version", [])
        return self.build

    async def bulk(self, game: str, *, policy: CallPolicy = PAGE_CALL) -> AsyncIterator[BulkPage]:
        for page in self._answer(f"bulk {game}", game, self.bulk_pages.get(game, [])):
            yield page

    async def check(self) -> None:
        return None

    async def close(self) -> None:
        return None

    def _answer(self, call: str, game: str, pages: Sequence[Page]) -> Sequence[Page]:
        self.calls.append(call)
        for named in (call, game):
            if named in self.faults:
                raise self.faults[named]
        return pages


def a_shelf(source: Source, *capabilities: Capability, **changes: object) -> Shelf:
    games = {"pokemon": ("3",), "onepiece": ("68",)}
    return Shelf(
        an_info(source, capabilities=frozenset(capabilities), **{"games": games, **changes})
    )


def _itself(shelf: Shelf) -> Shelf:
    return shelf


class SyncKit:
    """The services on one database; vendors as given, those in `disabled` without a key."""

    def __init__(self, database: Database, *shelves: Shelf, disabled: str = "") -> None:
        self.database = database
        self.clock = FixedClock(NOON)
        self.loop = LoopRunner()
        self.cache = MemoryCache()
        entries = {
            one.info.vendor: VendorEntry(
                one.info,
                "set its key" if one.info.vendor == disabled else "",
                partial(_itself, one),
            )
            for one in shelves
        }
        vendors = Vendors(entries, self.loop)
        self.parts = SyncParts(database, database, self.clock, vendors, self.cache, Metrics())
        intake = Intake(database, self.clock)
        self.catalog = CatalogSync(self.parts)
        self.bulk = BulkSync(self.parts, intake)
        bell = Bell()
        registry = JobRegistry(
            sync_jobs.jobs(
                database,
                self.clock,
                catalog=self.catalog,
                bulk=self.bulk,
                queue=lambda: self.queue,
            )
        )
        self.queue = JobQueue(database, registry, self.clock, bell)
        self.runner = LocalRunner(database, registry, self.clock, threads=1, bell=bell)

    def run_jobs(self, minutes: int = 0) -> int:
        self.clock.advance(timedelta(minutes=minutes))
        return self.runner.run_pending()

    def sets(self) -> dict[str, str]:
        """Return code -> name."""
        with self.database.read() as connection:
            return dict(connection.execute(select(tcg_sets.c.code, tcg_sets.c.name)).all())

    def aliases(self) -> dict[str, tuple[str, str]]:
        """Return alias -> (code of the set, evidence)."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(set_aliases.c.alias, tcg_sets.c.code, set_aliases.c.evidence).join(
                    tcg_sets, tcg_sets.c.id == set_aliases.c.set_id
                )
            )
            return {alias: (code, evidence) for alias, code, evidence in rows}

    def cards(self) -> list[tuple[str, str, str, str]]:
        """Return (code of the set, number, art, name)."""
        with self.database.read() as connection:
            rows = connection.execute(
                select(tcg_sets.c.code, cards.c.collector_number, cards.c.art, cards.c.name)
                .join(tcg_sets, tcg_sets.c.id == cards.c.set_id)
                .order_by(cards.c.id)
            )
            return [tuple(row) for row in rows]

    def set_id(self, code: str) -> int:
        with self.database.read() as connection:
            return int(
                connection.execute(
                    select(tcg_sets.c.id).where(tcg_sets.c.code == code)
                ).scalar_one()
            )


def sets_page(*records: SetRecord, incomplete: str = "") -> CatalogPage:
    return CatalogPage(sets=list(records), incomplete=incomplete)


def cards_page(*records: CardRecord) -> CatalogPage:
    return CatalogPage(cards=list(records))


def a_guide(
    stated: Sequence[StatedProduct], *, day: int = 1, price: int = 500, missing: str = ""
) -> BulkPage:
    """Return a price guide in which every product costs the same."""
    ids = np.array([int(one.external_id) for one in stated], np.int64)
    values = np.full((len(ids), 5), NO_PRICE, np.int64)
    values[:, 0] = price
    return BulkPage(
        PricePage(
            source=Source.PRICECHARTING,
            scope="pokemon-cards",
            observed_at=datetime(2026, 5, day, tzinfo=UTC),
            external_id=ids,
            facet=np.zeros(len(ids), np.int64),
            facets=(GUIDE,),
            values=values,
            parts=frozenset(one.set_name for one in stated),
            missing=(missing,) if missing else (),
        ),
        CatalogPage(stated=list(stated)),
    )


def a_day(*, price: int = 100, missing: str = "") -> BulkPage:
    """Return a TCGCSV day with product 1."""
    values = np.full((1, 5), NO_PRICE, np.int64)
    values[:, 0] = price
    return BulkPage(
        PricePage(
            source=Source.TCGCSV,
            scope="3",
            observed_at=NOON,
            external_id=np.array([1], np.int64),
            facet=np.zeros(1, np.int64),
            facets=(Facet("Holofoil"),),
            values=values,
            parts=frozenset({"605"}),
            missing=(missing,) if missing else (),
        )
    )
