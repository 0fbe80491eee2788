"""A job that is shared out: how far its parts are, and what they have found together."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from tcgtracker.database.tables.operations import JobState, jobs
from tcgtracker.domain.errors import FatalVendorError
from tcgtracker.domain.ids import JobId
from tcgtracker.operations.context import JobContext
from tcgtracker.operations.errors import Postpone
from tcgtracker.operations.rows import record_of
from tcgtracker.operations.values import OPEN_STATES, JobRecord, JsonValue

_LOOK_AGAIN = timedelta(seconds=2)


class Part:
    """One job of several that do the work of their parent; `card_ids` are its share."""

    def __init__(self, job: JobRecord) -> None:
        card_ids = job.args.get("card_ids")
        self.card_ids = list(card_ids) if isinstance(card_ids, list) else []
        self.is_open = job.state in OPEN_STATES
        self.succeeded = job.state is JobState.DONE
        self.error = job.error or f"job {job.id} was {job.state}"
        self.done = len(self.card_ids) if not self.is_open else job.progress.done
        self.result = job.result if isinstance(job.result, dict) else {}


def parts_of(connection: Connection, parent_id: JobId, name: str) -> list[Part]:
    """Return the parts of a job, which are jobs of that name, in the order of their making."""
    rows = connection.execute(
        select(jobs).where(jobs.c.parent_id == parent_id, jobs.c.name == name).order_by(jobs.c.id)
    )
    return [Part(record_of(row)) for row in rows]


def result_of(job: JobContext, parts: Sequence[Part], now: datetime) -> JsonValue:
    """Return what the parts have found together, and say how far they are.

    Raises:
        Postpone: some have not ended.
        FatalVendorError: none has succeeded.
    """
    total = sum(len(part.card_ids) for part in parts)
    job.progress(sum(part.done for part in parts), total, f"{len(parts)} parts")
    if any(part.is_open for part in parts):
        raise Postpone(now + _LOOK_AGAIN, "its parts are being worked on")
    if not any(part.succeeded for part in parts):
        raise FatalVendorError("update", "prices", parts[0].error)
    return _merged(parts)


def _merged(parts: Sequence[Part]) -> JsonValue:
    """Return the results of parts that have ended as one; a card of a dead part says why."""
    cards: list[JsonValue] = []
    repeated_by: list[JsonValue] = []
    updated = 0
    for part in parts:
        if not part.succeeded:
            cards += [
                {"card_id": card_id, "outcome": "failed", "fallback_reason": part.error}
                for card_id in part.card_ids
            ]
            continue
        cards += part.result["cards"]
        repeated_by += part.result["repeated_by"]
        updated += part.result["updated"]
    return {"updated": updated, "repeated_by": repeated_by, "cards": cards}
