"""What a moment or a window of one series reads, from its rows and the looks at it."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tcgtracker.database.dialects.base import HistoryRows, IntArray
from tcgtracker.domain.clock import DAY_S
from tcgtracker.domain.errors import InvalidInput

_NO_PRICE = -1


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


class SeriesHistory:
    """All rows of one series in time order, one per moment, and every look at it.

    `looks` are epoch seconds, sorted; `interval_s` is the source's refresh interval.
    """

    __slots__ = ("interval_s", "looks", "rows")

    def __init__(self, rows: HistoryRows, looks: IntArray, interval_s: int) -> None:
        self.rows = _highest_revision(rows)
        self.looks = _with(looks, self.rows.observed_at)
        self.interval_s = interval_s

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
        """Return the newest market price ever listed and the last look that found it, if any."""
        priced = np.flatnonzero((self.rows.state == 0) & (self.rows.values[:, 0] >= 0))
        if not len(priced):
            return None
        row = int(priced[-1])
        return int(self.rows.values[row, 0]), self._last_look_of(row)

    def last_seen_at(self) -> int | None:
        """Return the newest look that found the product listed; epoch seconds."""
        listed = np.flatnonzero(self.rows.state != 1)
        if not len(listed):
            return None
        return self._last_look_of(int(listed[-1]))

    def daily(self, first_day: int, last_day: int) -> DailyValues:
        """Return the last market value in force on each UTC day, both days included."""
        days = np.arange(first_day, last_day + 1)
        market = np.full(len(days), _NO_PRICE, np.int64)
        if len(self.looks) and len(self.rows):
            place = np.searchsorted(self.looks, (days + 1) * DAY_S - 1, side="right") - 1
            known = place >= 0
            look = self.looks[np.maximum(place, 0)]
            spans = np.append(2 * np.diff(self.looks) <= 3 * self.interval_s, [False])
            covered = known & ((look >= days * DAY_S) | spans[np.maximum(place, 0)])
            row = np.searchsorted(self.rows.observed_at, look, side="right") - 1
            listed = covered & (row >= 0)
            row = np.maximum(row, 0)
            value = np.where(self.rows.state[row] == 0, self.rows.values[row, 0], _NO_PRICE)
            market = np.where(listed, value, _NO_PRICE)
        return DailyValues(first_day, market)

    def market_range(self) -> tuple[int, int] | None:
        """Return the lowest and highest market price ever in force, in minor units."""
        market = self.rows.values[self.rows.state == 0, 0]
        market = market[market >= 0]
        return (int(market.min()), int(market.max())) if len(market) else None

    def unobserved(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the stretches within [start, end] that lie between spans; epoch seconds."""
        if not len(self.looks):
            return [(start, end)]
        holes = np.flatnonzero(2 * np.diff(self.looks) > 3 * self.interval_s)
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
        if place + 1 >= len(self.looks):
            return False
        distance = int(self.looks[place + 1] - self.looks[place])
        return 2 * distance <= 3 * self.interval_s

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
    if len(rows) < 2:  # noqa: PLR2004 - nothing to choose between
        return rows
    ordered = rows.sorted_by_key()
    last = np.ones(len(ordered), bool)
    last[:-1] = ordered.observed_at[1:] != ordered.observed_at[:-1]
    return ordered if last.all() else ordered.select(last)


def _with(looks: IntArray, moments: IntArray) -> IntArray:
    """Return sorted looks with the moments among them, which they mostly are already."""
    if len(looks):
        place = np.minimum(np.searchsorted(looks, moments), len(looks) - 1)
        if (looks[place] == moments).all():
            return looks
    return np.union1d(looks, moments)


def month_of(observed_at: IntArray) -> IntArray:
    """Return the UTC month of each epoch second as 202510."""
    months = observed_at.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    year, month = np.divmod(months, 12)
    result: NDArray[np.int64] = (1970 + year) * 100 + month + 1
    return result
