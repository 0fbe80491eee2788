"""Statements of those who ask for work and look at it.

Moments are aware UTC and come from the caller's clock. What workers do is `lease_repository`.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.operations import JobState, jobs
from tcgtracker.domain.errors import Conflict, InvalidInput, NotFound, StorageError
from tcgtracker.domain.ids import JobId
from tcgtracker.operations.rows import (
    IS_NOT_DONE,
    IS_OPEN,
    IS_WAITING,
    NO_LEASE,
    NO_PROGRESS,
    record_of,
)
from tcgtracker.operations.values import (
    OPEN_STATES,
    JobFilter,
    JobPage,
    JobRecord,
    NewJob,
    new_job_id,
    plain_json,
)

MAX_PAGE = 500
_TRIES = 10
_AHEAD = timedelta(days=2)
"""A slot beyond this was written by a clock that ran ahead: it must not end the schedule."""


def enqueue(
    dialect: DatabaseDialect, connection: Connection, job: NewJob, now: datetime
) -> tuple[JobId, bool]:
    """Write a job in the caller's transaction; return its id and whether it is new.

    While a job with the same dedupe key is open, that job's id is returned instead; it counts as
    asked for when this one was. A scheduled slot that has a row already returns that row's id.

    Raises:
        InvalidInput: the arguments are no JSON.
        StorageError: jobs for the same work came and went all the while.
    """
    job_id = new_job_id()
    row = {
        "id": job_id,
        "name": job.name,
        "args": plain_json(dict(job.args)),
        "parent_id": job.parent_id,
        "state": JobState.READY,
        "max_attempts": job.max_attempts,
        "run_at": job.run_at,
        "dedupe_key": job.dedupe_key,
        "schedule": job.schedule,
        "due_at": job.due_at,
        "asked": job.asked,
        "created_at": now,
    }
    if job.dedupe_key is None and job.schedule is None:
        connection.execute(insert(jobs).values(row))
        return job_id, True
    for _ in range(_TRIES):
        statement = dialect.insert_or_skip(jobs).values(row).returning(jobs.c.id)
        if connection.execute(statement).scalar() is not None:
            return job_id, True
        found = _in_the_way(connection, job)
        if found is not None:
            if job.asked:
                _ask_for(connection, found)
            return found, False
        # The job that was in the way has just been finished by another worker: the key is free.
    raise StorageError(f"job {job.name} could not be queued in {_TRIES} tries: try again")


def _in_the_way(connection: Connection, job: NewJob) -> JobId | None:
    same = []
    if job.schedule is not None:
        same.append(and_(jobs.c.schedule == job.schedule, jobs.c.due_at == job.due_at))
    if job.dedupe_key is not None:
        same.append(and_(jobs.c.dedupe_key == job.dedupe_key, IS_OPEN))
    for condition in same:
        found = connection.execute(select(jobs.c.id).where(condition)).scalar()
        if found is not None:
            return JobId(found)
    return None


def _ask_for(connection: Connection, job_id: JobId) -> None:
    """Let a person's wish speed a job up that stood there already."""
    waiting = (jobs.c.id == job_id) & ~jobs.c.asked & IS_WAITING
    connection.execute(update(jobs).where(waiting).values(asked=True))


def is_asked(connection: Connection, job_id: JobId) -> bool:
    """Tell whether a person asked for a job, or for what it is a part of."""
    return bool(connection.scalar(select(jobs.c.asked).where(jobs.c.id == job_id)))


def show(connection: Connection, job_id: JobId) -> JobRecord:
    """Return one job.

    Raises:
        NotFound: there is none with that id.
    """
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
    if row is None:
        raise NotFound(f"there is no job {job_id}")
    return record_of(row)


def list_page(
    connection: Connection, wanted: JobFilter, *, limit: int = 50, cursor: str = ""
) -> JobPage:
    """Return jobs, newest first; `cursor` is the previous page's `next_cursor`.

    Raises:
        InvalidInput: the limit is out of range or the cursor is not one of ours.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInput(f"limit must be 1 to {MAX_PAGE}")
    statement = select(jobs).order_by(jobs.c.id.desc()).limit(limit + 1)
    if wanted.states:
        statement = statement.where(jobs.c.state.in_(sorted(wanted.states)))
        if JobState.DONE not in wanted.states:
            statement = statement.where(IS_NOT_DONE)
    if wanted.name:
        statement = statement.where(jobs.c.name == wanted.name)
    if wanted.parent_id is not None:
        statement = statement.where(jobs.c.parent_id == wanted.parent_id)
    if cursor:
        try:
            statement = statement.where(jobs.c.id < UUID(cursor))
        except ValueError as exc:
            raise InvalidInput(f"{cursor!r} is not the cursor of a job list") from exc
    found = tuple(record_of(row) for row in connection.execute(statement))
    more = len(found) > limit
    return JobPage(found[:limit], str(found[limit - 1].id) if more else "")


def retry(connection: Connection, job_id: JobId, now: datetime) -> str:
    """Let a dead job begin again, ready now, no attempt counted; return its name.

    Raises:
        NotFound: there is none with that id.
        Conflict: it is not dead, or another open job does the same work.
    """
    try:
        with connection.begin_nested():
            name = connection.execute(
                update(jobs)
                .where(jobs.c.id == job_id, jobs.c.state == JobState.DEAD)
                .values(
                    state=JobState.READY,
                    attempts=0,
                    run_at=now,
                    finished_at=None,
                    asked=True,
                    **NO_PROGRESS,
                )
                .returning(jobs.c.name)
            ).scalar()
    except IntegrityError as exc:
        raise Conflict(f"another open job does the work of {job_id}: wait for that one") from exc
    if name is None:
        state = show(connection, job_id).state
        raise Conflict(f"job {job_id} is {state}: only a dead job can be tried again")
    return str(name)


def cancel(connection: Connection, job_id: JobId, now: datetime) -> None:
    """Stop an open job; who runs it learns so at its next check and can write nothing more.

    Raises:
        NotFound: there is none with that id.
        Conflict: it is done, dead or cancelled already.
    """
    row = connection.execute(
        select(jobs.c.state).where(jobs.c.id == job_id).with_for_update()
    ).first()
    if row is None:
        raise NotFound(f"there is no job {job_id}")
    if row.state not in OPEN_STATES:
        raise Conflict(f"job {job_id} is {row.state} already")
    connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(state=JobState.CANCELLED, fence=jobs.c.fence + 1, finished_at=now, **NO_LEASE)
    )


def last_slots(
    connection: Connection, schedules: Collection[str], *, now: datetime
) -> dict[str, datetime]:
    """Return the newest slot that each schedule has a row for, but for those far ahead."""
    rows = connection.execute(
        select(jobs.c.schedule, func.max(jobs.c.due_at).label("due_at"))
        .where(jobs.c.schedule.in_(sorted(schedules)), jobs.c.due_at <= now + _AHEAD)
        .group_by(jobs.c.schedule)
    )
    return {row.schedule: row.due_at for row in rows}


def carry_forward(connection: Connection, schedule: str, slot: datetime) -> JobId | None:
    """Let a scheduled run that nobody began stand for a newer slot; return its id."""
    moved = connection.execute(
        update(jobs)
        .where(
            jobs.c.schedule == schedule,
            jobs.c.due_at < slot,
            jobs.c.state == JobState.READY,
            jobs.c.attempts == 0,
            jobs.c.run_at <= slot,
        )
        .values(due_at=slot)
        .returning(jobs.c.id)
    ).scalar()
    return JobId(moved) if moved is not None else None


def bring_back(
    connection: Connection, schedule: str, slot: datetime, *, now: datetime
) -> JobId | None:
    """Let a run of a slot far ahead, which nobody has begun, be that of a slot; return its id."""
    slots = jobs.alias("slots")
    taken = select(slots.c.id).where(slots.c.schedule == schedule, slots.c.due_at == slot)
    moved = connection.execute(
        update(jobs)
        .where(
            jobs.c.schedule == schedule, jobs.c.due_at > now + _AHEAD, IS_WAITING, ~taken.exists()
        )
        .values(due_at=slot, run_at=slot)
        .returning(jobs.c.id)
    ).scalar()
    return JobId(moved) if moved is not None else None


def unknown_names(connection: Connection, names: Collection[str]) -> list[str]:
    """Return the names of open jobs that are not among these."""
    statement = select(jobs.c.name).where(IS_OPEN, jobs.c.name.not_in(sorted(names))).distinct()
    return sorted(connection.execute(statement).scalars())
