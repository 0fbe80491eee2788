"""The wired tracker against the sandbox, both on one clock that stands until it is moved."""

import json
import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text

from tcgtracker.bootstrap import build_tracker
from tcgtracker.database.migrate import upgrade
from tcgtracker.database.tables.operations import jobs
from tcgtracker.database.tables.sources import source_state
from tcgtracker.domain.ids import JobId
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import JOB_CALL, CallPolicy
from tcgtracker.operations.values import JsonValue
from tcgtracker.quotes.outcomes import CardOutcome, Outcome
from tcgtracker.quotes.planning import UPDATE_CARD, UPDATE_CARDS
from tcgtracker.runtime.adapters import Adapters
from tcgtracker.runtime.memory_cache import MemoryCache
from tcgtracker.runtime.memory_limiter import MemoryRateLimiter
from tcgtracker.runtime.places import Pace
from tcgtracker.sandbox.clock import SandboxClock
from tcgtracker.sandbox.ledger import Call
from tcgtracker.sandbox.serving import Sandbox
from tcgtracker.tracker import Tracker

if TYPE_CHECKING:
    from tests.integration.vendor_faults.invariants import Served

SEEDED_AT = datetime(2026, 5, 8, 12, tzinfo=UTC)
NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
"""When a test begins: two days after the prices that are there, so that newer ones differ."""

GAME = "onepiece"
SET = "extra-booster-memorial-collection-one-piece-card-game"
"""47 cards: three pages of JustTCG; 39 have a price at PriceCharting and at JustTCG."""

ASKED = ("pricecharting", "justtcg", "tcgplayer")
"""Vendors that are asked for single cards, in this order."""

CANARIES: Mapping[str, Mapping[str, str]] = {
    "pricecharting": {"token": "c4naryPC0+/c4nary=PC0c4naryPC0c4naryPC0x"},
    "justtcg": {"key": "tcg_c4naryJT0c4naryJT0c4naryJT0"},
    "tcgplayer": {"private_key": "c4naryTP-secret+/=0123456789"},
    "ebay": {"client_secret": "PRD-c4naryEB-secret+/=0123"},
}
"""Keys that may stand nowhere but in calls."""


@dataclass(frozen=True)
class Seed:
    """What every test begins with: the sandbox, and what it served for the prices that are there.

    options: of each vendor, to go back to.
    """

    sandbox: Sandbox
    served: "Served"
    options: Mapping[str, Mapping[str, object]]

    def rewind(self) -> None:
        """Bring the sandbox back to how a test finds it."""
        self.sandbox.clear_faults()
        for vendor, options in self.options.items():
            self.sandbox.tune(vendor, **options)
        self.sandbox.reset()
        self.sandbox.clock.set(NOW)


@dataclass
class Stack:
    """One tracker for one test. outcomes, errors: everything that it answered or raised."""

    sandbox: Sandbox
    tracker: Tracker
    seed: Seed
    log: StringIO
    rewire: Callable[[Mapping[str, str]], Tracker]
    outcomes: list[CardOutcome] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def restart(self, **settings: str) -> None:
        """Go on in a new process, as it were, with other settings."""
        self.tracker.close()
        self.tracker = self.rewire(settings)

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Return the log's lines of an event."""
        lines = (json.loads(line) for line in self.log.getvalue().splitlines() if line[:1] == "{")
        return [line for line in lines if line.get("event") == event]

    @property
    def clock(self) -> SandboxClock:
        return self.sandbox.clock

    def update(
        self, *card_ids: int, source: Source | None = None, policy: CallPolicy = JOB_CALL
    ) -> list[CardOutcome]:
        """Ask for cards as a job does."""
        found = self.tracker.updater.update(card_ids, source=source, policy=policy)
        self._keep(found)
        return found

    def update_one(
        self, card_id: int, *, source: Source | None = None, policy: CallPolicy = JOB_CALL
    ) -> CardOutcome:
        return self.update(card_id, source=source, policy=policy)[0]

    def enqueue(self, *card_ids: int, source: Source | None = None) -> JobId:
        """Ask for cards in the background; return the job's id."""
        args: dict[str, JsonValue] = {"source": source.value} if source else {}
        name = UPDATE_CARD if len(card_ids) == 1 else UPDATE_CARDS
        args |= {"card_id": card_ids[0]} if len(card_ids) == 1 else {"card_ids": list(card_ids)}
        with self.tracker.unit_of_work() as uow:
            return self.tracker.queue.enqueue(uow, name, args)

    def run_jobs(self) -> int:
        """Run what is due now."""
        return self.tracker.runner.run_pending()

    def advance(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def fired(self, fault: str, vendor: str = "") -> int:
        """Return how often a fault did something, at one vendor or at all."""
        counts = self.sandbox.fired()
        return sum(
            count
            for key, count in counts.items()
            if key.split()[1] == fault and vendor in ("", key.split()[0])
        )

    def calls(self, vendor: str = "", path: str = "") -> list[Call]:
        return [call for call in self.sandbox.calls(vendor) if call.path.startswith(path)]

    def sql(self, statement: str, **values: object) -> Sequence[Any]:
        with self.tracker.database.read() as connection:
            return connection.execute(text(statement), values).all()

    def one(self, statement: str, **values: object) -> Any:
        (row,) = self.sql(statement, **values)
        return row[0]

    def state(self, vendor: str) -> Any:
        """Return the vendor's row of health."""
        with self.tracker.database.read() as connection:
            wanted = select(source_state).where(source_state.c.service == vendor)
            return connection.execute(wanted).one()

    def cards(self, count: int = 1, *, market_above: int = 300) -> list[int]:
        """Return plain cards that PriceCharting and JustTCG both have a price of, dear ones."""
        rows = self.sql(
            "SELECT q.card_id FROM card_quotes q JOIN card_quotes j ON j.card_id = q.card_id"
            " JOIN cards c ON c.id = q.card_id WHERE q.source = 'pricecharting'"
            " AND j.source = 'justtcg' AND q.market_price > :least AND c.product_type = 'single'"
            " ORDER BY q.market_price DESC, q.card_id",
            least=market_above,
        )
        found = [row[0] for row in rows][:count]
        assert len(found) == count, f"{len(found)} of {count} cards"
        return found

    def product(self, card_id: int, source: Source) -> str:
        """Return the vendor's id of the product that the card's quote is of."""
        return str(
            self.one(
                "SELECT p.external_id FROM card_quotes q JOIN price_series s ON s.id = q.series_id"
                " JOIN vendor_products p ON p.id = s.vendor_product_id"
                " WHERE q.card_id = :card AND q.source = :source",
                card=card_id,
                source=source.value,
            )
        )

    def quote(self, card_id: int, source: Source) -> tuple[int | None, bool]:
        """Return the market price that the card shows of a source, and whether it still stands."""
        ((price, listed),) = self.sql(
            "SELECT market_price, listed FROM card_quotes"
            " WHERE card_id = :card AND source = :source",
            card=card_id,
            source=source.value,
        )
        return price, bool(listed)

    def quarantined(self, source: Source) -> dict[str, int]:
        """Return how many rows of a source were refused, by reason."""
        rows = self.sql(
            "SELECT reason, count(*) FROM quarantined_rows WHERE source = :s GROUP BY reason",
            s=source.value,
        )
        return {row[0]: row[1] for row in rows}

    def job(self, job_id: JobId) -> Any:
        """Return a job's row."""
        with self.tracker.database.read() as connection:
            return connection.execute(select(jobs).where(jobs.c.id == job_id)).one()

    def retry(self, job_id: JobId) -> None:
        """Let a dead job begin again, as `jobs retry` does."""
        with self.tracker.unit_of_work() as uow:
            self.tracker.queue.retry(uow, job_id)

    def recover(self, card_id: int, *, after_s: float = 61) -> CardOutcome:
        """Take every fault away, wait, and show that the card is answered again."""
        self.sandbox.clear_faults()
        self.advance(after_s)
        outcome = self.update_one(card_id)
        assert outcome.outcome in (Outcome.STORED, Outcome.UNCHANGED), outcome
        return outcome

    def _keep(self, outcomes: Sequence[CardOutcome]) -> None:
        self.outcomes += outcomes
        for outcome in outcomes:
            for miss in outcome.misses:
                self.tell(miss.error)
            self.tell(outcome.error())

    def tell(self, error: BaseException | None) -> None:
        """Keep what an error says, with its traceback and what caused it."""
        if error is not None:
            self.errors.append("".join(traceback.format_exception(error)))
            self.errors.append(repr(error))
            self.errors.append(repr(vars(error)))


def build(
    sandbox: Sandbox,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    settings: Mapping[str, str] | None = None,
) -> Tracker:
    """Wire a tracker that is set up by the environment, as in operation."""
    for name in list(os.environ):
        if name.startswith(("API_", "DB_", "HISTORY_", "REDIS_", "JOBS_")):
            monkeypatch.delenv(name)
    for name, value in {**sandbox.environment(), **(settings or {})}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DB_URL", database_url)
    clock = sandbox.clock

    def seconds() -> float:
        return clock.now().timestamp()

    async def pause(delay_s: float) -> None:
        clock.advance(timedelta(seconds=delay_s, microseconds=1))  # never rounded to no time at all

    def adapters(_redis_url: str, paces: Mapping[str, Pace]) -> Adapters:
        return Adapters(
            MemoryRateLimiter(paces, monotonic=seconds, sleep=pause),
            MemoryCache(monotonic=seconds),
        )

    return build_tracker(clock=clock, adapt=adapters)


def fill(tracker: Tracker) -> None:
    """Take in one game's guide and one set's cards, so that there are prices to lose."""
    upgrade(tracker.database)
    reports = [tracker.catalog_sync.sets(GAME), tracker.bulk_sync.pricecharting(GAME)]
    with tracker.database.read() as connection:
        set_id = connection.execute(
            text("SELECT id FROM tcg_sets WHERE code = :code"), {"code": f"justtcg:{SET}"}
        ).scalar_one()
    reports.append(tracker.catalog_sync.cards(set_id))
    for report in reports:
        report.raise_failure()
