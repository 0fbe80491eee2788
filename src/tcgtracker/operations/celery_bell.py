"""The doorbell of many processes: messages to Celery workers, sent by a thread."""

import queue
import threading
import time
from typing import TYPE_CHECKING, Any

import structlog

from tcgtracker.config import JobSettings
from tcgtracker.domain.ids import JobId
from tcgtracker.operations.bell import Bell
from tcgtracker.runtime.reach import Reach

if TYPE_CHECKING:
    from celery import Celery
    from kombu import Connection, Producer

log = structlog.get_logger(__name__)

_MOST_WAITING = 10_000
"""Rings that wait to be sent; those above are dropped, and the reconciler rings for them."""
_CLOSE_S = 2.0
"""A command that ends has so long to send what it rang."""

_ONE_TRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
"""kombu would try for ever to connect."""


class CeleryBroker:
    """Sends messages in the caller's thread, and counts those that wait. Not for two threads."""

    def __init__(self, settings: JobSettings) -> None:
        self._settings = settings
        self._app: Celery | None = None
        self._connection: Connection | None = None
        self._producer: Producer | None = None

    def publish(self, name: str, job_id: JobId) -> None:
        """Send the message of a job.

        Raises:
            Exception: the broker is lost; which one depends on the transport.
        """
        kept = self._connection is not None
        try:
            self._send(name, job_id)
        except Exception:
            self.close()
            if not kept:
                raise
            self._send(name, job_id)  # a connection dies unnoticed between two rings

    def waiting(self) -> int:
        """Return how many messages no worker has taken yet.

        Raises:
            Exception: as for `publish`.
        """
        connection, _ = self._connected()
        try:
            with connection.channel() as channel:
                found: Any = channel  # kombu's types leave out what every channel has
                waiting = int(found.queue_declare(self._settings.queue, passive=True).message_count)
        except connection.channel_errors:
            return 0  # Redis keeps no empty list, and RabbitMQ has no queue before the first worker
        except Exception:
            self.close()
            raise
        return waiting

    def close(self) -> None:
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            connection.release()

    def _send(self, name: str, job_id: JobId) -> None:
        _, producer = self._connected()
        if self._app is not None:
            self._app.send_task(
                name, args=(str(job_id),), producer=producer, retry=False, ignore_result=True
            )

    def _connected(self) -> "tuple[Connection, Producer]":
        if self._app is None:
            from tcgtracker.operations.celery_app import make_app  # slow to import

            self._app = make_app(self._settings)
        if self._connection is None or self._producer is None:
            # Without heartbeats: nobody would send them between two rings.
            connection = self._app.connection_for_write(heartbeat=0, transport_options=_ONE_TRY)
            self._connection = connection
            self._producer = self._app.amqp.Producer(connection)
        return self._connection, self._producer


class CeleryBell:
    """A `Doorbell` that also wakes the threads of this process. Its thread begins with a ring.

    A ring that cannot be sent is dropped: whoever asks for work must not wait for the broker.
    """

    def __init__(self, broker: CeleryBroker, local: Bell) -> None:
        self._broker = broker
        self._local = local
        self._rings: queue.Queue[tuple[str, JobId] | None] = queue.Queue(_MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._reach = Reach("broker")

    def ring(self, name: str, job_id: JobId) -> None:
        self._local.wake()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()
        try:
            self._rings.put_nowait((name, job_id))
        except queue.Full:
            log.debug("ring.dropped", job=name, job_id=str(job_id))

    def close(self) -> None:
        """Send what is there if the broker answers soon, and end the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None:
            return
        ends_at = time.monotonic() + _CLOSE_S
        try:
            self._rings.put(None, timeout=_CLOSE_S)
        except queue.Full:
            return  # the thread is a daemon
        thread.join(max(0.0, ends_at - time.monotonic()))

    def _run(self) -> None:
        while (ring := self._rings.get()) is not None:
            if not self._reach.worth_trying():
                continue
            try:
                self._broker.publish(*ring)
            except Exception as exc:  # noqa: BLE001 - each transport has its own; the row is there
                self._reach.failed(exc, "jobs wait until the reconciler rings")
            else:
                self._reach.answered()
        self._broker.close()
