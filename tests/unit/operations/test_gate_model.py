"""The gate against a small model: any order of calls, outcomes, restarts and moved clocks."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import upgrade
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import QuotaExhausted, SourcePaused
from tcgtracker.operations.call_gate import DatabaseCallGate
from tcgtracker.operations.quota import Plan
from tcgtracker.runtime.ports import CallOutcome, CallTicket

SERVICES = ["one", "two"]
PER_DAY, PER_MONTH = 9, 60
MINUTE = timedelta(minutes=1)


class _Model:
    """One service as the rules say it in words."""

    def __init__(self) -> None:
        self.in_row = 0
        self.opened_at: datetime | None = None
        self.probe: CallTicket | None = None
        self.day = self.month = ""
        self.used_day = self.used_month = 0

    def turn(self, now: datetime) -> None:
        """Begin the periods that a later moment is in; an earlier one changes nothing."""
        day, month = now.strftime("%Y-%m-%d"), now.strftime("%Y-%m")
        if day > self.day:
            self.day, self.used_day = day, 0
        if month > self.month:
            self.month, self.used_month = month, 0

    def paused(self, now: datetime) -> bool:
        if self.opened_at is None:
            return False
        if now < self.opened_at + MINUTE <= now + 2 * MINUTE:
            return True
        return self.probe is not None and now < self.probe.taken_at + MINUTE <= now + MINUTE

    def day_limit(self) -> int:
        day = int(self.day[-2:])
        days = 30  # the machine stays in June
        before = self.used_month - self.used_day
        even = -(-(PER_MONTH - before) // (days - day + 1))
        return min(PER_DAY, max(even, PER_MONTH * day // days - before))


class GateMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database(f"sqlite:///{Path(self.folder.name) / 'gate.db'}")
        upgrade(self.database)
        self.clock = FixedClock(datetime(2026, 6, 10, 12, tzinfo=UTC))
        self.gate = self.new_gate()
        self.models = {service: _Model() for service in SERVICES}
        self.out: list[CallTicket] = []

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def new_gate(self) -> DatabaseCallGate:
        plans = dict.fromkeys(SERVICES, Plan(PER_DAY, PER_MONTH))
        return DatabaseCallGate(self.database, self.clock, plans)

    @rule(service=st.sampled_from(SERVICES))
    def enters(self, service: str) -> None:
        self.enter(service)

    def enter(self, service: str) -> None:
        now, model = self.clock.now(), self.models[service]
        model.turn(now)
        try:
            ticket = self.gate.enter_now(service, "call")
        except QuotaExhausted:
            assert not model.paused(now)
            assert model.used_day >= model.day_limit() or model.used_month >= PER_MONTH
        except SourcePaused:
            assert model.paused(now)
        else:
            assert not model.paused(now)
            assert model.used_day < model.day_limit()
            assert model.used_month < PER_MONTH
            model.used_day += 1
            model.used_month += 1
            assert ticket.probe == (model.opened_at is not None)
            if ticket.probe:
                model.probe = ticket
            self.out.append(ticket)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), outcome=st.sampled_from([CallOutcome.OK, *[CallOutcome.FAILED] * 4]))
    def leave(self, data: st.DataObject, outcome: CallOutcome) -> None:
        self.end(data, outcome)

    @precondition(lambda self: self.out)
    @rule(
        data=st.data(),
        outcome=st.sampled_from([CallOutcome.REFUSED, CallOutcome.ABANDONED, CallOutcome.NOT_MADE]),
    )
    def leave_without_news(self, data: st.DataObject, outcome: CallOutcome) -> None:
        self.end(data, outcome)

    def end(self, data: st.DataObject, outcome: CallOutcome) -> None:
        self.end_one(self.out.pop(data.draw(st.integers(0, len(self.out) - 1))), outcome)

    @rule(service=st.sampled_from(SERVICES), count=st.integers(3, 6))
    def failures(self, service: str, count: int) -> None:
        for _ in range(count):
            before = len(self.out)
            self.enter(service)
            if len(self.out) > before:
                self.end_one(self.out.pop(), CallOutcome.FAILED)

    def end_one(self, ticket: CallTicket, outcome: CallOutcome) -> None:
        now, model = self.clock.now(), self.models[ticket.service]
        self.gate.leave_now(ticket, outcome)
        if outcome is CallOutcome.NOT_MADE:
            model.turn(now)
            taken = {unit.window: unit.starts_at for unit in ticket.units}
            model.used_day -= taken["day"].strftime("%Y-%m-%d") == model.day
            model.used_month -= taken["month"].strftime("%Y-%m") == model.month
        decides = model.opened_at is None or ticket is model.probe
        if not decides:
            return
        was_open = model.opened_at is not None
        model.probe = None
        if outcome is CallOutcome.OK:
            model.in_row, model.opened_at = 0, None
        elif outcome is CallOutcome.FAILED:
            model.in_row += 1
            if was_open or model.in_row >= 5:
                model.opened_at = now

    @rule(seconds=st.sampled_from([1, 30, 59, 60, 61, 3600, 40_000]))
    def time_passes(self, seconds: int) -> None:
        if self.clock.now() < datetime(2026, 6, 28, tzinfo=UTC):
            self.clock.advance(timedelta(seconds=seconds))

    @rule(seconds=st.sampled_from([1, 70, 90_000]))
    def clock_goes_back(self, seconds: int) -> None:
        if self.clock.now() > datetime(2026, 6, 5, tzinfo=UTC):
            self.clock.advance(timedelta(seconds=-seconds))

    @rule()
    def restart(self) -> None:
        self.gate = self.new_gate()

    @invariant()
    def nothing_is_overspent(self) -> None:
        for model in self.models.values():
            assert 0 <= model.used_month <= PER_MONTH


TestGateMachine = GateMachine.TestCase
TestGateMachine.settings = settings(
    max_examples=12,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
