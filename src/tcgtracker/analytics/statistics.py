"""Statistics of one series over a window of days (DESIGN section 5), exact but for volatility."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.money import MAX_MINOR, divide_half_even
from tcgtracker.prices.reading import DailyValues

_TREND_DAYS = 3
_RETURNS = 2
# The trend's threshold of 2 % in integers: last / first against 51 / 50 and 49 / 50.
_RISE, _FALL, _BASE = 51, 49, 50


class Trend(StrEnum):
    """Where the price went within the window."""

    INCREASING = "increasing"
    DECREASING = "decreasing"
    STABLE = "stable"
    INSUFFICIENT_DATA = "insufficient_data"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class Statistics:
    """Amounts are in minor units, rounded half-even once; None where there is nothing to say.

    `change` is the last value minus the first (0 for a single day with a value); `change_pct` is
    decimal text with two places, None without a first value above 0. `volatility` is the population
    standard deviation of the simple returns between neighbouring days that both have a value (a
    step over a day without one is no daily return), with 6 decimals, None under two such returns.
    `all_time_high` and `all_time_low` are handed in and ignore the window.
    """

    average: int | None
    minimum: int | None
    maximum: int | None
    change: int | None
    change_pct: str | None
    trend: Trend
    volatility: float | None
    all_time_high: int | None
    all_time_low: int | None
    days_with_price: int


NO_STATISTICS = Statistics(
    average=None,
    minimum=None,
    maximum=None,
    change=None,
    change_pct=None,
    trend=Trend.NO_DATA,
    volatility=None,
    all_time_high=None,
    all_time_low=None,
    days_with_price=0,
)
"""What is said of a series without a price."""


def compute_statistics(daily: DailyValues, *, all_time: tuple[int, int] | None) -> Statistics:
    """Return the statistics of the window; `all_time` is (low, high) of the whole series.

    Raises:
        InvalidInput: a value is larger than a price column can hold.
    """
    low, high = all_time if all_time is not None else (None, None)
    present = daily.market >= 0
    values = daily.market if present.all() else daily.market[present]
    days = len(values)
    if not days:
        return replace(NO_STATISTICS, all_time_high=high, all_time_low=low)
    maximum = int(values.max())
    if maximum > MAX_MINOR:
        raise InvalidInput(f"a price of {maximum} minor units is over the bound of {MAX_MINOR}")
    first, last = int(values[0]), int(values[-1])
    return Statistics(
        average=divide_half_even(int(values.sum()), days),
        minimum=int(values.min()),
        maximum=maximum,
        change=last - first,
        change_pct=percent(last - first, first),
        trend=_trend(values),
        volatility=_volatility(daily.market, present),
        all_time_high=high,
        all_time_low=low,
        days_with_price=days,
    )


def percent(change: int, first: int) -> str | None:
    """Return a change in hundredths of a percent as text, `-12.50`; None when the first is 0."""
    if not first:
        return None
    hundredths = divide_half_even(change * 10_000, first)
    whole, part = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{part:02d}"


def _trend(values: NDArray[np.int64]) -> Trend:
    if len(values) < _TREND_DAYS:
        return Trend.INSUFFICIENT_DATA
    third = len(values) // 3
    # Both thirds have as many days, so their sums compare as their means do, without rounding.
    first, last = int(values[:third].sum()), int(values[-third:].sum())
    if last * _BASE > first * _RISE:
        return Trend.INCREASING
    if last * _BASE < first * _FALL:
        return Trend.DECREASING
    return Trend.STABLE


def _volatility(market: NDArray[np.int64], present: NDArray[np.bool_]) -> float | None:
    before, after = market[:-1], market[1:]
    # A return from 0 is undefined; a price of 0 is not expected (vendors' 0 means no price).
    pairs = present[1:] & (before > 0)
    if not pairs.all():
        before, after = before[pairs], after[pairs]
    count = len(before)
    if count < _RETURNS:
        return None
    returns = (after - before) / before
    deviations = returns - returns.sum() / count
    return round(math.sqrt(float(deviations @ deviations) / count), 6)
