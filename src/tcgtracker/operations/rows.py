"""Conditions and the reading of a row that both repositories of the job table need."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Row, bindparam, literal_column, true

from tcgtracker.database.tables.operations import JobState, jobs
from tcgtracker.domain.ids import JobId
from tcgtracker.operations.values import JobRecord, Progress


def _among(states: Sequence[JobState], name: str) -> ColumnElement[bool]:
    # Literals, in the order of the partial indexes' conditions: SQLite uses such an index only
    # when the statement's text proves that it may.
    values: BindParameter[list[str]] = bindparam(
        name, [str(s) for s in states], expanding=True, literal_execute=True
    )
    return jobs.c.state.in_(values)


IS_OPEN = _among([JobState.READY, JobState.RUNNING, JobState.RETRY], "open_states")
# Jobs that are done are nearly all there are: the index of the others serves only a statement that
# says so, and never those that take the next job in the order of its moment.
IS_NOT_DONE = jobs.c.state != literal_column("'done'")
IS_RUNNING = jobs.c.state == literal_column("'running'")
# An equation: SQLite takes the index on `asked` for nothing less.
IS_ASKED: ColumnElement[bool] = jobs.c.asked == true()
IS_WAITING = _among([JobState.READY, JobState.RETRY], "waiting_states")


NO_LEASE: dict[str, Any] = {"lease_until": None, "lease_owner": ""}
NO_PROGRESS: dict[str, Any] = {"progress_done": 0, "progress_total": None, "progress_note": ""}


def record_of(row: Row[Any]) -> JobRecord:
    """Return a whole row as a value."""
    return JobRecord(
        id=JobId(row.id),
        name=row.name,
        args=row.args,
        parent_id=row.parent_id,
        state=JobState(row.state),
        attempts=row.attempts,
        max_attempts=row.max_attempts,
        run_at=row.run_at,
        lease_until=row.lease_until,
        lease_owner=row.lease_owner,
        fence=row.fence,
        dedupe_key=row.dedupe_key,
        schedule=row.schedule,
        due_at=row.due_at,
        asked=row.asked,
        progress=Progress(row.progress_done, row.progress_total, row.progress_note),
        result=row.result,
        error=row.error,
        error_type=row.error_type,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
