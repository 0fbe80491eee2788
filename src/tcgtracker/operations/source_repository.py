"""Statements about sources: the state of each, and its budgets. Callers hold the state's row.

Everything about one service is read and written under the lock of its `source_state` row, so that
of many processes one decides at a time. On SQLite the write transaction is that lock.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.sources import QuotaPeriod, source_state, vendor_quota
from tcgtracker.operations.breaker import Breaker
from tcgtracker.operations.quota import Budget
from tcgtracker.operations.values import storable_text


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is known of a source as a service; moments are aware UTC.

    stopped: why nothing is called until the credentials change, '' when calls go. credentials: a
    keyed digest of those that were refused.
    """

    enabled: bool = True
    stopped: str = ""
    credentials: str = ""
    breaker: Breaker = field(default_factory=Breaker)
    not_before: datetime | None = None
    last_ok_at: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None


def lock_state(connection: Connection, dialect: DatabaseDialect, service: str) -> SourceState:
    """Return the state of a service and hold it until the transaction ends; made when missing."""
    connection.execute(dialect.insert_or_skip(source_state).values(service=service))
    row = connection.execute(
        select(source_state).where(source_state.c.service == service).with_for_update()
    ).one()
    return _state_of(row)


def load_state(connection: Connection, service: str) -> SourceState | None:
    """Return the state of a service, None when it was never called."""
    row = connection.execute(
        select(source_state).where(source_state.c.service == service)
    ).one_or_none()
    return None if row is None else _state_of(row)


def load_states(connection: Connection) -> dict[str, SourceState]:
    """Return the states of all services that were ever called, by name."""
    return {row.service: _state_of(row) for row in connection.execute(select(source_state))}


def save_state(connection: Connection, service: str, state: SourceState) -> None:
    """Write a state that is held."""
    connection.execute(
        update(source_state)
        .where(source_state.c.service == service)
        .values(
            enabled=state.enabled,
            stopped=storable_text(state.stopped),
            credentials=state.credentials,
            failures=state.breaker.failures,
            opened_at=state.breaker.opened_at,
            probe_until=state.breaker.probe_until,
            not_before=state.not_before,
            last_ok_at=state.last_ok_at,
            last_error=storable_text(state.last_error),
            last_error_at=state.last_error_at,
        )
    )


def load_budgets(
    connection: Connection, services: Collection[str]
) -> dict[tuple[str, QuotaPeriod], Budget]:
    """Return the budgets of the services as they were left, also of periods that have ended."""
    rows = connection.execute(
        select(vendor_quota).where(vendor_quota.c.service.in_(sorted(services)))
    )
    return {
        (row.service, QuotaPeriod(row.period)): Budget(
            QuotaPeriod(row.period), row.starts_at, row.resets_at, row.allowed, row.used
        )
        for row in rows
    }


def save_budget(
    connection: Connection, dialect: DatabaseDialect, service: str, budget: Budget
) -> None:
    """Write a budget of a service whose state is held."""
    statement = dialect.upsert(
        vendor_quota, ("service", "period"), ("starts_at", "resets_at", "allowed", "used")
    )
    connection.execute(
        statement,
        {
            "service": service,
            "period": budget.period.value,
            "starts_at": budget.starts_at,
            "resets_at": budget.resets_at,
            "allowed": budget.allowed,
            "used": budget.used,
        },
    )


def _state_of(row: Row[Any]) -> SourceState:
    return SourceState(
        enabled=bool(row.enabled),
        stopped=row.stopped,
        credentials=row.credentials,
        breaker=Breaker(row.failures, row.opened_at, row.probe_until),
        not_before=row.not_before,
        last_ok_at=row.last_ok_at,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
    )
