"""Liveness depends on nothing; readiness tells the truth, and in time."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from tcgtracker.api.database_checks import check_database
from tcgtracker.api.health import Readiness
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import downgrade
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
