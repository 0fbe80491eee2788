"""Background work."""

from enum import StrEnum

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    text,
)

from tcgtracker.database.tables.base import metadata
from tcgtracker.database.types import UtcTime, checked_text


class JobState(StrEnum):
    """How a job stands; done, dead and cancelled are final."""

    READY = "ready"
    RUNNING = "running"
    RETRY = "retry"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


_OPEN = text("state IN ('ready', 'running', 'retry')")
_DUE = text("state IN ('ready', 'retry')")
_NOT_DONE = text("state != 'done'")
_RUNNING = text("state = 'running'")
_PART = text("parent_id IS NOT NULL")

jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("args", JSON, nullable=False),
    Column("parent_id", Uuid, ForeignKey("jobs.id")),
    checked_text("state", JobState),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("max_attempts", Integer, nullable=False),
    Column("run_at", UtcTime, nullable=False),
    Column("lease_until", UtcTime),
    Column("lease_owner", Text, nullable=False, server_default=""),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("dedupe_key", Text),
    Column("schedule", Text),
    Column("due_at", UtcTime),
    Column("asked", Boolean(create_constraint=False), nullable=False, server_default=false()),
    Column("progress_done", Integer, nullable=False, server_default="0"),
    Column("progress_total", Integer),
    Column("progress_note", Text, nullable=False, server_default=""),
    Column("result", JSON),
    Column("error", Text, nullable=False, server_default=""),
    Column("error_type", Text, nullable=False, server_default=""),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    UniqueConstraint("schedule", "due_at"),
    Index("ix_jobs_due", "run_at", sqlite_where=_DUE, postgresql_where=_DUE),
    Index("ix_jobs_asked", "asked", "run_at", sqlite_where=_DUE, postgresql_where=_DUE),
    Index("ix_jobs_lease", "lease_until", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
    Index("ix_jobs_not_done", "state", "id", sqlite_where=_NOT_DONE, postgresql_where=_NOT_DONE),
    Index("ix_jobs_parent", "parent_id", sqlite_where=_PART, postgresql_where=_PART),
    Index(
        "uq_jobs_dedupe_key",
        "dedupe_key",
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
)
