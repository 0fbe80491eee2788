"""Prices too far from what the series cost lately: held, confirmed by repetition, or released.

The rule (DESIGN section 3): the market price is held when it is more than ten times away from the
median of the series' last 30 observed days before its day. It is released by an operator, or by
three further observations on different days within 20 % of it; observations that repeat a level
released within those 30 days are released at once. A series without an observed day has no
reference and nothing of it is held.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select, update

from tcgtracker.database.dialects.base import DatabaseDialect, IntArray
from tcgtracker.database.tables.prices import price_holds, price_series, vendor_products
from tcgtracker.domain.clock import DAY_S, from_epoch, to_epoch
from tcgtracker.domain.quote import VALUE_NAMES, HoldState
from tcgtracker.domain.source import Source
from tcgtracker.prices.kept_out import KEPT_OUT, REPLACED
from tcgtracker.prices.reading import SeriesHistory
from tcgtracker.prices.store import load_histories

FACTOR = 10
REFERENCE_DAYS = 30
CONFIRMATIONS = 3
_TOLERANCE = 5  # one fifth: 20 %
_IN_LIST = 5_000
_BY_RULE = "rule: repeated on three further days"
_BY_LEVEL = "rule: repeats a released level"


@dataclass(frozen=True, slots=True)
class Observed:
    """Listed quotes, each of its moment (epoch seconds), with the bounds of its prices so far.

    low, high: -1 where the series has had no market price.
    """

    series: IntArray
    at: IntArray
    values: IntArray
    low: IntArray
    high: IntArray

    @property
    def market(self) -> IntArray:
        return self.values[:, 0]


@dataclass(frozen=True, slots=True)
class Hold:
    """A quote that was held back. `confirmed_days` are UTC days since 1970-01-01.

    reference: the median that it was measured by, in minor units; None for a hold that an earlier
    version kept without it.
    """

    id: int
    series_id: int
    observed_at: int
    values: tuple[int | None, ...]
    state: HoldState
    confirmed_days: tuple[int, ...]
    reason: str
    reference: int | None = None

    @property
    def market(self) -> int:
        return self.values[0] or 0


def reference_median_doubled(history: SeriesHistory, at: int) -> int | None:
    """Return twice the median market price of the last 30 observed days before the day of `at`.

    Twice, so that the median of an even number of days stays an integer. None without such days.
    """
    if not len(history.rows):
        return None
    day = at // DAY_S
    daily = history.daily(int(history.rows.observed_at[0]) // DAY_S, day - 1)
    prices = np.sort(daily.market[daily.market >= 0][-REFERENCE_DAYS:])
    if not len(prices):
        return None
    return int(prices[(len(prices) - 1) // 2] + prices[len(prices) // 2])


def is_implausible(price: int, doubled_median: int) -> bool:
    """Return whether a price is more than ten times away from a median (given doubled)."""
    return 2 * price > FACTOR * doubled_median or 2 * FACTOR * price < doubled_median


def repeats(price: int, level: int) -> bool:
    """Return whether a price is within 20 % of a level."""
    return abs(price - level) * _TOLERANCE <= level


def judge(
    connection: Connection,
    dialect: DatabaseDialect,
    observed: Observed,
    *,
    run_id: int,
    now: datetime,
) -> NDArray[np.bool_]:
    """Return which quotes are held back, after keeping them as holds."""
    market, held = observed.market, np.zeros(len(observed.series), bool)
    # The median lies between the bounds, so most prices need no look into the history.
    suspect = np.flatnonzero(
        (market >= 0)
        & (observed.low >= 0)
        & ((market > FACTOR * observed.low) | (FACTOR * market < observed.high))
    )
    if not len(suspect):
        return held
    histories = load_histories(connection, dialect, observed.series[suspect])
    earlier = _holds_of(connection, observed.series[suspect])
    for place in suspect.tolist():
        series_id, price = int(observed.series[place]), int(market[place])
        at = int(observed.at[place])
        doubled = reference_median_doubled(histories[series_id], at)
        if doubled is None or not is_implausible(price, doubled):
            continue
        state, by = _first_state(earlier.get(series_id, []), at, price)
        kept = _keep(connection, dialect, observed, place, doubled, state, by, run_id, now)
        held[place] = kept is not HoldState.RELEASED
    return held


def _first_state(holds: list[Hold], at: int, price: int) -> tuple[HoldState, str]:
    since = at - REFERENCE_DAYS * DAY_S
    for hold in holds:
        recent = since <= hold.observed_at < at
        if hold.state is HoldState.RELEASED and recent and repeats(price, hold.market):
            return HoldState.RELEASED, _BY_LEVEL
    return HoldState.HELD, ""


def _keep(
    connection: Connection,
    dialect: DatabaseDialect,
    observed: Observed,
    place: int,
    doubled: int,
    state: HoldState,
    by: str,
    run_id: int,
    now: datetime,
) -> HoldState:
    """Write the hold down; return its state, which an earlier decision on the same quote sets."""
    table = price_holds
    moment = from_epoch(int(observed.at[place]))
    series_id = int(observed.series[place])
    values = {
        name: int(value) if value >= 0 else None
        for name, value in zip(VALUE_NAMES, observed.values[place], strict=True)
    }
    where = (table.c.series_id == series_id) & (table.c.observed_at == moment)
    known = connection.execute(select(table).where(where)).mappings().one_or_none()
    same = known and all(known[name] == values[name] for name in VALUE_NAMES)
    if known and same and known["decided_by"] != REPLACED:
        return HoldState(known["state"])
    direction = "above" if 2 * int(observed.market[place]) > doubled else "below"
    connection.execute(
        dialect.upsert(
            table,
            ["series_id", "observed_at"],
            [*VALUE_NAMES, "reason", "reference_price", "state", "confirmed_days", "run_id",
             "decided_at", "decided_by"],
        ),
        {
            "series_id": series_id,
            "observed_at": moment,
            **values,
            "reason": f"more than {FACTOR}x {direction} the median of the last days",
            "reference_price": doubled // 2,
            "state": state.value,
            "confirmed_days": [],
            "run_id": run_id,
            "decided_at": now if by else None,
            "decided_by": by,
        },
    )  # fmt: skip
    return state


def end_replaced(connection: Connection, series: IntArray, at: IntArray, *, now: datetime) -> None:
    """End the holds in whose place something else is recorded, each at its moment.

    For one moment the statement that came in last counts: a hold that stayed could bring the one
    before it back, and its moment would pass for one that saw no price.
    """
    moments = np.unique(at).tolist()
    found = [
        row
        for start in range(0, len(moments), _IN_LIST)
        for row in connection.execute(
            select(price_holds.c.id, price_holds.c.series_id, price_holds.c.observed_at).where(
                price_holds.c.observed_at.in_(
                    [from_epoch(one) for one in moments[start : start + _IN_LIST]]
                ),
                KEPT_OUT,
            )
        )
    ]
    if found:
        recorded = set(zip(series.tolist(), at.tolist(), strict=True))
        ended = [row.id for row in found if (row.series_id, to_epoch(row.observed_at)) in recorded]
        decide(connection, ended, HoldState.REJECTED, by=REPLACED, now=now)


def confirm(connection: Connection, observed: Observed, *, now: datetime) -> list[Hold]:
    """Count the quotes as further observations of open holds; return what that releases.

    The quotes that confirmed a hold are released with it. Of each series the newest comes first:
    released in this order each finds the value that follows it in place, so that nothing has to be
    written out between them and corrected again.
    """
    open_holds = [
        hold
        for holds in _holds_of(connection, observed.series, HoldState.HELD).values()
        for hold in holds
    ]
    if not open_holds:
        return []
    price_of = dict(zip(observed.series.tolist(), observed.market.tolist(), strict=True))
    moment_of = dict(zip(observed.series.tolist(), observed.at.tolist(), strict=True))
    released: dict[int, Hold] = {}
    for hold in open_holds:
        price, at = price_of[hold.series_id], moment_of[hold.series_id]
        day = at // DAY_S
        later = hold.observed_at < at and hold.observed_at // DAY_S != day
        if not later or price < 0 or not repeats(price, hold.market):
            continue
        days = sorted({*hold.confirmed_days, day})
        connection.execute(
            update(price_holds).where(price_holds.c.id == hold.id).values(confirmed_days=days)
        )
        if len(days) >= CONFIRMATIONS:
            released.update(
                (one.id, one)
                for one in open_holds
                if one.series_id == hold.series_id
                and one.observed_at >= hold.observed_at
                and repeats(one.market, hold.market)
            )
    if released:
        decide(connection, list(released), HoldState.RELEASED, by=_BY_RULE, now=now)
    return sorted(released.values(), key=lambda hold: (hold.series_id, -hold.observed_at))


def decide(
    connection: Connection, hold_ids: list[int], state: HoldState, *, by: str, now: datetime
) -> None:
    """Write down what became of holds. The caller records what is released."""
    connection.execute(
        update(price_holds)
        .where(price_holds.c.id.in_(hold_ids))
        .values(state=state.value, decided_by=by, decided_at=now)
    )


def load_holds(
    connection: Connection,
    *,
    series_id: int | None = None,
    state: HoldState | None = None,
    source: Source | None = None,
    limit: int = 1000,
) -> list[Hold]:
    """Return holds, oldest first."""
    query = select(price_holds)
    if source is not None:
        of_source = (
            select(price_series.c.id)
            .join(vendor_products, vendor_products.c.id == price_series.c.vendor_product_id)
            .where(vendor_products.c.source == source)
        )
        query = query.where(price_holds.c.series_id.in_(of_source))
    if series_id is not None:
        query = query.where(price_holds.c.series_id == series_id)
    if state is not None:
        query = query.where(price_holds.c.state == state.value)
    rows = connection.execute(
        query.order_by(price_holds.c.observed_at, price_holds.c.id).limit(limit)
    ).mappings()
    return [
        Hold(
            row["id"],
            row["series_id"],
            to_epoch(row["observed_at"]),
            tuple(row[name] for name in VALUE_NAMES),
            HoldState(row["state"]),
            tuple(row["confirmed_days"]),
            row["reason"],
            row["reference_price"],
        )
        for row in rows
    ]


def _holds_of(
    connection: Connection, series: IntArray, state: HoldState | None = None
) -> dict[int, list[Hold]]:
    """Return the holds of some series. Holds are few, so all are read and then chosen from."""
    wanted = set(series.tolist())
    found: dict[int, list[Hold]] = {}
    for hold in load_holds(connection, state=state, limit=10**9):
        if hold.series_id in wanted:
            found.setdefault(hold.series_id, []).append(hold)
    return found
