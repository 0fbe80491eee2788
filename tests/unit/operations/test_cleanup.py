"""Which jobs and lines of the audit log are dropped, and which stay, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select

from tcgtracker.database.engine import Database
from tcgtracker.database.tables.accounts import audit_log
from tcgtracker.database.tables.operations import JobState, jobs
from tcgtracker.operations import cleanup
from tcgtracker.operations.audit import add_audit
from tcgtracker.operations.cleanup import clean_jobs, clean_log

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD = NOW - timedelta(days=40)
LIMIT = NOW - timedelta(days=30)


def add(database: Database, name: str, state: JobState, ended: datetime | None, **more: Any) -> Any:
    job_id = uuid4()
    with database.write() as connection:
        connection.execute(
            insert(jobs).values(
                id=job_id,
                name=name,
                args={},
                state=state,
                max_attempts=1,
                run_at=OLD,
                created_at=OLD,
                finished_at=ended,
                **more,
            )
        )
    return job_id


def names(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.execute(select(jobs.c.name)).scalars())


def nothing() -> None:
    return None


def test_what_is_done_goes_and_what_somebody_needs_stays(database: Database) -> None:
    add(database, "done", JobState.DONE, OLD)
    add(database, "cancelled", JobState.CANCELLED, OLD)
    add(database, "done_lately", JobState.DONE, NOW)
    add(database, "dead", JobState.DEAD, OLD)
    add(database, "waits", JobState.READY, None)
    parent = add(database, "parent_of_dead", JobState.DONE, OLD)
    add(database, "dead_child", JobState.DEAD, OLD, parent_id=parent)
    whole = add(database, "parent_of_done", JobState.DONE, OLD)
    add(database, "done_child", JobState.DONE, OLD, parent_id=whole)
    for hours in (0, 6):
        slot = {"schedule": "nightly", "due_at": OLD + timedelta(hours=hours)}
        add(database, f"run{hours}", JobState.DONE, OLD, **slot)
    assert clean_jobs(database, LIMIT, check=nothing) == 5
    assert names(database) == [
        "dead",
        "dead_child",
        "done_lately",
        "parent_of_dead",
        "run6",
        "waits",
    ]
    assert clean_jobs(database, LIMIT, check=nothing) == 0


def test_transactions_are_bounded_and_the_log_is_cut(database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(cleanup, "_BATCH", 3)
    looks: list[int] = []
    with database.write() as connection:
        for number in range(8):
            add_audit(connection, "a", now=OLD if number < 7 else NOW)
    assert clean_log(database, LIMIT, check=lambda: looks.append(1)) == 7
    assert len(looks) == 4
    with database.read() as connection:
        assert len(connection.execute(select(audit_log)).all()) == 1
