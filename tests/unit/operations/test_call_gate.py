"""The gate on both databases: switch, stop, breaker, budgets."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import QuotaExhausted, SourceDisabled, SourcePaused
from tcgtracker.operations.call_gate import DatabaseCallGate
from tcgtracker.operations.quota import Plan
from tcgtracker.operations.source_status import resume, switch
from tcgtracker.runtime.ports import CallOutcome, CallTicket, ReportedQuota

# The middle of a month of 30 days: the even share of earlier days leaves a day its whole limit.
NOON = datetime(2026, 6, 20, 12, tzinfo=UTC)
JUSTTCG = Plan(per_day=100, per_month=1000)
SMALL = Plan(per_day=20, per_month=200)
MINUTE = timedelta(minutes=1)


class GateKit:
    """A gate whose calls are made in this thread, with a clock that the test moves."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FixedClock(NOON)
        self.gate = self.new_gate()

    def new_gate(
        self,
        plans: Mapping[str, Plan] | None = None,
        credentials: Mapping[str, str] | None = None,
    ) -> DatabaseCallGate:
        """Return another gate on the same rows, as another process has it."""
        plans = {"justtcg": SMALL} if plans is None else plans
        keys = {"justtcg": "key one"} if credentials is None else credentials
        return DatabaseCallGate(self.database, self.clock, plans, credentials=keys)

    def enter(self, service: str = "justtcg") -> CallTicket:
        return self.gate.enter_now(service, "cards")

    def call(
        self,
        outcome: CallOutcome = CallOutcome.OK,
        *,
        service: str = "justtcg",
        reported: tuple[ReportedQuota, ...] = (),
    ) -> CallTicket:
        ticket = self.enter(service)
        self.gate.leave_now(ticket, outcome, message=f"said {outcome}", reported=reported)
        return ticket

    def until_spent(self, most: int = 5000) -> tuple[int, datetime]:
        """Call until the budget is spent; return how many went and when there is more."""
        for count in range(most):
            try:
                self.call()
            except QuotaExhausted as exc:
                return count, exc.until
        pytest.fail(f"{most} calls went")

    def open_breaker(self, service: str = "justtcg") -> None:
        for _ in range(5):
            self.call(CallOutcome.FAILED, service=service)


@pytest.fixture
def kit(database: Database) -> GateKit:
    return GateKit(database)


class TestBudget:
    def test_call_101_of_a_day_is_not_made(self, kit: GateKit) -> None:
        kit.gate = kit.new_gate({"justtcg": JUSTTCG})
        assert kit.until_spent() == (100, datetime(2026, 6, 21, tzinfo=UTC))

    def test_next_day_has_its_own(self, kit: GateKit) -> None:
        kit.until_spent()
        kit.clock.set(datetime(2026, 6, 20, 23, 59, 59, tzinfo=UTC))
        with pytest.raises(QuotaExhausted):
            kit.enter()
        kit.clock.set(datetime(2026, 6, 21, tzinfo=UTC))
        assert kit.until_spent()[0] == 20

    def test_restart_remembers(self, kit: GateKit) -> None:
        kit.until_spent()
        kit.gate = kit.new_gate()
        with pytest.raises(QuotaExhausted, match="20 of 20 calls of the day"):
            kit.enter()

    def test_month_is_spent_evenly_with_what_earlier_days_left(self, kit: GateKit) -> None:
        kit.gate = kit.new_gate({"justtcg": Plan(per_month=60)})
        kit.clock.set(datetime(2026, 6, 1, 8, tzinfo=UTC))
        assert kit.until_spent()[0] == 2
        kit.clock.set(datetime(2026, 6, 4, 8, tzinfo=UTC))  # two days left their two
        assert kit.until_spent()[0] == 6
        kit.clock.set(datetime(2026, 6, 30, 8, tzinfo=UTC))
        assert kit.until_spent() == (52, datetime(2026, 7, 1, tzinfo=UTC))
        kit.clock.set(datetime(2026, 7, 1, tzinfo=UTC))
        assert kit.until_spent()[0] == 2  # of 31 days

    def test_month_never_gives_more_than_its_limit(self, kit: GateKit) -> None:
        made = 0
        for day in range(1, 31):
            kit.clock.set(datetime(2026, 6, day, 12, tzinfo=UTC))
            kit.gate = kit.new_gate({"justtcg": Plan(per_day=4, per_month=31)})
            made += kit.until_spent()[0]
        assert made == 31

    @pytest.mark.parametrize("back", [timedelta(days=1), timedelta(days=40)])
    def test_clock_that_goes_back_gives_nothing_back(self, kit: GateKit, back: timedelta) -> None:
        kit.until_spent()
        kit.clock.advance(-back)
        with pytest.raises(QuotaExhausted):
            kit.enter()

    def test_lower_remainder_of_the_vendor_holds(self, kit: GateKit) -> None:
        kit.call(reported=(ReportedQuota("day", 7, 20), ReportedQuota("month", 100, 200)))
        assert kit.until_spent()[0] == 7

    def test_higher_remainder_uncounts_nothing(self, kit: GateKit) -> None:
        for _ in range(12):
            kit.call()
        kit.call(reported=(ReportedQuota("day", 16, 20),))
        assert kit.until_spent()[0] == 7

    def test_vendor_month_that_began_anew_is_believed(self, kit: GateKit) -> None:
        kit.call(reported=(ReportedQuota("month", 5, 200),))
        kit.call(reported=(ReportedQuota("month", 199, 200),))
        assert kit.until_spent()[0] == 18

    def test_report_about_the_day_that_has_ended_is_not_of_this_one(self, kit: GateKit) -> None:
        kit.clock.set(datetime(2026, 6, 20, 23, 59, 59, tzinfo=UTC))
        late = kit.enter()
        kit.clock.advance(timedelta(seconds=2))
        kit.gate.leave_now(late, CallOutcome.OK, reported=(ReportedQuota("day", 0, 20),))
        # nor does one count that the vendor gives while its own clock may still be behind
        kit.call(reported=(ReportedQuota("day", 0, 20),))
        assert kit.until_spent()[0] == 19

    def test_call_that_was_not_made_is_given_back_and_an_abandoned_one_is_not(
        self, kit: GateKit
    ) -> None:
        kit.call(CallOutcome.NOT_MADE)
        kit.call(CallOutcome.ABANDONED)
        assert kit.until_spent()[0] == 19

    def test_smaller_plan_in_the_settings_holds_at_once(self, kit: GateKit) -> None:
        for _ in range(5):
            kit.call()
        kit.gate = kit.new_gate({"justtcg": Plan(per_day=10, per_month=200)})
        assert kit.until_spent()[0] == 5

    def test_resume_takes_a_larger_plan_and_keeps_what_is_used(self, kit: GateKit) -> None:
        kit.until_spent()
        larger = Plan(per_day=30, per_month=300)
        kit.gate = kit.new_gate({"justtcg": larger})
        with pytest.raises(QuotaExhausted):
            kit.enter()
        with kit.database.write() as connection:
            resume(connection, kit.database.dialect, "justtcg", larger, kit.clock.now())
        assert kit.until_spent()[0] == 10

    def test_many_at_once_take_no_more_than_there_is(self, kit: GateKit) -> None:
        gates = [kit.new_gate({"justtcg": Plan(per_day=12)}) for _ in range(2)]

        def enter(number: int) -> bool:
            try:
                gates[number % 2].enter_now("justtcg", "cards")
            except QuotaExhausted:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(enter, range(40))) == 12

    def test_service_without_limits_is_not_counted(self, kit: GateKit) -> None:
        for _ in range(3):
            assert kit.call(service="tcgdex").units == ()
        with kit.database.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM vendor_quota")).scalar() == 0


class TestBreaker:
    def test_fifth_failure_in_a_row_opens_for_sixty_seconds(self, kit: GateKit) -> None:
        for _ in range(4):
            kit.call(CallOutcome.FAILED)
        kit.call(CallOutcome.OK)
        with capture_logs() as logs:
            kit.open_breaker()
        assert [line["event"] for line in logs] == ["breaker.opened"]
        with pytest.raises(SourcePaused, match="said failed") as caught:
            kit.enter()
        assert caught.value.until == NOON + MINUTE
        kit.clock.advance(timedelta(seconds=59))
        with pytest.raises(SourcePaused):
            kit.enter()

    @pytest.mark.parametrize("outcome", [CallOutcome.REFUSED, CallOutcome.ABANDONED])
    def test_refusals_never_open_it(self, kit: GateKit, outcome: CallOutcome) -> None:
        for _ in range(7):
            kit.call(outcome)
        assert not kit.enter().probe

    def test_good_probe_closes_it(self, kit: GateKit) -> None:
        kit.open_breaker()
        kit.clock.advance(MINUTE)
        with capture_logs() as logs:
            assert kit.call().probe
        assert [line["event"] for line in logs] == ["breaker.closed"]
        assert kit.gate.transitions == {("justtcg", "open"): 1, ("justtcg", "closed"): 1}
        for _ in range(4):
            assert not kit.call(CallOutcome.FAILED).probe
        assert not kit.enter().probe

    def test_failed_probe_opens_it_for_another_minute_without_news(self, kit: GateKit) -> None:
        kit.open_breaker()
        kit.clock.advance(MINUTE)
        with capture_logs() as logs:
            kit.call(CallOutcome.FAILED)
        assert logs == []
        with pytest.raises(SourcePaused) as caught:
            kit.enter()
        assert caught.value.until == NOON + 2 * MINUTE

    def test_ten_at_once_make_one_probe(self, kit: GateKit) -> None:
        kit.open_breaker()
        kit.clock.advance(MINUTE)
        gates = [kit.new_gate() for _ in range(10)]

        def enter(gate: DatabaseCallGate) -> bool:
            try:
                return gate.enter_now("justtcg", "cards").probe
            except SourcePaused:
                return False

        with ThreadPoolExecutor(10) as pool:
            assert sum(pool.map(enter, gates)) == 1

    @pytest.mark.parametrize(
        "outcome", [CallOutcome.ABANDONED, CallOutcome.NOT_MADE, CallOutcome.REFUSED]
    )
    def test_probe_that_learned_nothing_is_given_back(
        self, kit: GateKit, outcome: CallOutcome
    ) -> None:
        kit.open_breaker()
        kit.clock.advance(MINUTE)
        assert kit.call(outcome).probe
        assert kit.enter().probe

    def test_probe_of_a_process_that_died_is_made_again(self, kit: GateKit) -> None:
        kit.open_breaker()
        kit.clock.advance(MINUTE)
        dead = kit.enter()
        with pytest.raises(SourcePaused):
            kit.enter()
        kit.clock.advance(MINUTE)
        second = kit.enter()
        assert second.probe
        kit.gate.leave_now(dead, CallOutcome.OK)  # too late to decide
        with pytest.raises(SourcePaused):
            kit.enter()
        kit.gate.leave_now(second, CallOutcome.OK)
        assert not kit.enter().probe

    def test_calls_that_were_on_their_way_do_not_decide(self, kit: GateKit) -> None:
        early = [kit.enter() for _ in range(2)]
        kit.open_breaker()
        kit.clock.advance(timedelta(seconds=30))
        kit.gate.leave_now(early[0], CallOutcome.OK)
        kit.gate.leave_now(early[1], CallOutcome.FAILED)
        with pytest.raises(SourcePaused) as caught:
            kit.enter()
        assert caught.value.until == NOON + MINUTE

    def test_services_have_their_own(self, kit: GateKit) -> None:
        kit.open_breaker()
        assert not kit.enter("pricecharting").probe

    def test_moment_of_a_clock_that_ran_ahead_holds_nobody_back(self, kit: GateKit) -> None:
        kit.open_breaker()
        kit.clock.advance(timedelta(days=-1))
        assert kit.enter().probe


class TestStop:
    def test_bad_key_is_asked_once(self, kit: GateKit) -> None:
        with capture_logs() as logs:
            kit.call(CallOutcome.BAD_CREDENTIALS)
        assert [line["event"] for line in logs] == ["source.stopped"]
        for gate in (kit.gate, kit.new_gate()):
            with pytest.raises(SourceDisabled, match="said bad_credentials"):
                gate.enter_now("justtcg", "cards")
        kit.clock.advance(timedelta(days=30))
        with pytest.raises(SourceDisabled):
            kit.enter()

    def test_other_key_lifts_it(self, kit: GateKit) -> None:
        kit.call(CallOutcome.BAD_CREDENTIALS)
        kit.gate = kit.new_gate(credentials={"justtcg": "key two"})
        kit.call()
        kit.call()

    def test_resume_lifts_it(self, kit: GateKit) -> None:
        kit.call(CallOutcome.BAD_CREDENTIALS)
        with kit.database.write() as connection:
            resume(connection, kit.database.dialect, "justtcg", SMALL, kit.clock.now())
        kit.call()

    def test_success_of_an_earlier_call_does_not_lift_it(self, kit: GateKit) -> None:
        early = kit.enter()
        kit.call(CallOutcome.BAD_CREDENTIALS)
        kit.gate.leave_now(early, CallOutcome.OK)
        with pytest.raises(SourceDisabled):
            kit.enter()

    def test_key_is_not_in_the_database(self, kit: GateKit) -> None:
        kit.call(CallOutcome.BAD_CREDENTIALS)
        with kit.database.read() as connection:
            row = connection.execute(text("SELECT * FROM source_state")).one()
        assert "key one" not in str(row)

    def test_switch_is_for_all_and_undone_by_itself_only(self, kit: GateKit) -> None:
        def turn(*, enabled: bool) -> None:
            with kit.database.write() as connection:
                switch(connection, kit.database.dialect, "justtcg", enabled=enabled)

        turn(enabled=False)
        with pytest.raises(SourceDisabled, match="sources enable justtcg"):
            kit.new_gate(credentials={"justtcg": "key two"}).enter_now("justtcg", "cards")
        turn(enabled=True)
        kit.call()


class TestWait:
    def test_latest_moment_holds_for_all(self, kit: GateKit) -> None:
        first, second = kit.enter(), kit.enter()
        later = NOON + timedelta(hours=2)
        kit.gate.leave_now(first, CallOutcome.REFUSED, not_before=later)
        kit.gate.leave_now(second, CallOutcome.REFUSED, not_before=NOON + MINUTE)
        kit.clock.advance(timedelta(hours=1, minutes=59))
        with pytest.raises(SourcePaused) as caught:
            kit.new_gate().enter_now("justtcg", "cards")
        assert caught.value.until == later
        kit.clock.advance(MINUTE)
        kit.call()

    def test_naive_moment_is_refused(self, kit: GateKit) -> None:
        with pytest.raises(ValueError, match="no time zone"):
            kit.gate.leave_now(
                kit.enter(),
                CallOutcome.REFUSED,
                not_before=datetime(2026, 6, 20),  # noqa: DTZ001
            )


def test_event_loop_goes_on_while_the_database_works(kit: GateKit) -> None:
    async def act() -> list[CallTicket]:
        tickets = await asyncio.gather(*(kit.gate.enter("justtcg", "cards") for _ in range(5)))
        for ticket in tickets:
            await kit.gate.leave(ticket, CallOutcome.OK)
        return tickets

    ordinals = sorted(ticket.units[0].ordinal for ticket in asyncio.run(act()))
    assert ordinals == [1, 2, 3, 4, 5]


Act = Callable[[GateKit], None]


@pytest.mark.parametrize(
    "refused",
    [
        lambda kit: kit.open_breaker(),
        lambda kit: kit.call(CallOutcome.BAD_CREDENTIALS),
    ],
    ids=["open breaker", "stopped"],
)
def test_refused_call_costs_no_budget(kit: GateKit, refused: Act) -> None:
    refused(kit)

    def used() -> int:
        with kit.database.read() as connection:
            found = connection.execute(text("SELECT max(used) FROM vendor_quota")).scalar_one()
        return int(found)

    before = used()
    for _ in range(3):
        with pytest.raises((SourcePaused, SourceDisabled)):
            kit.enter()
    assert used() == before
