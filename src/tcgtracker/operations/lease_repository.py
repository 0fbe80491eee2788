"""Statements of the workers: claim a job, hold it, say how it ended.

A claim raises the row's fence; every later write names the fence it was claimed with. Once the job
was taken over, released or cancelled, all of them raise `LeaseLost`. Moments are aware UTC and come
from the caller's clock.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from tcgtracker.database.tables.operations import JobState, jobs
from tcgtracker.domain.ids import JobId
from tcgtracker.operations.errors import LeaseLost
from tcgtracker.operations.rows import (
    IS_ASKED,
    IS_RUNNING,
    IS_WAITING,
    NO_LEASE,
    NO_PROGRESS,
    record_of,
)
from tcgtracker.operations.values import JobRecord, JsonValue, Lease, Progress, storable_text

_LONGEST_LEASE = timedelta(hours=2)
"""Settings allow one hour. A lease beyond this was written by a clock that ran ahead."""


def _due(now: datetime, names: Collection[str]) -> ColumnElement[bool]:
    return and_(IS_WAITING, jobs.c.run_at <= now, jobs.c.name.in_(sorted(names)))


def _lapsed(now: datetime, names: Collection[str]) -> ColumnElement[bool]:
    return and_(
        IS_RUNNING,
        or_(jobs.c.lease_until <= now, jobs.c.lease_until > now + _LONGEST_LEASE),
        jobs.c.name.in_(sorted(names)),
    )


def anything_to_do(
    connection: Connection, now: datetime, names: Collection[str], job_id: JobId | None = None
) -> bool:
    """Tell whether a claim would find something. Needs no write transaction."""
    for condition in (_lapsed(now, names), _due(now, names)):
        wanted = select(jobs.c.id).where(condition, *_only(job_id)).limit(1)
        if connection.execute(wanted).first():
            return True
    return False


def unasked(connection: Connection, now: datetime, names: Collection[str]) -> bool:
    """Tell whether something is due that no person asked for."""
    wanted = select(jobs.c.id).where(_due(now, names), ~jobs.c.asked).limit(1)
    return connection.execute(wanted).first() is not None


def _only(job_id: JobId | None) -> tuple[ColumnElement[bool], ...]:
    return () if job_id is None else (jobs.c.id == job_id,)


def due_jobs(
    connection: Connection, now: datetime, names: Collection[str], *, since: timedelta, limit: int
) -> list[tuple[JobId, str]]:
    """Return jobs that nobody has begun `since` they were due, or has let go; the oldest first."""
    found: list[tuple[JobId, str]] = []
    for condition in (_lapsed(now, names), _due(now - since, names)):
        rows = connection.execute(
            select(jobs.c.id, jobs.c.name)
            .where(condition)
            .order_by(jobs.c.run_at)
            .limit(limit - len(found))
        )
        found += [(JobId(row.id), row.name) for row in rows]
    return found


def bury(connection: Connection, now: datetime, names: Collection[str]) -> list[JobRecord]:
    """Give up on jobs whose worker vanished in their last attempt; return them."""
    chosen = connection.execute(
        select(jobs)
        .where(_lapsed(now, names), jobs.c.attempts >= jobs.c.max_attempts)
        .with_for_update(skip_locked=True)
    ).all()
    buried = []
    for row in chosen:
        reason = (
            f"its worker ({row.lease_owner}) stopped without a word in attempt {row.attempts} of"
            f" {row.max_attempts}; 'tcgtracker jobs retry {row.id}' tries again"
        )
        done = connection.execute(
            update(jobs)
            .where(jobs.c.id == row.id, jobs.c.fence == row.fence)
            .values(
                state=JobState.DEAD,
                fence=row.fence + 1,
                error=reason,
                error_type="WorkerVanished",
                finished_at=now,
                **NO_LEASE,
            )
            .returning(*jobs.c)
        ).one()
        buried.append(record_of(done))
    return buried


def claim(
    connection: Connection,
    now: datetime,
    names: Collection[str],
    *,
    owner: str,
    lease_until: datetime,
    job_id: JobId | None = None,
    asked_first: bool = True,
) -> JobRecord | None:
    """Take one job that is due, or whose holder let its lease lapse; None when there is none.

    job_id: this one and no other, but for asked_first: what a person asked for goes before what
    nobody asked for, and whole jobs before parts of one.

    The attempt is counted here, before any work, so that a job that kills its process is counted.
    """
    only = _only(job_id)
    wanted: list[tuple[ColumnElement[Any], ColumnElement[bool]]] = [
        (jobs.c.run_at, and_(_lapsed(now, names), jobs.c.attempts < jobs.c.max_attempts, *only)),
        (jobs.c.run_at, and_(_due(now, names), *only)),
    ]
    if asked_first:
        asked = and_(IS_ASKED, _due(now, names))
        if job_id is not None:  # one that was asked for itself lets no other pass
            itself = jobs.alias("itself")
            is_asked = select(itself.c.id).where(itself.c.id == job_id, itself.c.asked)
            asked = and_(asked, or_(jobs.c.id == job_id, ~is_asked.exists()))
        wanted.insert(1, (jobs.c.parent_id.is_not(None), asked))
    for order, condition in wanted:
        # PostgreSQL locks the row and passes by those of others; a SQLite writer is alone.
        found = connection.execute(
            select(jobs.c.id, jobs.c.fence, jobs.c.state)
            .where(condition)
            .order_by(order, jobs.c.run_at)
            .limit(1)
            .with_for_update(skip_locked=True, of=jobs)
        ).first()
        if found is None:
            continue
        row = connection.execute(
            update(jobs)
            .where(jobs.c.id == found.id, jobs.c.fence == found.fence)
            .values(
                state=JobState.RUNNING,
                attempts=jobs.c.attempts + 1,
                fence=found.fence + 1,
                lease_owner=owner,
                lease_until=lease_until,
                started_at=now,
                finished_at=None,
                # What was put off goes on where it was; everything else begins anew.
                **({} if found.state == JobState.READY else NO_PROGRESS),
            )
            .returning(*jobs.c)
        ).one()
        return record_of(row)
    return None


def _ours(lease: Lease) -> ColumnElement[bool]:
    return and_(
        jobs.c.id == lease.job_id,
        jobs.c.state == JobState.RUNNING,
        jobs.c.fence == lease.fence,
    )


def _write(connection: Connection, lease: Lease, **values: object) -> None:
    if connection.execute(update(jobs).where(_ours(lease)).values(**values)).rowcount != 1:
        raise LeaseLost(f"job {lease.job_id} is no longer held with fence {lease.fence}")


def is_held(connection: Connection, lease: Lease) -> bool:
    """Tell whether the lease still stands, whatever its time says."""
    return connection.execute(select(jobs.c.id).where(_ours(lease))).first() is not None


def hold(connection: Connection, lease: Lease) -> None:
    """Make sure that the job stays ours until the caller's write transaction ends.

    Raises:
        LeaseLost: it is not ours any more: the transaction must be rolled back.
    """
    # FOR KEY SHARE stops a claim (FOR UPDATE) but not the renewal of the lease.
    statement = select(jobs.c.id).where(_ours(lease)).with_for_update(read=True, key_share=True)
    if connection.execute(statement).first() is None:
        raise LeaseLost(f"job {lease.job_id} is no longer held with fence {lease.fence}")


def renew(connection: Connection, lease: Lease, until: datetime) -> None:
    """Hold the job for longer, also when the lease has lapsed but nobody took it."""
    _write(connection, lease, lease_until=until)


def progress(connection: Connection, lease: Lease, reached: Progress) -> None:
    """Let others see how far the job is."""
    _write(
        connection,
        lease,
        progress_done=reached.done,
        progress_total=reached.total,
        progress_note=storable_text(reached.note),
    )


def finish(connection: Connection, lease: Lease, now: datetime, result: JsonValue) -> None:
    """Mark the job done."""
    _write(
        connection,
        lease,
        state=JobState.DONE,
        result=result,
        error="",
        error_type="",
        finished_at=now,
        **NO_LEASE,
    )


def retry_at(
    connection: Connection, lease: Lease, moment: datetime, *, error: str, error_type: str
) -> None:
    """Let the job be tried again at that moment."""
    _write(
        connection,
        lease,
        state=JobState.RETRY,
        run_at=moment,
        error=storable_text(error),
        error_type=error_type,
        **NO_LEASE,
    )


def dead(
    connection: Connection, lease: Lease, now: datetime, *, error: str, error_type: str
) -> None:
    """Give the job up, with its reason."""
    _write(
        connection,
        lease,
        state=JobState.DEAD,
        error=storable_text(error),
        error_type=error_type,
        finished_at=now,
        **NO_LEASE,
    )


def postpone(
    connection: Connection, lease: Lease, until: datetime, *, reason: str, reason_type: str
) -> None:
    """Put the job off; the attempt does not count."""
    _write(
        connection,
        lease,
        state=JobState.READY,
        attempts=jobs.c.attempts - 1,
        run_at=until,
        error=storable_text(reason),
        error_type=reason_type,
        **NO_LEASE,
    )


def release(connection: Connection, lease: Lease, now: datetime) -> None:
    """Give the job back unfinished, for another worker to begin; the attempt does not count."""
    _write(
        connection,
        lease,
        state=JobState.READY,
        attempts=jobs.c.attempts - 1,
        run_at=now,
        **NO_LEASE,
        **NO_PROGRESS,
    )
