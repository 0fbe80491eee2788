"""What is usual between two sources, and what departs from it."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcgtracker.analytics.ratios import (
    ALL_BANDS,
    LEAST_PAIRS,
    UNGRADED,
    Usuals,
    band_of,
    learn,
    learn_changes,
    state_of,
)
from tcgtracker.analytics.suspects import Departure, Knowledge, PricePair, Side, Suspect, judge
from tcgtracker.domain.quote import Facet
from tcgtracker.domain.source import Source
from tcgtracker.domain.variant import PriceKind
from tests.bench.suspects import WIDE, by_learning, by_plain_rule, planted_prices

JT, PC, TC = Source.JUSTTCG, Source.PRICECHARTING, Source.TCGCSV


def usual_pairs(ratio: float = 0.9, count: int = 60, middle: int = 1_000) -> list[tuple[int, int]]:
    """Return pairs whose right price is `ratio` times the left one, within 5 %."""
    random = Random(7)
    lefts = [round(middle * random.uniform(0.7, 1.5)) for _ in range(count)]
    return [(left, round(left * ratio * random.uniform(0.95, 1.05))) for left in lefts]


def knowledge(*, third: bool = True) -> Knowledge:
    others = {TC: learn(usual_pairs(1.0))} if third else {}
    to_right = {TC: learn(usual_pairs(0.9))} if third else {}
    changes = learn_changes((pair, pair) for pair in usual_pairs())
    return Knowledge(JT, PC, learn(usual_pairs()), changes, others, to_right)


def departure(pair: PricePair, known: Knowledge | None = None) -> Departure:
    found = judge(pair, known or knowledge())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("facet", "state"),
    [
        (Facet(), UNGRADED),
        (Facet(kind=PriceKind.GUIDE), UNGRADED),
        (Facet(variant="nm"), UNGRADED),
        (Facet(variant="lp"), "lp"),
        (Facet(variant="sealed"), "sealed"),
        (Facet(variant="psa-10", kind=PriceKind.GUIDE), "psa-10"),
        (Facet(kind=PriceKind.ASK), None),
        (Facet(kind=PriceKind.BOXED), None),
        (Facet(kind=PriceKind.MANUAL), None),
    ],
)
def test_kinds_are_brought_to_what_can_be_compared(facet: Facet, state: str | None) -> None:
    assert state_of(facet) == state


def test_the_usual_ratio_is_learned_although_a_third_is_wrong() -> None:
    wrong = [(1_000, 90_000)] * 25
    usual = learn([*usual_pairs(), *wrong]).by_band[ALL_BANDS]
    assert usual.ratio == pytest.approx(0.9, rel=0.05)
    assert usual.spread_factor < 0.15


def test_too_few_pairs_teach_nothing() -> None:
    few = learn(usual_pairs(count=LEAST_PAIRS - 1))
    assert few == Usuals({})
    assert not few.departs(100, 10_000)
    assert judge(PricePair(100, 10_000), Knowledge(JT, PC, few, few, {}, {})) is None


def test_each_band_has_its_own_ratio_and_a_thin_one_that_of_all() -> None:
    cheap, dear = usual_pairs(0.5, middle=50), usual_pairs(0.95, middle=30_000)
    usuals = learn([*cheap, *dear, *usual_pairs(0.95, count=3, middle=1_000)])
    assert usuals.of(50, 25) == usuals.by_band[0]
    assert usuals.by_band[0].ratio == pytest.approx(0.5, rel=0.1)
    assert usuals.by_band[4].ratio == pytest.approx(0.95, rel=0.05)
    assert usuals.of(1_000, 950) == usuals.by_band[ALL_BANDS]


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_both_directions_say_the_same(left: int, right: int) -> None:
    usuals = learn(usual_pairs())
    back = usuals.inverse()
    assert band_of(left, right) == band_of(right, left)
    assert usuals.departs(left, right) == back.departs(right, left)
    one, other = usuals.distance(left, right), back.distance(right, left)
    assert one is not None
    assert other is not None
    assert math.isclose(one, -other, abs_tol=1e-9)


def test_what_is_usual_is_no_departure() -> None:
    assert judge(PricePair(1_000, 900), knowledge()) is None
    assert judge(PricePair(1_000, 1_100), knowledge()) is None


def test_a_departure_that_was_always_there_is_the_link() -> None:
    found = departure(PricePair(1_000, 2_700, before=(1_050, 2_800), others={TC: 1_010}))
    assert (found.suspect, found.side) == (Suspect.LINK, Side.RIGHT)
    assert found.factor == pytest.approx(3, rel=0.1)
    assert "tcgcsv agrees with justtcg" in found.evidence
    assert any("already" in text for text in found.evidence)


def test_a_price_that_jumped_is_a_price() -> None:
    found = departure(PricePair(1_000, 9_000, before=(1_000, 900)), knowledge(third=False))
    assert (found.suspect, found.side) == (Suspect.PRICE, Side.RIGHT)
    assert "pricecharting moved by 10 x since" in found.evidence
    found = departure(PricePair(10_000, 900, before=(1_000, 900)), knowledge(third=False))
    assert (found.suspect, found.side) == (Suspect.PRICE, Side.LEFT)


def test_a_jump_within_what_is_usual_for_others_is_a_departure() -> None:
    random = Random(3)
    wide = [(1_000, round(1_000 * math.exp(random.gauss(0, 0.4)))) for _ in range(200)]
    known = Knowledge(JT, PC, learn(wide), learn_changes((one, one) for one in wide), {}, {})
    assert judge(PricePair(1_000, 2_400, before=(1_000, 2_300)), known) is None
    found = departure(PricePair(1_000, 2_400, before=(1_000, 1_000)), known)
    assert (found.suspect, found.side) == (Suspect.PRICE, Side.RIGHT)
    assert judge(PricePair(1_000, 1_000, before=(1_000, 2_400)), known) is None  # back to usual


def test_a_third_source_tells_the_side() -> None:
    found = departure(PricePair(3_000, 900, others={TC: 1_000}))
    assert (found.suspect, found.side) == (Suspect.EITHER, Side.LEFT)
    assert departure(PricePair(3_000, 900, others={TC: 90_000})).side is Side.BOTH
    assert departure(PricePair(3_000, 900)).side is Side.BOTH


@pytest.mark.parametrize("stray", [0.0, WIDE], ids=["tight", "wide"])
def test_planted_errors_are_found_and_little_else(stray: float) -> None:
    prices, planted = planted_prices(1, stray=stray)
    assert len(planted) > 40
    learned, plain = by_learning(prices, planted), by_plain_rule(prices, planted)
    assert learned.precision >= 0.9
    assert learned.recall >= (0.9 if stray == 0 else 0.8)
    assert learned.recall > 1.4 * plain.recall
    for kind in ("price 12 times", "price in cents"):
        found, of = learned.found[kind]
        assert found == of
