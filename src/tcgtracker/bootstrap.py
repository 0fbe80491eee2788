"""From settings to a wired tracker: the one module that chooses adapters by name."""

from collections.abc import Callable, Mapping
from functools import partial

from tcgtracker.config import Settings
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock, SystemClock
from tcgtracker.integrations.contract import Vendor
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.integrations.registry import ConfiguredVendor, configured_vendors
from tcgtracker.operations.bell import Bell
from tcgtracker.operations.call_gate import DatabaseCallGate
from tcgtracker.operations.flags import source_order
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.quota import Plan
from tcgtracker.operations.registry import Job, JobRegistry
from tcgtracker.operations.runner import LocalRunner
from tcgtracker.operations.scheduler import Scheduler
from tcgtracker.prices import jobs as prices_jobs
from tcgtracker.prices.quick import ScopeLooks
from tcgtracker.quotes import jobs as quotes_jobs
from tcgtracker.quotes import sync_jobs, update_jobs
from tcgtracker.quotes.bulk_sync import BulkSync
from tcgtracker.quotes.planning import Planner
from tcgtracker.quotes.service import Intake
from tcgtracker.quotes.sync import CatalogSync, SyncParts
from tcgtracker.quotes.update import CardUpdater
from tcgtracker.quotes.vendors import VendorEntry, Vendors
from tcgtracker.runtime.adapters import Adapters, choose_adapters
from tcgtracker.runtime.loop import LoopRunner
from tcgtracker.runtime.places import Pace
from tcgtracker.runtime.ports import CallGate
from tcgtracker.tracker import Tracker

_BULK_JOBS = {"pricecharting": sync_jobs.SYNC_PRICECHARTING, "tcgcsv": sync_jobs.SYNC_TCGCSV}


def build_tracker(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    adapt: Callable[[str, Mapping[str, Pace]], Adapters] = choose_adapters,
) -> Tracker:
    """Wire a tracker; nothing is opened before it is used.

    adapt: makes limiter and cache out of `REDIS_URL` and the paces; with another clock than the
    machine's, one whose limiter waits on that clock.

    Raises:
        InvalidInput: the configuration is wrong; the message names the keys.
    """
    settings = settings or Settings()
    clock = clock or SystemClock()
    database = _database(settings, settings.database.url)
    history = database
    if settings.history.url and settings.history.url != settings.database.url:
        history = _database(settings, settings.history.url)
    bell = Bell()
    configured = configured_vendors(settings)
    plans = {
        name: Plan(one.info.limits.per_day, one.info.limits.per_month)
        for name, one in configured.items()
    }
    adapters = adapt(
        settings.redis.url,
        {
            name: Pace(one.info.limits.per_minute, one.info.limits.min_interval_s)
            for name, one in configured.items()
        },
    )
    gate = DatabaseCallGate(
        database,
        clock,
        plans,
        credentials={name: "\n".join(one.credentials) for name, one in configured.items()},
    )
    vendors = _vendors(configured, adapters, gate, clock)
    intake = Intake(history, clock)
    updater = CardUpdater(
        database, history, vendors, clock, cache=adapters.cache, order=source_order
    )
    planner = Planner(
        database, history, vendors, clock, order=source_order, bulk=frozenset(_BULK_JOBS)
    )
    parts = SyncParts(database, history, clock, vendors, adapters.cache)
    registry = JobRegistry()
    queue = JobQueue(database, registry, clock, bell)
    tracker = Tracker(
        settings=settings,
        clock=clock,
        database=database,
        history=history,
        intake=intake,
        looks=ScopeLooks(),
        registry=registry,
        queue=queue,
        runner=LocalRunner(
            database,
            registry,
            clock,
            threads=settings.jobs.threads,
            lease_s=settings.jobs.lease_s,
            bell=bell,
        ),
        scheduler=Scheduler(database, registry, clock, bell),
        cache=adapters.cache,
        vendors=vendors,
        plans=plans,
        updater=updater,
        planner=planner,
        catalog_sync=CatalogSync(parts),
        bulk_sync=BulkSync(parts, intake),
    )
    for job in _jobs(tracker):
        registry.add(job)
    return tracker


def _database(settings: Settings, url: str) -> Database:
    return Database(
        url,
        pool_size=settings.database.pool_size,
        busy_timeout_s=settings.database.busy_timeout_s,
    )


def _vendors(
    configured: Mapping[str, ConfiguredVendor], adapters: Adapters, gate: CallGate, clock: Clock
) -> Vendors:
    entries = {
        name: VendorEntry(one.info, one.disabled, partial(_make, one, adapters, gate, clock))
        for name, one in configured.items()
    }
    return Vendors(entries, LoopRunner(), adapters.limiter.close)


def _make(one: ConfiguredVendor, adapters: Adapters, gate: CallGate, clock: Clock) -> Vendor:
    http = VendorHttp(
        one.info.vendor,
        one.base_url,
        limiter=adapters.limiter,
        gate=gate,
        clock=clock,
        secrets=one.secrets,
        default_retry_after_s=one.info.retry_after_s,
    )
    return one.create(http, clock)


def _jobs(tracker: Tracker) -> list[Job]:
    database, history, clock = tracker.database, tracker.history, tracker.clock
    seal_after = tracker.settings.history.seal_after_days
    return [
        *prices_jobs.jobs(history, clock, seal_after_days=seal_after),
        *quotes_jobs.jobs(database, history, clock),
        *update_jobs.jobs(
            database,
            history,
            clock,
            updater=tracker.updater,
            planner=tracker.planner,
            queue=lambda: tracker.queue,
            bulk_jobs=_BULK_JOBS,
        ),
        *sync_jobs.jobs(
            database,
            clock,
            catalog=tracker.catalog_sync,
            bulk=tracker.bulk_sync,
            queue=lambda: tracker.queue,
        ),
    ]
