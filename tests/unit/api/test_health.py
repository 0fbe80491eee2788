"""Liveness depends on nothing; readiness tells the truth, and in time."""

import asyncio
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from tcgtracker.api.database_checks import check_database
from tcgtracker.api.health import Readiness
from tcgtracker.api.health_report import Report
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import downgrade
from tcgtracker.database.tables.operations import jobs
from tcgtracker.tracker import Tracker
from tests.unit.api.conftest import Ask


def test_ready(ask: Ask) -> None:
    answer = ask("GET", "/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def failed_checks(ask: Ask) -> list[str]:
    answer = ask("GET", "/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["type"] == "urn:tcgtracker:problem:not-ready"
    assert ask("GET", "/livez").status_code == 200
    return [error["where"] for error in answer.json()["errors"]]


def test_another_schema_is_not_ready(ask: Ask, tracker: Tracker) -> None:
    downgrade(tracker.database, "base")
    assert failed_checks(ask) == ["database schema"]
    assert "db upgrade" in ask("GET", "/readyz").text


def test_no_database_is_not_ready_and_is_not_made(ask: Ask, tracker: Tracker) -> None:
    tracker.close()
    assert tracker.database.path is not None
    tracker.database.path.unlink()
    assert failed_checks(ask) == ["database"]
    assert not tracker.database.path.exists()


def test_a_file_that_is_no_database_is_not_ready(ask: Ask, tracker: Tracker) -> None:
    tracker.close()
    assert tracker.database.path is not None
    for suffix in ("-wal", "-shm"):
        Path(f"{tracker.database.path}{suffix}").unlink(missing_ok=True)
    tracker.database.path.write_bytes(b"this is no database" * 1000)
    assert failed_checks(ask) == ["database"]
    assert str(tracker.database.path) not in ask("GET", "/readyz").text


def test_an_unreachable_server_is_not_ready() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    assert [failure.check for failure in check_database("database", database)] == ["database"]
    database.close()


def test_weak_durability_is_not_ready(postgres_url: str) -> None:
    from sqlalchemy import create_engine, make_url, text

    from tcgtracker.database.migrate import upgrade

    database = Database(postgres_url)
    upgrade(database)
    assert check_database("database", database) == []
    database.close()
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        name = make_url(postgres_url).database
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    admin.dispose()
    failures = check_database("database", database)
    database.close()
    assert [failure.check for failure in failures] == ["database durability"]
    assert "synchronous_commit is off" in failures[0].message


class HungDatabase(Database):
    """A server that takes the connection and never answers."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.release = threading.Event()
        self.asked = 0

    @contextmanager
    def read(self) -> Iterator[Connection]:
        self.asked += 1
        self.release.wait(30)
        with super().read() as connection:
            yield connection


def test_a_hung_database_costs_one_thread_and_the_deadline(
    tracker: Tracker, sqlite_url: str
) -> None:
    tracker.close()  # of the databases that are exchanged here
    hung = HungDatabase(sqlite_url)
    tracker.database = tracker.history = hung

    async def scenario() -> list[Any]:
        readiness = Readiness(tracker, deadline_s=0.2)
        begin = time.monotonic()
        answers: list[Any] = await asyncio.gather(*(readiness.failures() for _ in range(20)))
        assert time.monotonic() - begin < 5
        answers.append(await readiness.failures())
        assert hung.asked == 1
        hung.release.set()
        while await readiness.failures():  # the hung run still has to end
            pass
        return answers

    answers = asyncio.run(scenario())
    assert len(answers) == 21
    assert {item.check for answer in answers for item in answer} == {"database"}
    hung.close()


def test_a_history_of_its_own_is_checked_too(
    ask: Ask, tracker: Tracker, tmp_path: Path, sqlite_url: str
) -> None:
    tracker.history = Database(f"sqlite:///{tmp_path / 'history.db'}")
    assert failed_checks(ask) == ["history"]


def test_health_tells_each_part_and_no_secret(ask: Ask, tracker: Tracker) -> None:
    answer = ask("GET", "/health")
    said = answer.json()
    assert (answer.status_code, said["status"]) == (200, "ok")
    assert said["databases"] == {"ok": True, "faults": []}
    assert said["cache"] == {"kind": "memory", "ok": True}
    assert said["jobs"] == {
        "waiting": 0,
        "due": 0,
        "running": 0,
        "dead": 0,
        "oldest_due_age_s": None,
    }
    assert {one["source"]: one["state"] for one in said["sources"]} == dict.fromkeys(
        ("pricecharting", "justtcg", "tcgplayer", "tcgcsv", "ebay"), "not-configured"
    )
    assert str(tracker.database.path) not in answer.text


def test_health_counts_what_waits_and_for_how_long(ask: Ask, tracker: Tracker) -> None:
    due_at = tracker.clock.now() - timedelta(minutes=5)
    with tracker.database.write() as connection:
        for state, count in (("ready", 2), ("retry", 1), ("dead", 1), ("done", 4)):
            for _ in range(count):
                connection.execute(
                    jobs.insert().values(
                        id=uuid.uuid4(),
                        name="x",
                        args={},
                        state=state,
                        max_attempts=1,
                        run_at=due_at,
                        created_at=due_at,
                    )
                )
    said = ask("GET", "/health").json()
    assert said["status"] == "degraded"  # somebody has to look at the dead one
    counts = said["jobs"]
    assert (counts["waiting"], counts["due"], counts["running"], counts["dead"]) == (3, 3, 0, 1)
    assert 300 <= counts["oldest_due_age_s"] < 400


def test_without_a_database_health_is_a_503_and_says_so(ask: Ask, tracker: Tracker) -> None:
    tracker.close()
    assert tracker.database.path is not None
    tracker.database.path.unlink()
    answer = ask("GET", "/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "failed")
    assert answer.json()["databases"]["faults"][0]["check"] == "database"
    assert answer.headers["retry-after"] == "5"


class NoCache:
    """A store that is down: every look is a miss."""

    def get(self, key: str) -> bytes | None:
        return None

    def set(self, key: str, value: bytes, *, ttl_s: int) -> None:
        return None

    def delete(self, *keys: str) -> None:
        return None

    def delete_prefix(self, prefix: str) -> None:
        return None

    def close(self) -> None:
        return None


def test_without_a_cache_all_is_ready_and_health_is_degraded(ask: Ask, tracker: Tracker) -> None:
    tracker.cache = NoCache()
    answer = ask("GET", "/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["cache"]["ok"] is False
    assert ask("GET", "/readyz").status_code == 200


def test_health_of_a_hung_database_is_told_in_time(tracker: Tracker, sqlite_url: str) -> None:
    tracker.close()
    hung = HungDatabase(sqlite_url)
    tracker.database = tracker.history = hung
    report = asyncio.run(Report(tracker, deadline_s=0.2).load())
    hung.release.set()
    assert report.status == "failed"
    assert "0.2 s" in report.databases.faults[0].message
    hung.close()
