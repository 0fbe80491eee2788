"""V3, V4, V20: vendors that say "too fast" or "enough", and how long nobody calls them."""

from datetime import UTC, datetime, timedelta

import pytest

from tcgtracker.domain.errors import QuotaExhausted, RateLimited
from tcgtracker.domain.source import Source
from tcgtracker.quotes.outcomes import MissKind
from tests.integration.vendor_faults.stack import NOW, Stack

FIRST = "pricecharting"
SPACING = timedelta(seconds=1.1)
_SIX_HOURS = 6 * 3600


@pytest.mark.parametrize(
    ("form", "least_s", "most_s"),
    [
        ("seconds", 7, 7),
        ("date", 6, 7),  # whole seconds
        ("fraction", 7.5, 7.5),
        ("zero", 1, 1),
        ("negative", 1, 1),
        ("past", 1, 1),
        ("ten_years", _SIX_HOURS, _SIX_HOURS),
        ("junk", 10, 12.5),  # as without the header: PriceCharting's own first wait
    ],
)
@pytest.mark.parametrize("vendor", [FIRST, "justtcg"])
def test_v3_retry_after_is_honoured_within_its_bounds(
    stack: Stack, vendor: str, form: str, least_s: float, most_s: float
) -> None:
    if (vendor, form) == ("justtcg", "junk"):
        least_s, most_s = 60, 75  # vendors/justtcg.md: limits are per minute
    (card,) = stack.cards()
    source = Source(vendor)
    params = {"retry_after": form, "seconds": 7}
    stack.sandbox.fault("rate_limited", vendor=vendor, first=1, params=params)
    outcome = stack.update_one(card, source=source)
    assert isinstance(outcome.misses[0].error, RateLimited)
    assert outcome.price is not None, "the other vendor answered"
    assert stack.fired("rate_limited") == 1
    assert _wait_s(stack, vendor) == pytest.approx(
        (least_s + most_s) / 2, abs=_tolerance(least_s, most_s)
    )
    until = outcome.misses[0].error.retry_at
    if least_s > 2:  # the spacing of PriceCharting's calls alone is longer than a second
        stack.clock.set(until - timedelta(seconds=0.2) - SPACING)
        assert stack.update_one(card, source=source).misses[0].kind is MissKind.PAUSED
        assert len(stack.calls(vendor)) == 1, "called before it was allowed to"
    stack.clock.set(max(until, stack.clock.now()))
    outcome = stack.update_one(card, source=source)
    assert outcome.price is not None
    assert outcome.price.source is source
    assert len(stack.calls(vendor)) == 2
    assert stack.calls(vendor)[1].at >= until
    assert stack.state(vendor).failures == 0, "a refusal says nothing about its health"


@pytest.mark.parametrize("vendor", [FIRST, "justtcg", "tcgplayer"])
def test_v4_without_a_header_the_wait_grows_with_jitter(stack: Stack, vendor: str) -> None:
    (card,) = stack.cards()
    source = Source(vendor)
    first_s = {FIRST: 10.0, "justtcg": 60.0, "tcgplayer": 30.0}[vendor]
    params = {"retry_after": "none", "text": True, "body": "slow down, please"}
    stack.sandbox.fault(
        "rate_limited", vendor=vendor, path="/", pattern="(?<!token)$", params=params
    )
    waits = []
    for _ in range(3):
        before = len(stack.calls(vendor, "/"))
        error = stack.update_one(card, source=source).misses[0].error
        assert isinstance(error, RateLimited)
        assert len(stack.calls(vendor, "/")) <= before + 2
        waits.append(_wait_s(stack, vendor))
        stack.clock.set(error.retry_at)
    assert stack.fired("rate_limited") == 3
    if vendor == "justtcg":
        assert waits == [first_s] * 3, "the vendor's own minute, by its documents"
    else:
        for doublings, wait in enumerate(waits):
            assert first_s * 2**doublings <= wait <= first_s * 2**doublings * 1.25
    others = {FIRST, "justtcg", "tcgplayer"} - {vendor}
    for other in others:
        assert stack.state(other).not_before is None, "per vendor"
    assert "slow down" not in stack.log.getvalue()
    stack.recover(card, after_s=1)


def test_v4_tcgcsv_is_left_alone_for_its_ten_minutes(stack: Stack) -> None:
    stack.sandbox.fault("rate_limited", vendor="tcgcsv", first=1, params={"retry_after": "none"})
    report = stack.tracker.bulk_sync.tcgcsv("onepiece")
    stack.tell(report.outcomes[0].error)
    assert isinstance(report.outcomes[0].error, RateLimited)
    assert _wait_s(stack, "tcgcsv") == 600
    stack.advance(599)
    assert stack.tracker.bulk_sync.tcgcsv("onepiece").failures
    assert len(stack.calls("tcgcsv")) == 1
    stack.advance(1)
    assert not stack.tracker.bulk_sync.tcgcsv("onepiece").failures


@pytest.mark.parametrize(
    ("code", "until"),
    [
        ("DAILY_LIMIT_EXCEEDED", datetime(2026, 5, 11, tzinfo=UTC)),
        ("REQUEST_LIMIT_EXCEEDED", datetime(2026, 6, 1, tzinfo=UTC)),
    ],
)
def test_v20_spent_quota_stops_the_vendor_until_its_reset(
    stack: Stack, code: str, until: datetime
) -> None:
    (card,) = stack.cards()
    stack.sandbox.fault("quota_exhausted", vendor="justtcg", first=1, params={"code": code})
    outcome = stack.update_one(card, source=Source.JUSTTCG)
    error = outcome.misses[0].error
    assert isinstance(error, QuotaExhausted)
    assert error.until == until
    for moment in (NOW + timedelta(hours=1), until - timedelta(seconds=1)):
        stack.clock.set(moment)
        assert stack.update_one(card, source=Source.JUSTTCG).misses[0].kind is MissKind.PAUSED
    assert len(stack.calls("justtcg")) == stack.fired("quota_exhausted") == 1
    stack.clock.set(until)
    outcome = stack.update_one(card, source=Source.JUSTTCG)
    assert outcome.price is not None
    assert outcome.price.source is Source.JUSTTCG


def test_v20_the_lower_number_holds_when_the_vendor_counts_more(each_stack: Stack) -> None:
    stack = each_stack
    cards = stack.cards(6)
    stack.sandbox.tune("justtcg", calls_elsewhere=97)
    kinds = [_miss(stack, card) for card in cards]
    assert kinds[:3] == [None] * 3
    assert kinds[3:] == [MissKind.PAUSED] * 3
    calls = stack.calls("justtcg")
    assert len(calls) == 3
    assert {call.status for call in calls} == {200}, "the vendor never had to refuse"
    stack.clock.set(datetime(2026, 5, 11, tzinfo=UTC))
    stack.sandbox.tune("justtcg", calls_elsewhere=0)
    assert _miss(stack, cards[0]) is None


def test_v20_a_report_of_less_than_nothing_left_stops_the_calls(stack: Stack) -> None:
    cards = stack.cards(3)
    params = {"keys": "^apiDailyRequestsRemaining$", "by": -99}
    stack.sandbox.fault("quota_differs", vendor="justtcg", params=params)
    kinds = [_miss(stack, card) for card in cards]
    assert stack.fired("quota_differs") == 1
    assert kinds == [None, MissKind.PAUSED, MissKind.PAUSED]
    assert len(stack.calls("justtcg")) == 1


def test_v20_our_own_budget_is_not_crossed_by_one_call(stack: Stack) -> None:
    stack.restart(API_JUSTTCG_DAILY_LIMIT="4")
    cards = stack.cards(8)
    kinds = [_miss(stack, card) for card in cards]
    assert kinds == [None] * 4 + [MissKind.PAUSED] * 4
    assert len(stack.calls("justtcg")) == 4
    stack.restart(API_JUSTTCG_DAILY_LIMIT="4")
    assert _miss(stack, cards[0]) is MissKind.PAUSED, "a restart does not forget"
    assert len(stack.calls("justtcg")) == 4


def _miss(stack: Stack, card: int) -> MissKind | None:
    """Ask JustTCG first; return why it gave no price, None when it did."""
    misses = stack.update_one(card, source=Source.JUSTTCG).misses
    return misses[0].kind if misses and misses[0].source is Source.JUSTTCG else None


def _wait_s(stack: Stack, vendor: str) -> float:
    moment: datetime = stack.state(vendor).not_before
    (call, *_) = stack.calls(vendor)[::-1]
    return (moment - call.at).total_seconds()


def _tolerance(least_s: float, most_s: float) -> float:
    return (most_s - least_s) / 2 + 0.001
