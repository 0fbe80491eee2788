"""What `doctor` says of flags, sources, the queue, clocks, Redis and the broker."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tcgtracker.cli.doctor_operation import check_clock
from tcgtracker.cli.finding import Level
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState, jobs
from tests.unit.cli.conftest import Command

NOW = datetime.now(UTC)


def findings(command: Command) -> tuple[int, dict[str, Any]]:
    said = command("doctor", "--json")
    return said.code, {item["check"]: item for item in json.loads(said.out)}


@pytest.fixture
def ready(command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    for key in ("API_JUSTTCG_API_KEY", "API_PRICECHARTING_API_KEY", "REDIS_URL", "JOBS_BROKER_URL"):
        monkeypatch.delenv(key, raising=False)
    command("db", "upgrade")
    return command


def test_a_source_without_credentials_and_the_flag_that_names_it(
    ready: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready("flags", "set", "pricing.primary_source", "justtcg")
    code, found = findings(ready)
    assert code == 0
    assert found["sources"]["level"] == "warn"
    assert "justtcg: set API_JUSTTCG_API_KEY" in found["sources"]["detail"]
    assert found["flags"]["level"] == "warn"
    assert "names justtcg, which is not asked" in found["flags"]["detail"]
    monkeypatch.setenv("API_JUSTTCG_API_KEY", "a key of the test")
    _, found = findings(ready)
    assert found["sources"]["level"] == "ok"
    assert found["flags"]["detail"] == "pricing.primary_source=justtcg"
    ready("sources", "disable", "justtcg")
    _, found = findings(ready)
    assert found["source justtcg"]["level"] == "warn"


def test_work_that_nobody_does(ready: Command, sqlite_url: str) -> None:
    database = Database(sqlite_url)
    long_ago = NOW - timedelta(days=2)
    common = {"args": {}, "max_attempts": 1, "run_at": long_ago, "created_at": long_ago}
    rows: list[dict[str, Any]] = [
        {"name": "waits", "state": JobState.READY},
        {"name": "dead", "state": JobState.DEAD},
        {"name": "refresh", "state": JobState.DONE, "schedule": "update_all_card_prices",
         "due_at": long_ago},
    ]  # fmt: skip
    with database.write() as connection:
        for row in rows:
            connection.execute(jobs.insert().values(id=uuid4(), **common, **row))
    _, found = findings(ready)
    assert found["queue"]["level"] == "warn"
    assert found["queue"]["detail"].startswith("1 are due, the oldest since ")
    assert found["dead jobs"]["detail"] == "1 dead"
    assert found["schedule"]["detail"] == "not scheduled lately: update_all_card_prices"
    with database.write() as connection:
        held = {"name": "held", "state": JobState.RUNNING, "lease_until": long_ago}
        connection.execute(jobs.insert().values(id=uuid4(), **common, **held))
    database.close()
    _, found = findings(ready)
    assert "1 are held by a worker that is gone" in found["queue"]["detail"]


def test_services_that_do_not_answer(ready: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:hidden@127.0.0.1:1/0")
    monkeypatch.setenv("JOBS_BROKER_URL", "amqp://user:hidden@127.0.0.1:1//")
    code, found = findings(ready)
    assert (code, found["broker"]["level"], found["redis"]["level"]) == (1, "fail", "warn")
    assert "hidden" not in json.dumps(found)


def test_clocks_that_differ() -> None:
    assert check_clock(NOW, NOW + timedelta(seconds=1)).level is Level.OK
    assert check_clock(NOW, NOW - timedelta(seconds=30)).level is Level.WARN
