"""The audit log: who did what, written in the transaction that does it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select
from uuid_utils.compat import uuid7

from tcgtracker.database.tables.accounts import audit_log, users
from tcgtracker.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user from an address, or nobody but the operator at the machine."""

    user_id: UUID | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """What was done. `at` is aware UTC; without a user it was done at the machine itself."""

    id: UUID
    at: datetime
    user_id: UUID | None
    username: str | None
    action: str
    subject: str
    detail: Mapping[str, Any]
    address: str


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to list; an empty field does not narrow.

    action: how the action begins, as `source.` or `source.purged`. since, until: aware UTC, the
    second not included.
    """

    action: str = ""
    actor: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Rows, newest first, and the cursor of the next page ('' on the last)."""

    rows: tuple[AuditRow, ...]
    next_cursor: str


def add_audit(
    connection: Connection,
    action: str,
    *,
    now: datetime,
    user_id: UUID | None = None,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
    address: str = "",
) -> None:
    """Write down what was done, in the transaction that does it."""
    connection.execute(
        insert(audit_log).values(
            id=uuid7(),
            at=now,
            user_id=user_id,
            action=action,
            subject=subject,
            detail=dict(detail or {}),
            address=address,
        )
    )


def load_page(
    connection: Connection, wanted: AuditFilter, *, limit: int = 50, cursor: str = ""
) -> AuditPage:
    """Return a part of the log.

    Raises:
        InvalidInput: the cursor is not one that a list gave.
    """
    statement = (
        select(
            audit_log.c.id,
            audit_log.c.at,
            audit_log.c.user_id,
            users.c.username,
            audit_log.c.action,
            audit_log.c.subject,
            audit_log.c.detail,
            audit_log.c.address,
        )
        .select_from(audit_log.outerjoin(users, users.c.id == audit_log.c.user_id))
        .order_by(audit_log.c.id.desc())
        .limit(limit + 1)
    )
    if wanted.action:
        statement = statement.where(audit_log.c.action.startswith(wanted.action, autoescape=True))
    if wanted.actor is not None:
        statement = statement.where(audit_log.c.user_id == wanted.actor)
    if wanted.since is not None:
        statement = statement.where(audit_log.c.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(audit_log.c.at < wanted.until)
    if cursor:
        try:
            statement = statement.where(audit_log.c.id < UUID(cursor))
        except ValueError as exc:
            raise InvalidInput("the cursor is not one that a list gave: begin without it") from exc
    found = [AuditRow(*row) for row in connection.execute(statement)]
    more = str(found[limit - 1].id) if len(found) > limit else ""
    return AuditPage(tuple(found[:limit]), more)
