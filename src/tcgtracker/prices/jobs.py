"""Background work of the price history."""

from datetime import time

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.registry import Job
from tcgtracker.prices.seal import seal_price_history

_AT = time(3, 30)
"""After the nightly imports of most people, and well away from midnight."""


def jobs(history: Database, clock: Clock, *, seal_after_days: int) -> list[Job]:
    """Return the jobs that keep the history small."""

    def seal(_job: JobContext) -> dict[str, object]:
        done = seal_price_history(history, now=clock.now(), after_days=seal_after_days)
        return {
            "months": list(done.months),
            "series": done.series,
            "rows": done.rows,
            "late_rows": done.late_rows,
        }

    return [Job(name="seal_price_history", handler=seal, at=_AT)]
