"""How much work waits in the queue, and for how long it should have been done."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from tcgtracker.database.tables.operations import JobState, jobs
from tcgtracker.operations.rows import IS_NOT_DONE, IS_WAITING

_WAITING = (JobState.READY, JobState.RETRY)


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """Jobs by state; `oldest_due_at` (aware UTC) is the moment of the one that is due longest."""

    waiting: int
    due: int
    running: int
    dead: int
    oldest_due_at: datetime | None


def load_depth(connection: Connection, now: datetime) -> QueueDepth:
    """Return how the queue stands at `now`."""
    counts = {
        row[0]: row[1]
        for row in connection.execute(
            select(jobs.c.state, func.count()).where(IS_NOT_DONE).group_by(jobs.c.state)
        )
    }
    due, oldest = connection.execute(
        select(func.count(), func.min(jobs.c.run_at)).where(IS_WAITING, jobs.c.run_at <= now)
    ).one()
    return QueueDepth(
        waiting=sum(counts.get(state, 0) for state in _WAITING),
        due=due,
        running=counts.get(JobState.RUNNING, 0),
        dead=counts.get(JobState.DEAD, 0),
        oldest_due_at=oldest,
    )
