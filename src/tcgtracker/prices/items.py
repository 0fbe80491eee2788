"""Writing looks at single products (API answers), many at once, in the caller's transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from tcgtracker.database.dialects.base import DatabaseDialect, HistoryRows, IntArray
from tcgtracker.database.tables.prices import vendor_products
from tcgtracker.domain.clock import to_epoch
from tcgtracker.domain.errors import StateChanged
from tcgtracker.domain.quote import Facet, PriceValues, RowState
from tcgtracker.domain.source import Source
from tcgtracker.prices import holds
from tcgtracker.prices.around import around_moments, plan_release
from tcgtracker.prices.changes import NewChangeSet, save_change_sets
from tcgtracker.prices.instants import add_item_looks, item_looks
from tcgtracker.prices.kept_out import kept_out_after, next_believed
from tcgtracker.prices.months import MonthWriter
from tcgtracker.prices.plan import NO_MOMENT, NO_PRICE, Plan, plan_observation
from tcgtracker.prices.products import ProductKey, Series, find_or_make_series, load_series
from tcgtracker.prices.rows import load_many
from tcgtracker.prices.scope_page import Recorded
from tcgtracker.prices.scope_store import looks_at_scope, touch_scope
from tcgtracker.prices.surgery import delete_rows

_EMPTY = PriceValues()


@dataclass(frozen=True, slots=True)
class ItemLook:
    """What a vendor answered for one product (one printing of it, when the vendor has a sub key).

    quotes: by facet; a facet with no price is listed with empty values. observed_at: aware UTC,
    whole seconds.
    """

    source: Source
    external_id: str
    observed_at: datetime
    quotes: Mapping[Facet, PriceValues]

    @property
    def keys(self) -> list[ProductKey]:
        return sorted({(self.external_id, facet.sub_key) for facet in self.quotes})


def record_item(
    connection: Connection,
    dialect: DatabaseDialect,
    look: ItemLook,
    *,
    run_id: int,
    trust: bool,
    now: datetime,
) -> Recorded:
    """Write one look at a product; series of it that the answer lacks have no price from then on.

    `run_id` names the run, `trust` judges nothing, `now` dates decisions on holds.
    """
    (done,), news = write_items(connection, dialect, [look], run_id=run_id, trust=trust, now=now)
    save_change_sets(connection, dialect, news)
    return done


def write_items(
    connection: Connection,
    dialect: DatabaseDialect,
    looks: Sequence[ItemLook],
    *,
    run_id: int,
    trust: bool,
    now: datetime,
) -> tuple[list[Recorded], list[NewChangeSet]]:
    """Write looks of one source; the change sets, one for each moment, are saved by the caller.

    As the last act of the transaction: who saves one holds back the commits of others, and must not
    wait for a product that one of those holds. Looks at one product are written one after the
    other, in the order in which they are given.
    """
    if not looks:
        return [], []
    dialect.hold_tables(connection, exclusive=False)
    writer = _ItemWriter(connection, dialect, looks, run_id=run_id, trust=trust, now=now)
    for places in _rounds(looks):
        writer.write(places)
    return writer.done, writer.change_sets()


def _rounds(looks: Sequence[ItemLook]) -> list[list[int]]:
    """Return the places of the looks, parted so that no product is in a part twice."""
    rounds: list[list[int]] = []
    times: defaultdict[ProductKey, int] = defaultdict(int)
    for place, look in enumerate(looks):
        number = max((times[key] for key in look.keys), default=0)
        for key in look.keys:
            times[key] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(place)
    return rounds


@dataclass(slots=True)
class _Observed:
    """The series of some looks, sorted by id: to which look each belongs, and what that says."""

    siblings: list[Series]
    series: IntArray
    look: IntArray
    at: IntArray
    values: IntArray
    answered: NDArray[np.bool_]

    def looks_of(self, series_ids: IntArray) -> IntArray:
        """Return the look of each of some of the series, which may repeat."""
        found: IntArray = self.look[self.series.searchsorted(series_ids)]
        return found


class _ItemWriter:
    """Writes looks at products that nobody else can write until the transaction ends."""

    def __init__(
        self,
        connection: Connection,
        dialect: DatabaseDialect,
        looks: Sequence[ItemLook],
        *,
        run_id: int,
        trust: bool,
        now: datetime,
    ) -> None:
        self.done = [Recorded() for _ in looks]
        self._connection = connection
        self._dialect = dialect
        self._looks = looks
        self._run_id = run_id
        self._trust = trust
        self._now = now
        self._months = MonthWriter(connection, dialect)
        self._changed: defaultdict[int, list[IntArray]] = defaultdict(list)
        self._series = self._found_series()
        self._scopes = self._locked()

    def change_sets(self) -> list[NewChangeSet]:
        """Return which series were written, by moment."""
        return [
            NewChangeSet(
                run_id=self._run_id,
                scope_id=None,
                at=at,
                complete=True,
                series=np.concatenate(series),
            )
            for at, series in sorted(self._changed.items())
        ]

    def write(self, places: Sequence[int]) -> None:
        """Write some looks, at most one at each product."""
        connection, one = self._connection, self._observed(places)
        if not len(one.series):
            return
        rows = load_many(connection, self._dialect, one.series)
        held, judged = np.zeros(len(one.series), bool), None
        if not self._trust:
            judged = _judged(one, rows)
            held = holds.judge(
                connection, self._dialect, judged, run_id=self._run_id, now=self._now
            )
        holds.end_replaced(connection, one.series[~held], one.at[~held], now=self._now)
        products = np.array([sibling.vendor_product_id for sibling in one.siblings], np.int64)
        moments = dict(zip(products.tolist(), one.at.tolist(), strict=True))
        fresh = add_item_looks(connection, self._dialect, moments)
        looked, next_look, next_is_item = self._looks_around(one, fresh)
        keep = ~held
        before, after = around_moments(rows, one.series[keep], one.at[keep])
        plan = plan_observation(
            at=one.at[keep],
            series=one.series[keep],
            values=one.values[keep],
            state=np.full(int(keep.sum()), int(RowState.PRICED)),
            before=before,
            after=after,
            next_look=next_look[keep],
            next_is_item=next_is_item[keep],
            looked=looked[keep],
            explicit=False,
        )
        self._apply(one, plan)
        self._count(one, plan, held, places)
        if judged is not None:
            self._release(one, judged)

    def _found_series(self) -> dict[ProductKey, list[Series]]:
        """Return all series of the products, those that the looks bring with them made."""
        first_seen: dict[ProductKey, datetime] = {}
        for look in self._looks:
            for key in look.keys:
                first_seen[key] = min(look.observed_at, first_seen.get(key, look.observed_at))
        (source,) = {look.source for look in self._looks}  # of one vendor's answer
        # In one order for all, so that two recorders cannot wait for each other.
        found = find_or_make_series(
            self._connection,
            self._dialect,
            source=source,
            scope_id=None,
            keys=sorted(
                ((look.external_id, facet) for look in self._looks for facet in look.quotes),
                key=_order,
            ),
            first_seen=first_seen,
        )
        new = set(found.ids.values()) - found.existed
        for done, look in zip(self.done, self._looks, strict=True):
            for facet in look.quotes:
                series_id = found.ids[look.external_id, facet]
                done.new_series += series_id in new
                new.discard(series_id)
        by_key: dict[ProductKey, list[Series]] = {key: [] for key in first_seen}
        for one in load_series(
            self._connection, vendor_product_ids=sorted(set(found.products.values()))
        ):
            by_key[one.external_id, one.facet.sub_key].append(one)
        return by_key

    def _locked(self) -> dict[int, IntArray]:
        """Let one recorder at a time write these products; return the looks at their scopes.

        The scopes come before the products and before anything is read, so that a page of a scope
        waits; both in one order for all. SQLite's writer is alone anyway.

        Raises:
            StateChanged: a bulk scope has listed one of the products since they were read.
        """
        known = [one for series in self._series.values() for one in series]
        by_scope: defaultdict[int, list[int]] = defaultdict(list)
        for one in known:
            if one.scope_id is not None:
                by_scope[one.scope_id].append(one.id)
        for scope_id, series_ids in sorted(by_scope.items()):
            touch_scope(self._connection, self._dialect, scope_id, series_ids)
        scope_of = {one.vendor_product_id: one.scope_id for one in known}
        locked = self._connection.execute(
            select(vendor_products.c.id, vendor_products.c.scope_id)
            .where(vendor_products.c.id.in_(sorted(scope_of)))
            .order_by(vendor_products.c.id)
            .with_for_update()
        ).all()
        if any(scope_of[row.id] != row.scope_id for row in locked):
            raise StateChanged("a bulk scope lists a product of the page since just now")
        return {scope_id: looks_at_scope(self._connection, scope_id) for scope_id in by_scope}

    def _observed(self, places: Sequence[int]) -> _Observed:
        of_looks = sorted(
            (
                (sibling, place)
                for place in places
                for key in self._looks[place].keys
                for sibling in self._series[key]
            ),
            key=lambda pair: pair[0].id,
        )
        quotes = [self._looks[place].quotes.get(sibling.facet) for sibling, place in of_looks]
        return _Observed(
            siblings=[sibling for sibling, _ in of_looks],
            series=np.array([sibling.id for sibling, _ in of_looks], np.int64),
            look=np.array([place for _, place in of_looks], np.int64),
            at=np.array(
                [to_epoch(self._looks[place].observed_at) for _, place in of_looks], np.int64
            ),
            values=np.array(
                [
                    [NO_PRICE if value is None else value for value in (quote or _EMPTY).as_tuple()]
                    for quote in quotes
                ],
                np.int64,
            ).reshape(-1, 5),
            answered=np.array([quote is not None for quote in quotes], bool),
        )

    def _looks_around(
        self, one: _Observed, fresh: set[int]
    ) -> tuple[NDArray[np.bool_], IntArray, NDArray[np.bool_]]:
        """Return whether each moment was looked at before, the next look, whether at an item."""
        own = item_looks(self._connection, sorted({s.vendor_product_id for s in one.siblings}))
        looked = np.zeros(len(one.series), bool)
        following = np.full(len(one.series), NO_MOMENT, np.int64)
        is_item = np.zeros(len(one.series), bool)
        # A look whose quote is not believed read nothing of its own.
        doubted = kept_out_after(self._connection, int(one.at.min()), one.series)
        for place, (sibling, at) in enumerate(zip(one.siblings, one.at.tolist(), strict=True)):
            looked[place] = sibling.vendor_product_id not in fresh
            moments = doubted.get(sibling.id, ())
            if sibling.scope_id is not None:
                bulk = self._scopes[sibling.scope_id]
                after = int(bulk.searchsorted(at, side="right"))
                looked[place] |= after > 0 and bulk[after - 1] == at
                if (believed := next_believed(bulk, at, moments)) is not None:
                    following[place] = believed
            believed = next_believed(own[sibling.vendor_product_id], at, moments)
            if believed is not None and believed < following[place]:
                following[place], is_item[place] = believed, True
        return looked, following, is_item

    def _apply(self, one: _Observed, plan: Plan) -> None:
        self._months.add(plan.insert)
        self._months.write()
        delete_rows(self._connection, plan.delete)
        for look in one.looks_of(plan.insert.series_id).tolist():
            self.done[look].rows_written += 1
        for look in one.looks_of(plan.delete.series_id).tolist():
            self.done[look].rows_removed += 1
        moments = one.at[one.series.searchsorted(plan.insert.series_id)]
        for at in np.unique(moments).tolist():
            self._changed[at].append(plan.insert.series_id[moments == at])

    def _count(
        self, one: _Observed, plan: Plan, held: NDArray[np.bool_], places: Sequence[int]
    ) -> None:
        count, kept = len(self.done), one.look[~held]
        answered = np.bincount(one.look[one.answered], minlength=count)
        back = np.bincount(one.look[held], minlength=count)
        stored = np.bincount(kept[plan.stored & one.answered[~held]], minlength=count)
        revised = np.bincount(kept[plan.revised], minlength=count)
        for place in places:
            done = self.done[place]
            done.held, done.stored = int(back[place]), int(stored[place])
            done.unchanged = int(answered[place]) - done.stored - done.held
            done.revised = int(revised[place])

    def _release(self, one: _Observed, judged: holds.Observed) -> None:
        for hold in holds.confirm(self._connection, judged, now=self._now):
            place = int(one.series.searchsorted(hold.series_id))
            plan = plan_release(
                self._connection,
                self._dialect,
                series_id=hold.series_id,
                at=hold.observed_at,
                values=hold.values,
                scope_id=one.siblings[place].scope_id,
            )
            self._apply(one, plan)
            self.done[int(one.look[place])].released += 1


def _order(key: tuple[str, Facet]) -> tuple[str, str, str, str, str, str]:
    external_id, facet = key
    return (
        external_id, facet.sub_key, facet.kind, facet.variant, facet.language, facet.currency
    )  # fmt: skip


def _judged(one: _Observed, rows: HistoryRows) -> holds.Observed:
    """Return what is judged, with the bounds of all prices that the history has."""
    low = np.full(len(one.series), NO_MOMENT, np.int64)
    high = np.full(len(one.series), NO_PRICE, np.int64)
    priced = rows.values[:, 0] >= 0
    place = one.series.searchsorted(rows.series_id[priced])
    np.minimum.at(low, place, rows.values[priced, 0])
    np.maximum.at(high, place, rows.values[priced, 0])
    low[high < 0] = NO_PRICE
    return holds.Observed(one.series, one.at, one.values, low, high)
