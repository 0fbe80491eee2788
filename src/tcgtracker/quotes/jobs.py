"""Background work of the intake."""

from datetime import time, timedelta

from sqlalchemy.exc import IntegrityError

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.errors import Conflict
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.registry import Job
from tcgtracker.quotes.following import follow
from tcgtracker.quotes.guide_matching import match_guides

MATCH_PRODUCTS = "match_products"


def jobs(database: Database, history: Database, clock: Clock) -> list[Job]:
    """Return the jobs that keep cards in step with the history."""

    def follow_changes(_job: JobContext) -> dict[str, int]:
        done = follow(database, history, clock=clock)
        return {"links_written": done.links.written, "change_sets": done.change_sets}

    def match_products(_job: JobContext) -> dict[str, object]:
        return {
            f"{one.source} {one.game}": one.counts()
            for one in match_guides(database, history, clock=clock)
        }

    return [
        # An import does this itself; the job takes in what an interrupted one left.
        Job(name="follow_changes", handler=follow_changes, every=timedelta(minutes=10)),
        # After the night's guides (`sync_pricecharting_data`) and catalogs.
        Job(
            name=MATCH_PRODUCTS,
            handler=match_products,
            at=time(4),
            retry_on=(Conflict, IntegrityError),
        ),
    ]
