"""The usual ratio of two sources' prices of one thing, and what departs from it: pure.

Logarithms of ratios: twice as much and half as much are equally far from the same. No figure here
is money; amounts are minor units of one currency.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tcgtracker.domain.quote import Facet
from tcgtracker.domain.variant import RAW, Condition, PriceKind

UNGRADED = "ungraded"
ALL_BANDS = -1
BAND_BOUNDS = (100, 500, 2_000, 10_000, 50_000)
"""Minor units at which the next band begins: 1, 5, 20, 100 and 500 dollars. The cheaper a card,
the wilder its ratios, since prices of cents move by whole cents."""
LEAST_PAIRS = 12
"""Fewer teach nothing: the median of their distances is itself a guess."""
LEAST_SPREAD = math.log(1.04)
LIMIT_SPREADS = 4.0
LEAST_DEPARTURE = math.log(1.6)
"""A departure is more than 4 spreads, and more than 1.6 times, from what is usual."""
_NORMAL = 1.4826
"""Makes the median of distances comparable with a standard deviation."""
_COMPARED = frozenset({PriceKind.MARKET, PriceKind.GUIDE})


def state_of(facet: Facet) -> str | None:
    """Return the state of a card that a series prices, None for what is compared with nothing.

    What a vendor pools as ungraded is compared with near mint; a guide with a market price. Asking
    prices, boxed ones and a user's own are compared with nothing.
    """
    if facet.kind not in _COMPARED:
        return None
    if facet.variant in (RAW, Condition.NEAR_MINT.value):
        return UNGRADED
    return facet.variant


def band_of(left: int, right: int) -> int:
    """Return the price band of a pair, by the geometric mean: neither side alone decides."""
    middle = math.isqrt(left * right)
    return sum(middle >= bound for bound in BAND_BOUNDS)


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in a band: logarithm of right over left, its spread, from so many pairs."""

    center: float
    spread: float
    pairs: int

    @property
    def ratio(self) -> float:
        return math.exp(self.center)

    @property
    def spread_factor(self) -> float:
        """The spread as a part: 0.06 is 6 %."""
        return math.expm1(self.spread)

    @property
    def limit(self) -> float:
        """The distance from the center that is no longer usual."""
        return max(LIMIT_SPREADS * self.spread, LEAST_DEPARTURE)


@dataclass(frozen=True, slots=True)
class Usuals:
    """The usual ratios of two sources by band; without a band, that of all bands together."""

    by_band: Mapping[int, Usual]

    def of(self, left: int, right: int) -> Usual | None:
        """Return what is usual for a pair, None where too few pairs were seen."""
        return self.by_band.get(band_of(left, right)) or self.by_band.get(ALL_BANDS)

    def distance(self, left: int, right: int) -> float | None:
        """Return how far a pair is from what is usual (logarithm), None if nobody knows."""
        usual = self.of(left, right)
        return None if usual is None else log_ratio(left, right) - usual.center

    def departs(self, left: int, right: int) -> bool:
        usual, distance = self.of(left, right), self.distance(left, right)
        return usual is not None and distance is not None and abs(distance) > usual.limit

    def inverse(self) -> "Usuals":
        """Return the same with the sides exchanged."""
        return Usuals(
            {band: Usual(-one.center, one.spread, one.pairs) for band, one in self.by_band.items()}
        )


def learn(pairs: Iterable[tuple[int, int]]) -> Usuals:
    """Learn what is usual from pairs of positive prices: robust, so that outliers do not teach.

    Medians: up to half of a band may be wrong before it says so.
    """
    return _learned((band_of(*pair), log_ratio(*pair)) for pair in pairs)


def learn_changes(changes: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> Usuals:
    """Learn how far the ratio of a pair usually moves between two moments (before, now).

    Much less than pairs differ from each other: what a thing costs more at one vendor stays so.
    """
    return _learned((band_of(*now), change(before, now)) for before, now in changes)


def change(before: tuple[int, int], now: tuple[int, int]) -> float:
    """Return how far the logarithm of a ratio moved."""
    return log_ratio(*now) - log_ratio(*before)


def _learned(values: Iterable[tuple[int, float]]) -> Usuals:
    by_band: dict[int, list[float]] = defaultdict(list)
    for band, logarithm in values:
        by_band[band].append(logarithm)
        by_band[ALL_BANDS].append(logarithm)
    return Usuals(
        {
            band: _usual(logarithms)
            for band, logarithms in sorted(by_band.items())
            if len(logarithms) >= LEAST_PAIRS
        }
    )


def log_ratio(left: int, right: int) -> float:
    """Return the natural logarithm of right over left."""
    return math.log(right) - math.log(left)


def _usual(logarithms: Sequence[float]) -> Usual:
    center = median(logarithms)
    distances = [abs(one - center) for one in logarithms]
    return Usual(center, max(_NORMAL * median(distances), LEAST_SPREAD), len(logarithms))
