"""Rows of operation that are of no more use: jobs that are done, and old lines of the audit log.

Prices are never cleaned here. Each transaction drops a bounded number of rows.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import delete, select

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.accounts import audit_log
from tcgtracker.database.tables.operations import JobState, jobs

_BATCH = 1_000


def clean_jobs(database: Database, before: datetime, *, check: Callable[[], None]) -> int:
    """Drop jobs that ended done or cancelled before a moment; return how many.

    Dead ones stay until somebody decides, the newest run of each schedule stays (the scheduler
    reads from it which slot was the last), and so does a job whose parts are still there.
    """
    dropped = 0
    children, newer = jobs.alias("children"), jobs.alias("newer")
    old = (
        select(jobs.c.id)
        .where(
            jobs.c.state.in_([JobState.DONE, JobState.CANCELLED]),
            jobs.c.finished_at < before,
            ~select(children.c.id).where(children.c.parent_id == jobs.c.id).exists(),
            jobs.c.schedule.is_(None)
            | select(newer.c.id)
            .where(newer.c.schedule == jobs.c.schedule, newer.c.due_at > jobs.c.due_at)
            .exists(),
        )
        .limit(_BATCH)
    )
    while True:
        check()
        with database.write() as connection:
            ids = list(connection.execute(old).scalars())
            connection.execute(delete(jobs).where(jobs.c.id.in_(ids)))
        dropped += len(ids)
        if not ids:
            return dropped


def clean_log(database: Database, before: datetime, *, check: Callable[[], None]) -> int:
    """Drop lines of the audit log from before a moment; return how many."""
    dropped = 0
    old = select(audit_log.c.id).where(audit_log.c.at < before).limit(_BATCH)
    while True:
        check()
        with database.write() as connection:
            ids = list(connection.execute(old).scalars())
            connection.execute(delete(audit_log).where(audit_log.c.id.in_(ids)))
        dropped += len(ids)
        if not ids:
            return dropped
