"""What a handler is given."""

from collections.abc import Mapping

from sqlalchemy import Connection

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import Clock
from tcgtracker.domain.ids import JobId
from tcgtracker.operations import lease_repository
from tcgtracker.operations.errors import LeaseLost
from tcgtracker.operations.values import JobRecord, JsonValue, Lease, Progress


class JobContext:
    """One attempt at one job. `attempt` counts from 1; `fence` is the fencing token."""

    def __init__(self, database: Database, clock: Clock, record: JobRecord) -> None:
        self._database = database
        self._clock = clock
        self._lost = False
        self.lease: Lease = record.lease
        self.job_id: JobId = record.id
        self.name: str = record.name
        self.args: Mapping[str, JsonValue] = record.args
        self.attempt: int = record.attempts
        self.fence: int = record.fence
        self.lease_until = record.lease_until
        self.reached: Progress = record.progress
        self.written: Progress = record.progress

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Say how far the work is; it is on the row within about a second.

        It is written by the heartbeat and not here: on SQLite a second writer inside the handler's
        own transaction would wait for itself.
        """
        self.reached = Progress(done, total, note)

    def check(self) -> None:
        """Raise when the work is no longer ours; call it between pages.

        Raises:
            LeaseLost: the job was taken over, given back or cancelled.
        """
        if not self._lost and self.lease_until and self._clock.now() >= self.lease_until:
            # No renewal in time: the process was paused, or the database away. Ask, do not guess.
            with self._database.read() as connection:
                self._lost = not lease_repository.is_held(connection, self.lease)
        if self._lost:
            raise LeaseLost(f"job {self.job_id} is no longer held with fence {self.fence}")

    def look(self) -> None:
        """Raise when the table says that the work is no longer ours.

        Raises:
            LeaseLost: as `check`.
        """
        with self._database.read() as connection:
            if not lease_repository.is_held(connection, self.lease):
                self._lost = True
        self.check()

    def hold(self, connection: Connection) -> None:
        """Tie the caller's write transaction to the lease: nobody takes the job before it ends.

        Every write of the handler's thread to the main database begins with it.

        Raises:
            LeaseLost: the job is not ours any more; let it roll the transaction back.
        """
        lease_repository.hold(connection, self.lease)

    def lose(self) -> None:
        """Note that the lease is gone; the next `check` raises."""
        self._lost = True
