"""What is kept about looks is what a first question would be told."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcgtracker.domain.clock import DAY_S
from tcgtracker.prices.reading import Looks, SeriesHistory
from tcgtracker.prices.rows import rows_from_tuples

moments = st.lists(st.integers(0, 12 * DAY_S), min_size=1, max_size=12, unique=True).map(sorted)
windows = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), min_size=1, max_size=20)
market = st.integers(-1, 3)


@given(moments, st.lists(market, min_size=12, max_size=12), windows)
def test_windows_of_shared_looks_read_as_each_moment(
    at: list[int], prices: list[int], asked: list[tuple[int, int]]
) -> None:
    rows = rows_from_tuples(
        [
            (1, moment, 0, 0, price, -1, -1, -1, -1)
            for moment, price in zip(at, prices, strict=False)
        ]
    )
    shared = Looks(np.array(at, np.int64))
    for first, days in asked:
        history = SeriesHistory(rows, shared, DAY_S)
        read = history.daily(first, first + days).market.tolist()
        assert read == [plainly(at, prices, first + day) for day in range(days + 1)]


def plainly(at: list[int], prices: list[int], day: int) -> int:
    """Return the value in force at the end of a day, if any look speaks for the day."""
    end = (day + 1) * DAY_S - 1
    known = [place for place, moment in enumerate(at) if moment <= end]
    if not known:
        return -1
    last = known[-1]
    of_the_day = at[last] >= day * DAY_S
    carried = last + 1 < len(at) and 2 * (at[last + 1] - at[last]) <= 3 * DAY_S
    return prices[last] if of_the_day or carried else -1
