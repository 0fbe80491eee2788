"""V1, V2, V22: vendors that cannot be reached, or that never come to an end."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest

from tcgtracker.domain.errors import Unavailable, VendorTimeout
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import CallPolicy
from tcgtracker.quotes.outcomes import MissKind, Outcome
from tcgtracker.sandbox.ledger import Call
from tests.integration.vendor_faults.stack import ASKED, Stack

FIRST = "pricecharting"
SHORT = CallPolicy(deadline_s=2)
HURRIED = CallPolicy(attempts=2, deadline_s=0.8, live=True)


@pytest.mark.parametrize("fault", ["refuse", "reset_at_accept", "not_http"])
def test_v1_fallback_answers_while_the_first_vendor_is_away(stack: Stack, fault: str) -> None:
    (card,) = stack.cards()
    stack.sandbox.fault(fault, vendor=FIRST)
    outcome = stack.update_one(card)
    assert outcome.outcome is Outcome.STORED
    assert outcome.price is not None
    assert outcome.price.source is Source.JUSTTCG
    assert outcome.fallback_reason.startswith("pricecharting: ")
    assert [miss.kind for miss in outcome.misses] == [MissKind.RETRYABLE]
    assert isinstance(outcome.misses[0].error, Unavailable)
    assert stack.fired(fault) >= 1
    assert stack.recover(card).price is not None


def test_v1_breaker_opens_after_five_and_probes_once_a_minute(each_stack: Stack) -> None:
    stack = each_stack
    cards = stack.cards(8)
    stack.sandbox.fault("reset_at_accept", vendor=FIRST)
    for card in cards:
        assert stack.update_one(card).outcome in (Outcome.STORED, Outcome.UNCHANGED)
    assert stack.fired("reset_at_accept") == len(stack.calls(FIRST)) == 5
    opened_at = stack.clock.now()
    assert stack.state(FIRST).opened_at is not None
    stack.advance(50)
    assert _kinds(stack, cards[0]) == [MissKind.PAUSED]
    assert len(stack.calls(FIRST)) == 5, "called while the breaker was open"
    stack.advance(60)
    assert _kinds(stack, cards[0]) == [MissKind.RETRYABLE]
    assert _kinds(stack, cards[1]) == [MissKind.PAUSED]
    assert len(stack.calls(FIRST)) == 6, "one probe, and not a second one"
    assert stack.clock.now() - opened_at < timedelta(seconds=180)
    outcome = stack.recover(cards[0])
    assert outcome.price is not None
    assert outcome.price.source is Source.PRICECHARTING
    assert stack.state(FIRST).opened_at is None
    assert [len(stack.logged(f"breaker.{to}")) for to in ("opened", "closed")] == [1, 1]


def test_v1_only_one_of_many_callers_is_the_probe(stack: Stack) -> None:
    cards = stack.cards(6)
    stack.sandbox.fault("reset_at_accept", vendor=FIRST)
    for card in cards[:5]:
        stack.update(card)
    stack.sandbox.clear_faults()
    stack.sandbox.fault("stall", vendor=FIRST, params={"seconds": 0.7})
    stack.advance(61)
    with ThreadPoolExecutor(len(cards)) as pool:
        outcomes = [each[0] for each in pool.map(stack.update, cards)]
    probes = [one for one in outcomes if one.price and one.price.source is Source.PRICECHARTING]
    assert len(probes) == 1
    assert len(stack.calls(FIRST)) == 5 + 1
    assert stack.fired("stall") == 1
    stack.recover(cards[0])


def test_v1_last_price_with_its_age_when_all_vendors_are_away(stack: Stack) -> None:
    (card,) = stack.cards()
    for vendor in ASKED:
        stack.sandbox.fault("refuse", vendor=vendor)
    outcome = stack.update_one(card)
    assert outcome.outcome is Outcome.STALE
    assert outcome.stale
    assert outcome.price is not None
    assert outcome.price.market_price
    assert outcome.age is not None
    assert timedelta(days=2) <= outcome.age < timedelta(days=3)
    assert all(stack.fired("refuse", vendor) == 1 for vendor in ASKED)
    assert [miss.source.value for miss in outcome.misses] == list(ASKED)
    stack.recover(card)


@pytest.mark.parametrize(
    ("fault", "params"),
    [("slow", {"bytes": 1, "pause_s": 0.15}), ("stall", {"seconds": 60.0})],
)
def test_v2_slow_vendor_is_cut_at_the_total_deadline(
    stack: Stack, fault: str, params: dict[str, object]
) -> None:
    (card,) = stack.cards()
    stack.sandbox.fault(fault, vendor=FIRST, params=params)
    started = time.monotonic()
    outcome = stack.update_one(card, policy=SHORT)
    assert time.monotonic() - started < 10  # the whole answer takes a minute
    assert isinstance(outcome.misses[0].error, VendorTimeout)
    assert outcome.price is not None
    assert outcome.price.source is Source.JUSTTCG
    assert stack.fired(fault) == 1
    assert stack.state(FIRST).failures == 1
    stack.recover(card)


def test_v2_deadline_of_a_live_call_is_for_all_attempts(stack: Stack) -> None:
    (card,) = stack.cards()
    stack.sandbox.fault("slow", vendor=FIRST)
    started = time.monotonic()
    stack.update_one(card, policy=HURRIED)
    assert time.monotonic() - started < 6
    assert stack.fired("slow") == 1, "a second attempt had no time left"
    stack.recover(card)


def test_v22_two_days_without_any_vendor(stack: Stack) -> None:
    cards = stack.cards(6)
    card = cards[0]
    before = {source: stack.quote(card, source) for source in (Source.PRICECHARTING,)}
    for vendor in stack.sandbox.vendors:
        stack.sandbox.fault("refuse", vendor=vendor)
    ids = [stack.enqueue(one) for one in cards]
    for _ in range(8):
        for _ in range(5):
            stack.run_jobs()
            stack.advance(60)
        stack.advance(6 * 3600 - 300)
    stack.enqueue(card)
    outcome = stack.update_one(card)
    assert outcome.outcome is Outcome.STALE
    assert outcome.stale
    assert outcome.age is not None
    assert outcome.age > timedelta(days=4) - timedelta(hours=14)
    assert {source: stack.quote(card, source) for source in before} == before
    assert stack.fired("refuse") >= len(ASKED)
    stack.run_jobs()

    since = max((call.number for call in stack.calls()), default=0)
    stack.sandbox.clear_faults()
    stack.advance(61)
    for job_id in ids:
        if stack.job(job_id).state == "dead":
            stack.retry(job_id)
    for _ in range(5):
        stack.run_jobs()
        stack.advance(60)
    back = [call for call in stack.calls() if call.number > since]
    assert {stack.job(job_id).state for job_id in ids} == {"done"}
    assert len([call for call in back if call.vendor == FIRST]) <= len(cards) + 2
    assert _most_within(back, "justtcg", 60) <= 10
    assert _most_within(back, FIRST, 60) <= 60
    gaps = _gaps([call for call in back if call.vendor == FIRST])
    assert min(gaps) >= 1, "no burst on return"
    outcome = stack.update_one(card)
    assert not outcome.stale


def _kinds(stack: Stack, card: int) -> list[MissKind]:
    return [miss.kind for miss in stack.update_one(card).misses]


def _gaps(calls: list[Call]) -> list[float]:
    moments = sorted(call.at for call in calls)
    return [(after - before).total_seconds() for before, after in pairwise(moments)]


def _most_within(calls: list[Call], vendor: str, seconds: float) -> int:
    moments = sorted(call.at for call in calls if call.vendor == vendor)
    window = timedelta(seconds=seconds)
    return max(
        (sum(start <= at < start + window for at in moments) for start in moments), default=0
    )
