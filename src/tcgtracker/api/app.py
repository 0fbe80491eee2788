"""The application: routes, problems and the middleware around them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI

from tcgtracker import __version__
from tcgtracker.api import docs, errors, health
from tcgtracker.api.middleware import BodyLimit, CrowdLimit, LoopbackOnly, RequestScope
from tcgtracker.tracker import Tracker


def create_app(tracker: Tracker) -> FastAPI:
    """Return the API of a tracker, which it closes when it shuts down."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # As many threads as there are connections: no request waits for one inside its thread.
        connections = 2 * tracker.settings.database.pool_size
        to_thread.current_default_thread_limiter().total_tokens = connections
        yield
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
    app.include_router(docs.router(app))
    # The last one added is the outermost.
    app.add_middleware(BodyLimit)
    app.add_middleware(CrowdLimit)
    app.add_middleware(LoopbackOnly)
    app.add_middleware(RequestScope)
    return app
