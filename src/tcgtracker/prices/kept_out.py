"""Looks that found a price which was not believed: they show nobody the price before it again."""

from collections.abc import Collection, Sequence

import numpy as np
from sqlalchemy import Connection, select

from tcgtracker.database.dialects.base import IntArray
from tcgtracker.database.tables.prices import price_holds
from tcgtracker.domain.clock import from_epoch, to_epoch
from tcgtracker.domain.quote import HoldState

REPLACED = "rule: another statement took its place"
"""Who decided a hold in whose place something else is recorded: that look was believed."""
KEPT_OUT_SQL = f"state <> '{HoldState.RELEASED}' AND decided_by <> '{REPLACED}'"
"""The condition on `price_holds`; as the statement below."""
KEPT_OUT = (price_holds.c.state != HoldState.RELEASED) & (price_holds.c.decided_by != REPLACED)
_IN_LIST = 5_000


def moments_kept_out(connection: Connection, series_ids: Sequence[int]) -> dict[int, set[int]]:
    """Return the moments (epoch seconds) whose quotes are held or refused; most series have none.

    connection: of the history.
    """
    found: dict[int, set[int]] = {}
    for start in range(0, len(series_ids), _IN_LIST):
        rows = connection.execute(
            select(price_holds.c.series_id, price_holds.c.observed_at).where(
                price_holds.c.series_id.in_(series_ids[start : start + _IN_LIST]),
                KEPT_OUT,
            )
        )
        for series_id, moment in rows:
            found.setdefault(series_id, set()).add(to_epoch(moment))
    return found


def series_kept_out_at(connection: Connection, moments: Collection[int]) -> IntArray:
    """Return the series with a quote of one of these moments that is held or refused."""
    rows = connection.execute(
        select(price_holds.c.series_id).where(
            price_holds.c.observed_at.in_([from_epoch(moment) for moment in sorted(moments)]),
            KEPT_OUT,
        )
    )
    return np.array(sorted(set(rows.scalars())), np.int64)


def kept_out_after(connection: Connection, at: int, series: IntArray) -> dict[int, set[int]]:
    """Return the moments after one whose quotes are held or refused, of some series.

    Holds are few, so those of all series are read and then chosen from.
    """
    rows = connection.execute(
        select(price_holds.c.series_id, price_holds.c.observed_at).where(
            price_holds.c.observed_at > from_epoch(at),
            KEPT_OUT,
        )
    ).all()
    wanted = set(series.tolist()) if rows else set()
    found: dict[int, set[int]] = {}
    for series_id, moment in rows:
        if series_id in wanted:
            found.setdefault(series_id, set()).add(to_epoch(moment))
    return found


def next_believed(looks: IntArray, at: int, kept_out: Collection[int]) -> int | None:
    """Return the first of some looks (sorted) after a moment that was believed, None for none."""
    for look in looks[looks.searchsorted(at, side="right") :].tolist():
        if look not in kept_out:
            return int(look)
    return None


def last_believed(looks: IntArray, since: int, kept_out: Collection[int]) -> int:
    """Return the last of some looks (sorted) that was believed, `since` where none after it was."""
    for look in reversed(looks.tolist()) if kept_out else looks[-1:].tolist():
        if look <= since:
            break
        if look not in kept_out:
            return int(look)
    return since
