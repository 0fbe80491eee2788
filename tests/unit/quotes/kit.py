"""A tracker's price updates on one database: vendors in memory behind the real loop and runner."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import insert, select, update

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.catalog import (
    card_products,
    cards,
    games,
    printings,
    product_links,
    tcg_sets,
)
from tcgtracker.database.tables.operations import jobs as jobs_table
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.catalog import LinkState, ProductType
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.ids import JobId
from tcgtracker.domain.quote import Facet, PriceValues
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import (
    JOB_CALL,
    CallPolicy,
    Capability,
    IdKind,
    ItemPage,
    ItemQuotes,
    Limits,
    ProductRef,
    Terms,
    VendorInfo,
)
from tcgtracker.operations import repository
from tcgtracker.operations.bell import Bell
from tcgtracker.operations.flag_settings import ChangedBy, change_flags
from tcgtracker.operations.flags import load_flags
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.registry import Job, JobRegistry
from tcgtracker.operations.runner import LocalRunner
from tcgtracker.operations.scheduler import Scheduler
from tcgtracker.operations.values import JobFilter, JobRecord, JsonValue
from tcgtracker.quotes.planning import Planner
from tcgtracker.quotes.update import CardUpdater
from tcgtracker.quotes.update_jobs import jobs as update_jobs
from tcgtracker.quotes.vendors import VendorEntry, Vendors
from tcgtracker.runtime.loop import LoopRunner

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def an_info(source: Source, **changes: Any) -> VendorInfo:
    info = VendorInfo(
        vendor=source.value,
        source=source,
        title=source.value,
        capabilities=frozenset({Capability.ITEMS}),
        games={"pokemon": ("3",)},
        limits=Limits(per_minute=60),
        refresh=timedelta(hours=6),
        terms=Terms(may_store=True, may_display=True, must_purge=False, note=""),
    )
    return replace(info, **changes)


class Shop:
    """A vendor with prices in minor units by product id; None = listed without a price.

    fault: raised by each call while it is set. faulty: the error of a call with these products.
    """

    def __init__(
        self, info: VendorInfo, clock: FixedClock, prices: Mapping[str, int | None] | None = None
    ) -> None:
        self.info = info
        self.prices = dict(prices or {})
        self.own_ids: dict[str, str] = {}
        self.fault: Exception | None = None
        self.faulty: Callable[[Sequence[str]], Exception | None] = lambda _ids: None
        self.calls: list[tuple[str, ...]] = []
        self.policies: list[CallPolicy] = []
        self.observed_at: datetime | None = None
        self._clock = clock

    async def items(
        self, refs: Sequence[ProductRef], *, policy: CallPolicy = JOB_CALL
    ) -> AsyncIterator[ItemPage]:
        for start in range(0, len(refs), self.info.batch):
            yield self._answer(refs[start : start + self.info.batch], policy)

    def _answer(self, refs: Sequence[ProductRef], policy: CallPolicy) -> ItemPage:
        ids = tuple(ref.value for ref in refs)
        self.calls.append(ids)
        self.policies.append(policy)
        error = self.fault or self.faulty(ids)
        if error is not None:
            raise error
        assert self.info.source is not None
        page = ItemPage(self.info.source)
        absent = []
        for ref in refs:
            own = self.own_ids.get(ref.value, ref.value)
            if own not in self.prices:
                absent.append(ref)
                continue
            page.answered[ref] = own
            values = PriceValues(market_price=self.prices[own])
            at = self.observed_at or self._clock.now()
            page.items.append(ItemQuotes(own, at, {Facet(): values}))
        page.absent = tuple(absent)
        return page

    async def check(self) -> None:
        return None

    async def close(self) -> None:
        return None


def _same(shop: Shop) -> Shop:
    return shop


class MemoryCache:
    """Keeps what was dropped, beside what is kept."""

    def __init__(self) -> None:
        self.dropped: list[str] = []

    def get(self, key: str) -> bytes | None:
        return None

    def set(self, key: str, value: bytes, *, ttl_s: int) -> None:
        return None

    def delete(self, *keys: str) -> None:
        self.dropped += keys

    def delete_prefix(self, prefix: str) -> None:
        self.dropped.append(prefix)

    def close(self) -> None:
        return None


@dataclass
class Kit:
    """Everything that the jobs need, on one database."""

    database: Database
    shops: Sequence[Shop]
    clock: FixedClock
    disabled: Mapping[str, str] = field(default_factory=dict)
    bulk: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.loop = LoopRunner()
        self.cache = MemoryCache()
        self.vendors = Vendors(
            {
                shop.info.vendor: VendorEntry(
                    shop.info, self.disabled.get(shop.info.vendor, ""), partial(_same, shop)
                )
                for shop in self.shops
            },
            self.loop,
        )
        self.updater = CardUpdater(
            self.database,
            self.database,
            self.vendors,
            self.clock,
            cache=self.cache,
            flags=load_flags,
        )
        self.planner = Planner(
            self.database,
            self.database,
            self.vendors,
            self.clock,
            flags=load_flags,
            bulk=self.bulk,
        )
        self.registry = JobRegistry()
        self.bell = Bell()
        self.queue = JobQueue(self.database, self.registry, self.clock, self.bell)
        self.scheduler = Scheduler(self.database, self.registry, self.clock, self.bell)
        for job in update_jobs(
            self.database,
            self.database,
            self.clock,
            updater=self.updater,
            planner=self.planner,
            queue=lambda: self.queue,
            bulk_jobs=dict.fromkeys(self.bulk, "sync_files"),
        ):
            self.registry.add(job)
        self.synced: list[object] = []
        self.registry.add(
            Job(name="sync_files", handler=lambda job: self.synced.append(job.args["game"]))
        )
        self.runner = self.new_runner()

    def new_runner(self) -> LocalRunner:
        return LocalRunner(self.database, self.registry, self.clock, bell=self.bell)

    def close(self) -> None:
        self.loop.close()

    def enqueue(self, name: str, args: dict[str, JsonValue] | None = None) -> JobId:
        with unit_of_work(self.database, self.database) as uow:
            return self.queue.enqueue(uow, name, args)

    def show(self, job_id: JobId) -> JobRecord:
        with self.database.read() as connection:
            return repository.show(connection, job_id)

    def jobs(self, name: str) -> list[JobRecord]:
        with self.database.read() as connection:
            page = repository.list_page(connection, JobFilter(name=name), limit=500)
        return list(reversed(page.jobs))

    def checks(self) -> dict[int, tuple[datetime | None, int]]:
        """Return when each card is due again, and how many checks in a row nobody answered."""
        with self.database.read() as connection:
            rows = connection.execute(select(cards.c.id, cards.c.next_check_at, cards.c.unanswered))
            return {row[0]: (row[1], row[2]) for row in rows}

    def due_at(self, moments: Mapping[int, datetime]) -> None:
        with self.database.write() as connection:
            for card_id, moment in moments.items():
                connection.execute(
                    update(cards).where(cards.c.id == card_id).values(next_check_at=moment)
                )

    def set_flags(self, **values: object) -> None:
        with self.database.write() as connection:
            change_flags(
                connection,
                self.database.dialect,
                {f"pricing.{name}": value for name, value in values.items()},
                by=ChangedBy("test"),
                now=self.clock.now(),
            )

    def forget_jobs(self) -> None:
        with self.database.write() as connection:
            connection.execute(jobs_table.delete())


def add_cards(database: Database, count: int, *, game: str = "pokemon") -> list[int]:
    """Make cards of one new set; return their ids."""
    with database.write() as connection:
        game_id = connection.execute(select(games.c.id).where(games.c.slug == game)).scalar()
        if game_id is None:
            game_id = connection.execute(
                insert(games).values(slug=game, name=game).returning(games.c.id)
            ).scalar_one()
        number = len(connection.execute(select(tcg_sets.c.id)).all())
        set_id = connection.execute(
            insert(tcg_sets)
            .values(game_id=game_id, code=f"test:{number}", name="Base")
            .returning(tcg_sets.c.id)
        ).scalar_one()
        rows = [
            {
                "set_id": set_id,
                "collector_number": str(place),
                "name": f"Card {place}",
                "product_type": ProductType.SINGLE,
            }
            for place in range(count)
        ]
        connection.execute(insert(cards), rows)
        found = connection.execute(
            select(cards.c.id).where(cards.c.set_id == set_id).order_by(cards.c.id)
        )
        return [row[0] for row in found]


def link(
    database: Database,
    source: Source,
    products: Mapping[int, str],
    *,
    state: LinkState = LinkState.CONFIRMED,
    decided_by: str = "operator",
) -> None:
    """Tie the vendor's products to cards (card id to product id), by a person's word."""
    with database.write() as connection:
        for card_id, external_id in products.items():
            product_id = connection.execute(
                insert(vendor_products)
                .values(source=source, external_id=external_id, first_seen_at=NOON)
                .returning(vendor_products.c.id)
            ).scalar_one()
            printing_id = connection.execute(
                select(printings.c.id).where(printings.c.card_id == card_id)
            ).scalar()
            if printing_id is None:
                printing_id = connection.execute(
                    insert(printings)
                    .values(card_id=card_id, name="Normal")
                    .returning(printings.c.id)
                ).scalar_one()
            connection.execute(
                insert(product_links).values(
                    vendor_product_id=product_id,
                    source=source,
                    card_id=card_id,
                    printing_id=printing_id,
                    state=state,
                    checked_at=NOON,
                    decided_by=decided_by,
                )
            )


def claim(
    database: Database, source: Source, claims: Iterable[tuple[int, str]], *, variant: str = ""
) -> None:
    """Let a catalog say that these product ids are these cards."""
    with database.write() as connection:
        connection.execute(
            insert(card_products),
            [
                {"source": source, "external_id": one, "card_id": card_id, "variant": variant}
                for card_id, one in claims
            ],
        )


def own(*values: str) -> tuple[ProductRef, ...]:
    return tuple(ProductRef(value) for value in values)


def of_tcgplayer(*values: str) -> tuple[ProductRef, ...]:
    return tuple(ProductRef(value, IdKind.TCGPLAYER) for value in values)
