"""What each kind of work costs in calls, counted where the vendor counts: nothing is wasted."""

from math import ceil

import pytest

from tcgtracker.domain.source import Source
from tests.integration.vendor_faults.stack import GAME, SET, Stack


@pytest.mark.parametrize(
    ("source", "batch", "cards"),
    [
        (Source.PRICECHARTING, 1, 7),
        (Source.JUSTTCG, 20, 20),
        (Source.JUSTTCG, 20, 21),
        (Source.JUSTTCG, 20, 38),
        (Source.TCGPLAYER, 200, 38),
    ],
)
def test_calls_are_the_products_by_the_batch(
    stack: Stack, source: Source, batch: int, cards: int
) -> None:
    asked = stack.cards(cards, market_above=0)
    outcomes = stack.update(*asked, source=source)
    data = [call for call in stack.calls(source.value) if call.path != "/token"]
    assert len(data) == ceil(cards / batch)
    assert len(stack.calls(source.value)) - len(data) == (source is Source.TCGPLAYER)
    answered = [one for one in outcomes if one.price and one.price.source is source]
    assert len(answered) >= cards - 2
    others = [call for call in stack.calls() if call.vendor != source.value]
    assert len(others) <= 2 * (cards - len(answered)), "only what it had no price for"


def test_set_of_cards_costs_its_pages(stack: Stack) -> None:
    set_id = stack.one("SELECT id FROM tcg_sets WHERE code = :code", code=f"justtcg:{SET}")
    assert not stack.tracker.catalog_sync.cards(set_id).failures
    assert len(stack.calls("justtcg")) == ceil(46 / 20)
    assert len(stack.calls("tcgplayer")) == 1 + 1
    assert len(stack.calls("tcgcsv")) <= 2
    assert not stack.calls("pricecharting"), "its guide has said it"


def test_unchanged_file_costs_one_call(stack: Stack) -> None:
    assert not stack.tracker.bulk_sync.tcgcsv(GAME).failures
    first = len(stack.calls("tcgcsv"))
    report = stack.tracker.bulk_sync.tcgcsv(GAME)
    assert len(stack.calls("tcgcsv")) - first == 1
    assert report.outcomes[0].unchanged
    assert [call.path for call in stack.calls("tcgcsv")][-1] == "/last-updated.txt"


def test_guide_is_fetched_once_a_day(stack: Stack) -> None:
    for hours in (0, 6, 12, 23):
        stack.clock.set(stack.clock.now())
        assert not stack.tracker.bulk_sync.pricecharting(GAME).failures
        stack.advance(3600 * (1 + hours % 2))
    assert len(stack.calls("pricecharting")) == 1


def test_card_that_was_just_answered_is_not_planned_again(stack: Stack) -> None:
    cards = stack.cards(3)
    stack.update(*cards)
    calls = len(stack.calls())
    planned = stack.tracker.planner.plan(bulk=False).plan
    chosen = {card for step in planned.steps for card in step.card_ids}
    assert not chosen & set(cards)
    assert len(stack.calls()) == calls, "a plan costs nothing"
