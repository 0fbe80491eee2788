"""Updates as the flags say: a new primary source for a share of cards, a flip, a shadow."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tcgtracker.analytics.card_history import card_history
from tcgtracker.analytics.comparison import compare_sources
from tcgtracker.analytics.headline import headline_price
from tcgtracker.catalog.repository import list_cards
from tcgtracker.catalog.views import CardFilter, PriceRange
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.clock import FixedClock
from tcgtracker.domain.errors import QuotaExhausted, Unavailable
from tcgtracker.domain.source import FRESH_FOR, Source
from tcgtracker.operations.flags import bucket_of, load_flags
from tcgtracker.quotes import update
from tcgtracker.quotes.outcomes import CardOutcome, Outcome
from tests.unit.quotes.kit import HOUR, NOON, Kit, Shop, add_cards, an_info, link

PC, JT, TP = Source.PRICECHARTING, Source.JUSTTCG, Source.TCGPLAYER


def cards_at(kit: Kit, count: int, *sources: Source) -> list[int]:
    """Make cards that the shops of these sources know: 5.00 at the first one, 4.00, 3.00."""
    ids = add_cards(kit.database, count)
    shops = {shop.info.source: shop for shop in kit.shops}
    for place, source in enumerate(sources):
        products = {card_id: f"{source.value[0]}{card_id}" for card_id in ids}
        link(kit.database, source, products)
        shops[source].prices.update(dict.fromkeys(products.values(), 500 - 100 * place))
    return ids


def sources_of(outcomes: list[CardOutcome]) -> dict[int, Source]:
    return {one.card_id: one.price.source for one in outcomes if one.price is not None}


def headline_of(kit: Kit, card_id: int) -> Source | None:
    now = kit.clock.now()
    with kit.database.read() as connection:
        found = headline_price(connection, connection, kit.database.dialect, card_id, now=now)
    return found.source if found else None


def within(kit: Kit, least: int, most: int) -> set[int]:
    """Return the cards whose headline price is in a range, as the list of the API filters them."""
    with kit.database.read() as connection:
        price = PriceRange(
            currency="USD",
            least=least,
            most=most,
            flags=load_flags(connection),
            fresh_from=kit.clock.now() - FRESH_FOR,
        )
        page = list_cards(connection, CardFilter(price=price), limit=100, cursor="")
    return {row.id for row in page.rows}


@pytest.fixture
def three(database: Database, clock: FixedClock, first: Shop, second: Shop) -> Iterator[Kit]:
    """The kit with a third source."""
    kit = Kit(database, [first, second, Shop(an_info(TP, batch=20), clock)], clock)
    yield kit
    kit.close()


def test_a_share_of_the_cards_is_asked_at_the_new_source(kit: Kit, first: Shop, second: Shop):
    ids = cards_at(kit, 40, PC, JT)
    kit.set_flags(rollout_source="justtcg", rollout_percent=50)
    moved = {card_id for card_id in ids if bucket_of(card_id) < 50}
    assert 15 <= len(moved) <= 25
    found = sources_of(kit.updater.update(ids))
    assert {card_id for card_id, source in found.items() if source is JT} == moved
    assert len(first.calls) == 40 - len(moved), "one product a call"
    assert len(second.calls) == -(-len(moved) // 20), "full batches"
    assert {card_id for card_id in ids if headline_of(kit, card_id) is JT} == moved
    assert (within(kit, 400, 400), within(kit, 500, 500)) == (moved, set(ids) - moved)


@pytest.mark.parametrize(("percent", "source"), [(0, PC), (100, JT)])
def test_none_and_all_are_exact(kit: Kit, percent: int, source: Source):
    ids = cards_at(kit, 30, PC, JT)
    kit.set_flags(rollout_source="justtcg", rollout_percent=percent)
    assert set(sources_of(kit.updater.update(ids)).values()) == {source}
    assert {headline_of(kit, card_id) for card_id in ids} == {source}


def test_a_moved_card_falls_back_to_the_usual_source(kit: Kit, second: Shop):
    ids = cards_at(kit, 10, PC, JT)
    kit.set_flags(rollout_source="justtcg", rollout_percent=100)
    second.fault = Unavailable("justtcg", "cards", "connection refused")
    outcomes = kit.updater.update(ids)
    assert set(sources_of(outcomes).values()) == {PC}
    assert outcomes[0].fallback_reason == "justtcg: cards: connection refused"


def test_the_plan_moves_the_same_cards(kit: Kit):
    ids = cards_at(kit, 40, PC, JT)
    kit.set_flags(rollout_source="justtcg", rollout_percent=50)
    steps = kit.planner.plan(limit=100).plan.steps
    moved = {card_id for card_id in ids if bucket_of(card_id) < 50}
    planned = {step.vendor: set(step.card_ids) for step in steps}
    assert planned == {"justtcg": moved, "pricecharting": set(ids) - moved}
    budget = {one.vendor: one.planned for one in kit.planner.plan(limit=100).plan.budgets}
    assert budget == {"pricecharting": 40 - len(moved), "justtcg": 2 if len(moved) > 20 else 1}


def test_a_flip_while_an_update_runs_holds_with_the_next_call(
    kit: Kit, first: Shop, second: Shop, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(update, "_LOOK_S", 0.0)
    ids = cards_at(kit, 30, PC, JT)

    def flip(_ids: object) -> None:
        if len(first.calls) == 7:
            kit.set_flags(primary_source="justtcg")

    first.faulty = flip
    outcomes = kit.updater.update(ids)
    found = sources_of(outcomes)
    assert [found[card_id] for card_id in ids] == [PC] * 7 + [JT] * 23
    assert {one.outcome for one in outcomes} == {Outcome.STORED}
    assert (len(first.calls), len(second.calls)) == (7, 2)
    assert not any(one.misses for one in outcomes)
    assert {headline_of(kit, card_id) for card_id in ids[7:]} == {JT}


def test_a_flip_back_and_forth_asks_no_card_twice(
    kit: Kit, first: Shop, second: Shop, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(update, "_LOOK_S", 0.0)
    ids = cards_at(kit, 50, PC, JT)

    def flip(_ids: object) -> None:
        kit.set_flags(primary_source="justtcg" if len(first.calls) % 2 else "pricecharting")

    first.faulty = second.faulty = flip
    outcomes = kit.updater.update(ids)
    asked = [one for shop in (first, second) for call in shop.calls for one in call]
    assert len(asked) == len({one[1:] for one in asked}) == 50
    assert {one.outcome for one in outcomes} == {Outcome.STORED}


def test_a_shadow_is_fetched_in_a_job_of_its_own_and_never_shown(three: Kit):
    (card_id,) = cards_at(three, 1, PC, JT, TP)
    three.set_flags(fallback_sources=["tcgplayer"], shadow_source="justtcg")
    job = three.enqueue("update_card_price", {"card_id": card_id})
    assert three.runner.run_pending() == 2
    (shadow,) = three.jobs("fetch_shadow_prices")
    assert (shadow.state, shadow.parent_id) == (JobState.DONE, job)
    assert shadow.result == {"asked": 1, "answered": 1, "failed": 0}
    assert [len(shop.calls) for shop in three.shops] == [1, 1, 0]
    before = three.checks()

    now = three.clock.now()
    with three.database.read() as connection:
        compared = compare_sources(connection, connection, card_id, now=now)
        history = card_history(
            connection, connection, three.database.dialect, card_id, source=JT, now=now
        )
    assert [one.quote.source for one in compared.prices] == [PC, JT], "the shadow comes last"
    assert compared.prices[1].ratio is not None
    assert Decimal(compared.prices[1].ratio.numerator) / compared.prices[
        1
    ].ratio.denominator == Decimal("0.8")
    assert history.found is not None, "it is shown to who asks for it by name"

    three.clock.advance(FRESH_FOR + HOUR)
    three.shops[1].prices[f"j{card_id}"] = 410
    assert three.updater.take_shadow([card_id], JT) == {"asked": 1, "answered": 1, "failed": 0}
    assert headline_of(three, card_id) is PC, "stale, but the shadow does not speak"
    assert within(three, 500, 500) == {card_id}
    assert three.checks() == before, "a look of the shadow is none of the card's checks"
    three.shops[0].fault = Unavailable("pricecharting", "product", "down")
    (outcome,) = three.updater.update([card_id])
    assert outcome.price is not None
    assert outcome.price.source is TP
    assert JT not in {miss.source for miss in outcome.misses}


def test_a_card_that_only_the_shadow_knows_shows_no_price(three: Kit):
    (card_id,) = cards_at(three, 1, JT)
    three.set_flags(fallback_sources=[], shadow_source="justtcg")
    three.updater.take_shadow([card_id], JT)
    assert headline_of(three, card_id) is None
    assert within(three, 0, 10_000) == set()
    (outcome,) = three.updater.update([card_id])
    assert (outcome.outcome, outcome.price) == (Outcome.NO_TRUSTED_LINK, None)
    assert three.planner.plan().plan.steps == []


@pytest.mark.parametrize(
    "fault",
    [
        Unavailable("justtcg", "cards", "down"),
        QuotaExhausted("justtcg", "cards", "spent", until=NOON + timedelta(days=1)),
        None,  # it is not configured
    ],
)
def test_a_failing_shadow_fails_no_update(
    database: Database, clock: FixedClock, first: Shop, second: Shop, fault: Exception | None
):
    disabled = {} if fault else {"justtcg": "no key"}
    kit = Kit(database, [first, second], clock, disabled)
    ids = cards_at(kit, 3, PC, JT)
    kit.set_flags(fallback_sources=[], shadow_source="justtcg")
    second.fault = fault
    kit.enqueue("update_prices", {"card_ids": ids})
    assert kit.runner.run_pending() == 2
    (chunk,), (shadow,) = kit.jobs("update_prices"), kit.jobs("fetch_shadow_prices")
    result: Any = chunk.result
    assert (chunk.state, result["updated"]) == (JobState.DONE, 3)
    assert shadow.state is JobState.DONE
    assert isinstance(shadow.result, dict)
    assert "justtcg" in str(shadow.result["failed"])
    kit.close()


def test_a_shadow_that_is_none_any_more_is_not_asked(kit: Kit, second: Shop):
    ids = cards_at(kit, 2, PC, JT)
    kit.set_flags(fallback_sources=[], shadow_source="justtcg")
    job = kit.enqueue("fetch_shadow_prices", {"card_ids": ids, "source": "justtcg"})
    kit.set_flags(shadow_source=None)
    kit.runner.run_pending()
    assert kit.show(job).result == {"skipped": "justtcg is no shadow any more"}
    assert second.calls == []
