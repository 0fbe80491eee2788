"""Taking answers about single products into the history, one transaction a page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.prices import RunState
from tcgtracker.domain.clock import Clock
from tcgtracker.integrations.contract import ItemPage
from tcgtracker.prices.items import ItemLook, record_item
from tcgtracker.quotes.runs import finish_run, quarantine, start_run


@dataclass(frozen=True, slots=True)
class TakenItem:
    """What the history made of a product's looks: when they were true, and what was new."""

    observed_at: datetime
    stored: int = 0
    held: int = 0


TakeItems: TypeAlias = Callable[[ItemPage], Mapping[str, TakenItem]]
"""Records a page; returns what became of each product, by the vendor's id."""


def item_taker(history: Database, clock: Clock) -> TakeItems:
    """Return what takes pages into this history."""

    def take(page: ItemPage) -> Mapping[str, TakenItem]:
        now = clock.now()
        taken: dict[str, TakenItem] = {}
        with history.write() as connection:
            run_id = start_run(connection, page.source, "items", now=now)
            for item in page.items:
                look = ItemLook(page.source, item.external_id, item.observed_at, item.quotes)
                done = record_item(
                    connection, history.dialect, look, run_id=run_id, trust=False, now=now
                )
                before = taken.get(item.external_id, TakenItem(item.observed_at))
                taken[item.external_id] = TakenItem(
                    max(before.observed_at, item.observed_at),
                    before.stored + done.stored,
                    before.held + done.held,
                )
            quarantine(
                connection,
                history.dialect,
                run_id=run_id,
                source=page.source,
                observed_at=now,
                rows=page.rejected,
            )
            finish_run(connection, run_id, RunState.DONE, now=now)
        return taken

    return take
