"""`tcgtracker doctor` names what is wrong and how to mend it, and changes nothing."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tcgtracker.cli.doctor import check_python, judge_disk
from tcgtracker.cli.finding import Level
from tcgtracker.database.engine import Database
from tcgtracker.database.tables.operations import JobState, jobs
from tcgtracker.database.tables.prices import MonthState, price_months
from tests.unit.cli.conftest import Command


def findings(command: Command) -> tuple[int, dict[str, dict[str, str]]]:
    said = command("doctor", "--json")
    return said.code, {item["check"]: item for item in json.loads(said.out)}


@pytest.fixture
def both(command: Command, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("DB_URL", database_url)
    return command


def test_all_is_well(both: Command, database_url: str) -> None:
    both("db", "upgrade")
    code, found = findings(both)
    assert code == 0
    assert {item["level"] for item in found.values()} <= {"ok", "warn"}
    file_checks = {"disk", "file"} if database_url.startswith("sqlite") else set()
    assert set(found) - {"disk", "file"} == {
        "python", "configuration", "database", "revision", "schema", "durability", "months",
        "clock", "dead jobs", "queue", "schedule", "sources", "flags",
    }  # fmt: skip
    assert file_checks <= set(found)
    text = both("doctor").out
    assert text.startswith("state\tcheck\tfound\tmend\n")


def test_no_database_fails_and_is_not_made(command: Command, tmp_path: Path) -> None:
    code, found = findings(command)
    assert code == 1
    assert found["database"]["level"] == "fail"
    assert "db upgrade" in found["database"]["detail"]
    assert not list(tmp_path.glob("*.db*"))


def test_a_wrong_setting_fails(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_PORT", "many")
    code, found = findings(command)
    assert code == 1
    assert "APP_PORT" in found["configuration"]["detail"]


def test_another_schema_fails(both: Command) -> None:
    both("db", "upgrade")
    both("db", "downgrade", "base", "--yes")
    code, found = findings(both)
    assert (code, found["revision"]["level"]) == (1, "fail")
    assert "db upgrade" in found["revision"]["mend"]


def test_a_table_changed_by_hand_fails(command: Command, sqlite_url: str) -> None:
    command("db", "upgrade")
    database = Database(sqlite_url)
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE cards ADD COLUMN extra TEXT")
    database.close()
    code, found = findings(command)
    assert (code, found["schema"]["detail"]) == (1, "1 differences")


def test_dead_jobs_and_waiting_months_warn(both: Command, database_url: str) -> None:
    both("db", "upgrade")
    database = Database(database_url)
    now = datetime.now(UTC)
    with database.write() as connection:
        connection.execute(
            jobs.insert(),
            [
                {
                    "id": uuid.uuid4(),
                    "name": "backup",
                    "args": {},
                    "state": state,
                    "max_attempts": 1,
                    "run_at": now,
                    "created_at": now,
                }
                for state in (JobState.DEAD, JobState.DEAD, JobState.DONE)
            ],
        )
        connection.execute(
            price_months.insert(),
            [
                {"month": 202001, "state": MonthState.OPEN},
                {"month": 202002, "state": MonthState.SEALING},
                {"month": 202003, "state": MonthState.SEALED},
                {"month": now.year * 100 + now.month, "state": MonthState.OPEN},
            ],
        )
    database.close()
    code, found = findings(both)
    assert code == 0
    assert (found["dead jobs"]["level"], found["dead jobs"]["detail"]) == ("warn", "2 dead")
    assert found["months"]["level"] == "warn"
    assert found["months"]["detail"].startswith("1 months")


def test_a_damaged_file_fails_and_is_left_alone(command: Command, tmp_path: Path) -> None:
    command("db", "upgrade")
    file = tmp_path / "test.db"
    content = bytearray(file.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 100] = b"\xff" * 100
    file.write_bytes(content)
    code, found = findings(command)
    assert code == 1
    assert "fail" in {found[check]["level"] for check in ("database", "file") if check in found}
    assert file.read_bytes() == bytes(content)


def test_a_history_of_its_own_is_examined(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HISTORY_URL", f"sqlite:///{tmp_path / 'history.db'}")
    command("db", "upgrade")
    code, found = findings(command)
    assert code == 0
    assert {"dead jobs", "history months", "history file"} <= set(found)
    assert not {"months", "history dead jobs"} & set(found)


@pytest.mark.parametrize(
    ("version", "level"),
    [((3, 10, 9), "fail"), ((3, 11, 0), "ok"), ((3, 14, 2), "ok"), ((3, 15, 0), "warn")],
)
def test_python_versions(version: tuple[int, int, int], level: Level) -> None:
    assert check_python(version).level == level


@pytest.mark.parametrize(
    ("free", "level"), [(0, "fail"), (200 << 20, "warn"), (2047 << 20, "warn"), (2048 << 20, "ok")]
)
def test_disk_space(free: int, level: Level) -> None:
    assert judge_disk(free).level == level
