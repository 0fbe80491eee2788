"""Background work of the intake."""

from datetime import timedelta

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.registry import Job
from tcgtracker.quotes.following import follow


def jobs(database: Database, history: Database, clock: Clock) -> list[Job]:
    """Return the jobs that keep cards in step with the history."""

    def follow_changes(_job: JobContext) -> dict[str, int]:
        done = follow(database, history, clock=clock)
        return {"links_written": done.links.written, "change_sets": done.change_sets}

    # An import does this itself; the job takes in what an interrupted one left.
    return [Job(name="follow_changes", handler=follow_changes, every=timedelta(minutes=10))]
