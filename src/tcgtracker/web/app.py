"""The pages of one tracker as an ASGI application, to stand beside the API."""

from fastapi import Depends, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from tcgtracker.tracker import Tracker
from tcgtracker.web import errors
from tcgtracker.web.assets import Assets
from tcgtracker.web.pages import (
    cards,
    catalog,
    dashboard,
    dead_letters,
    holds,
    jobs,
    links,
    register,
    search,
    settings,
    sign_in,
    sources,
)
from tcgtracker.web.render import Renderer
from tcgtracker.web.visitor import form_of_ours

_MODULES = (
    dashboard,
    search,
    catalog,
    cards,
    jobs,
    sources,
    links,
    holds,
    dead_letters,
    settings,
    sign_in,
    register,
)
_LEAST_COMPRESSED = 1_000
_LEVEL = 5


def create_pages(tracker: Tracker) -> ASGIApp:
    """Return the pages; opening and closing is the business of the application around them."""
    assets = Assets()
    renderer = Renderer(assets)
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(form_of_ours)],
    )
    app.state.tracker = tracker
    for module in _MODULES:
        app.include_router(module.router(tracker, renderer))

    @app.get("/static/{name:path}")
    async def static(request: Request, name: str) -> Response:
        answer = assets.answer(request, name)
        if answer is None:
            raise HTTPException(404)
        return answer

    errors.install(app, renderer)
    app.add_middleware(GZipMiddleware, minimum_size=_LEAST_COMPRESSED, compresslevel=_LEVEL)
    return app
