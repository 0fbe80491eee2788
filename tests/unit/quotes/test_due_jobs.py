"""The six-hourly run: which cards are taken, how often, and in which order."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState
from tcgtracker.database.unit_of_work import unit_of_work
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import Unavailable
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import Capability
from tcgtracker.operations.values import JobRecord
from tcgtracker.quotes.planning import Planner
from tests.unit.quotes.kit import HOUR, NOON, Kit, Shop, add_cards, an_info, link

PC, JT = Source.PRICECHARTING, Source.JUSTTCG


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


def test_what_a_clock_that_ran_ahead_put_off_for_years_is_due(kit: Kit, first: Shop):
    ids = stale(kit, 3)
    longest = NOON + timedelta(days=7)
    kit.due_at({ids[0]: longest, ids[1]: NOON + timedelta(days=800)})
    kit.enqueue("update_all_card_prices")
    kit.runner.run_pending()
    assert sorted(call[0] for call in first.calls) == [f"p{ids[1]}", f"p{ids[2]}"]
    checks = kit.checks()
    assert checks[ids[0]][0] == longest, "a wait that we make ourselves is kept"
    assert (checks[ids[1]][0] or longest) < longest


def test_an_outage_leaves_the_cards_due_and_the_next_run_takes_them_again(kit: Kit, first: Shop):
    ids = stale(kit, 3)
    first.fault = Unavailable("pricecharting", "product", "connection refused")
    for _ in range(2):
        kit.enqueue("update_all_card_prices")
        for _ in range(4):
            kit.runner.run_pending()
            kit.clock.advance(timedelta(minutes=1))
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


@pytest.mark.one_engine
def test_cards_of_a_closed_source_take_nobodys_turn(
    database: Database, clock: FixedClock, first: Shop, second: Shop
):
    """A plan looks at 5,000 cards a time; those here whom somebody answers for come behind them."""
    kit = Kit(database, [first, second], clock, disabled={"pricecharting": "no key"})
    ids = add_cards(database, 5_001)
    link(database, PC, {card_id: f"p{card_id}" for card_id in ids[:5_000]})
    link(database, JT, {ids[-1]: "j"})
    planner = Planner(database, database, kit.vendors, clock, most_cards=2)
    made = planner.plan()
    kit.close()
    assert [step.card_ids for step in made.plan.steps] == [(ids[-1],)]
    assert made.left_out() == {"pricecharting: no key": 5_000}


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


def chosen(job: JobRecord) -> list[int]:
    """Return the cards of a chunk job."""
    ids: Any = job.args["card_ids"]
    return list(ids)
