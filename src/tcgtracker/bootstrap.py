"""From settings to a wired tracker: the one module that chooses adapters by name."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from tcgtracker.accounts.administration import Administration
from tcgtracker.accounts.door import Door
from tcgtracker.accounts.keys import ApiKeys
from tcgtracker.accounts.passwords import PasswordHasher
from tcgtracker.accounts.secret import load_secret
from tcgtracker.accounts.service import Accounts
from tcgtracker.accounts.tokens import TokenMaker
from tcgtracker.analytics import usual_ratios
from tcgtracker.catalog.search.store import CardSearch, search_folder
from tcgtracker.config import SecuritySettings, Settings, data_folder
from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock, SystemClock
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.integrations.contract import Vendor
from tcgtracker.integrations.http import VendorHttp
from tcgtracker.integrations.registry import ConfiguredVendor, configured_vendors
from tcgtracker.operations import jobs as operations_jobs
from tcgtracker.operations.bell import Bell
from tcgtracker.operations.call_gate import DatabaseCallGate
from tcgtracker.operations.celery_bell import CeleryBell, CeleryBroker
from tcgtracker.operations.flags import load_flags
from tcgtracker.operations.queue import JobQueue
from tcgtracker.operations.quota import Plan
from tcgtracker.operations.reconciler import Reconciler
from tcgtracker.operations.registry import Job, JobRegistry
from tcgtracker.operations.runner import LocalRunner
from tcgtracker.operations.scheduler import Scheduler
from tcgtracker.prices import jobs as prices_jobs
from tcgtracker.prices.quick import ScopeLooks
from tcgtracker.quotes import jobs as quotes_jobs
from tcgtracker.quotes import sync_jobs, update_jobs
from tcgtracker.quotes.bulk_sync import BulkSync
from tcgtracker.quotes.guide_products import GuideProducts
from tcgtracker.quotes.link_review import LinkReview
from tcgtracker.quotes.notice_keys import NoticeKeys
from tcgtracker.quotes.planning import Planner
from tcgtracker.quotes.product_import import ProductImport
from tcgtracker.quotes.purge import SourcePurge
from tcgtracker.quotes.service import Intake
from tcgtracker.quotes.sync import CatalogSync, SyncParts
from tcgtracker.quotes.update import CardUpdater
from tcgtracker.quotes.vendor_search import VendorSearch
from tcgtracker.quotes.vendors import VendorEntry, Vendors
from tcgtracker.runtime.adapters import Adapters, choose_adapters
from tcgtracker.runtime.counted_cache import CountedCache
from tcgtracker.runtime.loop import LoopRunner
from tcgtracker.runtime.metrics import Metrics
from tcgtracker.runtime.places import Pace
from tcgtracker.runtime.ports import CallGate
from tcgtracker.tracker import Tracker

if TYPE_CHECKING:
    from celery import Celery

_BULK_JOBS = {"pricecharting": sync_jobs.SYNC_PRICECHARTING, "tcgcsv": sync_jobs.SYNC_TCGCSV}


def build_tracker(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    accounts_clock: Clock | None = None,
    adapt: Callable[[str, Mapping[str, Pace]], Adapters] = choose_adapters,
) -> Tracker:
    """Wire a tracker; nothing is opened before it is used.

    accounts_clock: of sessions and tokens, where it is not `clock`: people live at one speed.
    adapt: makes limiter and cache out of `REDIS_URL` and the paces; with another clock than the
    machine's, one whose limiter waits on that clock.

    Raises:
        InvalidInput: the configuration is wrong; the message names the keys.
    """
    settings = settings or Settings()
    clock = clock or SystemClock()
    accounts_clock = accounts_clock or clock
    metrics = Metrics(settings.metrics.folder)
    database = _database(settings, settings.database.url, metrics, "main")
    history = database
    if settings.history.url and settings.history.url != settings.database.url:
        history = _database(settings, settings.history.url, metrics, "history")
    local_bell = Bell()
    broker_url = settings.jobs.broker_url
    bell = CeleryBell(CeleryBroker(settings.jobs), local_bell) if broker_url else local_bell
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
        metrics=metrics,
    )
    cache = CountedCache(adapters.cache, metrics)
    vendors = _vendors(configured, adapters, gate, clock, metrics)
    intake = Intake(history, clock, metrics)
    updater = CardUpdater(
        database, history, vendors, clock, cache=cache, flags=load_flags, metrics=metrics
    )
    planner = Planner(
        database, history, vendors, clock, flags=load_flags, bulk=frozenset(_BULK_JOBS)
    )
    parts = SyncParts(database, history, clock, vendors, cache, metrics)
    catalog_sync = CatalogSync(parts)
    tokens = _tokens(settings.security, accounts_clock)
    session_lifetime = timedelta(days=settings.security.session_days)
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
            bell=local_bell,
            history=history,
            metrics=metrics,
        ),
        bell=bell,
        scheduler=Scheduler(database, registry, clock, bell),
        reconciler=Reconciler(database, registry, clock, CeleryBroker(settings.jobs))
        if broker_url
        else None,
        cache=cache,
        metrics=metrics,
        vendors=vendors,
        plans=plans,
        updater=updater,
        planner=planner,
        catalog_sync=catalog_sync,
        bulk_sync=BulkSync(parts, intake),
        accounts=Accounts(
            database,
            accounts_clock,
            hasher=PasswordHasher(),
            tokens=tokens,
            session_lifetime=session_lifetime,
            open_registration=settings.security.registration == "open",
        ),
        api_keys=ApiKeys(database, accounts_clock),
        door=Door(database, accounts_clock, tokens, session_lifetime=session_lifetime),
        administration=Administration(
            database,
            history,
            clock,
            vendors=vendors,
            plans=plans,
            queue=queue,
            purge=SourcePurge(database, history, cache),
            imports=ProductImport(parts, catalog_sync),
        ),
        search=CardSearch(database, search_folder(database, data_folder())),
        vendor_search=VendorSearch(
            database,
            vendors,
            GuideProducts(database, history, cache, clock),
            cache,
        ),
        link_review=LinkReview(database, history, clock, cache=cache),
        notice_keys=NoticeKeys(vendors, cache),
    )
    for job in _jobs(tracker):
        registry.add(job)
    return tracker


def build_celery(settings: Settings | None = None) -> "Celery":
    """Return the Celery application of a worker's own process: for each job a task of its name.

    Raises:
        InvalidInput: the configuration is wrong, or names no broker.
    """
    settings = settings or Settings()
    if not settings.jobs.broker_url:
        raise InvalidInput("JOBS_BROKER_URL is empty: Celery needs a broker")
    try:
        from tcgtracker.operations import celery_app, celery_worker
    except ImportError as exc:
        raise InvalidInput("JOBS_BROKER_URL is set: install tcgtracker[server]") from exc
    registered = build_tracker(settings).registry.all()  # opens nothing, so it may be forked
    process = celery_worker.PoolProcess(lambda: build_tracker(settings))
    app = celery_app.make_app(settings.jobs)
    celery_app.add_tasks(app, registered, process.run, process.ring_due)
    app.conf.beat_schedule = celery_app.beat_schedule(registered)
    celery_worker.connect_signals(process)
    return app


def _database(settings: Settings, url: str, metrics: Metrics, pool: str) -> Database:
    return Database(
        url,
        pool_size=settings.database.pool_size,
        busy_timeout_s=settings.database.busy_timeout_s,
        metrics=metrics,
        pool=pool,
    )


def _tokens(settings: SecuritySettings, clock: Clock) -> TokenMaker:
    return TokenMaker(
        lambda: load_secret(settings.secret_key.get_secret_value(), data_folder()),
        clock,
        lifetime=timedelta(minutes=settings.access_minutes),
    )


def _vendors(
    configured: Mapping[str, ConfiguredVendor],
    adapters: Adapters,
    gate: CallGate,
    clock: Clock,
    metrics: Metrics,
) -> Vendors:
    entries = {
        name: VendorEntry(
            one.info, one.disabled, partial(_make, one, adapters, gate, clock, metrics)
        )
        for name, one in configured.items()
    }
    return Vendors(entries, LoopRunner(), adapters.limiter.close)


def _make(
    one: ConfiguredVendor, adapters: Adapters, gate: CallGate, clock: Clock, metrics: Metrics
) -> Vendor:
    http = VendorHttp(
        one.info.vendor,
        one.base_url,
        limiter=adapters.limiter,
        gate=gate,
        clock=clock,
        secrets=one.secrets,
        default_retry_after_s=one.info.retry_after_s,
        metrics=metrics,
    )
    return one.create(http, clock)


def _jobs(tracker: Tracker) -> list[Job]:
    database, history, clock = tracker.database, tracker.history, tracker.clock
    kept = tracker.settings.history
    return [
        *operations_jobs.jobs(
            tracker.databases(),
            clock,
            backup_folder=tracker.settings.keep.backups_in,
            keep_backups=tracker.settings.keep.backups,
            keep_jobs_days=tracker.settings.keep.jobs_days,
            keep_audit_days=tracker.settings.keep.audit_days,
        ),
        *prices_jobs.jobs(
            database,
            history,
            clock,
            seal_after_days=kept.seal_after_days,
            retention=kept.retention,
        ),
        *quotes_jobs.jobs(database, history, clock),
        *usual_ratios.jobs(database, history, clock),
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
        *tracker.administration.jobs(),
    ]
