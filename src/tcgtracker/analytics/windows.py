"""One series over a window of UTC days: what it costs, how that moved, and what is not known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tcgtracker.analytics.statistics import Statistics, compute_statistics
from tcgtracker.database.dialects.base import HistoryRows
from tcgtracker.domain.clock import DAY_S, to_epoch
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.quote import RowState
from tcgtracker.domain.source import FRESH_FOR
from tcgtracker.prices.holds import Hold
from tcgtracker.prices.products import Series
from tcgtracker.prices.reading import Answer, DailyValues, Reading, SeriesHistory

MAX_DAYS = 3660
FRESH_S = int(FRESH_FOR.total_seconds())


class GapKind(StrEnum):
    """Why a stretch has no price."""

    GAP = "gap"
    UNREADABLE = "unreadable"
    NOT_OBSERVED = "not_observed"


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without a price, in epoch seconds; a `gap` may hold a `not_observed` one."""

    kind: GapKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CurrentPrice:
    """The newest listing that had a market price.

    values: the five figures in minor units. observed_at: the last look that found it, epoch
    seconds. listed: it still stands there.
    """

    values: tuple[int | None, ...]
    observed_at: int
    listed: bool

    def age_s(self, now: int) -> int:
        """Return the seconds since it was last seen; a moment in the future is no age."""
        return max(0, now - self.observed_at)

    def is_stale(self, now: int) -> bool:
        return self.age_s(now) > FRESH_S


@dataclass(frozen=True, slots=True)
class DayWindow:
    """UTC days since 1970-01-01, both included."""

    first_day: int
    last_day: int

    @classmethod
    def until(cls, now: datetime, days: int) -> "DayWindow":
        """Return the last `days` days up to the day of `now`.

        Raises:
            InvalidInput: `days` is not 1 to 3660.
        """
        if not 1 <= days <= MAX_DAYS:
            raise InvalidInput(f"days is 1 to {MAX_DAYS}")
        today = to_epoch(now) // DAY_S
        return cls(today - days + 1, today)

    @property
    def start(self) -> int:
        return self.first_day * DAY_S

    @property
    def end(self) -> int:
        """The last second."""
        return (self.last_day + 1) * DAY_S - 1


@dataclass(frozen=True, slots=True)
class SeriesWindow:
    """A series over a window. Amounts are minor units of the series' currency.

    rows: the change rows inside the window. at_start: what the window's first second reads.
    holds: of the window, and those newer than the current price, which are about that one.
    """

    series: Series
    window: DayWindow
    current: CurrentPrice | None
    at_start: Reading
    rows: HistoryRows
    daily: DailyValues
    statistics: Statistics
    gaps: tuple[Gap, ...]
    holds: tuple[Hold, ...]

    @property
    def newer_held(self) -> bool:
        """Tell whether the vendor has stated a price since, which is held back."""
        return any(_is_newer(hold, self.current) for hold in self.holds)


def series_window(
    series: Series, history: SeriesHistory, holds: Sequence[Hold], window: DayWindow
) -> SeriesWindow:
    """Return what a series says in a window; `holds` are the open ones of the series."""
    first, end = history.rows.observed_at.searchsorted([window.start, window.end + 1]).tolist()
    daily = history.daily(window.first_day, window.last_day)
    current = current_price(history)
    return SeriesWindow(
        series=series,
        window=window,
        current=current,
        at_start=history.at(window.start),
        rows=history.rows.between(first, end),
        daily=daily,
        statistics=compute_statistics(daily, all_time=history.market_range()),
        gaps=_gaps(history, window),
        holds=tuple(
            hold
            for hold in holds
            if window.start <= hold.observed_at <= window.end or _is_newer(hold, current)
        ),
    )


def _is_newer(hold: Hold, current: CurrentPrice | None) -> bool:
    return current is None or hold.observed_at > current.observed_at


def current_price(history: SeriesHistory) -> CurrentPrice | None:
    """Return the newest listing with a market price, None when there never was one."""
    found, row = history.last_market(), history.last_priced_row()
    if found is None or row is None:
        return None
    rows = history.rows
    values = tuple(value if value >= 0 else None for value in rows.values[row].tolist())
    return CurrentPrice(values, found[1], listed=row == len(rows) - 1)


def _gaps(history: SeriesHistory, window: DayWindow) -> tuple[Gap, ...]:
    if not len(history.looks):
        return ()
    end = min(window.end, int(history.looks[-1]))
    found = [
        Gap(GapKind.NOT_OBSERVED, start, until)
        for start, until in history.unobserved(window.start, end)
        if start < until
    ]
    rows = history.rows
    for place in rows.state.nonzero()[0].tolist():  # those that are not priced
        begin = int(rows.observed_at[place])
        last = place + 1 == len(rows)
        finish = int(history.looks[-1]) if last else int(rows.observed_at[place + 1])
        if finish < window.start or begin > window.end or (finish == window.start and not last):
            continue
        kind = GapKind.GAP if rows.state[place] == RowState.GAP else GapKind.UNREADABLE
        found.append(Gap(kind, max(begin, window.start), min(finish, window.end)))
    return tuple(sorted(found, key=lambda gap: (gap.start, gap.end, gap.kind)))


ANSWER_OF_STATE = {
    int(RowState.PRICED): Answer.PRICED.value,
    int(RowState.GAP): Answer.GAP.value,
    int(RowState.UNREADABLE): Answer.UNREADABLE.value,
}
"""The word for the state of a row."""
