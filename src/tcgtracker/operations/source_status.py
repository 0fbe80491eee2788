"""How the sources are: for operators, and what they may do about it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.sources import QuotaPeriod
from tcgtracker.operations import source_repository as repository
from tcgtracker.operations.breaker import Breaker
from tcgtracker.operations.quota import Budget, Plan
from tcgtracker.operations.source_repository import SourceState


class BreakerState(StrEnum):
    """As an operator sees it; `half-open`: the next call, or the one on its way, tests it."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source as a service; moments are aware UTC.

    enabled: the operator's switch. disabled: why nothing is called whatever the time, '' when calls
    may go. paused_until: no call before. budgets: those of today and this month, with what is used.
    """

    service: str
    enabled: bool
    disabled: str
    breaker: BreakerState
    paused_until: datetime | None
    budgets: tuple[Budget, ...]
    last_ok_at: datetime | None
    last_error: str
    last_error_at: datetime | None


def load_statuses(
    connection: Connection, plans: Mapping[str, Plan], now: datetime
) -> list[SourceStatus]:
    """Return the status of each service that has a plan, in the order of the plans."""
    states = repository.load_states(connection)
    kept = repository.load_budgets(connection, plans)
    return [
        status_of(
            service,
            states.get(service, SourceState()),
            plan.at(
                now, kept.get((service, QuotaPeriod.DAY)), kept.get((service, QuotaPeriod.MONTH))
            ).each(),
            now,
        )
        for service, plan in plans.items()
    ]


def status_of(
    service: str, state: SourceState, budgets: tuple[Budget, ...], now: datetime
) -> SourceStatus:
    """Return what a state and budgets of this moment mean."""
    disabled = f"stopped: {state.stopped}" if state.stopped else ""
    if not state.enabled:
        disabled = "switched off by the operator"
    closed_until = state.breaker.closed_until(now)
    breaker = BreakerState.CLOSED
    if state.breaker.is_open:
        probing = closed_until is not None and closed_until == state.breaker.probe_until
        resting = closed_until is not None and not probing
        breaker = BreakerState.OPEN if resting else BreakerState.HALF_OPEN
    waits = [closed_until, state.not_before, *(one.resets_at for one in budgets if not one.left)]
    return SourceStatus(
        service=service,
        enabled=state.enabled,
        disabled=disabled,
        breaker=breaker,
        paused_until=max((until for until in waits if until and until > now), default=None),
        budgets=budgets,
        last_ok_at=state.last_ok_at,
        last_error=state.last_error,
        last_error_at=state.last_error_at,
    )


def is_switched_off(connection: Connection, service: str) -> bool:
    """Tell whether the operator has switched a source off."""
    state = repository.load_state(connection, service)
    return state is not None and not state.enabled


def switch(
    connection: Connection, dialect: DatabaseDialect, service: str, *, enabled: bool
) -> None:
    """Switch a source on or off, for all processes, from the next call on."""
    state = repository.lock_state(connection, dialect, service)
    repository.save_state(connection, service, replace(state, enabled=enabled))


def resume(
    connection: Connection, dialect: DatabaseDialect, service: str, plan: Plan, now: datetime
) -> None:
    """Let a stopped source be called again: its stop, its breaker and what it said of its quota.

    What the operator switched off stays off, what is used stays used, and a wait that the vendor
    asked for is kept.
    """
    state = repository.lock_state(connection, dialect, service)
    repository.save_state(
        connection, service, replace(state, stopped="", credentials="", breaker=Breaker())
    )
    kept = repository.load_budgets(connection, [service])
    anew = plan.at(
        now,
        kept.get((service, QuotaPeriod.DAY)),
        kept.get((service, QuotaPeriod.MONTH)),
        anew=True,
    )
    for budget in anew.each():
        if (service, budget.period) in kept:
            repository.save_budget(connection, dialect, service, budget)
