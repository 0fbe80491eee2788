"""Background work: what there is, how far it is, and another try for what is dead."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from tcgtracker.api import parameters
from tcgtracker.api.authentication import Asking, AskingAdmin, actor_of
from tcgtracker.api.catalog_schemas import Moment, Page
from tcgtracker.api.errors import RESPONSES
from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import repository
from tcgtracker.operations.values import JobFilter, JobRecord
from tcgtracker.operations.watching import watch
from tcgtracker.tracker import Tracker

_LIST: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 401, 422, 503)
}
_ONE: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (401, 403, 404, 409, 422, 503)
}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `job` with the job as JSON.",
        "content": {"text/event-stream": {}},
    },
    **_ONE,
}
JobName = Annotated[
    str | None,
    Query(description="only jobs of this name", min_length=1, max_length=100),
    parameters.NulFree,
]


class JobView(BaseModel):
    """A job; times are UTC."""

    id: UUID
    name: Annotated[str, Field(examples=["update_all_card_prices"])]
    args: dict[str, Any]
    parent_id: UUID | None
    state: JobState
    attempts: int
    max_attempts: int
    run_at: Annotated[Moment, Field(description="not before this moment")]
    done: Annotated[int, Field(description="how much of it is done")]
    total: Annotated[int | None, Field(description="how much there is, null while unknown")]
    note: str
    result: Annotated[Any, Field(description="what it returned, null until it is done")]
    error: Annotated[str, Field(description="why the last attempt did not succeed")]
    created_at: Moment
    started_at: datetime | None
    finished_at: datetime | None


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["jobs"])

    def load(job_id: JobId) -> JobRecord:
        with tracker.database.read() as connection:
            return repository.show(connection, job_id)

    @routes.get("/jobs", summary="Jobs, newest first", responses=_LIST)
    def jobs(
        state: JobState | None = None,
        name: JobName = None,
        parent_id: UUID | None = None,
        limit: parameters.Limit = 50,
        cursor: parameters.Cursor = None,
    ) -> Page[JobView]:
        wanted = JobFilter(
            frozenset({state} if state else ()),
            name or "",
            None if parent_id is None else JobId(parent_id),
        )
        with tracker.database.read() as connection:
            page = repository.list_page(connection, wanted, limit=limit, cursor=cursor or "")
        return Page(items=[view_of(job) for job in page.jobs], next_cursor=page.next_cursor or None)

    @routes.get("/jobs/{job_id}", summary="A job with its result", responses=_ONE)
    def job(job_id: UUID) -> JobView:
        return view_of(load(JobId(job_id)))

    @routes.get(
        "/jobs/{job_id}/events",
        summary="A job's progress as it comes",
        response_class=StreamingResponse,
        responses=_EVENTS,
    )
    async def events(job_id: UUID, _account: Asking) -> StreamingResponse:
        """Server-sent events: the job now, at each change, and at its end, which ends the stream.

        After ten minutes the stream ends anyway; a client that still wants to know asks again.
        """
        first = await to_thread.run_sync(load, JobId(job_id))
        return StreamingResponse(
            _stream(load, first),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    @routes.post(
        "/jobs/{job_id}/retry", status_code=202, summary="Retry a dead job", responses=_ONE
    )
    def retry(job_id: UUID, admin: AskingAdmin, request: Request) -> JobView:
        tracker.administration.retry_job(JobId(job_id), by=actor_of(admin, request))
        return view_of(load(JobId(job_id)))

    return routes


async def _stream(load: Callable[[JobId], JobRecord], first: JobRecord) -> AsyncIterator[bytes]:
    async for job in watch(load, first):
        yield b": still here\n\n" if job is None else _event(view_of(job))


def _event(job: JobView) -> bytes:
    return b"event: job\ndata: " + orjson.dumps(job.model_dump(mode="json")) + b"\n\n"


def view_of(job: JobRecord) -> JobView:
    """Return a job as it is answered."""
    return JobView(
        id=job.id,
        name=job.name,
        args=dict(job.args),
        parent_id=job.parent_id,
        state=job.state,
        attempts=job.attempts,
        max_attempts=job.max_attempts,
        run_at=job.run_at,
        done=job.progress.done,
        total=job.progress.total,
        note=job.progress.note,
        result=job.result,
        error=job.error,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )
