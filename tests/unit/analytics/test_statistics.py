"""Statistics against a slow reference in fractions, and the edges one by one."""

import math
import statistics
import time
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tcgtracker.analytics.statistics import Statistics, Trend, compute_statistics
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.money import MAX_MINOR
from tcgtracker.prices.reading import DailyValues

VALUE = st.one_of(st.just(-1), st.integers(0, 2_000), st.integers(0, MAX_MINOR))


def compute(values: list[int], all_time: tuple[int, int] | None = None) -> Statistics:
    return compute_statistics(DailyValues(20_000, np.array(values, np.int64)), all_time=all_time)


def mean(values: list[int]) -> Fraction:
    return Fraction(sum(values), len(values))


def rounded(value: Fraction, places: str) -> Decimal:
    """Round half-even by way of Decimal with far more digits than any tie needs."""
    scaled = Decimal(value.numerator) / Decimal(value.denominator)
    return scaled.quantize(Decimal(places), ROUND_HALF_EVEN)


def reference_trend(known: list[int]) -> str:
    if not known:
        return "no_data"
    if len(known) < 3:
        return "insufficient_data"
    third = len(known) // 3
    first, last = mean(known[:third]), mean(known[-third:])
    if last > first * Fraction("1.02"):
        return "increasing"
    return "decreasing" if last < first * Fraction("0.98") else "stable"


def reference_volatility(values: list[int]) -> float | None:
    returns = [
        Fraction(after - before, before)
        for before, after in pairwise(values)
        if before > 0 and after >= 0
    ]
    if len(returns) < 2:
        return None
    return math.sqrt(statistics.pvariance(returns))


@given(st.lists(VALUE, max_size=60))
def test_agrees_with_the_reference(values: list[int]) -> None:
    found = compute(values)
    known = [value for value in values if value >= 0]
    assert found.days_with_price == len(known)
    assert found.trend == reference_trend(known)
    if known:
        assert found.average == int(rounded(mean(known), "1"))
        assert (found.minimum, found.maximum) == (min(known), max(known))
        assert found.change == known[-1] - known[0]
    if known and known[0]:
        percent = rounded(Fraction(100 * (known[-1] - known[0]), known[0]), "0.01")
        assert found.change_pct is not None
        assert Decimal(found.change_pct) == percent
        assert found.change_pct != "-0.00"
    else:
        assert found.change_pct is None
    expected = reference_volatility(values)
    if expected is None:
        assert found.volatility is None
    else:
        assert found.volatility == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_500_days_agree_with_the_reference() -> None:
    generator = np.random.default_rng(7)
    values = generator.integers(500, 600, 500).tolist()
    values[100:130] = [-1] * 30
    found = compute(values)
    known = [value for value in values if value >= 0]
    assert found.days_with_price == 470
    assert found.average == round(mean(known))
    assert found.volatility == pytest.approx(reference_volatility(values), abs=1e-6)


@pytest.mark.parametrize("values", [[], [-1], [-1] * 400])
def test_no_day_with_a_price_says_nothing_but_the_all_time_marks(values: list[int]) -> None:
    assert compute(values, all_time=(90, 910)) == Statistics(
        average=None,
        minimum=None,
        maximum=None,
        change=None,
        change_pct=None,
        trend=Trend.NO_DATA,
        volatility=None,
        all_time_high=910,
        all_time_low=90,
        days_with_price=0,
    )


def test_one_day() -> None:
    assert compute([-1, 1234, -1]) == Statistics(
        average=1234,
        minimum=1234,
        maximum=1234,
        change=0,
        change_pct="0.00",
        trend=Trend.INSUFFICIENT_DATA,
        volatility=None,
        all_time_high=None,
        all_time_low=None,
        days_with_price=1,
    )


@pytest.mark.parametrize(("values", "average"), [([1, 2], 2), ([2, 3], 2), ([3, 4], 4)])
def test_average_rounds_half_to_even(values: list[int], average: int) -> None:
    assert compute(values).average == average


@pytest.mark.parametrize(
    ("values", "percent"),
    [
        ([800, 801], "0.12"),  # 0.125 goes to the even hundredth
        ([800, 803], "0.38"),  # 0.375 as well
        ([800, 799], "-0.12"),
        ([1_000_000, 999_999], "0.00"),  # no minus before a zero
        ([1, MAX_MINOR], "214748364600.00"),
        ([0, 100], None),
    ],
)
def test_change_in_percent(values: list[int], percent: str | None) -> None:
    assert compute(values).change_pct == percent


@pytest.mark.parametrize(
    ("values", "trend"),
    [
        ([100, 100], Trend.INSUFFICIENT_DATA),
        ([100, 1, 102], Trend.STABLE),  # exactly +2 % is not over it
        ([10_000, 1, 10_201], Trend.INCREASING),
        ([100, 500, 98], Trend.STABLE),
        ([10_000, 1, 9_799], Trend.DECREASING),
        ([0, 0, 0], Trend.STABLE),
        ([0, 0, 1], Trend.INCREASING),
        ([100, -1, -1, 100, -1, 200], Trend.INCREASING),  # thirds of the days with a value
        ([100, 100, 500, 500, 100], Trend.STABLE),  # 5 days: a third is 1 day
    ],
)
def test_trend(values: list[int], trend: Trend) -> None:
    assert compute(values).trend is trend


def test_volatility_takes_neighbouring_days_only() -> None:
    assert compute([100, 110, -1, 500, 550]).volatility == 0.0  # two returns of 10 %
    assert compute([100, 110, -1, 500]).volatility is None  # one return
    assert compute([100, 110, 99]).volatility == 0.1  # +10 %, -10 %


def test_a_price_over_the_column_is_refused() -> None:
    with pytest.raises(InvalidInput, match="over the bound"):
        compute([MAX_MINOR + 1])


@pytest.mark.parametrize("array", [np.zeros(3, np.int32), np.zeros(3), np.zeros((2, 2), np.int64)])
def test_another_kind_of_array_is_refused(array: NDArray[Any]) -> None:
    with pytest.raises(InvalidInput, match="64-bit"):
        DailyValues(0, array)


def test_36500_days_of_the_largest_price_do_not_overflow() -> None:
    found = compute([MAX_MINOR] * 36_500)
    assert (found.average, found.trend, found.volatility) == (MAX_MINOR, Trend.STABLE, 0.0)


def test_a_year_takes_microseconds() -> None:
    """The best of many runs: about 30 us; the bound leaves room for a busy machine."""
    daily = DailyValues(20_000, np.random.default_rng(1).integers(1, 10**6, 365))
    best = math.inf
    for _ in range(200):
        begin = time.perf_counter()
        compute_statistics(daily, all_time=(1, 10**6))
        best = min(best, time.perf_counter() - begin)
    assert best < 200e-6
