"""V5, V6, V24, and what lasting trouble of every source comes to."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tcgtracker.domain.errors import ContractBroken, Unavailable
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import CallPolicy
from tcgtracker.quotes.outcomes import MissKind, Outcome
from tests.integration.vendor_faults.stack import ASKED, GAME, Stack

FIRST = "pricecharting"
TWICE = CallPolicy(attempts=2)
NONE_MORE = 503


def test_v5_burst_costs_at_most_a_fifth_more_calls(stack: Stack) -> None:
    cards = stack.cards(15, market_above=40)
    stack.sandbox.fault("server_error", vendor=FIRST, every=2)
    outcomes = [stack.update_one(card, policy=TWICE) for card in cards]
    calls = len(stack.calls(FIRST))
    assert stack.fired("server_error") == calls // 2
    assert calls <= len(cards) * 1.2 + 3, "three spare ones, then one in five"
    assert all(outcome.price is not None and not outcome.stale for outcome in outcomes)
    assert not stack.logged("breaker.opened"), "it answers in between"


@pytest.mark.parametrize("status", [500, 503])
def test_v5_five_in_a_row_open_the_breaker_for_a_minute(stack: Stack, status: int) -> None:
    cards = stack.cards(7)
    stack.sandbox.fault("server_error", vendor=FIRST, params={"status": status})
    for card in cards:
        stack.update(card)
    assert len(stack.calls(FIRST)) == stack.fired("server_error") == 5
    last = stack.calls(FIRST)[-1].at
    stack.clock.set(last + timedelta(seconds=59))
    stack.update(cards[0])
    assert len(stack.calls(FIRST)) == 5
    stack.clock.set(last + timedelta(seconds=61))
    stack.update(*cards[:2])
    assert len(stack.calls(FIRST)) == 6, "one probe"
    stack.sandbox.clear_faults()
    stack.advance(61)
    stack.update(*cards[:2])
    assert len(stack.calls(FIRST)) == 8, "one probe, and the rest when it is well"
    assert (len(stack.logged("breaker.opened")), len(stack.logged("breaker.closed"))) == (1, 1)


def test_v5_flapping_every_five_seconds_does_not_make_the_breaker_flap(stack: Stack) -> None:
    (card,) = stack.cards()
    calls = 0
    for second in range(130):
        if second % 10 == 0:
            stack.sandbox.fault("server_error", vendor=FIRST)
        elif second % 10 == 5:
            stack.sandbox.clear_faults()
        if second % 2 == 0:
            stack.update(card)
            calls += 1
        stack.clock.advance(timedelta(seconds=1))
    assert stack.fired("server_error") > 0
    assert len(stack.calls(FIRST)) <= calls, "no extra call at all with one attempt"
    opened, closed = len(stack.logged("breaker.opened")), len(stack.logged("breaker.closed"))
    assert opened <= 130 / 60 + 1
    assert abs(opened - closed) <= 1
    stack.recover(card)


def test_v6_gateway_page_is_a_passing_failure_and_is_not_quoted(stack: Stack) -> None:
    (card,) = stack.cards()
    stack.sandbox.fault("html_error")
    outcome = stack.update_one(card)
    assert stack.fired("html_error") == len(ASKED)
    assert outcome.outcome is Outcome.STALE
    assert {miss.kind for miss in outcome.misses} == {MissKind.RETRYABLE}
    assert all(isinstance(miss.error, Unavailable) for miss in outcome.misses)
    rows = str(stack.sql("SELECT last_error FROM source_state"))
    for text in (stack.log.getvalue(), rows, outcome.fallback_reason):
        assert "upstream down" not in text
        assert "<html" not in text
    stack.recover(card)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("vendor", ASKED)
def test_v24_redirect_is_an_error_and_is_not_followed(
    stack: Stack, vendor: str, status: int
) -> None:
    (card,) = stack.cards()
    elsewhere = stack.sandbox.urls["ebay"]
    params = {"status": status, "location": f"{elsewhere}/elsewhere?t=x"}
    stack.sandbox.fault("redirect", vendor=vendor, params=params)
    outcome = stack.update_one(card, source=Source(vendor))
    assert stack.fired("redirect") == 1
    assert isinstance(outcome.misses[0].error, ContractBroken)
    assert not stack.calls("ebay"), "followed"
    assert outcome.price is not None
    assert outcome.price.source is not Source(vendor)
    stack.recover(card)


def test_v24_redirect_of_a_file_or_a_catalog_is_not_followed(stack: Stack) -> None:
    stack.sandbox.fault("redirect", params={"location": f"{stack.sandbox.urls['ebay']}/x"})
    stack.advance(24 * 3600)
    reports = [
        stack.tracker.bulk_sync.pricecharting(GAME),
        stack.tracker.bulk_sync.tcgcsv(GAME),
        stack.tracker.catalog_sync.sets(GAME),
    ]
    for outcome in (outcome for report in reports for outcome in report.outcomes):
        stack.tell(outcome.error)
        assert isinstance(outcome.error, ContractBroken)
    assert stack.fired("redirect") == len(stack.calls()) == 5
    assert not stack.calls("ebay")


def test_lasting_503_of_every_source_is_four_attempts_and_one_dead_letter(
    each_stack: Stack,
) -> None:
    stack = each_stack
    (card,) = stack.cards()
    stack.sandbox.fault("server_error", params={"status": NONE_MORE})
    job_id = stack.enqueue(card)
    began = stack.clock.now()
    for second in range(0, 600, 10):
        stack.clock.set(began + timedelta(seconds=second))
        stack.run_jobs()
    job = stack.job(job_id)
    assert (job.state, job.attempts) == ("dead", 4)
    for vendor in ASKED:
        assert f"{vendor}: " in job.error, "the reason names every source"
        moments = [call.at - began for call in stack.calls(vendor)]
        assert len(moments) == 4, f"{vendor} was asked {len(moments)} times"
        waits = [after - before for before, after in pairwise(moments)]
        assert all(timedelta(seconds=60) <= wait < timedelta(seconds=75) for wait in waits)
    assert stack.fired("server_error") == 4 * len(ASKED)
    assert stack.one("SELECT count(*) FROM jobs WHERE state = 'dead'") == 1

    stack.sandbox.clear_faults()
    stack.retry(job_id)
    stack.run_jobs()
    assert stack.job(job_id).state == "done"
    assert stack.job(job_id).result["source"] == FIRST
