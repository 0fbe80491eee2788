"""`tcgtracker db` on both databases."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tcgtracker
from tcgtracker.database.engine import Database
from tcgtracker.database.migrate import current_revision, head_revision
from tests.unit.cli.conftest import Command


@pytest.fixture
def both(command: Command, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("DB_URL", database_url)
    return command


def revision_of(url: str) -> str:
    database = Database(url)
    found = current_revision(database)
    database.close()
    return found


def test_up_check_down(both: Command, database_url: str) -> None:
    said = both("db", "upgrade")
    assert said.code == 0
    assert f"upgraded to revision {head_revision()}" in said.out
    assert "already at" in both("db", "upgrade").out
    assert both("db", "check").code == 0
    assert "went back to revision none" in both("db", "downgrade", "base", "--yes").out
    assert revision_of(database_url) == ""


def test_check_names_what_was_changed_by_hand(both: Command, database_url: str) -> None:
    both("db", "upgrade")
    database = Database(database_url)
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE cards ADD COLUMN extra TEXT")
    database.close()
    said = both("db", "check")
    assert said.code == 1
    assert "extra" in said.out


def test_check_of_no_database_makes_none(command: Command, tmp_path: Path) -> None:
    said = command("db", "check")
    assert said.code == 1
    assert "run 'tcgtracker db upgrade'" in said.err
    assert not list(tmp_path.glob("*.db*"))


@pytest.mark.parametrize("verb", ["upgrade", "downgrade"])
def test_an_unknown_revision_is_input(command: Command, verb: str) -> None:
    command("db", "upgrade")
    said = command("db", verb, "9999", *(["--yes"] if verb == "downgrade" else []))
    assert said.code == 2
    assert "9999" in said.err
    assert said.err.count("\n") == 1


def test_going_back_asks_first(command: Command, sqlite_url: str, tmp_path: Path) -> None:
    command("db", "upgrade")
    for answer, code, left in ((b"", 1, True), (b"n\n", 1, True), (b"y\n", 0, False)):
        done = subprocess.run(
            [sys.executable, "-m", "tcgtracker", "db", "downgrade", "base"],
            input=answer,
            capture_output=True,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == code
        assert b"losing" in done.stderr
        assert bool(revision_of(sqlite_url)) is left


def test_a_history_of_its_own_is_upgraded_too(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HISTORY_URL", f"sqlite:///{tmp_path / 'history.db'}")
    assert command("db", "upgrade").out.count("upgraded") == 2
    assert command("db", "check").out.count("as the program defines it") == 2


def test_a_wrong_url_is_one_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_URL", "mysql://somewhere/db")
    said = command("db", "upgrade")
    assert said.code == 2
    assert said.err.startswith("error: mysql is not supported")


def test_a_password_is_not_shown(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_URL", "postgresql://me:canary@127.0.0.1:1/none")
    said = command("db", "check")
    assert said.code == 1
    assert "canary" not in said.err + said.out


def test_a_new_migration_is_written_from_the_tables(sqlite_url: str, tmp_path: Path) -> None:
    """On a copy of the package, whose tables get one column more."""
    copy = tmp_path / "src" / "tcgtracker"
    shutil.copytree(
        Path(tcgtracker.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__")
    )
    environment = {**os.environ, "PYTHONPATH": str(copy.parent), "DB_URL": sqlite_url}

    def db(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "tcgtracker", "db", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            check=False,
        )

    assert db("upgrade").returncode == 0
    tables = copy / "database" / "tables" / "catalog.py"
    column = '    Column("slug", Text, nullable=False, unique=True),\n'
    text = tables.read_text()
    assert column in text
    tables.write_text(text.replace(column, f'{column}    Column("motto", Text),\n'))
    assert db("check").returncode == 1
    done = db("revision", "add a motto")
    assert (done.returncode, done.stderr) == (0, "")
    written = Path(done.stdout.strip())
    assert written.name == f"{int(head_revision()) + 1:04d}_add_a_motto.py"
    assert "motto" in written.read_text()
    assert db("upgrade").returncode == 0
    assert db("check").returncode == 0
    assert db("revision", 'evil """ text').returncode == 2
