"""The sources: how they are, what is left of their quotas, what their prices may be used for."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from tcgtracker.accounts.values import Account
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.source import Source
from tcgtracker.operations.flag_settings import ChangedBy, change_flags, list_flags, parse_value
from tcgtracker.operations.flags import load_flags
from tcgtracker.quotes.sync_jobs import SYNC_SETS
from tcgtracker.tracker import Tracker
from tcgtracker.web.parameters import Storable
from tcgtracker.web.render import Renderer
from tcgtracker.web.source_view import load_sources
from tcgtracker.web.visitor import Administrator, Person, actor_of, address_of

Text = Annotated[str, Form(max_length=200), Storable]


def router(tracker: Tracker, renderer: Renderer) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    acts = tracker.administration

    def back(vendor: str) -> Response:
        return RedirectResponse(f"/sources#{vendor}", status_code=303)

    def show(request: Request, account: Account, *, wrong: str = "", status: int = 200) -> Response:
        found = load_sources(tracker)
        with tracker.database.read() as connection:
            values = {
                "sources": found,
                # A user's own prices speak for no card.
                "order": [one for one in load_flags(connection).order if one is not Source.MANUAL],
                "flags": list_flags(connection) if account.is_admin else [],
                "wrong": wrong,
            }
        return renderer.page(request, "sources", values, status=status)

    @routes.get("/sources")
    def sources(request: Request, account: Person) -> Response:
        return show(request, account)

    @routes.post("/sources/flags")
    def change(
        request: Request,
        admin: Administrator,
        name: Text = "",
        value: Text = "",
        default: Text = "",
    ) -> Response:
        """Change one flag, for all processes at once."""
        by = ChangedBy(admin.username, admin.user_id, address_of(request))
        try:
            wanted = None if default else parse_value(name, value)
            with tracker.database.write() as connection:
                change_flags(
                    connection,
                    tracker.database.dialect,
                    {name: wanted},
                    by=by,
                    now=tracker.clock.now(),
                )
        except InvalidInput as exc:
            return show(request, admin, wrong=str(exc), status=422)
        return RedirectResponse("/sources#flags", status_code=303)

    @routes.post("/sources/sync")
    def synchronise(_admin: Administrator) -> Response:
        """Ask every source for its sets, and then for their cards; the answer is the job's page."""
        with tracker.unit_of_work() as uow:
            job_id = tracker.queue.enqueue(uow, SYNC_SETS, dedupe_key=f"{SYNC_SETS}:by-hand")
        return RedirectResponse(f"/jobs/{job_id}", status_code=303)

    @routes.post("/sources/{vendor}/enable")
    def enable(vendor: str, request: Request, admin: Administrator) -> Response:
        acts.switch(vendor, enabled=True, by=actor_of(admin, request))
        return back(vendor)

    @routes.post("/sources/{vendor}/disable")
    def disable(vendor: str, request: Request, admin: Administrator) -> Response:
        acts.switch(vendor, enabled=False, by=actor_of(admin, request))
        return back(vendor)

    @routes.post("/sources/{vendor}/resume")
    def resume(vendor: str, request: Request, admin: Administrator) -> Response:
        """Try a stopped source again with the next call."""
        acts.resume(vendor, by=actor_of(admin, request))
        return back(vendor)

    @routes.post("/sources/{vendor}/purge")
    def purge(
        vendor: str, request: Request, admin: Administrator, confirmed: Text = ""
    ) -> Response:
        """Switch it off and delete what is stored of it; whoever asks types its name."""
        if confirmed.strip() != vendor:
            wrong = f"nothing was deleted: type {vendor} to delete all that is stored of it"
            return show(request, admin, wrong=wrong, status=422)
        job_id = acts.ask_purge(vendor, by=actor_of(admin, request))
        return RedirectResponse(f"/jobs/{job_id}", status_code=303)

    return routes
