"""Jobs as values: what is asked for, what the table says, and who holds it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import orjson
import uuid_utils

from tcgtracker.database.tables.operations import JobState
from tcgtracker.domain.errors import InvalidInput
from tcgtracker.domain.ids import JobId

JsonValue: TypeAlias = (
    "Mapping[str, JsonValue] | Sequence[JsonValue] | str | int | float | bool | None"
)

OPEN_STATES = frozenset({JobState.READY, JobState.RUNNING, JobState.RETRY})
"""A job in one of these will still do something; its dedupe key is taken."""

MAX_TEXT = 2000
"""Characters of an error or a note that are kept: a page of text, never a whole answer."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a job's outcome. The fence grows with every claim, so an old one fails."""

    job_id: JobId
    fence: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is; `total` is None while it does not know."""

    done: int = 0
    total: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What `enqueue` writes. Times are aware UTC.

    dedupe_key: while a job with this key is open, no second one is written.
    schedule, due_at: the slot of a scheduled run; one row for each.
    asked: a person asked for it, or for what it is a part of.
    """

    name: str
    run_at: datetime
    args: Mapping[str, JsonValue]
    max_attempts: int
    dedupe_key: str | None = None
    parent_id: JobId | None = None
    schedule: str | None = None
    due_at: datetime | None = None
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A row of the job table. Times are aware UTC.

    attempts: how often a worker began it, less the times it was postponed or given back.
    error: why the last attempt did not succeed; empty once it did.
    """

    id: JobId
    name: str
    args: Mapping[str, JsonValue]
    parent_id: JobId | None
    state: JobState
    attempts: int
    max_attempts: int
    run_at: datetime
    lease_until: datetime | None
    lease_owner: str
    fence: int
    dedupe_key: str | None
    schedule: str | None
    due_at: datetime | None
    asked: bool
    progress: Progress
    result: JsonValue
    error: str
    error_type: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def lease(self) -> Lease:
        return Lease(self.id, self.fence)


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; an empty field does not narrow."""

    states: frozenset[JobState] = frozenset()
    name: str = ""
    parent_id: JobId | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first, and the cursor of the next page (empty on the last)."""

    jobs: tuple[JobRecord, ...]
    next_cursor: str


def new_job_id() -> JobId:
    """Return a UUIDv7: sorted by time, not guessable."""
    return JobId(UUID(int=uuid_utils.uuid7().int))


def plain_json(value: object) -> JsonValue:
    """Return the value as JSON gives it back.

    Raises:
        InvalidInput: it is no JSON: an object of ours, NaN, a lone surrogate, over 64 bits.
    """
    try:
        plain: JsonValue = json.loads(json.dumps(value, allow_nan=False))
        orjson.dumps(plain)  # what the API and the CLI will have to say it with
    except (TypeError, ValueError, RecursionError) as exc:
        raise InvalidInput(f"a job's arguments and result must be JSON: {exc}") from exc
    return plain


def storable_text(text: str) -> str:
    """Return text that both databases take: no NUL, no lone surrogate, not longer than a page."""
    clean = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return clean[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
