"""The RabbitMQ that the tests share, and the removal of what they made there."""

import os
import socket
from urllib.parse import urlsplit

import pytest

from tests.conftest import skip_or_fail

TEST_AMQP_URL = os.environ.get("TEST_AMQP_URL", "")
_USUAL = "amqp://guest:guest@127.0.0.1:5672//"


def shared_amqp_url() -> str:
    """Return the URL of the server, or skip; on CI fail, as for every service."""
    url = TEST_AMQP_URL or _USUAL
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5672), 1):
            return url
    except OSError as exc:
        reason = f"no RabbitMQ at {parts.hostname}:{parts.port}: {exc}"
        if TEST_AMQP_URL:
            pytest.fail(reason)
        skip_or_fail(reason)


def drop_queues(url: str, name: str) -> None:
    """Remove a queue, its dead letters and their exchanges."""
    from kombu import Connection, Exchange, Queue

    with Connection(url) as connection, connection.channel() as channel:
        for each in (name, f"{name}.dead"):
            Queue(each)(channel).delete()
            Exchange(each)(channel).delete()
