"""Background work: what there is, how far it is, and another try for what is dead."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import repository
from tcgtracker.operations.queue_depth import load_depth
from tcgtracker.operations.values import OPEN_STATES, JobFilter, JobRecord
from tcgtracker.operations.watching import watch
from tcgtracker.tracker import Tracker
from tcgtracker.web.parameters import Cursor
from tcgtracker.web.render import Renderer
from tcgtracker.web.visitor import Administrator, Person, actor_of

_A_PAGE, _PARTS = 50, 100
State = Annotated[JobState | None, Query()]


def router(tracker: Tracker, renderer: Renderer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    def load(job_id: JobId) -> JobRecord:
        with tracker.database.read() as connection:
            return repository.show(connection, job_id)

    def shown(request: Request, job: JobRecord) -> str:
        return renderer.fragment(request, "job", {"job": job, "open": job.state in OPEN_STATES})

    @routes.get("/jobs")
    def jobs(
        request: Request, _account: Person, state: State = None, cursor: Cursor = ""
    ) -> Response:
        now = tracker.clock.now()
        wanted = JobFilter(frozenset({state} if state else ()))
        with tracker.database.read() as connection:
            page = repository.list_page(connection, wanted, limit=_A_PAGE, cursor=cursor)
            depth = load_depth(connection, now)
        values = {
            "jobs": page.jobs,
            "cursor": page.next_cursor,
            "first": not cursor,
            "state": state,
            "states": list(JobState),
            "depth": depth,
        }
        return renderer.page(request, "jobs", values)

    @routes.get("/jobs/{job_id}")
    def job(request: Request, job_id: UUID, _account: Person) -> Response:
        with tracker.database.read() as connection:
            found = repository.show(connection, JobId(job_id))
            parts = repository.list_page(
                connection, JobFilter(parent_id=found.id), limit=_PARTS
            ).jobs
        values = {"job": found, "parts": parts, "open": found.state in OPEN_STATES}
        return renderer.page(request, "job", values)

    @routes.get("/jobs/{job_id}/events")
    async def events(request: Request, job_id: UUID, _account: Person) -> Response:
        """Server-sent events: the block of the page that shows how far the job is."""
        first = await to_thread.run_sync(load, JobId(job_id))

        async def stream() -> AsyncIterator[bytes]:
            async for one in watch(load, first):
                if one is None:
                    yield b": still here\n\n"
                    continue
                lines = shown(request, one).splitlines()
                yield b"event: job\n" + b"".join(b"data: %b\n" % line.encode() for line in lines)
                yield b"\n"
            yield b"event: end\ndata: \n\n"

        headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
        return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)

    @routes.post("/jobs/{job_id}/retry")
    def retry(job_id: UUID, request: Request, admin: Administrator) -> Response:
        tracker.administration.retry_job(JobId(job_id), by=actor_of(admin, request))
        return RedirectResponse(f"/jobs/{job_id}", status_code=303)

    @routes.post("/jobs/{job_id}/cancel")
    def cancel(job_id: UUID, _admin: Administrator) -> Response:
        with tracker.unit_of_work() as uow:
            tracker.queue.cancel(uow, JobId(job_id))
        return RedirectResponse(f"/jobs/{job_id}", status_code=303)

    return routes
