"""Background work of the price history."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, time, timedelta

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.source import Source
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.registry import Job
from tcgtracker.prices.changes import passed_by_all, prune_change_sets
from tcgtracker.prices.retention import Dropped, drop_old_prices
from tcgtracker.prices.seal import seal_price_history

CLEANUP = "cleanup_price_history"
_SEAL_AT = time(3, 30)
"""After the nightly imports of most people, and well away from midnight."""
_CLEANUP_AT = time(3, 50)
_CHANGE_SETS = 1_000
"""Of one transaction."""


@dataclass(slots=True)
class Cleaned:
    """What a clean-up dropped: prices by source, and change sets."""

    prices: dict[str, Dropped] = field(default_factory=dict)
    change_sets: int = 0


def jobs(
    database: Database,
    history: Database,
    clock: Clock,
    *,
    seal_after_days: int,
    retention: Mapping[Source, int],
) -> list[Job]:
    """Return the jobs that keep the history small. retention: days by source, others for ever."""

    def seal(_job: JobContext) -> dict[str, object]:
        done = seal_price_history(history, now=clock.now(), after_days=seal_after_days)
        return {
            "months": list(done.months),
            "series": done.series,
            "rows": done.rows,
            "late_rows": done.late_rows,
        }

    def cleanup(job: JobContext) -> dict[str, object]:
        done = clean_history(database, history, clock.now(), retention, check=job.check)
        return asdict(done)

    return [
        Job(name="seal_price_history", handler=seal, at=_SEAL_AT),
        Job(name=CLEANUP, handler=cleanup, at=_CLEANUP_AT),
    ]


def clean_history(
    database: Database,
    history: Database,
    now: datetime,
    retention: Mapping[Source, int],
    *,
    check: Callable[[], None],
) -> Cleaned:
    """Drop prices that are older than they are kept, and change sets that all have followed.

    Run again it finds nothing more.
    """
    done = Cleaned()
    for source, days in sorted(retention.items()):
        before = now - timedelta(days=days)
        done.prices[source.value] = drop_old_prices(history, source, before, check=check)
    with database.read() as connection:
        through = passed_by_all(connection)
    while True:
        check()
        with history.write() as connection:
            some = prune_change_sets(connection, through=through, limit=_CHANGE_SETS)
        done.change_sets += some
        if some < _CHANGE_SETS:
            return done
