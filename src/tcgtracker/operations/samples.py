"""The metrics that are read from the database when somebody asks: queue, quotas, breakers."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from tcgtracker.domain.clock import Clock
from tcgtracker.operations.queue_depth import load_depth
from tcgtracker.operations.quota import Plan
from tcgtracker.operations.source_status import BreakerState, load_statuses
from tcgtracker.runtime.metrics import Sample

_BREAKER = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


def load_samples(
    connection: Connection, plans: Mapping[str, Plan], clock: Clock
) -> Iterator[Sample]:
    """Yield the samples as they are now, the same from every process."""
    now = clock.now()
    depth = load_depth(connection, now)
    yield Sample("tcgtracker_job_queue_depth", {}, depth.due)
    yield Sample("tcgtracker_dead_jobs", {}, depth.dead)
    for status in load_statuses(connection, plans, now):
        source = {"source": status.service}
        yield Sample("tcgtracker_breaker_state", source, _BREAKER[status.breaker])
        for budget in status.budgets:
            labels = source | {"window": budget.period.value}
            yield Sample("tcgtracker_vendor_quota_remaining", labels, budget.left)
