"""The gate before every call to a vendor: switch, stop, breaker and budgets, kept as rows.

Rows survive a restart and a lost Redis, and are the same for all processes (ADR 0011).
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.sources import QuotaPeriod
from tcgtracker.domain.clock import Clock, ensure_utc, iso
from tcgtracker.domain.errors import QuotaExhausted, SourceDisabled, SourcePaused
from tcgtracker.operations import credentials
from tcgtracker.operations import source_repository as repository
from tcgtracker.operations.quota import Budget, Budgets, Plan
from tcgtracker.operations.source_repository import SourceState
from tcgtracker.runtime.metrics import Metrics
from tcgtracker.runtime.ports import CallOutcome, CallTicket, ReportedQuota

log = structlog.get_logger(__name__)

_SAYS_OK_EVERY = timedelta(seconds=10)
"""The moment of the last good answer is written no more often when nothing else is to be."""


class DatabaseCallGate:
    """A `CallGate` on the main database; its statements run in a worker thread.

    plans: the budgets by service; credentials: the secret of each service that has one, of which
    only a keyed digest is ever stored. transitions: how often a breaker went (service, to) here.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        plans: Mapping[str, Plan],
        *,
        credentials: Mapping[str, str] | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._plans = dict(plans)
        self._credentials = dict(credentials or {})
        self._metrics = metrics or Metrics()
        self.transitions: Counter[tuple[str, str]] = Counter()

    async def enter(self, service: str, operation: str) -> CallTicket:
        return await asyncio.to_thread(self.enter_now, service, operation)

    async def leave(
        self,
        ticket: CallTicket,
        outcome: CallOutcome,
        *,
        message: str = "",
        not_before: datetime | None = None,
        reported: tuple[ReportedQuota, ...] = (),
    ) -> None:
        await asyncio.to_thread(
            self.leave_now,
            ticket,
            outcome,
            message=message,
            not_before=not_before,
            reported=reported,
        )

    def enter_now(self, service: str, operation: str) -> CallTicket:
        """As `enter`, in this thread."""
        if self._plans.get(service, Plan()) == Plan():
            now = self._clock.now()
            if self._goes_freely(service, now):
                return CallTicket(service, now)
        with self._database.write() as connection:
            dialect = self._database.dialect
            before = state = repository.lock_state(connection, dialect, service)
            now = self._clock.now()  # the lock may have taken its time
            if state.stopped and not credentials.matches(state.credentials, self._secret(service)):
                state = replace(state, stopped="", credentials="")
            _require_open(service, operation, state, now)
            probe = state.breaker.is_open
            if probe:
                state = replace(state, breaker=state.breaker.probed(now))
            units = []
            for budget in _take(service, operation, self._budgets(connection, service, now)):
                repository.save_budget(connection, dialect, service, budget)
                units.append(budget.unit())
            if state != before:
                repository.save_state(connection, service, state)
        if before.stopped and not state.stopped:
            log.info("source.resumed", service=service, why="other credentials")
        return CallTicket(service, now, probe, tuple(units))

    def leave_now(
        self,
        ticket: CallTicket,
        outcome: CallOutcome,
        *,
        message: str = "",
        not_before: datetime | None = None,
        reported: tuple[ReportedQuota, ...] = (),
    ) -> None:
        """As `leave`, in this thread."""
        service = ticket.service
        quiet = outcome is CallOutcome.OK and not (ticket.probe or not_before or reported)
        now = self._clock.now()
        if quiet and self._goes_freely(service, now, heard_since=now - _SAYS_OK_EVERY):
            return
        with self._database.write() as connection:
            before = repository.lock_state(connection, self._database.dialect, service)
            now = self._clock.now()
            # The lease may have run out, and another call be the probe by now.
            probe = ticket.probe and before.breaker.probe_until == (
                before.breaker.probed(ticket.taken_at).probe_until
            )
            state = replace(before, breaker=before.breaker.after(outcome, now, probe=probe))
            state = self._heard(service, state, outcome, message, now)
            if not_before is not None:
                moment = ensure_utc(not_before)
                state = replace(state, not_before=max(state.not_before or moment, moment))
            if state != before:
                repository.save_state(connection, service, state)
            if reported or outcome is CallOutcome.NOT_MADE:
                budgets = self._budgets(connection, service, now)
                for old in budgets.each():
                    new = _corrected(budgets, old, ticket, outcome, reported)
                    if new != old:
                        repository.save_budget(connection, self._database.dialect, service, new)
        self._tell(service, before, state)

    def _heard(
        self, service: str, state: SourceState, outcome: CallOutcome, message: str, now: datetime
    ) -> SourceState:
        if outcome is CallOutcome.OK:
            return replace(state, last_ok_at=now)
        if outcome is CallOutcome.NOT_MADE or (outcome is CallOutcome.ABANDONED and not message):
            return state
        state = replace(state, last_error=message or outcome.value, last_error_at=now)
        if outcome is CallOutcome.BAD_CREDENTIALS:
            kept = credentials.digest(self._secret(service))
            why = message or "the vendor refuses the credentials"
            state = replace(state, stopped=why, credentials=kept)
        return state

    def _tell(self, service: str, before: SourceState, state: SourceState) -> None:
        if before.breaker.is_open != state.breaker.is_open:
            to = "open" if state.breaker.is_open else "closed"
            self.transitions[service, to] += 1
            self._metrics.breaker_transitions.labels(service, to).inc()
            if state.breaker.is_open:
                log.warning(
                    "breaker.opened",
                    service=service,
                    failures=state.breaker.failures,
                    error=state.last_error,
                )
            else:
                log.info("breaker.closed", service=service)
        if state.stopped and not before.stopped:
            log.error("source.stopped", service=service, why=state.stopped)

    def _goes_freely(
        self, service: str, now: datetime, *, heard_since: datetime | None = None
    ) -> bool:
        """Tell, without the lock of a writer, that nothing is to be decided or written."""
        with self._database.read() as connection:
            state = repository.load_state(connection, service)
        if state is None or state.stopped or not state.enabled or state.breaker.failures:
            return False
        if heard_since is not None:
            return state.last_ok_at is not None and heard_since < state.last_ok_at <= now
        return state.not_before is None or state.not_before <= now

    def _budgets(self, connection: Connection, service: str, now: datetime) -> Budgets:
        kept = repository.load_budgets(connection, [service])
        plan = self._plans.get(service, Plan())
        return plan.at(
            now, kept.get((service, QuotaPeriod.DAY)), kept.get((service, QuotaPeriod.MONTH))
        )

    def _secret(self, service: str) -> str:
        return self._credentials.get(service, "")


def _require_open(service: str, operation: str, state: SourceState, now: datetime) -> None:
    if not state.enabled:
        raise SourceDisabled(
            service, operation, f"switched off; 'tcgtracker sources enable {service}' undoes it"
        )
    if state.stopped:
        raise SourceDisabled(
            service,
            operation,
            f"stopped: {state.stopped}; change the credentials, or let it be tried again with"
            f" 'tcgtracker sources resume {service}'",
        )
    if state.not_before is not None and now < state.not_before:
        raise SourcePaused(
            service,
            operation,
            f"the vendor asks for no call before {iso(state.not_before)}",
            until=state.not_before,
        )
    until = state.breaker.closed_until(now)
    if until is not None:
        raise SourcePaused(
            service,
            operation,
            f"left alone until {iso(until)} after {state.breaker.failures} failures:"
            f" {state.last_error}",
            until=until,
        )


def _take(service: str, operation: str, budgets: Budgets) -> list[Budget]:
    """Return the budgets with one call less."""
    until = budgets.spent_until()
    if until is not None:
        spent = [f"{one.used} of {one.allowed} calls of the {one.period}" for one in budgets.each()]
        raise QuotaExhausted(
            service,
            operation,
            f"the budget is spent until {iso(until)}: {', '.join(spent)}",
            until=until,
        )
    return [budget.taken() for budget in budgets.each()]


def _corrected(
    budgets: Budgets,
    budget: Budget,
    ticket: CallTicket,
    outcome: CallOutcome,
    reported: tuple[ReportedQuota, ...],
) -> Budget:
    """Return the budget after a call that was, or was not, made and what the vendor said."""
    for unit in ticket.units:
        if unit.window != budget.period:
            continue
        if outcome is CallOutcome.NOT_MADE and unit.starts_at == budget.starts_at:
            budget = replace(budget, used=max(0, budget.used - 1))
        for said in reported:
            if said.window == unit.window:
                budget = budget.heeding(unit, said, ticket.taken_at, budgets.most(budget))
    return budget
