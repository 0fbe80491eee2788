"""True values and the vendors' views of them: sane on every day, moving as real prices do."""

from datetime import date, timedelta
from statistics import median

import pytest

from tcgtracker.sandbox import prices
from tcgtracker.sandbox.make_world import make_world
from tcgtracker.sandbox.prices import (
    CONDITION_SHARES,
    asking_cents,
    justtcg_cents,
    ladder_cents,
    sku_prices,
    tcgplayer_prices,
    true_cents,
)
from tcgtracker.sandbox.traps import Trap
from tcgtracker.sandbox.world import World

FIRST_DAY = date(2026, 9, 1)
DAY = timedelta(days=1)


def test_first_day_shows_the_stated_value(world: World) -> None:
    for card in world.cards():
        for printing in card.printings:
            assert true_cents(world, card, printing.name, FIRST_DAY) == printing.cents


def test_a_day_is_the_same_however_it_is_reached(world: World) -> None:
    card = world.cards()[0]
    name = card.printings[0].name
    forwards = [true_cents(world, card, name, FIRST_DAY + DAY * n) for n in range(60)]
    prices._level.cache_clear()
    prices._last_move.cache_clear()
    again = make_world(7, FIRST_DAY)
    backwards = [true_cents(again, card, name, FIRST_DAY + DAY * n) for n in range(59, -1, -1)]
    assert forwards == backwards[::-1]


def test_rows_move_as_often_and_as_far_as_real_ones(world: World) -> None:
    rows = moved = 0
    moves = []
    for card in world.by_product.values():
        for printing in card.printings:
            day = FIRST_DAY + DAY * 90
            old = tcgplayer_prices(world, card, printing.name, day)
            new = tcgplayer_prices(world, card, printing.name, day + DAY)
            if old is None or new is None:
                continue
            rows += 1
            moved += old != new
            if old.market and new.market and old.market != new.market:
                moves.append(abs(new.market / old.market - 1))
    assert 0.33 < moved / rows < 0.47
    assert 0.024 < median(moves) < 0.035


@pytest.mark.parametrize("days", [-400, 0, 31, 365, 2_000])
def test_five_prices_are_positive_and_in_order(world: World, days: int) -> None:
    missing = {"market": 0, "direct": 0}
    rows = 0
    for card in world.by_product.values():
        for printing in card.printings:
            row = tcgplayer_prices(world, card, printing.name, FIRST_DAY + DAY * days)
            if row is None:
                assert Trap.NO_PRICES in card.traps
                continue
            assert row.low is not None
            assert row.mid is not None
            assert row.high is not None
            assert 0 < row.low <= row.mid <= row.high
            assert row.market is None or 0 < row.market < 200 * printing.cents
            if Trap.NULL_MARKET in card.traps:
                assert row.market is None
            if card.game == "onepiece":
                assert row.direct_low is None
            rows += 1
            missing["market"] += row.market is None
            missing["direct"] += row.direct_low is None
    assert 0.01 < missing["market"] / rows < 0.1
    assert 0.6 < missing["direct"] / rows < 0.95


def test_conditions_fall_from_near_mint_to_damaged(world: World) -> None:
    for card in world.cards():
        for printing in card.printings:
            values = [
                justtcg_cents(world, card, printing.name, condition, FIRST_DAY)
                for condition in card.conditions()
            ]
            known = [value for value in values if value is not None]
            assert min(known) > 0
            if printing.cents > 100:
                assert known == sorted(known, reverse=True)
                assert values[0] is not None
                assert values[0] == pytest.approx(printing.cents, rel=0.04)


def test_skus_follow_the_condition_and_state_no_mid_or_high(world: World) -> None:
    card = next(each for each in world.by_product.values() if each.printings[0].cents > 5_000)
    name = card.printings[0].name
    rows = [sku_prices(world, card, name, each, FIRST_DAY) for each in card.conditions()]
    lows = [row.low for row in rows if row is not None and row.low is not None]
    assert len(lows) == len(card.conditions())
    assert lows == sorted(lows, reverse=True)
    assert all(row is not None and row.mid is None and row.high is None for row in rows)
    assert set(card.conditions()) <= set(CONDITION_SHARES)


def test_ladder_rises_with_the_grade(world: World) -> None:
    rising = ("loose-price", "cib-price", "new-price", "graded-price", "box-only-price")
    complete = 0
    for card in world.cards():
        for printing in card.printings:
            ladder = ladder_cents(world, card, printing.name, FIRST_DAY)
            assert min(ladder.values()) > 0
            if card.sealed:
                assert set(ladder) == {"loose-price", "new-price"}
                continue
            known = [ladder[key] for key in (*rising, "manual-only-price") if key in ladder]
            assert known == sorted(known)
            complete += len(ladder) > 15
    assert complete > 50


def test_asking_prices_lie_around_the_value(world: World) -> None:
    card = next(each for each in world.by_product.values() if each.printings[0].cents > 5_000)
    printing = card.printings[0]
    asked = [asking_cents(world, card, printing.name, n, FIRST_DAY) for n in range(200)]
    assert printing.cents * 0.9 < median(asked) < printing.cents * 1.5
    assert max(asked) > printing.cents * 3
