"""The feature flags, for admins: which source is asked and shown first, for which cards."""

from typing import Any

from fastapi import APIRouter, Request

from tcgtracker.api.accounts import address_of
from tcgtracker.api.authentication import AskingAdmin
from tcgtracker.api.errors import RESPONSES
from tcgtracker.api.flag_schemas import Flag, FlagChanges, Flags
from tcgtracker.operations.flag_settings import ChangedBy, FlagRow, change_flags, list_flags
from tcgtracker.tracker import Tracker

_ADMIN: dict[int | str, dict[str, Any]] = {
    status: RESPONSES[status] for status in (400, 401, 403, 422, 429, 503)
}


def router(tracker: Tracker) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["admin"])

    @routes.get("/admin/flags", summary="The feature flags", responses=_ADMIN)
    def flags(_account: AskingAdmin) -> Flags:
        """Every flag with its value, its default, and who changed it last."""
        with tracker.database.read() as connection:
            return _shown(list_flags(connection))

    @routes.put("/admin/flags", summary="Change feature flags", responses=_ADMIN)
    def change(wish: FlagChanges, account: AskingAdmin, request: Request) -> Flags:
        """Change flags together; they hold in every process at once, without a restart.

        Every change is in the audit log with both values.
        """
        by = ChangedBy(account.username, account.user_id, address_of(request))
        with tracker.database.write() as connection:
            changed = change_flags(
                connection, tracker.database.dialect, wish.flags, by=by, now=tracker.clock.now()
            )
        return _shown(changed)

    return routes


def _shown(rows: list[FlagRow]) -> Flags:
    return Flags(items=[Flag.model_validate(row) for row in rows])
