"""Small pages for the tests of the price history."""

from datetime import UTC, datetime

import numpy as np

from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import StateChanged
from tcgtracker.domain.quote import Facet, RowState
from tcgtracker.domain.source import Source
from tcgtracker.prices.model import Listing
from tcgtracker.prices.products import scope_id_of
from tcgtracker.prices.recorder import Recorder
from tcgtracker.prices.scope_page import Recorded, ScopePage

NOW = datetime(2025, 12, 1, tzinfo=UTC)
FACET = Facet(sub_key="Normal")
DAY = 86_400


class Scope:
    """One bulk scope of a database, recorded page by page."""

    def __init__(self, database: Database, name: str = "3", *, source: Source = Source.TCGCSV):
        self.database = database
        self.name = name
        self.source = source
        self.recorder = Recorder(database.dialect)

    def record(
        self,
        at: int,
        listed: dict[int, Listing],
        *,
        complete: bool = True,
        opens: bool = True,
        closes: bool = True,
        trust: bool = True,
        parts: frozenset[str] = frozenset(),
    ) -> Recorded:
        ids = sorted(listed)
        values = [[-1 if value is None else value for value in listed[one].values] for one in ids]
        states = [
            int(RowState.PRICED if listed[one].readable else RowState.UNREADABLE) for one in ids
        ]
        for _ in range(20):
            try:
                with self.database.write() as connection:
                    scope_id = scope_id_of(
                        connection, self.database.dialect, self.source, self.name, DAY
                    )
                    page = ScopePage(
                        source=self.source,
                        scope_id=scope_id,
                        at=at,
                        external_id=np.array(ids, np.int64),
                        facet=np.zeros(len(ids), np.int64),
                        facets=(FACET,),
                        values=np.array(values, np.int64).reshape(-1, 5),
                        state=np.array(states, np.int64),
                        parts=parts,
                        opens=opens,
                        closes=closes,
                        complete=complete,
                    )
                    [done], kept = self.recorder.record(
                        connection, [page], run_id=1, trust=trust, now=NOW
                    )
            except StateChanged:
                continue
            self.recorder.keep(kept)
            return done
        raise AssertionError("another recorder was always faster")


def listing(market: int | None, *rest: int | None) -> Listing:
    """A listing with a market price and as many of the other values as are given."""
    values = (market, *rest, *(None,) * (4 - len(rest)))
    return Listing(values)
