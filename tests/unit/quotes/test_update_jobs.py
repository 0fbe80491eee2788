"""Price updates as jobs: attempts, postponement, chunks, and the six-hourly run."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import (
    BadCredentials,
    ContractBroken,
    InvalidInput,
    QuotaExhausted,
    SourcePaused,
    Unavailable,
    VendorTimeout,
)
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import Capability
from tcgtracker.operations.values import JobRecord
from tcgtracker.quotes.update_jobs import enqueue_card, enqueue_cards
from tests.unit.quotes.kit import HOUR, NOON, Kit, Shop, add_cards, an_info, link

PC, JT = Source.PRICECHARTING, Source.JUSTTCG
MINUTE = timedelta(seconds=60)
DOWN = Unavailable("pricecharting", "product", "connection refused")
SLOW = VendorTimeout("justtcg", "cards", "no answer in 30 s")


@pytest.fixture
def card_id(kit: Kit) -> int:
    (card_id,) = add_cards(kit.database, 1)
    link(kit.database, PC, {card_id: "1"})
    link(kit.database, JT, {card_id: "j1"})
    kit.shops[0].prices["1"] = 500
    kit.shops[1].prices["j1"] = 450
    return card_id


def chosen(job: JobRecord) -> list[int]:
    """Return the cards of a chunk job."""
    ids: Any = job.args["card_ids"]
    return list(ids)


def cards_of(job: JobRecord) -> dict[int, str]:
    """Return the outcome of each card of a chunk."""
    result: Any = job.result
    return {one["card_id"]: one["outcome"] for one in result["cards"]}


def test_a_card_is_updated_in_one_attempt(kit: Kit, card_id: int):
    job = kit.enqueue("update_card_price", {"card_id": card_id})
    assert kit.runner.run_pending() == 1
    done = kit.show(job)
    assert done.state is JobState.DONE
    assert isinstance(done.result, dict)
    assert done.result | {"observed_at": None} == {
        "card_id": card_id,
        "outcome": "stored",
        "source": "pricecharting",
        "external_id": "1",
        "kind": "market",
        "variant": "raw",
        "printing": "Normal",
        "market_price": "5.00",
        "currency": "USD",
        "observed_at": None,
        "stale": False,
        "age_s": 0,
        "fallback_reason": "",
    }


def test_four_attempts_a_minute_apart_each_one_call_a_source_then_dead_then_mended(
    kit: Kit, card_id: int, first: Shop, second: Shop
):
    first.fault, second.fault = DOWN, SLOW
    job = kit.enqueue("update_card_price", {"card_id": card_id})
    for attempt in (1, 2, 3):
        assert kit.runner.run_pending() == 1
        assert kit.show(job).state is JobState.RETRY
        assert kit.show(job).run_at == kit.clock.now() + MINUTE
        assert (len(first.calls), len(second.calls)) == (attempt, attempt)
        kit.clock.advance(MINUTE - timedelta(seconds=1))
        assert kit.runner.run_pending() == 0
        kit.clock.advance(timedelta(seconds=1))
    assert kit.runner.run_pending() == 1
    dead = kit.show(job)
    assert (dead.state, dead.attempts) == (JobState.DEAD, 4)
    assert "pricecharting: product: connection refused" in dead.error
    assert "justtcg: cards: no answer in 30 s" in dead.error
    kit.clock.advance(24 * HOUR)
    assert kit.runner.run_pending() == 0
    assert (len(first.calls), len(second.calls)) == (4, 4)
    assert {policy.attempts for policy in first.policies} == {1}
    assert kit.checks()[card_id] == (None, 0), "an outage is no fault of the card"

    first.fault = None
    with unit_of_work(kit.database, kit.database) as uow:
        kit.queue.retry(uow, job)
    assert kit.runner.run_pending() == 1
    assert kit.show(job).state is JobState.DONE


@pytest.mark.parametrize(
    "error",
    [
        BadCredentials("pricecharting", "product", "the key is refused"),
        ContractBroken("pricecharting", "product", "no list"),
    ],
)
def test_what_no_repetition_mends_is_dead_at_once(kit: Kit, error: Exception):
    (card_id,) = add_cards(kit.database, 1)
    link(kit.database, PC, {card_id: "1"})
    kit.shops[0].fault = error
    job = kit.enqueue("update_card_price", {"card_id": card_id})
    kit.runner.run_pending()
    dead = kit.show(job)
    assert (dead.state, dead.attempts) == (JobState.DEAD, 1)
    assert (dead.error, dead.error_type) == (str(error), type(error).__name__)


def test_paused_everywhere_is_put_off_to_the_earliest_moment_and_no_attempt(
    kit: Kit, card_id: int, first: Shop, second: Shop
):
    first.fault = SourcePaused("pricecharting", "product", "open", until=NOON + 2 * MINUTE)
    second.fault = QuotaExhausted("justtcg", "cards", "spent", until=NOON + 9 * HOUR)
    job = kit.enqueue("update_card_price", {"card_id": card_id})
    assert kit.runner.run_pending() == 1
    waiting = kit.show(job)
    assert (waiting.state, waiting.attempts) == (JobState.READY, 0)
    assert waiting.run_at == NOON + 2 * MINUTE
    assert "justtcg" in waiting.error
    first.fault = None
    kit.clock.advance(2 * MINUTE)
    assert kit.runner.run_pending() == 1
    assert kit.show(job).state is JobState.DONE


def test_one_source_that_answers_is_enough_and_the_result_says_why_it_is_not_the_first(
    kit: Kit, card_id: int, first: Shop
):
    first.fault = DOWN
    job = kit.enqueue("update_card_price", {"card_id": card_id})
    kit.runner.run_pending()
    done = kit.show(job)
    assert done.state is JobState.DONE
    assert isinstance(done.result, dict)
    assert done.result["source"] == "justtcg"
    assert done.result["fallback_reason"] == "pricecharting: product: connection refused"


@pytest.mark.parametrize(
    ("args", "kind", "said"),
    [
        ({"card_id": 999}, "NotFound", "there is no card 999"),
        ({"card_id": "x"}, "InvalidInput", "'x' is no card id"),
        ({"card_id": 1, "source": "ebay"}, "InvalidInput", "'ebay' is no source"),
    ],
)
def test_a_job_that_can_never_work_is_dead_with_a_clear_reason(kit: Kit, args, kind, said):
    job = kit.enqueue("update_card_price", args)
    kit.runner.run_pending()
    dead = kit.show(job)
    assert (dead.state, dead.attempts, dead.error_type) == (JobState.DEAD, 1, kind)
    assert said in dead.error


def test_a_card_without_a_trusted_link_says_so(kit: Kit):
    (card_id,) = add_cards(kit.database, 1)
    job = kit.enqueue("update_card_price", {"card_id": card_id})
    kit.runner.run_pending()
    assert kit.show(job).state is JobState.DEAD
    assert "no trusted link" in kit.show(job).error


def test_the_same_card_is_asked_for_once_while_its_job_is_open(kit: Kit, card_id: int):
    with unit_of_work(kit.database, kit.database) as uow:
        assert enqueue_card(kit.queue, uow, card_id) == enqueue_card(kit.queue, uow, card_id)
        assert enqueue_card(kit.queue, uow, card_id, source=JT) != enqueue_card(
            kit.queue, uow, card_id
        )
        with pytest.raises(InvalidInput):
            enqueue_cards(kit.queue, uow, [])


def test_a_chunk_says_what_became_of_each_card_and_repeats_what_failed_alone(kit: Kit, first: Shop):
    ids = add_cards(kit.database, 4)
    link(kit.database, PC, {card_id: f"p{card_id}" for card_id in ids[:3]})
    first.prices = {f"p{card_id}": 100 for card_id in ids}
    bad = f"p{ids[1]}"
    first.faulty = lambda asked: DOWN if bad in asked else None
    job = kit.enqueue("update_prices", {"card_ids": [*ids, 999]})
    kit.runner.run_pending()
    done = kit.show(job)
    assert done.state is JobState.DONE
    assert cards_of(done) == {
        ids[0]: "stored",
        ids[1]: "failed",
        ids[2]: "stored",
        ids[3]: "no-trusted-link",
        999: "unknown",
    }
    (rest,) = [one for one in kit.jobs("update_prices") if one.parent_id == job]
    assert (rest.args["card_ids"], rest.run_at) == ([ids[1]], NOON + MINUTE)
    first.calls.clear()
    for attempt in (2, 3, 4):
        kit.clock.advance(MINUTE)
        assert kit.runner.run_pending() == 1
        assert len(first.calls) == attempt - 1
    assert kit.show(rest.id).state is JobState.DEAD
    assert kit.show(rest.id).error == str(DOWN)
    assert {one for call in first.calls for one in call} == {bad}


def test_a_chunk_whose_sources_are_all_paused_waits_whole(kit: Kit, first: Shop):
    ids = add_cards(kit.database, 3)
    link(kit.database, PC, {card_id: f"p{card_id}" for card_id in ids})
    first.fault = SourcePaused("pricecharting", "product", "open", until=NOON + MINUTE)
    job = kit.enqueue("update_prices", {"card_ids": ids})
    kit.runner.run_pending()
    waiting = kit.show(job)
    assert (waiting.state, waiting.attempts) == (JobState.READY, 0)
    assert waiting.run_at == NOON + MINUTE
    assert len(first.calls) == 1


def stale(kit: Kit, count: int) -> list[int]:
    """Make cards at the one-call-a-card source, due one second after the other, oldest first."""
    ids = add_cards(kit.database, count)
    link(kit.database, PC, {card_id: f"p{card_id}" for card_id in ids})
    kit.shops[0].prices |= {f"p{card_id}": 100 for card_id in ids}
    start = NOON - timedelta(days=2)
    kit.due_at({one: start + timedelta(seconds=place) for place, one in enumerate(ids)})
    return ids


def test_250_stale_cards_beside_100_unanswerable_ones_are_done_in_three_runs_oldest_first(
    kit: Kit, first: Shop
):
    add_cards(kit.database, 100)  # never checked, and no source has a product for them
    ids = stale(kit, 250)
    for run, expected in enumerate((ids[:100], ids[100:200], ids[200:])):
        job = kit.enqueue("update_all_card_prices", {"limit": 100})
        first.calls.clear()
        kit.runner.run_pending()
        assert sorted(call[0] for call in first.calls) == sorted(f"p{one}" for one in expected)
        result = kit.show(job).result
        assert isinstance(result, dict)
        assert result["cards"] == len(expected)
        assert len(result["job_ids"]) == 1, "one chunk job"
        assert sum(result["left_out"].values()) == 100 + max(0, 150 - 100 * run)
        kit.clock.advance(timedelta(seconds=1))
    checks = kit.checks()
    assert all((checks[one][0] or NOON) >= NOON + 6 * HOUR for one in ids)
    kit.enqueue("update_all_card_prices")
    first.calls.clear()
    kit.runner.run_pending()
    assert first.calls == [], "nothing is due any more"


def test_cards_that_the_vendor_does_not_know_any_more_make_room_for_the_others(
    kit: Kit, first: Shop
):
    ids = stale(kit, 30)
    for one in ids[:10]:
        del first.prices[f"p{one}"]
    for _ in range(3):
        kit.enqueue("update_all_card_prices", {"limit": 10})
        kit.runner.run_pending()
        kit.clock.advance(timedelta(minutes=1))
    checks = kit.checks()
    assert [checks[one][1] for one in ids] == [1] * 10 + [0] * 20
    assert len(first.calls) == 30


def test_two_runs_at_the_same_time_never_take_a_card_twice(kit: Kit, first: Shop):
    ids = stale(kit, 250)
    runs = [kit.enqueue("update_all_card_prices", {"limit": 1000}) for _ in range(4)]
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def work() -> None:
        runner = kit.new_runner()
        barrier.wait()
        try:
            runner.run_pending()
        except BaseException as exc:  # noqa: BLE001 - told by the assertion below
            failures.append(exc)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [kit.show(run).state for run in runs] == [JobState.DONE] * 4
    taken = [card for job in kit.jobs("update_prices") for card in chosen(job)]
    assert sorted(taken) == ids
    assert sorted(call[0] for call in first.calls) == sorted(f"p{one}" for one in ids)


def test_two_schedulers_make_one_run_of_a_slot(kit: Kit, first: Shop):
    ids = stale(kit, 5)
    barrier = threading.Barrier(2)

    def tick() -> None:
        barrier.wait()
        kit.scheduler.tick()

    threads = [threading.Thread(target=tick) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kit.runner.run_pending()
    assert len(kit.jobs("update_all_card_prices")) == 1
    assert len(first.calls) == len(ids)


def test_cards_of_an_open_job_are_not_chosen_again_when_their_claim_has_lapsed(
    kit: Kit, first: Shop
):
    ids = stale(kit, 3)
    kit.enqueue("update_all_card_prices")
    kit.runner.run_pending(limit=1)  # the run alone: its chunk waits
    kit.clock.advance(2 * HOUR)
    with unit_of_work(kit.database, kit.database) as uow:
        # before the chunk in the line
        kit.queue.enqueue(uow, "update_all_card_prices", run_at=NOON - HOUR)
    kit.runner.run_pending()
    assert sorted(call[0] for call in first.calls) == sorted(f"p{one}" for one in ids)
    assert len(kit.jobs("update_prices")) == 1


def test_an_outage_leaves_the_cards_due_and_the_next_run_takes_them_again(kit: Kit, first: Shop):
    ids = stale(kit, 3)
    first.fault = DOWN
    for _ in range(2):
        kit.enqueue("update_all_card_prices")
        for _ in range(4):
            kit.runner.run_pending()
            kit.clock.advance(MINUTE)
        kit.clock.advance(6 * HOUR)
    assert [one.state for one in kit.jobs("update_prices")] == [JobState.DEAD] * 2
    assert [kit.checks()[one][1] for one in ids] == [0, 0, 0]


def test_a_batching_source_is_not_bound_by_the_limit_and_costs_ceil_n_by_batch(
    kit: Kit, second: Shop
):
    ids = add_cards(kit.database, 250)
    link(kit.database, JT, {card_id: f"j{card_id}" for card_id in ids})
    second.prices = {f"j{card_id}": 100 for card_id in ids}
    kit.enqueue("update_all_card_prices", {"limit": 100})
    kit.runner.run_pending()
    assert len(second.calls) == 13
    assert [len(chosen(job)) for job in kit.jobs("update_prices")] == [200, 50]


def test_a_source_that_is_paused_is_not_planned(
    database: Database, clock: FixedClock, first: Shop, second: Shop
):
    kit = Kit(database, [first, second], clock, disabled={"pricecharting": "no key"})
    stale(kit, 3)
    job = kit.enqueue("update_all_card_prices")
    kit.runner.run_pending()
    kit.close()
    result = kit.show(job).result
    assert isinstance(result, dict)
    assert result["left_out"] == {"pricecharting: no key": 3}
    assert first.calls == []


def test_a_card_that_is_as_new_as_its_source_moves_on_without_a_call(kit: Kit, first: Shop):
    ids = stale(kit, 2)
    kit.updater.update(ids)
    kit.due_at(dict.fromkeys(ids, NOON - HOUR))  # as a bulk file leaves them
    first.calls.clear()
    job = kit.enqueue("update_all_card_prices")
    kit.runner.run_pending()
    result: Any = kit.show(job).result
    assert (result["due"], result["cards"], first.calls) == (2, 0, [])
    assert kit.checks() == dict.fromkeys(ids, (NOON + 24 * HOUR, 0))


def test_many_cards_of_a_game_are_left_to_the_job_of_the_bulk_file(
    database: Database, clock: FixedClock
):
    files = an_info(PC, capabilities=frozenset({Capability.ITEMS, Capability.BULK}))
    shop = Shop(files, clock)
    kit = Kit(database, [shop], clock, bulk=("pricecharting",))
    ids = stale(kit, 5)
    job = kit.enqueue("update_all_card_prices")
    kit.runner.run_pending()
    kit.close()
    result: Any = kit.show(job).result
    assert (result["cards"], result["calls"], len(result["job_ids"])) == (5, 1, 1)
    assert (kit.synced, shop.calls) == (["pokemon"], [])
    assert {kit.checks()[one][0] for one in ids} == {NOON + HOUR}, "claimed meanwhile"
