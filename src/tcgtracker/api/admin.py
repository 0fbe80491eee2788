"""What waits for operators: refused rows, dead jobs, held prices; and the log of who did what."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request

from tcgtracker.api import admin_schemas as schemas
from tcgtracker.api import parameters
from tcgtracker.api.authentication import AskingAdmin, actor_of
from tcgtracker.api.catalog_schemas import Page
from tcgtracker.api.errors import RESPONSES
from tcgtracker.api.jobs import JobView, view_of
from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.clock import from_epoch
from tcgtracker.domain.ids import JobId
from tcgtracker.domain.money import format_minor
from tcgtracker.operations import audit
from tcgtracker.operations import repository as jobs
from tcgtracker.operations.values import JobFilter
from tcgtracker.prices.decisions import OpenHold, load_open_holds
from tcgtracker.quotes import quarantine
from tcgtracker.tracker import Tracker

_LIST: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 401, 403, 422, 503)
}
_ACT: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (401, 403, 404, 409, 422, 503)
}
HoldIdPath = Annotated[int, Path(description="id of a held price", ge=1, le=parameters.MAX_ID)]
Reason = Annotated[
    str | None,
    Query(description="only rows of exactly this reason", min_length=1, max_length=500),
    parameters.NulFree,
]
RunId = Annotated[
    int | None, Query(description="only rows of this run", ge=1, le=parameters.MAX_ID)
]
Action = Annotated[
    str | None,
    Query(description="how the action begins", max_length=100, examples=["source."], min_length=1),
    parameters.NulFree,
]
ActorId = Annotated[UUID | None, Query(description="only what this user did")]
Since = Annotated[parameters.GivenMoment, Query(description="not before; with its offset")]
Until = Annotated[parameters.GivenMoment, Query(description="before; with its offset")]


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/admin", tags=["admin"])
    administration = tracker.administration

    @routes.get("/quarantine", summary="Rows that intakes refused", responses=_LIST)
    def refused(
        _admin: AskingAdmin,
        *,
        source: parameters.SourceName = None,
        reason: Reason = None,
        run_id: RunId = None,
        limit: parameters.Limit = 50,
        cursor: parameters.Cursor = None,
    ) -> schemas.Quarantine:
        with tracker.history.read() as history:
            counts = quarantine.count_reasons(history, source=source)
            page = quarantine.load_page(
                history,
                source=source,
                reason=reason or "",
                run_id=run_id,
                limit=limit,
                cursor=cursor or "",
            )
        return schemas.Quarantine(
            items=[
                schemas.Refused(
                    id=row.id,
                    run_id=row.run_id,
                    source=row.source,
                    observed_at=row.observed_at,
                    external_id=row.external_id,
                    vendor_printing=row.sub_key,
                    reason=row.reason,
                    raw=row.raw,
                )
                for row in page.rows
            ],
            next_cursor=page.next_cursor or None,
            counts=[
                schemas.ReasonView(source=one.source, reason=one.reason, rows=one.rows)
                for one in counts
            ],
        )

    @routes.get("/dead-letters", summary="Jobs that were given up", responses=_LIST)
    def dead_letters(
        _admin: AskingAdmin, limit: parameters.Limit = 50, cursor: parameters.Cursor = None
    ) -> Page[schemas.DeadLetter]:
        """Newest first, each with the error of its last attempt."""
        wanted = JobFilter(frozenset({JobState.DEAD}))
        with tracker.database.read() as connection:
            page = jobs.list_page(connection, wanted, limit=limit, cursor=cursor or "")
        return Page(
            items=[
                schemas.DeadLetter(**dict(view_of(job)), error_type=job.error_type)
                for job in page.jobs
            ],
            next_cursor=page.next_cursor or None,
        )

    @routes.post(
        "/dead-letters/{job_id}/retry", status_code=202, summary="Retry a dead job", responses=_ACT
    )
    def retry(job_id: UUID, admin: AskingAdmin, request: Request) -> JobView:
        """The same as `/jobs/{job_id}/retry`."""
        administration.retry_job(JobId(job_id), by=actor_of(admin, request))
        with tracker.database.read() as connection:
            return view_of(jobs.show(connection, JobId(job_id)))

    @routes.get("/holds", summary="Prices that wait for a decision", responses=_LIST)
    def holds(
        _admin: AskingAdmin,
        source: parameters.SourceName = None,
        limit: parameters.Limit = 50,
    ) -> schemas.Holds:
        """Oldest first: what is decided makes room for the next."""
        with tracker.history.read() as history:
            found = load_open_holds(history, limit=limit, source=source)
        return schemas.Holds(items=[_hold(one) for one in found])

    @routes.post(
        "/holds/{hold_id}/release", status_code=204, summary="Believe a price", responses=_ACT
    )
    def release(hold_id: HoldIdPath, admin: AskingAdmin, request: Request) -> None:
        """Let it into the history, at its own moment."""
        by = actor_of(admin, request)
        administration.release_hold(hold_id, by=by, name=admin.username)

    @routes.post(
        "/holds/{hold_id}/reject", status_code=204, summary="Refuse a price", responses=_ACT
    )
    def reject(hold_id: HoldIdPath, admin: AskingAdmin, request: Request) -> None:
        """Keep it out of the history for good."""
        by = actor_of(admin, request)
        administration.reject_hold(hold_id, by=by, name=admin.username)

    @routes.get("/audit", summary="Who did what", responses=_LIST)
    def log(
        _admin: AskingAdmin,
        *,
        action: Action = None,
        actor: ActorId = None,
        since: Since = None,
        until: Until = None,
        limit: parameters.Limit = 50,
        cursor: parameters.Cursor = None,
    ) -> Page[schemas.AuditView]:
        """Newest first: sign-ins, keys, switches, purges, decisions."""
        wanted = audit.AuditFilter(action or "", actor, since, until)
        with tracker.database.read() as connection:
            page = audit.load_page(connection, wanted, limit=limit, cursor=cursor or "")
        return Page(
            items=[
                schemas.AuditView(
                    id=row.id,
                    at=row.at,
                    user_id=row.user_id,
                    username=row.username,
                    action=row.action,
                    subject=row.subject,
                    detail=dict(row.detail),
                    address=row.address,
                )
                for row in page.rows
            ],
            next_cursor=page.next_cursor or None,
        )

    return routes


def _hold(one: OpenHold) -> schemas.HoldView:
    hold, series = one.hold, one.series
    return schemas.HoldView(
        hold_id=hold.id,
        source=series.source,
        external_id=series.external_id,
        product_name=series.product_name,
        vendor_printing=series.facet.sub_key,
        kind=series.facet.kind,
        variant=series.facet.variant,
        market_price=format_minor(hold.market, series.facet.currency),
        reference_price=(
            None if hold.reference is None else format_minor(hold.reference, series.facet.currency)
        ),
        currency=series.facet.currency,
        observed_at=from_epoch(hold.observed_at),
        confirmed_days=len(hold.confirmed_days),
        reason=hold.reason,
    )
