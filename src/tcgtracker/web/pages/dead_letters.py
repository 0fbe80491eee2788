"""What could not be used: jobs that were given up, rows that intakes refused."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from tcgtracker.database.tables.operations import JobState
from tcgtracker.operations import repository
from tcgtracker.operations.values import JobFilter
from tcgtracker.quotes import quarantine
from tcgtracker.tracker import Tracker
from tcgtracker.web.parameters import Cursor
from tcgtracker.web.render import Renderer
from tcgtracker.web.visitor import Administrator

_A_PAGE, _ROWS = 50, 30


def router(tracker: Tracker, renderer: Renderer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.get("/dead-letters")
    def dead_letters(request: Request, _admin: Administrator, cursor: Cursor = "") -> Response:
        wanted = JobFilter(frozenset({JobState.DEAD}))
        with tracker.database.read() as connection:
            page = repository.list_page(connection, wanted, limit=_A_PAGE, cursor=cursor)
        with tracker.history.read() as history:
            values = {
                "jobs": page.jobs,
                "cursor": page.next_cursor,
                "first": not cursor,
                "reasons": quarantine.count_reasons(history),
                "rows": quarantine.load_page(history, limit=_ROWS).rows,
            }
        return renderer.page(request, "dead_letters", values)

    return routes
