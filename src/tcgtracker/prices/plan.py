"""Which rows an observation writes: the rule of the history, on arrays.

For every series the plan needs the row in force at the moment, the first row after it, and the
next look after it. From these it keeps the history in its one normal form, in which a row stands
exactly where a look reads otherwise than the look before. That form does not depend on the order
in which observations come in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tcgtracker.database.dialects.base import HistoryRows, IntArray
from tcgtracker.domain.quote import RowState

NO_PRICE = -1
NEVER = 3
"""State that stands for "no row"."""
NO_MOMENT = np.iinfo(np.int64).max


@dataclass(slots=True)
class Around:
    """Rows beside a moment, one entry for each series: `state` is NEVER where there is none."""

    observed_at: IntArray
    revision: IntArray
    state: IntArray
    values: IntArray

    @classmethod
    def of(cls, rows: HistoryRows, series: IntArray) -> "Around":
        """Spread rows (at most one for each series, sorted) over the series (sorted)."""
        count = len(series)
        around = cls(
            np.full(count, NO_MOMENT, np.int64),
            np.zeros(count, np.int64),
            np.full(count, NEVER, np.int64),
            np.full((count, 5), NO_PRICE, np.int64),
        )
        place = np.searchsorted(series, rows.series_id)
        around.observed_at[place] = rows.observed_at
        around.revision[place] = rows.revision
        around.state[place] = rows.state
        around.values[place] = rows.values
        return around


@dataclass(slots=True)
class Plan:
    """What to do. `stored`, `revised`: which of the observed series, for the report."""

    insert: HistoryRows
    delete: HistoryRows
    stored: NDArray[np.bool_]
    revised: NDArray[np.bool_]


def plan_observation(
    *,
    at: int | IntArray,
    series: IntArray,
    values: IntArray,
    state: IntArray,
    before: Around,
    after: Around,
    next_look: IntArray,
    next_is_item: NDArray[np.bool_],
    looked: NDArray[np.bool_],
    explicit: bool,
) -> Plan:
    """Return the rows that one observation of some series writes and removes.

    at: the moment, or one for each series.
    series: sorted; values, state: what was observed (state GAP for absent).
    before: the rows in force at the moment, that of the moment itself included.
    after: the first rows after it.
    next_look: the next recorded look after it (NO_MOMENT for none), which may have no row.
    next_is_item: that look is one at the product alone, which cannot gap.
    looked: whether the moment was looked at before.
    explicit: write a row even for what did not change, since no finished look will vouch for it.
    """
    known = before.state != NEVER
    same = (before.state == state) & (before.values == values).all(axis=1)
    here = known & (before.observed_at == at)
    looked = looked | here
    # What was never listed and is absent now says nothing.
    nothing = ~known & (state == RowState.GAP)
    confirm = explicit & same & ~here
    stored = (~same & ~nothing) | confirm
    revised = stored & looked & ~confirm

    revision = np.where(here, before.revision + 1, np.where(looked & ~confirm, 1, 0))
    rows = [_rows(series, at, revision, state, values, stored)]

    # A look without a row read what was in force before; it must go on reading that.
    carried = stored & ~same & (next_look < after.observed_at)
    old_state = np.where(known, before.state, RowState.GAP)
    absent = next_is_item & (old_state == RowState.GAP)
    old_state = np.where(absent, int(RowState.PRICED), old_state)
    same_after = (old_state == state) & (before.values == values).all(axis=1)
    carried &= ~same_after
    rows.append(_rows(series, next_look, np.zeros_like(series), old_state, before.values, carried))

    # The next row says the same as this one now: its look is vouched for, so it is not needed.
    follows = (after.state == state) & (after.values == values).all(axis=1)
    needless = (
        stored & follows & (after.observed_at == next_look) & (after.revision == 0) & ~carried
    )
    removed = _rows(series, after.observed_at, after.revision, after.state, after.values, needless)
    return Plan(HistoryRows.concatenate(rows), removed, stored, revised)


def _rows(
    series: IntArray,
    at: int | IntArray,
    revision: IntArray,
    state: IntArray,
    values: IntArray,
    chosen: NDArray[np.bool_],
) -> HistoryRows:
    moments = np.broadcast_to(np.asarray(at, np.int64), series.shape)
    return HistoryRows(
        series[chosen], moments[chosen], revision[chosen], state[chosen], values[chosen]
    )
