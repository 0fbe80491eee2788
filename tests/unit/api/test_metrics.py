"""Who may read `/metrics`, and what it says when the database is away."""

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from tcgtracker.api.app import create_app
from tcgtracker.domain.errors import StorageError
from tcgtracker.tracker import Tracker
from tests.unit.api.conftest import asking


def status(app: FastAPI, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asking(app, "")("GET", "/metrics", headers=named).status_code


def test_without_a_token_this_machine_alone_reads(app: FastAPI) -> None:
    assert status(app) == 200
    assert status(app, x_forwarded_for="203.0.113.7") == 403
    assert status(app, forwarded="for=203.0.113.7") == 403


def test_with_a_token_who_shows_it_reads(tracker: Tracker) -> None:
    tracker.settings.metrics.token = SecretStr("of Prometheus")
    app = create_app(tracker)
    assert status(app) == 401
    assert status(app, authorization="Bearer of nobody") == 401
    assert status(app, authorization="Bearer of Prometheus") == 200
    assert status(app, authorization="Bearer of Prometheus", x_forwarded_for="203.0.113.7") == 200


def test_what_was_counted_is_told_while_the_database_is_away(
    tracker: Tracker, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise StorageError("gone")

    tracker.metrics.jobs.labels("work", "done").inc()
    monkeypatch.setattr(tracker.database, "read", away)
    text = asking(app, "")("GET", "/metrics").text
    assert 'tcgtracker_jobs_total{name="work",state="done"} 1.0' in text
    assert "tcgtracker_dead_jobs" not in text
