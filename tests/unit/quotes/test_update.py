"""Asking the sources for cards: order, fallback, staleness, and when a card is due again."""

import threading
from datetime import timedelta

import pytest

from tcgtracker.database.engine import Database
from tcgtracker.domain.catalog import LinkState
from tcgtracker.domain.clock import FixedClock, start_of_day
from tcgtracker.domain.errors import (
    BadCredentials,
    ContractBroken,
    InvalidInput,
    QuotaExhausted,
    Unavailable,
)
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import LIVE_CALL
from tcgtracker.quotes.due_cards import next_check, wait_after
from tcgtracker.quotes.outcomes import CardOutcome, Outcome, Verdict
from tests.unit.quotes.kit import HOUR, NOON, Kit, Shop, add_cards, link

PC, JT = Source.PRICECHARTING, Source.JUSTTCG
DOWN = Unavailable("pricecharting", "product", "connection refused")


def shown(outcome: CardOutcome) -> tuple[str, str | None, int | None, bool]:
    price = outcome.price
    return (
        outcome.outcome.value,
        price.source.value if price else None,
        price.market_price if price else None,
        outcome.stale,
    )


def card_at_both(kit: Kit, first: int | None = 500, second: int | None = 450) -> int:
    """Make a card that both sources have a product of."""
    (card_id,) = add_cards(kit.database, 1)
    link(kit.database, PC, {card_id: "1"})
    link(kit.database, JT, {card_id: "j1"})
    kit.shops[0].prices["1"], kit.shops[1].prices["j1"] = first, second
    return card_id


def test_the_first_source_is_asked_and_the_second_is_left_alone(
    kit: Kit, first: Shop, second: Shop
):
    card_id = card_at_both(kit)
    (outcome,) = kit.updater.update([card_id], policy=LIVE_CALL)
    assert shown(outcome) == ("stored", "pricecharting", 500, False)
    assert (outcome.fallback_reason, outcome.age) == ("", timedelta(0))
    assert (first.calls, second.calls) == ([("1",)], [])
    assert first.policies == [LIVE_CALL]
    assert kit.cache.dropped == [f"card:price:{card_id}"]
    (again,) = kit.updater.update([card_id])
    assert shown(again) == ("unchanged", "pricecharting", 500, False)


def test_the_source_that_is_named_is_asked_first(kit: Kit):
    card_id = card_at_both(kit)
    (outcome,) = kit.updater.update([card_id], source=JT)
    assert shown(outcome) == ("stored", "justtcg", 450, False)
    with pytest.raises(InvalidInput, match="tcgcsv cannot be asked for single cards"):
        kit.updater.update([card_id], source=Source.TCGCSV)


def test_a_failing_source_hands_over_with_its_reason_and_keeps_its_own_series(
    kit: Kit, first: Shop
):
    card_id = card_at_both(kit)
    kit.updater.update([card_id])
    kit.clock.advance(24 * HOUR)
    first.fault = DOWN
    (outcome,) = kit.updater.update([card_id])
    assert shown(outcome) == ("stored", "justtcg", 450, False)
    assert outcome.fallback_reason == "pricecharting: product: connection refused"
    assert outcome.verdict is Verdict.SETTLED
    first.fault = None
    (back,) = kit.updater.update([card_id])
    assert shown(back) == ("unchanged", "pricecharting", 500, False)


@pytest.mark.parametrize(
    ("prices", "reason"),
    [({}, "does not know the product any more"), ({"1": None}, "states no price")],
)
def test_a_source_without_a_price_hands_over(kit: Kit, first: Shop, prices, reason):
    card_id = card_at_both(kit)
    first.prices = prices
    (outcome,) = kit.updater.update([card_id])
    assert shown(outcome) == ("stored", "justtcg", 450, False)
    assert outcome.fallback_reason == f"pricecharting: {reason}"


def test_a_source_that_is_not_configured_is_skipped_and_says_so(
    database: Database, clock: FixedClock, first: Shop, second: Shop
):
    kit = Kit(database, [first, second], clock, disabled={"pricecharting": "no key"})
    card_id = card_at_both(kit)
    (outcome,) = kit.updater.update([card_id])
    kit.close()
    assert shown(outcome) == ("stored", "justtcg", 450, False)
    assert outcome.fallback_reason == "pricecharting: disabled: no key"
    assert first.calls == []


def test_a_refused_key_stops_the_source_after_one_call(kit: Kit, first: Shop, second: Shop):
    ids = add_cards(kit.database, 5)
    link(kit.database, PC, {card_id: f"p{card_id}" for card_id in ids})
    link(kit.database, JT, {card_id: f"j{card_id}" for card_id in ids})
    second.prices = {f"j{card_id}": 100 for card_id in ids}
    first.fault = BadCredentials("pricecharting", "product", "the key is refused")
    outcomes = kit.updater.update(ids)
    assert [one.outcome for one in outcomes] == [Outcome.STORED] * 5
    assert (len(first.calls), len(second.calls)) == (1, 1)


def test_two_failed_calls_in_a_row_end_a_source_and_one_does_not(kit: Kit, first: Shop):
    ids = add_cards(kit.database, 6)
    link(kit.database, PC, {card_id: f"p{card_id}" for card_id in ids})
    first.prices = {f"p{card_id}": 100 for card_id in ids}
    bad = f"p{ids[1]}"
    first.faulty = lambda asked: DOWN if bad in asked else None
    outcomes = kit.updater.update(ids)
    assert [one.outcome for one in outcomes].count(Outcome.STORED) == 5
    assert len(first.calls) == 6
    first.calls.clear()
    first.fault = DOWN
    assert {one.outcome for one in kit.updater.update(ids)} == {Outcome.STALE, Outcome.FAILED}
    assert len(first.calls) == 2


def test_when_all_fail_the_last_known_price_is_shown_stale_with_its_age(
    kit: Kit, first: Shop, second: Shop
):
    card_id = card_at_both(kit)
    kit.updater.update([card_id])
    kit.clock.advance(48 * HOUR)
    first.fault = DOWN
    second.fault = Unavailable("justtcg", "cards", "503")
    (outcome,) = kit.updater.update([card_id])
    assert shown(outcome) == ("stale", "pricecharting", 500, True)
    assert outcome.age == 48 * HOUR
    assert outcome.fallback_reason == (
        "pricecharting: product: connection refused; justtcg: cards: 503"
    )
    assert outcome.verdict is Verdict.REPEAT
    assert outcome.as_dict()["age_s"] == 48 * 3600


def test_nothing_known_is_an_error_and_no_number(kit: Kit, first: Shop, second: Shop):
    card_id = card_at_both(kit)
    first.fault = DOWN
    second.prices = {}
    (outcome,) = kit.updater.update([card_id])
    assert shown(outcome) == ("failed", None, None, False)
    assert outcome.error() is DOWN


def test_yesterdays_answer_is_kept_under_its_own_time_and_marked_by_its_age(kit: Kit, first: Shop):
    card_id = card_at_both(kit)
    first.observed_at = NOON - timedelta(days=8)
    (outcome,) = kit.updater.update([card_id])
    assert shown(outcome) == ("stored", "pricecharting", 500, True)
    assert outcome.age == timedelta(days=8)


def test_cards_without_a_trusted_link_and_unknown_cards_are_told_apart(kit: Kit, first: Shop):
    bare, rejected, suspended = add_cards(kit.database, 3)
    link(kit.database, PC, {rejected: "r"}, state=LinkState.REJECTED)
    link(kit.database, PC, {suspended: "s"}, state=LinkState.SUSPENDED)
    first.prices = {"r": 1, "s": 100}
    outcomes = kit.updater.update([bare, rejected, suspended, 999])
    assert [one.outcome.value for one in outcomes] == ["no-trusted-link"] * 3 + ["unknown"]
    assert first.calls == [("s",)], "a suspended link is checked again, its price is not shown"
    assert "not proven to be this card" in outcomes[2].fallback_reason
    assert kit.checks()[bare] == (None, 0)


def test_an_implausible_price_is_held_and_the_previous_one_shown(kit: Kit, first: Shop):
    card_id = card_at_both(kit)
    for _ in range(5):
        kit.updater.update([card_id])
        kit.clock.advance(24 * HOUR)
    seen = kit.clock.now() - 24 * HOUR
    for days in range(1, 9):
        first.prices["1"] = 500_000 * 2**days
        (outcome,) = kit.updater.update([card_id])
        assert shown(outcome) == ("held", "pricecharting", 500, days > 7)
        assert outcome.price is not None
        assert (outcome.price.observed_at, outcome.age) == (seen, days * 24 * HOUR)
        kit.clock.advance(24 * HOUR)


def test_n_cards_are_asked_for_in_ceil_n_by_batch_calls(kit: Kit, second: Shop):
    ids = add_cards(kit.database, 45)
    link(kit.database, JT, {card_id: f"j{card_id}" for card_id in ids})
    second.prices = {f"j{card_id}": 100 for card_id in ids}
    assert {one.outcome for one in kit.updater.update(reversed(ids))} == {Outcome.STORED}
    assert [len(call) for call in second.calls] == [20, 20, 5]
    assert second.calls[0][0] == f"j{ids[-1]}", "in the order of the cards"


def test_an_answered_card_is_due_after_six_hours_or_with_the_next_refresh(kit: Kit, first: Shop):
    daily, hourly = card_at_both(kit), add_cards(kit.database, 1)[0]
    link(kit.database, JT, {hourly: "j2"})
    kit.shops[1].prices["j2"] = 100
    first.observed_at = start_of_day(NOON.date())
    kit.updater.update([daily, hourly])
    assert kit.checks() == {
        daily: (start_of_day(NOON.date()) + timedelta(days=1), 0),
        hourly: (NOON + 6 * HOUR, 0),
    }
    old = next_check(NOON, observed_at=NOON - timedelta(days=9), refresh=timedelta(days=1))
    ahead = next_check(NOON, observed_at=NOON + timedelta(days=9), refresh=timedelta(days=1))
    assert (old, ahead) == (NOON + 6 * HOUR, NOON + 24 * HOUR)


def test_a_card_that_nobody_knows_waits_twice_as_long_each_time_up_to_seven_days(
    kit: Kit, first: Shop, second: Shop
):
    card_id = card_at_both(kit)
    first.prices, second.prices = {}, {}
    waits = []
    for count in range(1, 8):
        kit.updater.update([card_id])
        moment, unanswered = kit.checks()[card_id]
        assert moment is not None
        assert unanswered == count
        waits.append((moment - kit.clock.now()) / HOUR)
    assert waits == [6, 12, 24, 48, 96, 168, 168]
    assert wait_after(10_000) == timedelta(days=7)
    first.prices["1"] = 500
    kit.updater.update([card_id])
    assert kit.checks()[card_id] == (NOON + 24 * HOUR, 0)


def test_an_outage_is_no_fault_of_the_card(kit: Kit, first: Shop, second: Shop):
    card_id = card_at_both(kit)
    first.fault = DOWN
    second.fault = QuotaExhausted("justtcg", "cards", "spent", until=NOON + HOUR)
    (outcome,) = kit.updater.update([card_id])
    assert kit.checks()[card_id] == (None, 0)
    assert outcome.paused_until == NOON + HOUR
    # A source that answers makes it the card's: the other one is off, perhaps for ever.
    first.fault, first.prices = None, {}
    second.fault = ContractBroken("justtcg", "cards", "no list")
    kit.updater.update([card_id])
    assert kit.checks()[card_id] == (NOON + 6 * HOUR, 1)


def test_two_threads_that_update_the_same_cards_do_not_trip_over_each_other(kit: Kit, second: Shop):
    ids = add_cards(kit.database, 40)
    link(kit.database, JT, {card_id: f"j{card_id}" for card_id in ids})
    second.prices = {f"j{card_id}": 100 for card_id in ids}
    kit.updater.update(ids)
    failures: list[BaseException] = []

    def work(shift: int) -> None:
        try:
            for _ in range(3):
                found = kit.updater.update(ids[shift:] + ids[:shift])
                assert {one.outcome for one in found} <= {Outcome.STORED, Outcome.UNCHANGED}
        except BaseException as exc:  # noqa: BLE001 - told by the assertion below
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(shift,)) for shift in (0, 15, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
