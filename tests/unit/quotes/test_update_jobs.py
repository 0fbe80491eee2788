"""Price updates as jobs: attempts, postponement, chunks, and the six-hourly run."""

from datetime import timedelta
from typing import Any

import pytest

from tcgtracker.database.tables.operations import JobState
from tcgtracker.database.unit_of_work import unit_of_work
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
from tcgtracker.operations.values import JobRecord, Progress
from tcgtracker.quotes.update_jobs import enqueue_card, enqueue_cards
from tests.unit.quotes.kit import HOUR, NOON, Kit, Shop, add_cards, link

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


def test_a_big_update_is_shared_out_and_says_how_far_it_is(kit: Kit, first: Shop):
    ids = add_cards(kit.database, 450)
    linked = ids[::150]
    link(kit.database, PC, {card_id: f"p{card_id}" for card_id in linked})
    first.prices = {f"p{card_id}": 100 for card_id in linked}
    job = kit.enqueue("update_prices", {"card_ids": ids})
    kit.runner.run_pending(limit=2)
    waiting = kit.show(job)
    assert (waiting.state, waiting.attempts) == (JobState.READY, 0)
    assert waiting.progress == Progress(0, 450, "3 parts")
    parts = [one for one in kit.jobs("update_prices") if one.parent_id == job]
    shares: list[Any] = [one.args["card_ids"] for one in parts]
    assert sorted(len(one) for one in shares) == [50, 200, 200]
    kit.clock.advance(timedelta(seconds=2))
    kit.runner.executor.run_one(job)
    reached = kit.show(job).progress
    assert (reached.done in (50, 200), reached.total) == (True, 450)
    kit.runner.run_pending()
    kit.clock.advance(timedelta(seconds=2))
    kit.runner.run_pending()
    done = kit.show(job)
    assert (done.state, done.attempts) == (JobState.DONE, 1)
    assert done.progress == Progress(450, 450, "3 parts")
    assert cards_of(done) == {one: "stored" if one in linked else "no-trusted-link" for one in ids}
    assert len(kit.jobs("update_prices")) == 4, "a second look makes no second parts"


def test_a_part_that_died_is_told_card_by_card(kit: Kit, first: Shop):
    ids = add_cards(kit.database, 202)
    link(kit.database, PC, {card_id: f"p{card_id}" for card_id in ids[199:]})
    first.prices = {f"p{card_id}": 100 for card_id in ids}
    bad = {f"p{card_id}" for card_id in ids[200:]}
    broken = ContractBroken("pricecharting", "product", "no price in it")
    first.faulty = lambda asked: broken if bad.intersection(asked) else None
    job = kit.enqueue("update_prices", {"card_ids": ids})
    kit.runner.run_pending()
    kit.clock.advance(timedelta(seconds=2))
    kit.runner.run_pending()
    done = kit.show(job)
    assert done.state is JobState.DONE
    found = cards_of(done)
    assert len(found) == 202
    assert [found[one] for one in ids[198:]] == ["no-trusted-link", "stored", "failed", "failed"]
