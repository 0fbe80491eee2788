"""The application: routes, problems and the middleware around them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from anyio import to_thread
from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from tcgtracker import __version__
from tcgtracker.api import (
    accounts,
    admin,
    admin_sources,
    catalog,
    comparison,
    docs,
    document,
    ebay_notices,
    errors,
    flags,
    health,
    jobs,
    links,
    manual_prices,
    market,
    metrics,
    prices,
    search,
    updates,
    vendor_search,
)
from tcgtracker.api.authentication import Authentication
from tcgtracker.api.data_version import DataVersion
from tcgtracker.api.json_body import StrictJson
from tcgtracker.api.known_parameters import refuse_unknown_parameters
from tcgtracker.api.metrics import RequestMetrics
from tcgtracker.api.middleware import (
    BodyLimit,
    CrowdLimit,
    HostCheck,
    PagesBeside,
    RequestScope,
)
from tcgtracker.api.rate_limits import RateLimit, RateLimits
from tcgtracker.api.readers import KeptReading
from tcgtracker.api.rendered import RenderedCache
from tcgtracker.api.vendor_search import WaitingRoom
from tcgtracker.domain.source import Source
from tcgtracker.quotes.live_updates import LiveUpdates
from tcgtracker.quotes.update_jobs import enqueue_shadow
from tcgtracker.tracker import Tracker

_PREFIX = "/api/v1"
_EXPOSED = ["ETag", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"]


def create_app(
    tracker: Tracker, *, with_jobs: bool = False, pages: ASGIApp | None = None
) -> FastAPI:
    """Return the API of a tracker, which it closes when it shuts down.

    with_jobs: run and schedule background jobs in this process too. pages: what answers the paths
    that are none of the API's, behind the same guards.
    """
    version = DataVersion(list(dict.fromkeys([tracker.database, tracker.history])))

    kept = KeptReading.of(tracker)
    live, searches = LiveUpdates(tracker.updater, partial(_ask_shadow, tracker)), WaitingRoom()
    limits = RateLimits(tracker.settings.app, tracker.settings.redis.url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # As many threads as there are connections: no request waits for one inside its thread.
        connections = 2 * tracker.settings.database.pool_size
        to_thread.current_default_thread_limiter().total_tokens = connections
        version.start()
        try:
            if with_jobs:
                await to_thread.run_sync(tracker.start_jobs)
            yield
        finally:
            await to_thread.run_sync(live.close)
            await to_thread.run_sync(searches.close)
            if with_jobs:
                await to_thread.run_sync(tracker.stop_jobs)
            await to_thread.run_sync(version.stop)
            await limits.close()
            if kept is not None:
                kept.close()
            tracker.close()

    app = FastAPI(
        title="TCG Price Tracker",
        version=__version__,
        description="Trading-card prices, each with its source, kind, currency and time.",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's pages load scripts from other hosts; docs.py has our own
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the Host header; a wrong path is a 404
    )
    errors.install(app, tracker.clock)
    app.include_router(health.router(tracker))
    app.include_router(metrics.router(tracker))
    app.include_router(ebay_notices.router(tracker))
    for routes in (
        prices.router(
            tracker, version, RenderedCache(), kept
        ),  # asked most, so it is looked at first
        accounts.router(tracker),
        catalog.router(tracker),
        search.router(tracker),
        vendor_search.router(tracker, searches),
        updates.router(tracker, live),
        jobs.router(tracker),
        comparison.router(tracker),  # a fixed path before that of a card
        market.router(tracker),
        manual_prices.router(tracker),
        admin.router(tracker),
        admin_sources.router(tracker),
        flags.router(tracker),
        links.router(tracker),
    ):
        app.include_router(
            routes, prefix=_PREFIX, dependencies=[Depends(refuse_unknown_parameters)]
        )
    app.include_router(docs.router(app))
    document.complete(app)
    # The last one added is the outermost.
    settings, origins = tracker.settings, tracker.settings.security.origins
    if pages is not None:
        app.add_middleware(PagesBeside, pages=pages)
    app.add_middleware(StrictJson)
    app.add_middleware(RateLimit, limits=limits)
    app.add_middleware(Authentication, door=tracker.door, clock=tracker.clock, limits=limits)
    app.add_middleware(BodyLimit)
    app.add_middleware(CrowdLimit)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "X-API-Key", "If-None-Match", "X-Request-Id"],
            expose_headers=_EXPOSED,
        )
    app.add_middleware(HostCheck, hosts=settings.app.host_names, origins=origins)
    app.add_middleware(RequestScope, hsts=settings.security.hsts)
    app.add_middleware(RequestMetrics, metrics=tracker.metrics)
    return app


def _ask_shadow(tracker: Tracker, card_ids: Sequence[int], shadow: Source) -> None:
    with tracker.unit_of_work() as uow:
        enqueue_shadow(tracker.queue, uow, card_ids, shadow)
