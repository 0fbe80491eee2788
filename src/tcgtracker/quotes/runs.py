"""Run records and the quarantine: what an intake did, and what it refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from tcgtracker.database.dialects.base import DatabaseDialect
from tcgtracker.database.tables.prices import RunState, collect_runs, quarantined_rows
from tcgtracker.domain.clock import iso
from tcgtracker.domain.source import Source
from tcgtracker.integrations.contract import RejectedRow
from tcgtracker.runtime.metrics import Metrics

_RAW_LIMIT = 500
_KEY_LIMIT = 200


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest intake of a source; moments are aware UTC."""

    id: int
    input: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    error: str


def load_last_runs(connection: Connection) -> dict[Source, LastRun]:
    """Return the newest intake of each source that had one."""
    # Source by source: each is one step in the index, and runs are kept for ever.
    newest = [
        select(func.max(collect_runs.c.id)).where(collect_runs.c.source == one).scalar_subquery()
        for one in Source
    ]
    rows = connection.execute(select(collect_runs).where(collect_runs.c.id.in_(newest)))
    return {
        Source(row.source): LastRun(
            row.id, row.input, RunState(row.state), row.started_at, row.finished_at, row.error
        )
        for row in rows
    }


def start_run(connection: Connection, source: Source, input_name: str, *, now: datetime) -> int:
    """Write down that an intake began; return the run's id."""
    statement = insert(collect_runs).values(
        source=source.value,
        input=input_name,
        state=RunState.RUNNING.value,
        started_at=now,
        fetched_at=now,
        report={},
    )
    return int(connection.execute(statement.returning(collect_runs.c.id)).scalar_one())


def save_progress(connection: Connection, run_id: int, cursor: str, report: dict[str, Any]) -> None:
    """Write down how far a run has come, in the transaction of its page."""
    connection.execute(
        update(collect_runs).where(collect_runs.c.id == run_id).values(cursor=cursor, report=report)
    )


def finish_run(
    connection: Connection, run_id: int, state: RunState, *, now: datetime, error: str = ""
) -> None:
    """Write down how a run ended."""
    connection.execute(
        update(collect_runs)
        .where(collect_runs.c.id == run_id)
        .values(state=state.value, finished_at=now, error=error)
    )


def quarantine(
    connection: Connection,
    dialect: DatabaseDialect,
    *,
    run_id: int,
    source: Source,
    observed_at: datetime,
    rows: Sequence[RejectedRow],
) -> None:
    """Keep rejected rows with their reasons; the same row of the same moment is kept once."""
    records = []
    for row in rows:
        sub_key = row.facet.sub_key if row.facet else ""
        parts = (source.value, iso(observed_at), row.external_id, sub_key, row.reason, row.raw)
        digest = blake2b(repr(parts).encode("utf-8", "backslashreplace"), digest_size=16)
        records.append(
            {
                "run_id": run_id,
                "source": source.value,
                "observed_at": observed_at,
                "external_id": _text(row.external_id, _KEY_LIMIT),
                "sub_key": _text(sub_key, _KEY_LIMIT),
                "reason": row.reason,
                "raw": _text(row.raw, _RAW_LIMIT),
                "digest": digest.hexdigest(),
            }
        )
    if records:
        connection.execute(dialect.insert_or_skip(quarantined_rows), records)


def count_rows(
    metrics: Metrics, source: Source, stored: int, rejected: Sequence[RejectedRow]
) -> None:
    """Count what a committed page brought."""
    metrics.price_points.labels(source.value).inc(stored)
    for row in rejected:
        metrics.quarantined.labels(source.value, row.reason).inc()


def _text(text: str, limit: int) -> str:
    """Return text that both databases take: no NUL, no lone surrogate, bounded."""
    clean = text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
    return clean[:limit]


@dataclass(frozen=True, slots=True)
class RunRow:
    """One intake as it is listed; moments are aware UTC."""

    id: int
    source: Source
    input: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    report: Mapping[str, Any]
    error: str


def load_runs(connection: Connection, *, limit: int) -> list[RunRow]:
    """Return the newest intakes, the last one first."""
    rows = connection.execute(
        select(
            collect_runs.c.id,
            collect_runs.c.source,
            collect_runs.c.input,
            collect_runs.c.state,
            collect_runs.c.started_at,
            collect_runs.c.finished_at,
            collect_runs.c.report,
            collect_runs.c.error,
        )
        .order_by(collect_runs.c.id.desc())
        .limit(limit)
    )
    return [
        RunRow(row[0], Source(row[1]), row[2], RunState(row[3]), row[4], row[5], row[6], row[7])
        for row in rows
    ]
