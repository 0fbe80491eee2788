"""Vendors for operators: how they are, switches, and the deletion of what is stored of them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from tcgtracker.accounts.administration import SourceOverview
from tcgtracker.api import admin_schemas as schemas
from tcgtracker.api.authentication import AskingAdmin, actor_of
from tcgtracker.api.errors import RESPONSES
from tcgtracker.api.health_report import health_of
from tcgtracker.api.jobs import JobView, view_of
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.operations import repository as jobs
from tcgtracker.tracker import Tracker

_READ: dict[int | str, dict[str, Any]] = {status: RESPONSES[status] for status in (401, 403, 503)}
_ACT: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (401, 403, 404, 422, 503)
}
_PURGE: dict[int | str, dict[str, Any]] = {**_ACT, 400: RESPONSES[400]}
SourcePath = Annotated[str, Path(description="name of a vendor", pattern="^[a-z0-9]{1,50}$")]


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/admin/sources", tags=["admin"])
    administration = tracker.administration

    def show(name: str) -> schemas.SourceView:
        return _source(administration.source(name), tracker.clock.now())

    @routes.get("", summary="Every source with its health, quota and terms", responses=_READ)
    def sources(_admin: AskingAdmin) -> schemas.Sources:
        now = tracker.clock.now()
        return schemas.Sources(items=[_source(one, now) for one in administration.sources()])

    @routes.post("/{source}/enable", summary="Switch a source on", responses=_ACT)
    def enable(source: SourcePath, admin: AskingAdmin, request: Request) -> schemas.SourceView:
        administration.switch(source, enabled=True, by=actor_of(admin, request))
        return show(source)

    @routes.post("/{source}/disable", summary="Switch a source off", responses=_ACT)
    def disable(source: SourcePath, admin: AskingAdmin, request: Request) -> schemas.SourceView:
        """No process calls it from the next call on."""
        administration.switch(source, enabled=False, by=actor_of(admin, request))
        return show(source)

    @routes.post("/{source}/resume", summary="Try a stopped source again", responses=_ACT)
    def resume(source: SourcePath, admin: AskingAdmin, request: Request) -> schemas.SourceView:
        """Forget its stop, its breaker and what it said of its quota; a wait it asked for stays."""
        administration.resume(source, by=actor_of(admin, request))
        return show(source)

    @routes.post(
        "/{source}/purge",
        status_code=202,
        summary="Delete what is stored of a source",
        responses=_PURGE,
    )
    def purge(
        source: SourcePath, wish: schemas.PurgeWish, admin: AskingAdmin, request: Request
    ) -> JobView:
        """Switch it off, and delete its prices, products, links and statements in the background.

        There is no way back but a backup; the body names the source once more. While a purge of
        the source waits or runs, its job is answered.
        """
        administration.source(source)
        if wish.confirm != source:
            raise InvalidInput(f"to delete what is stored of {source}, send confirm: {source!r}")
        job_id = administration.ask_purge(source, by=actor_of(admin, request))
        with tracker.database.read() as connection:
            return view_of(jobs.show(connection, job_id))

    return routes


def _source(one: SourceOverview, now: datetime) -> schemas.SourceView:
    entry, status, run = one.entry, one.status, one.last_run
    terms = entry.info.terms
    return schemas.SourceView(
        source=entry.info.vendor,
        title=entry.info.title,
        state=health_of(status, entry, now),
        reason=entry.disabled or status.disabled,
        enabled=status.enabled,
        breaker=status.breaker,
        paused_until=status.paused_until,
        quota=[
            schemas.QuotaLeft(
                period=budget.period,
                used=budget.used,
                allowed=budget.allowed,
                left=budget.left,
                resets_at=budget.resets_at,
            )
            for budget in status.budgets
        ],
        last_ok_at=status.last_ok_at,
        last_error=status.last_error,
        last_error_at=status.last_error_at,
        last_run=None
        if run is None
        else schemas.RunView(
            run_id=run.id,
            input=run.input,
            state=run.state,
            started_at=run.started_at,
            finished_at=run.finished_at,
            error=run.error,
        ),
        terms=schemas.TermsView(
            may_store=terms.may_store,
            may_display=terms.may_display,
            must_purge=terms.must_purge,
            note=terms.note,
        ),
    )
