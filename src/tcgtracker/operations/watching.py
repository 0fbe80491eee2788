"""A job as it comes along, for faces that show it live."""

import time
from collections.abc import AsyncIterator, Callable

import anyio
from anyio import to_thread

from tcgtracker.domain.ids import JobId
from tcgtracker.operations.values import OPEN_STATES, JobRecord

LOOK_S = 0.5
SAY_S = 15.0
MOST_S = 600.0


async def watch(
    load: Callable[[JobId], JobRecord], job: JobRecord
) -> AsyncIterator[JobRecord | None]:
    """Yield the job now, at each change, and at its end, which ends it; after 10 minutes anyway.

    None now and then when nothing changes, so that what stands in between keeps the connection.
    load: reads the job, in a thread.
    """
    ends_at, said_at = time.monotonic() + MOST_S, time.monotonic()
    yield job
    while job.state in OPEN_STATES and time.monotonic() < ends_at:
        await anyio.sleep(LOOK_S)
        now = await to_thread.run_sync(load, job.id)
        if now != job:
            job, said_at = now, time.monotonic()
            yield job
        elif time.monotonic() - said_at > SAY_S:
            said_at = time.monotonic()
            yield None
