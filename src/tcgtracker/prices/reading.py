"""What a moment or a window of one series reads, from its rows and the looks at it."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tcgtracker.database.dialects.base import HistoryRows, IntArray
from tcgtracker.domain.clock import DAY_S
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.prices.kept_out import last_believed

_NO_PRICE = -1
_MOST_WINDOWS = 8


class Answer(StrEnum):
    """What a moment reads."""

    PRICED = "priced"
    """The vendor listed it with these values, some of which may be empty."""
    GAP = "gap"
    """It was looked for and not there."""
    UNREADABLE = "unreadable"
    """It was listed with values that cannot be right."""
    NOT_OBSERVED = "not_observed"
    """Nobody looked."""


_ANSWER_OF_STATE = (Answer.PRICED, Answer.GAP, Answer.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer for one moment; five values in minor units when it is `PRICED`."""

    answer: Answer
    values: tuple[int | None, ...] = (None, None, None, None, None)
    observed_at: int | None = None

    def __eq__(self, other: object) -> bool:
        """Compare what is read, not since when."""
        if not isinstance(other, Reading):
            return NotImplemented
        return (self.answer, self.values) == (other.answer, other.values)

    def __hash__(self) -> int:
        return hash((self.answer, self.values))


@dataclass(frozen=True, slots=True, eq=False)
class DailyValues:
    """One value for each UTC day from `first_day` (days since 1970-01-01) on.

    `market` is in minor units of one currency; -1 = nothing that day (gap, not observed, no price).

    Raises:
        InvalidInput: `market` is not a one-dimensional array of int64.
    """

    first_day: int
    market: IntArray

    def __post_init__(self) -> None:
        if self.market.dtype != np.int64 or self.market.ndim != 1:
            raise InvalidInput("daily values are a one-dimensional array of 64-bit integers")


class Looks:
    """Moments at which somebody looked, sorted epoch seconds; what follows from them is kept.

    Many series share the looks at their scope. For many threads.
    """

    __slots__ = ("_days", "_spans", "moments")

    def __init__(self, moments: IntArray) -> None:
        self.moments = moments
        self._spans: dict[int, NDArray[np.bool_]] = {}
        self._days: dict[tuple[int, int, int], tuple[IntArray, NDArray[np.bool_]]] = {}

    def spans(self, interval_s: int) -> NDArray[np.bool_]:
        """Return which looks the next one follows so soon that what lies between is known."""
        found = self._spans.get(interval_s)
        if found is None:
            found = np.zeros(len(self.moments), bool)
            found[:-1] = 2 * (self.moments[1:] - self.moments[:-1]) <= 3 * interval_s
            self._spans[interval_s] = found
        return found

    def of_days(
        self, first_day: int, last_day: int, interval_s: int
    ) -> tuple[IntArray, NDArray[np.bool_]]:
        """Return the last look up to the end of each day, and whether it speaks for the day."""
        key = first_day, last_day, interval_s
        found = self._days.get(key)
        if found is None:
            starts = np.arange(first_day, last_day + 1) * DAY_S
            place = self.moments.searchsorted(starts + (DAY_S - 1), side="right") - 1
            # Place -1 reads the last look, which no span follows and which is later than the day.
            look = self.moments[place]
            covered = (place >= 0) & ((look >= starts) | self.spans(interval_s)[place])
            if len(self._days) >= _MOST_WINDOWS:
                self._days.clear()
            found = self._days[key] = look, covered
        return found


class SeriesHistory:
    """All rows of one series in time order, one per moment, and every look at it.

    `interval_s` is the source's refresh interval; `kept_out` are looks whose quote is not believed.
    """

    __slots__ = ("_kept_out", "_looks", "_priced", "_spans", "interval_s", "looks", "rows")

    def __init__(
        self,
        rows: HistoryRows,
        looks: Looks,
        interval_s: int,
        kept_out: Collection[int] = frozenset(),
    ) -> None:
        self._kept_out = kept_out
        self.rows = _highest_revision(rows)
        self._looks = _with(looks, self.rows.observed_at)
        self.looks = self._looks.moments
        self.interval_s = interval_s
        self._spans = self._looks.spans(interval_s)
        self._priced = self.rows.values[:, 0] >= 0
        if self.rows.state.any():
            self._priced &= self.rows.state == 0

    def at(self, moment: int) -> Reading:
        """Return what a moment (epoch seconds) reads."""
        place = int(np.searchsorted(self.looks, moment, side="right")) - 1
        if place < 0:
            return Reading(Answer.NOT_OBSERVED)
        look = int(self.looks[place])
        if look != moment and not self._carried(place):
            return Reading(Answer.NOT_OBSERVED)
        return self._in_force(look)

    def last_market(self) -> tuple[int, int] | None:
        """Return the newest market price ever listed and the last look that found it, if any.

        A look that found another one, which is held back, did not find it.
        """
        row = self.last_priced_row()
        if row is None:
            return None
        end = self.looks.searchsorted(self._last_look_of(row), side="right")
        since = int(self.rows.observed_at[row])
        seen = last_believed(self.looks[:end], since, self._kept_out)
        return int(self.rows.values[row, 0]), seen

    def last_priced_row(self) -> int | None:
        """Return the place of the newest row with a market price."""
        from_end = int(self._priced[::-1].argmax()) if len(self.rows) else 0
        row = len(self.rows) - 1 - from_end
        return row if row >= 0 and self._priced[row] else None

    def last_seen_at(self) -> int | None:
        """Return the newest look that found the product listed; epoch seconds."""
        listed = np.flatnonzero(self.rows.state != 1)
        if not len(listed):
            return None
        return self._last_look_of(int(listed[-1]))

    def daily(self, first_day: int, last_day: int) -> DailyValues:
        """Return the last market value in force on each UTC day, both days included."""
        count = last_day - first_day + 1
        if not (len(self.looks) and len(self.rows)):
            return DailyValues(first_day, np.full(count, _NO_PRICE, np.int64))
        look, covered = self._looks.of_days(first_day, last_day, self.interval_s)
        row = self.rows.observed_at.searchsorted(look, side="right")
        # Before the first row nothing was listed.
        market = np.empty(len(self.rows) + 1, np.int64)
        market[0] = _NO_PRICE
        market[1:] = self.rows.values[:, 0]
        if not self._priced.all():
            market[1:][~self._priced] = _NO_PRICE
        daily = market[row]
        if not covered.all():
            daily[~covered] = _NO_PRICE
        return DailyValues(first_day, daily)

    def market_range(self) -> tuple[int, int] | None:
        """Return the lowest and highest market price ever in force, in minor units."""
        market = self.rows.values[self._priced, 0]
        return (int(market.min()), int(market.max())) if len(market) else None

    def unobserved(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the stretches within [start, end] that lie between spans; epoch seconds."""
        if not len(self.looks):
            return [(start, end)]
        holes = np.flatnonzero(~self._spans[:-1]).tolist()
        found = [(int(self.looks[hole]), int(self.looks[hole + 1])) for hole in holes]
        return [
            (max(start, begin), min(end, finish))
            for begin, finish in found
            if finish > start and begin < end
        ]

    def _last_look_of(self, row: int) -> int:
        """Return the last look that reads a row."""
        if row == len(self.rows) - 1:
            return int(self.looks[-1])
        following = self.rows.observed_at[row + 1]
        return int(self.looks[np.searchsorted(self.looks, following) - 1])

    def _carried(self, place: int) -> bool:
        return bool(self._spans[place])

    def _in_force(self, look: int) -> Reading:
        row = int(np.searchsorted(self.rows.observed_at, look, side="right")) - 1
        return self._read_row(row) if row >= 0 else Reading(Answer.GAP)

    def _read_row(self, row: int) -> Reading:
        answer = _ANSWER_OF_STATE[int(self.rows.state[row])]
        observed_at = int(self.rows.observed_at[row])
        if answer is not Answer.PRICED:
            return Reading(answer, observed_at=observed_at)
        values = tuple(value if value >= 0 else None for value in self.rows.values[row].tolist())
        return Reading(answer, values, observed_at)


def _highest_revision(rows: HistoryRows) -> HistoryRows:
    """Return the rows in time order, of each moment only the highest revision."""
    at = rows.observed_at
    if (at[1:] > at[:-1]).all():  # as nearly always
        return rows
    ordered = rows.sorted_by_key()
    last = np.ones(len(ordered), bool)
    last[:-1] = ordered.observed_at[1:] != ordered.observed_at[:-1]
    return ordered if last.all() else ordered.select(last)


def _with(looks: Looks, moments: IntArray) -> Looks:
    """Return the looks with the moments among them, which they mostly are already."""
    known = looks.moments
    if len(known):
        place = known.searchsorted(moments)
        if (known.take(place, mode="clip") == moments).all():
            return looks
    return Looks(np.union1d(known, moments))


def month_of(observed_at: IntArray) -> IntArray:
    """Return the UTC month of each epoch second as 202510."""
    months = observed_at.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    year, month = np.divmod(months, 12)
    result: NDArray[np.int64] = (1970 + year) * 100 + month + 1
    return result
