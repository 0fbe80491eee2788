"""What `doctor` looks at beside the databases: flags, sources, schedule, Redis, broker, jobs."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tcgtracker.cli.finding import Finding, Level
from tcgtracker.domain.clock import iso

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tcgtracker.operations.flag_settings import FlagRow
    from tcgtracker.tracker import Tracker

_LATE = timedelta(hours=1)
_DRIFT = timedelta(seconds=5)
_STUCK = timedelta(minutes=5)
_REACH_S = 3


def examine_operation(tracker: "Tracker", connection: "Connection") -> Iterator[Finding]:
    """Yield the findings that need a main database of this program's schema."""
    from tcgtracker.operations.flag_settings import list_flags

    now = tracker.clock.now()
    yield check_clock(tracker.database.dialect.now(connection), now)
    yield from _jobs(connection, now)
    yield _schedule(tracker, connection, now)
    yield from _sources(tracker, connection, now)
    yield _flags(tracker, list_flags(connection))


def examine_reach(tracker: "Tracker") -> Iterator[Finding]:
    """Yield whether the services that the settings name answer."""
    settings = tracker.settings
    if settings.redis.url:
        yield _redis(settings.redis.url)
    if settings.jobs.broker_url:
        yield _broker(settings.jobs.broker_url)


def check_clock(theirs: datetime, ours: datetime) -> Finding:
    """Compare the clock of the database's machine with this one's."""
    apart = abs(theirs - ours)
    detail = f"{apart.total_seconds():.1f} s apart from the database's"
    if apart > _DRIFT:
        mend = "let both machines follow the same time server: leases and quotas go by it"
        return Finding("clock", Level.WARN, detail, mend)
    return Finding("clock", Level.OK, detail)


def _jobs(connection: "Connection", now: datetime) -> Iterator[Finding]:
    from sqlalchemy import func, select

    from tcgtracker.database.tables.operations import JobState, jobs
    from tcgtracker.operations.queue_depth import load_depth

    depth = load_depth(connection, now)
    if depth.dead:
        mend = "'tcgtracker jobs list --state dead', mend the cause, 'tcgtracker jobs retry ID'"
        yield Finding("dead jobs", Level.WARN, f"{depth.dead} dead", mend)
    else:
        yield Finding("dead jobs", Level.OK, "none is dead")
    stuck = connection.execute(
        select(func.count())
        .select_from(jobs)
        .where(jobs.c.state == JobState.RUNNING, jobs.c.lease_until < now - _STUCK)
    ).scalar_one()
    waiting = depth.oldest_due_at is not None and now - depth.oldest_due_at > _LATE
    mend = "start 'tcgtracker serve' or 'tcgtracker worker'; it takes them over"
    if stuck:
        detail = f"{stuck} are held by a worker that is gone, and nobody takes them over"
        yield Finding("queue", Level.WARN, detail, mend)
    elif waiting and depth.oldest_due_at is not None:
        since = iso(depth.oldest_due_at.replace(microsecond=0))
        detail = f"{depth.due} are due, the oldest since {since}"
        yield Finding("queue", Level.WARN, detail, mend)
    else:
        yield Finding("queue", Level.OK, f"{depth.due} due, {depth.running} running")


def _schedule(tracker: "Tracker", connection: "Connection", now: datetime) -> Finding:
    from tcgtracker.operations import repository

    scheduled = tracker.registry.scheduled()
    last = repository.last_slots(connection, [job.name for job in scheduled], now=now)
    late = [
        job.name
        for job in scheduled
        if job.name in last and now - last[job.name] > (job.next_slot(now) - job.last_slot(now)) * 2
    ]
    if late:
        detail = f"not scheduled lately: {', '.join(late)}"
        mend = "start 'tcgtracker serve' or 'tcgtracker scheduler'"
        return Finding("schedule", Level.WARN, detail, mend)
    return Finding("schedule", Level.OK, f"{len(scheduled)} jobs have a schedule")


def _sources(tracker: "Tracker", connection: "Connection", now: datetime) -> Iterator[Finding]:
    from tcgtracker.operations.source_status import load_statuses

    entries = {entry.info.vendor: entry for entry in tracker.vendors.entries()}
    off = [f"{name}: {entry.disabled}" for name, entry in entries.items() if entry.disabled]
    asked = len(entries) - len(off)
    mend = "set the key of a source that you have: '.env.example' names them"
    level = Level.OK if asked else Level.WARN
    yield Finding(
        "sources", level, f"{asked} may be asked; {'; '.join(off) or 'none is off'}", mend
    )
    for status in load_statuses(connection, tracker.plans, now):
        entry = entries.get(status.service)
        if entry is None or entry.disabled:
            continue
        name = f"source {status.service}"
        if status.disabled:
            mend = f"mend it, then 'tcgtracker sources resume {status.service}' or 'enable'"
            yield Finding(name, Level.WARN, status.disabled, mend)
        elif status.paused_until is not None:
            until = f"paused until {iso(status.paused_until.replace(microsecond=0))}"
            detail = f"{until}: {status.last_error}" if status.last_error else until
            yield Finding(name, Level.WARN, detail, "nothing: the sources behind it answer")


def _flags(tracker: "Tracker", rows: "list[FlagRow]") -> Finding:
    silent = []
    for row in rows:
        for source in row.sources:
            entry = tracker.vendors.of_source(source)
            if row.is_set and (entry is None or entry.disabled):
                silent.append(f"{row.name} names {source}, which is not asked")
    if silent:
        return Finding("flags", Level.WARN, "; ".join(silent), "set its key, or 'flags reset' it")
    set_ = [f"{row.name}={row.value}" for row in rows if row.is_set]
    return Finding("flags", Level.OK, ", ".join(set_) or "all have their defaults")


def _redis(url: str) -> Finding:
    from redis import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(url, socket_timeout=_REACH_S, socket_connect_timeout=_REACH_S)
    try:
        client.ping()
    except (RedisError, OSError) as exc:
        mend = "start it: without it all works, but each process has its own rate limit and cache"
        return Finding("redis", Level.WARN, _short(exc), mend)
    finally:
        client.close()
    return Finding("redis", Level.OK, "answers")


def _broker(url: str) -> Finding:
    from kombu import Connection as Broker

    try:
        with Broker(url, connect_timeout=_REACH_S) as broker:
            broker.ensure_connection(max_retries=1, timeout=_REACH_S)
    except Exception as exc:  # noqa: BLE001 - each transport raises errors of its own
        mend = "start it: until then jobs wait in the database and none is lost"
        return Finding("broker", Level.FAIL, _short(exc), mend)
    return Finding("broker", Level.OK, "answers")


def _short(error: Exception) -> str:
    """Return an error without an address that may hold a password."""
    return type(error).__name__
