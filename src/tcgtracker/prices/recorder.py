"""Writing looks at bulk scopes: pages of different scopes in one transaction of the caller."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.prices.changes import save_change_sets
from tcgtracker.prices.months import MonthWriter
from tcgtracker.prices.page import PageRecording
from tcgtracker.prices.scope_page import Recorded, ScopePage
from tcgtracker.prices.scope_store import (
    find_looks,
    lock_states,
    save_looks,
    save_states,
    take_touches,
)
from tcgtracker.prices.state import ScopeState

_NONE = np.empty(0, np.int64)


class Recorder:
    """Records pages of bulk scopes; keeps the last state of each scope between pages.

    `record` leaves the kept states alone: call `keep` once the transaction is committed.
    """

    def __init__(self, dialect: DatabaseDialect) -> None:
        self._dialect = dialect
        self._kept: dict[int, ScopeState] = {}

    def keep(self, states: Iterable[ScopeState]) -> None:
        """Remember states that were committed, so that the next page need not load them."""
        self._kept.update({state.scope_id: state for state in states})

    def record(
        self,
        connection: Connection,
        pages: Sequence[ScopePage],
        *,
        run_id: int,
        trust: bool,
        now: datetime,
    ) -> tuple[list[Recorded], list[ScopeState]]:
        """Write pages of different scopes; return what became of each, and the states to keep.

        trust: judge nothing. now: dates the decisions on holds.

        Raises:
            StateChanged: another process recorded a scope meanwhile; roll back and repeat.
        """
        dialect = self._dialect
        dialect.hold_tables(connection, exclusive=False)
        moments = {page.scope_id: page.at for page in pages}
        scope_ids = sorted(moments)
        kept = {scope_id: self._kept.pop(scope_id, None) for scope_id in scope_ids}
        states = lock_states(
            connection, dialect, scope_ids, {key: one for key, one in kept.items() if one}
        )
        looks = find_looks(connection, moments)
        touches = take_touches(connection, scope_ids)
        months = MonthWriter(connection, dialect)
        recordings = []
        for page in pages:
            recording = PageRecording(
                connection, dialect, page, states[page.scope_id].copy(), months, now
            )
            recording.run(
                trust=trust,
                run_id=run_id,
                look=looks.get(page.scope_id),
                touched=touches.get(page.scope_id, _NONE),
            )
            recordings.append(recording)
        months.write()
        news = [one for one in recordings if not one.done.seen_before]
        if news:
            save_looks(connection, dialect, [one.look() for one in news], run_id)
            save_states(connection, dialect, [one.state for one in news])
            save_change_sets(connection, dialect, [one.change_set(run_id) for one in news])
        return [one.done for one in recordings], [one.state for one in recordings]
