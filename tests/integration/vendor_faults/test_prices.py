"""V11, V12, V13, V14, V21, V23: figures that cannot be right, or are not what they seem."""

from datetime import UTC, datetime, timedelta

import pytest

from tcgtracker.domain.quote import HoldState
from tcgtracker.domain.source import Source
from tcgtracker.quotes.outcomes import Outcome
from tests.integration.vendor_faults.invariants import Point, lost_of, points
from tests.integration.vendor_faults.stack import ASKED, GAME, NOW, Stack

BAD = ("price_negative", "price_nan", "price_infinite", "price_comma", "price_huge")
NO_PRICE = ("price_zero", "price_null")


@pytest.mark.parametrize("fault", BAD)
@pytest.mark.parametrize("vendor", ASKED)
def test_v11_price_that_cannot_be_is_refused_with_its_reason(
    stack: Stack, vendor: str, fault: str
) -> None:
    source = Source(vendor)
    (card,) = stack.cards()
    stack.update_one(card, source=source)
    shown = stack.quote(card, source)
    stack.advance(24 * 3600)
    before = _history(stack, source)
    stack.sandbox.fault(fault, vendor=vendor, pattern="(?<!token)$")
    outcome = stack.update_one(card, source=source)
    assert stack.fired(fault) == 1
    new = _history(stack, source) - before
    assert not [point for point in new if any(value is not None for value in point.values)]
    assert stack.quote(card, source)[0] == shown[0], "the last price that was right"
    refused = stack.quarantined(source)
    broken = outcome.misses and outcome.misses[0].error  # NaN is no JSON: the answer is none
    assert refused or broken
    assert outcome.price is not None, "another vendor, or the price of before"
    stack.sandbox.clear_faults()
    stack.advance(6 * 3600)
    again = stack.update_one(card, source=source)
    assert again.price is not None
    assert again.price.source is source


@pytest.mark.parametrize("fault", NO_PRICE)
@pytest.mark.parametrize("vendor", ASKED)
def test_v11_no_price_is_never_zero(stack: Stack, vendor: str, fault: str) -> None:
    source = Source(vendor)
    (card,) = stack.cards()
    before = _history(stack, source)
    stack.sandbox.fault(fault, vendor=vendor, pattern="(?<!token)$")
    outcome = stack.update_one(card, source=source)
    assert stack.fired(fault) == 1
    new = _history(stack, source) - before
    assert not [point for point in new if any(value is not None for value in point.values)]
    assert outcome.price is not None
    assert outcome.price.source is not source
    assert outcome.price.market_price


@pytest.mark.parametrize("fault", ["price_negative", "price_comma", "price_huge", "price_zero"])
def test_v11_files_refuse_the_same(stack: Stack, fault: str) -> None:
    stack.advance(24 * 3600)
    keys = {"keys": "^(loose-price|marketPrice)$", "limit": 5}
    stack.sandbox.fault(fault, vendor="pricecharting", params=keys)
    stack.sandbox.fault(fault, vendor="tcgcsv", pattern="/17851/prices$", params=keys)
    cards_before = _history(stack, Source.PRICECHARTING)
    assert not [o.error for o in stack.tracker.bulk_sync.pricecharting(GAME).outcomes if o.error]
    assert not [o.error for o in stack.tracker.bulk_sync.tcgcsv(GAME).outcomes if o.error]
    assert (stack.fired(fault, "pricecharting"), stack.fired(fault, "tcgcsv")) == (1, 1)
    assert len(_history(stack, Source.PRICECHARTING)) > len(cards_before), "the others count"
    if fault in ("price_negative", "price_huge"):
        assert sum(stack.quarantined(Source.PRICECHARTING).values()) == 5
        assert sum(stack.quarantined(Source.TCGCSV).values()) == 5
    if fault == "price_comma":  # of a text it is an amount; as JSON it is no number
        assert sum(stack.quarantined(Source.TCGCSV).values()) == 5


@pytest.mark.parametrize("vendor", ASKED)
def test_v12_thousandfold_price_is_held_and_the_reader_sees_the_one_before(
    each_stack: Stack, vendor: str
) -> None:
    stack, source = each_stack, Source(vendor)
    (card,) = stack.cards()
    stack.update_one(card, source=source)
    shown = stack.quote(card, source)
    stack.advance(24 * 3600)
    stack.sandbox.fault("price_spike", vendor=vendor, pattern="(?<!token)$")
    outcome = stack.update_one(card, source=source)
    assert stack.fired("price_spike") == 1
    assert outcome.outcome is Outcome.HELD
    assert outcome.price is not None
    assert outcome.price.market_price == shown[0]
    assert stack.quote(card, source)[0] == shown[0]
    states = [row.state for row in stack.sql("SELECT state FROM price_holds")]
    assert states
    assert set(states) == {HoldState.HELD.value}
    stack.sandbox.clear_faults()
    stack.advance(24 * 3600)
    after = stack.update_one(card, source=source)
    assert after.outcome in (Outcome.STORED, Outcome.UNCHANGED)
    assert after.price is not None
    assert after.price.market_price is not None
    assert shown[0] is not None
    assert after.price.market_price < 10 * shown[0]


def test_v12_spike_in_a_file_is_held(stack: Stack) -> None:
    assert not stack.tracker.bulk_sync.tcgcsv(GAME).failures
    stack.advance(24 * 3600)
    params = {"keys": "^(loose-price|marketPrice)$", "limit": 7}
    stack.sandbox.fault("price_spike", vendor="pricecharting", params=params)
    stack.sandbox.fault("price_spike", vendor="tcgcsv", pattern="/17851/prices$", params=params)
    guide = stack.tracker.bulk_sync.pricecharting(GAME).outcomes[0]
    day = stack.tracker.bulk_sync.tcgcsv(GAME).outcomes[0]
    assert (stack.fired("price_spike", "pricecharting"), stack.fired("price_spike", "tcgcsv")) == (
        1,
        1,
    )
    assert 0 < guide.counts["prices_held"] <= 7
    assert 0 < day.counts["prices_held"] <= 7


@pytest.mark.parametrize(
    ("fault", "currencies"), [("currency_changed", {"EUR"}), ("currency_missing", {None})]
)
def test_v13_price_without_its_currency_is_never_taken_for_dollars(
    stack: Stack, fault: str, currencies: set[str | None]
) -> None:
    # eBay's search alone states a currency; the vendors of stored prices state none, ever.
    stack.sandbox.fault(fault, vendor="ebay")
    found = stack.tracker.vendors.search("ebay", "Nami", game=GAME, limit=20)
    assert stack.fired(fault) >= 1
    assert found.hits or found.skipped
    assert {hit.price.currency if hit.price else None for hit in found.hits} <= currencies
    assert not stack.sql("SELECT 1 FROM price_series WHERE currency <> 'USD'")


@pytest.mark.parametrize("vendor", ["justtcg", "tcgplayer"])
def test_v14_same_row_twice_is_one_point(stack: Stack, vendor: str) -> None:
    source = Source(vendor)
    cards = stack.cards(4)
    stack.sandbox.fault("duplicate", vendor=vendor, pattern="(?<!token)$")
    outcomes = stack.update(*cards, source=source)
    assert stack.fired("duplicate") == 1
    assert {one.price.source for one in outcomes if one.price} == {source}
    assert not stack.quarantined(source)


@pytest.mark.parametrize("vendor", ["justtcg", "tcgplayer"])
def test_v14_same_id_with_another_price_is_quarantined_the_others_go_on(
    each_stack: Stack, vendor: str
) -> None:
    stack, source = each_stack, Source(vendor)
    cards = stack.cards(4)
    before = _history(stack, source)
    stack.sandbox.fault("duplicate_differs", vendor=vendor, pattern="(?<!token)$")
    outcomes = stack.update(*cards, source=source)
    assert stack.fired("duplicate_differs") == 1
    reasons = stack.quarantined(source)
    assert set(reasons) == {"conflicting-duplicate"}
    answered = [one for one in outcomes if one.price and one.price.source is source]
    assert len(answered) == len(cards) - 1
    assert len(_history(stack, source)) > len(before)


def test_v14_files_do_the_same(stack: Stack) -> None:
    stack.advance(24 * 3600)
    stack.sandbox.fault("duplicate_differs", vendor="tcgcsv", pattern="/17851/prices$")
    stack.sandbox.fault("duplicate", vendor="tcgcsv", pattern="/17691/prices$")
    report = stack.tracker.bulk_sync.tcgcsv(GAME)
    assert (stack.fired("duplicate_differs"), stack.fired("duplicate")) == (1, 1)
    assert set(stack.quarantined(Source.TCGCSV)) == {"conflicting-duplicate"}
    assert not [one.error for one in report.outcomes if one.error]


def test_v21_fallback_there_and_back_keeps_each_price_under_its_source(each_stack: Stack) -> None:
    stack = each_stack
    (card,) = stack.cards()
    first, second = Source.PRICECHARTING, Source.JUSTTCG
    seen = []
    for hours in range(0, 96, 12):
        stack.clock.set(NOW + timedelta(hours=hours))
        stack.sandbox.clear_faults()
        if hours % 24:
            stack.sandbox.fault("server_error", vendor=first.value)
        outcome = stack.update_one(card)
        assert outcome.price is not None
        assert outcome.outcome in (Outcome.STORED, Outcome.UNCHANGED)
        seen.append(outcome.price.source)
    assert seen == [first, second] * 4
    assert stack.fired("server_error") == 4
    names = {source: stack.product(card, source) for source in (first, second)}
    series = stack.sql(
        "SELECT p.source, p.external_id, s.id FROM price_series s"
        " JOIN vendor_products p ON p.id = s.vendor_product_id"
    )
    by_source = {
        source: {row.id for row in series if (row.source, row.external_id) == (source, name)}
        for source, name in names.items()
    }
    assert not by_source[first] & by_source[second]


def test_v23_older_data_stands_under_its_own_moment(each_stack: Stack) -> None:
    stack, source = each_stack, Source.JUSTTCG
    (card,) = stack.cards()
    fresh = stack.update_one(card, source=source)
    assert fresh.price is not None
    shown = stack.quote(card, source)
    before = _history(stack, source)
    stack.sandbox.fault("stale", vendor="justtcg", params={"hours": 24.0})
    for _ in range(2):
        stack.update_one(card, source=source)
    assert stack.fired("stale") == 2
    late = _history(stack, source) - before
    limit = NOW - timedelta(hours=24)
    assert all(point.at <= limit for point in late), "stored as if it were new"
    assert stack.quote(card, source) == shown, "yesterday's price over today's"
    again = _history(stack, source)
    stack.update_one(card, source=source)
    assert _history(stack, source) == again, "idempotent"


def test_v23_file_of_yesterday_changes_nothing(stack: Stack) -> None:
    stack.clock.set(datetime(2026, 5, 10, 22, tzinfo=UTC))
    assert not stack.tracker.bulk_sync.tcgcsv(GAME).failures
    before = _history(stack, Source.TCGCSV)
    stack.advance(3 * 3600)
    stack.sandbox.fault("stale", vendor="tcgcsv", params={"hours": 24.0})
    report = stack.tracker.bulk_sync.tcgcsv(GAME)
    assert stack.fired("stale") > 0
    assert not [one.error for one in report.outcomes if one.error]
    late = _history(stack, Source.TCGCSV) - before
    newest = max(point.at for point in before)
    assert late
    assert all(point.at < newest for point in late), "under its own day"
    again = _history(stack, Source.TCGCSV)
    assert not lost_of(before, list(again))
    stack.tracker.bulk_sync.tcgcsv(GAME)
    assert _history(stack, Source.TCGCSV) == again


def test_v23_yesterday_with_todays_stamp_is_the_vendors_word(stack: Stack) -> None:
    (card,) = stack.cards()
    stack.sandbox.fault("stale", vendor="justtcg", params={"hours": 24.0})
    stack.sandbox.fault("restamped", vendor="justtcg")
    stack.update_one(card, source=Source.JUSTTCG)
    once = _history(stack, Source.JUSTTCG)
    stack.update_one(card, source=Source.JUSTTCG)
    assert stack.fired("restamped") == 2
    assert _history(stack, Source.JUSTTCG) == once, "idempotent"


def _history(stack: Stack, source: Source) -> set[Point]:
    with stack.tracker.history.read() as connection:
        return {point for point in points(connection) if point.source == source}
