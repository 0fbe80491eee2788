"""One page of a bulk scope on its way into the history, in the caller's transaction.

Every path ends in the same normal form (prices/plan.py). The quick path compares a page that is
newer than all before it with the kept state of its scope; everything else, late pages and series
that were also written past the state, reads the rows around the moment from the history.
"""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from tcgtracker.database.dialects.base import DatabaseDialect, HistoryRows, IntArray
from tcgtracker.domain.clock import from_epoch
from tcgtracker.domain.quote import RowState
from tcgtracker.prices import holds
from tcgtracker.prices.around import looks_at_items, plan_adoption, plan_around, plan_release
from tcgtracker.prices.changes import NewChangeSet
from tcgtracker.prices.months import MonthWriter
from tcgtracker.prices.plan import NO_PRICE, Around, Plan
from tcgtracker.prices.products import find_or_make_series
from tcgtracker.prices.rows import FAR_FUTURE, load_many, rows_in_force
from tcgtracker.prices.scope_page import Recorded, ScopePage
from tcgtracker.prices.scope_store import Look, keep_touches, save_looks
from tcgtracker.prices.siblings import add_siblings
from tcgtracker.prices.state import ScopeState
from tcgtracker.prices.surgery import delete_rows

_NONE = np.empty(0, np.int64)


class PageRecording:
    """One page on its way into the history."""

    def __init__(
        self,
        connection: Connection,
        dialect: DatabaseDialect,
        page: ScopePage,
        state: ScopeState,
        months: MonthWriter,
        now: datetime,
    ) -> None:
        self.connection = connection
        self.dialect = dialect
        self.page = page
        self.state = state
        self.months = months
        self.now = now
        self.done = Recorded()
        # A later page of a look that is not open any more cannot say that something is gone.
        whole = page.opens or state.open_at == page.at
        if page.closes and page.parts:
            missing = state.missing_parts(page.parts, page.at, forget=page.forget_missing)
            self.done.missing_parts = missing
        self.complete = page.closes and page.complete and whole and not self.done.missing_parts
        self.was_complete = False
        self.digest = b""
        self.slow = _NONE
        self.changed: list[IntArray] = []

    def run(self, *, trust: bool, run_id: int, look: Look | None, touched: IntArray) -> None:
        page = self.page
        self.digest = page.digest(complete=self.complete, trust=trust)
        self.was_complete = bool(look and look.complete)
        known = look is not None and look.digest == self.digest
        if known and not len(touched) and (self.was_complete or not self.complete):
            self.done.seen_before = True
            self.done.complete = self.was_complete
            self.done.unchanged = int((page.state == RowState.PRICED).sum())
            return
        self._settle_open_look()
        places, self.slow = self._places(touched)
        held, judged = self._hold(places, trust=trust, run_id=run_id)
        kept = self.state.series[places[(places >= 0) & ~held]]
        holds.end_replaced(self.connection, kept, np.full(len(kept), page.at), now=self.now)
        if self._in_order():
            self._record_in_order(places, held)
        else:
            self._record_late(places, held, looked=self.was_complete)
        self._close()
        if judged is not None:
            self._release(judged, run_id)
        self.done.complete = self.complete

    def look(self) -> Look:
        """Return the look that this page makes; one that was complete stays so."""
        complete = self.complete or self.was_complete
        return Look(self.page.scope_id, self.page.at, complete, self.digest)

    def change_set(self, run_id: int) -> NewChangeSet:
        """Return which series the page wrote."""
        changed = np.concatenate(self.changed) if self.changed else _NONE
        return NewChangeSet(run_id, self.page.scope_id, self.page.at, self.complete, changed)

    # -- what the page lists ---------------------------------------------------------------

    def _places(self, touched: IntArray) -> tuple[IntArray, IntArray]:
        """Return the place of each row in the state (-1: another scope's), and the slow series.

        Slow are those whose newest row may be of another path, so that the state cannot speak for
        what lies around the moment.
        """
        page, state = self.page, self.state
        keys = state.page_keys(page.external_id, page.facet, page.facets)
        place, known = state.find(keys)
        existed, adopted = self._add_series(keys, np.flatnonzero(~known))
        existed = np.union1d(existed, add_siblings(self.connection, state, adopted, touched))
        if len(existed):
            self._adopt(existed)
        if len(existed) or not known.all():  # the places have moved
            place, known = state.find(keys)
        slow = np.union1d(touched, existed)
        if len(slow):
            self._refresh(slow)
            state.widen_by_rows(load_many(self.connection, self.dialect, slow))
            alone = looks_at_items(self.connection, slow)
            ahead = [int(slow[one]) for one, looks in alone.items() if looks[-1] > page.at]
            keep_touches(self.connection, self.dialect, page.scope_id, ahead)
        return np.where(known, place, -1), slow

    def _add_series(self, keys: IntArray, fresh: IntArray) -> tuple[IntArray, tuple[int, ...]]:
        """Take in series; return those of products that were there, and products of no scope."""
        page = self.page
        if not len(fresh):
            return _NONE, ()
        wanted = page.series_at(fresh)
        found = find_or_make_series(
            self.connection,
            self.dialect,
            source=page.source,
            scope_id=page.scope_id,
            keys=wanted,
            first_seen=dict.fromkeys(
                ((external_id, facet.sub_key) for external_id, facet in wanted),
                from_epoch(page.at),
            ),
        )
        ids = np.array([found.ids.get(key, -1) for key in wanted], np.int64)
        ours = ids >= 0
        self.done.foreign = int((~ours & (page.state[fresh] == RowState.PRICED)).sum())
        self.done.new_series = int(ours.sum()) - len(found.existed)
        self.state.add(keys[fresh[ours]], ids[ours])
        return np.array(sorted(found.existed | found.joined), np.int64), found.adopted

    def _adopt(self, series: IntArray) -> None:
        """Let the looks that the scope had before it listed some known series count for them."""
        self.months.write()
        for plan in plan_adoption(
            self.connection,
            self.dialect,
            series=series,
            scope_id=self.page.scope_id,
            but=self.page.at,
        ):
            self._apply(plan)

    def _refresh(self, series: IntArray) -> None:
        """Read the newest rows of some series (sorted) from the history into the state."""
        if not len(series):
            return
        self.months.write()
        place = self.state.places_of(series)
        rows = rows_in_force(self.connection, self.dialect, series, FAR_FUTURE)
        around = Around.of(rows, series)
        self.state.latest[place] = around.values
        self.state.state[place] = around.state
        self.state.widen(place, around.values[:, 0])

    def _in_order(self) -> bool:
        last, opened = self.state.last_at, self.state.open_at
        if self.page.at == opened:
            return True
        return opened is None and (last is None or self.page.at > last)

    # -- holds ------------------------------------------------------------------------------

    def _hold(
        self, places: IntArray, *, trust: bool, run_id: int
    ) -> tuple[NDArray[np.bool_], holds.Observed | None]:
        """Return which rows are held back, and what was judged (None when trusted)."""
        held = np.zeros(len(places), bool)
        if trust:
            return held, None
        page, state = self.page, self.state
        rows = np.flatnonzero((places >= 0) & (page.state == RowState.PRICED))
        place = places[rows]
        judged = holds.Observed(
            series=state.series[place],
            at=np.full(len(rows), page.at),
            values=page.values[rows],
            low=state.low[place],
            high=state.high[place],
        )
        held[rows] = holds.judge(self.connection, self.dialect, judged, run_id=run_id, now=self.now)
        self.done.held = int(held.sum())
        return held, judged

    def _release(self, judged: holds.Observed, run_id: int) -> None:
        """Let go the holds that this page's observations confirm."""
        self.months.write()
        released = holds.confirm(self.connection, judged, now=self.now)
        if released:  # what is released reads on to this look
            save_looks(self.connection, self.dialect, [self.look()], run_id)
        for hold in released:
            plan = plan_release(
                self.connection,
                self.dialect,
                series_id=hold.series_id,
                at=hold.observed_at,
                values=hold.values,
                scope_id=self.page.scope_id,
            )
            self._apply(plan)
            place = self.state.places_of(np.array([hold.series_id]))
            self.state.widen(place, np.array([hold.market]))
        self.done.released = len(released)
        self._refresh(np.unique(np.array([hold.series_id for hold in released], np.int64)))

    # -- recording --------------------------------------------------------------------------

    def _record_in_order(self, places: IntArray, held: NDArray[np.bool_]) -> None:
        page, state = self.page, self.state
        state.open_at = page.at
        ours = places >= 0
        if not ours.any():
            return
        spot = np.maximum(places, 0)
        again = ours & state.seen[spot]  # a page of this look listed it already
        state.seen[places[ours]] = True
        around = ours & ~held & (again | np.isin(state.series[spot], self.slow))
        quick = np.flatnonzero(ours & ~held & ~around)
        place, values, states = places[quick], page.values[quick], page.state[quick]
        differs = (state.state[place] != states) | (state.latest[place] != values).any(axis=1)
        place, values, states = place[differs], values[differs], states[differs]
        self._write_at(page.at, place, values, states)
        state.latest[place] = values
        state.state[place] = states
        state.widen(place, values[:, 0])
        self.done.stored = int((states == RowState.PRICED).sum())
        rows = np.flatnonzero(around)
        if len(rows):
            stored = self._record_around(
                places[rows], page.values[rows], page.state[rows], looked=again[rows]
            )
            self.done.stored += int((stored & (page.state[rows] == RowState.PRICED)).sum())
        priced = int((ours & (page.state == RowState.PRICED)).sum())
        self.done.unchanged = priced - self.done.held - self.done.stored

    def _record_late(self, places: IntArray, held: NDArray[np.bool_], *, looked: bool) -> None:
        """Write a page that is older than the newest of its scope.

        One that is not whole writes a row for each series it lists: no complete look vouches for
        what did not change.
        """
        page, state = self.page, self.state
        rows = np.flatnonzero((places >= 0) & ~held)
        place, values, states = places[rows], page.values[rows], page.state[rows]
        listed = len(rows)
        if self.complete:
            absent = np.ones(len(state), bool)
            absent[places[places >= 0]] = False
            gone = np.flatnonzero(absent)
            place = np.concatenate([place, gone])
            values = np.concatenate([values, np.full((len(gone), 5), NO_PRICE, np.int64)])
            states = np.concatenate([states, np.full(len(gone), int(RowState.GAP))])
        stored = self._record_around(
            place,
            values,
            states,
            looked=np.full(len(place), looked),
            explicit=not self.complete,
        )
        priced = states[:listed] == RowState.PRICED
        self.done.stored = int((stored[:listed] & priced).sum())
        self.done.gaps = int(stored[listed:].sum())
        self.done.unchanged = int(priced.sum()) - self.done.stored

    def _record_around(
        self,
        place: IntArray,
        values: IntArray,
        states: IntArray,
        *,
        looked: NDArray[np.bool_],
        explicit: bool = False,
    ) -> NDArray[np.bool_]:
        """Write observations after reading what lies around their moment; return which stored."""
        state = self.state
        self.months.write()
        order = np.argsort(state.series[place])
        series = state.series[place[order]]
        plan = plan_around(
            self.connection,
            self.dialect,
            at=self.page.at,
            series=series,
            values=values[order],
            state=states[order],
            scope_id=self.page.scope_id,
            looked=looked[order],
            explicit=explicit,
        )
        self._apply(plan)
        self.done.revised += int(plan.revised.sum())
        state.widen(place, values[:, 0])
        self._refresh(series[plan.stored])
        stored = np.zeros(len(place), bool)
        stored[order] = plan.stored
        return stored

    # -- looks --------------------------------------------------------------------------------

    def _settle_open_look(self) -> None:
        """Vouch for what an unfinished look saw when a page of another look comes in."""
        state, at = self.state, self.page.at
        if state.open_at is None or state.open_at == at:
            return
        self._vouch_for_seen(state.open_at)
        if at > state.open_at:
            self._end_look(state.open_at)

    def _vouch_for_seen(self, at: int) -> None:
        """Write rows for what a look saw unchanged, since no complete look will vouch for it."""
        state = self.state
        place = np.flatnonzero(state.seen)
        place = place[np.argsort(state.series[place])]
        series = state.series[place]
        self.months.write()
        there = Around.of(rows_in_force(self.connection, self.dialect, series, at), series)
        # Not the state: a look at the product alone may be newer than this one.
        listed = (there.state == RowState.PRICED) | (there.state == RowState.UNREADABLE)
        new = listed & (there.observed_at != at)
        self._write_at(at, place[new], there.values[new], there.state[new])

    def _close(self) -> None:
        """Write down the look, and what it did not find when it is whole."""
        page, state = self.page, self.state
        if page.closes and page.at == state.open_at:
            if self.complete:
                self._gap_unseen()
            else:
                self._vouch_for_seen(page.at)
            self._end_look(page.at)
        if self.complete:
            for part in page.parts:
                state.parts[part] = min(state.parts.get(part, page.at), page.at)

    def _end_look(self, at: int) -> None:
        state = self.state
        state.last_at = at if state.last_at is None else max(at, state.last_at)
        state.open_at = None
        state.seen[:] = False

    def _gap_unseen(self) -> None:
        state = self.state
        slow = np.isin(state.series, self.slow)
        place = np.flatnonzero(~state.seen & state.listed & ~slow)
        gaps = np.full(len(place), int(RowState.GAP))
        nothing = np.full((len(place), 5), NO_PRICE, np.int64)
        self._write_at(self.page.at, place, nothing, gaps)
        state.latest[place] = NO_PRICE
        state.state[place] = int(RowState.GAP)
        self.done.gaps += len(place)
        # Of these a look at the product alone may be newer: what it found stands after this gap.
        place = np.flatnonzero(~state.seen & slow)
        if len(place):
            stored = self._record_around(
                place,
                np.full((len(place), 5), NO_PRICE, np.int64),
                np.full(len(place), int(RowState.GAP)),
                looked=np.full(len(place), self.was_complete),
            )
            self.done.gaps += int(stored.sum())

    # -- writing ------------------------------------------------------------------------------

    def _write_at(self, at: int, place: IntArray, values: IntArray, states: IntArray) -> None:
        count = len(place)
        self._write(
            HistoryRows(
                self.state.series[place],
                np.full(count, at),
                np.zeros(count, np.int64),
                states,
                values,
            )
        )

    def _apply(self, plan: Plan) -> None:
        self._write(plan.insert)
        self.months.write()
        delete_rows(self.connection, plan.delete)
        self.done.rows_removed += len(plan.delete)

    def _write(self, rows: HistoryRows) -> None:
        self.months.add(rows)
        self.done.rows_written += len(rows)
        self.changed.append(rows.series_id)
