"""Days that pass while one looks: the common clock jumps, the tracker's own scheduler notices."""

import threading
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select

from tcgtracker.database.tables.operations import JobState, jobs
from tcgtracker.demo.history import enqueue_watched
from tcgtracker.demo.place import Demo
from tcgtracker.domain.clock import EPOCH
from tcgtracker.operations.rows import IS_OPEN

log = structlog.get_logger(__name__)

JUMP = timedelta(hours=3)
_PAST = timedelta(minutes=30)
"""After the slots of the schedules, which lie within the half hours after 2:00, 3:00 and 20:00."""
_SOON = timedelta(minutes=15)
_WATCH_HOUR = 9
_LOOK_S = 0.2


class Days:
    """A thread that lets `per_minute` days of the demonstration pass in a minute; 0 = none.

    Time jumps only while no job works or waits for a worker: a jump would end its lease.
    """

    def __init__(self, demo: Demo, per_minute: float) -> None:
        self._demo = demo
        self._pause_s = 60.0 / per_minute * (JUMP / timedelta(days=1)) if per_minute else None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tcgtracker-demo-days", daemon=True)

    def start(self) -> None:
        """Start the thread, unless no day is to pass."""
        if self._pause_s is not None:
            self._thread.start()

    def stop(self) -> None:
        """End after the jump it is in."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._pause_s):
            try:
                self.jump()
            except Exception:  # outermost loop: the next jump may go well
                log.exception("demo.jump_failed")

    def jump(self) -> None:
        """Go on by three hours, and through the short waits of the jobs that this starts."""
        moment = next_jump(self._demo.now())
        if not self._go_to(moment):
            return
        if moment.hour == _WATCH_HOUR:
            enqueue_watched(self._demo)
        while (waits_for := self._next_run(moment + _SOON)) is not None:
            if not self._go_to(waits_for):
                return

    def _go_to(self, moment: datetime) -> bool:
        """Wait until nothing works, then set the clock; False when the demonstration ends."""
        while self._busy():
            if self._stopped.wait(_LOOK_S):
                return False
        if moment > self._demo.now():
            self._demo.sandbox.clock.set(moment)
        self._demo.tracker.scheduler.tick()
        self._demo.tracker.runner.wake()
        return not self._stopped.wait(_LOOK_S)

    def _busy(self) -> bool:
        statement = select(jobs.c.id).where(
            IS_OPEN, or_(jobs.c.state == JobState.RUNNING, jobs.c.run_at <= self._demo.now())
        )
        with self._demo.tracker.database.read() as connection:
            return connection.execute(statement.limit(1)).first() is not None

    def _next_run(self, until: datetime) -> datetime | None:
        statement = select(jobs.c.run_at).where(
            IS_OPEN, jobs.c.state != JobState.RUNNING, jobs.c.run_at <= until
        )
        with self._demo.tracker.database.read() as connection:
            found: datetime | None = connection.execute(
                statement.order_by(jobs.c.run_at).limit(1)
            ).scalar()
        return found


def next_jump(now: datetime) -> datetime:
    """Return the next moment that is half an hour past a multiple of three hours."""
    begun = (now - _PAST - EPOCH) // JUMP
    return EPOCH + (begun + 1) * JUMP + _PAST
