"""`tcgtracker backup` and `restore`, as an operator types them."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command


def test_a_backup_comes_back_into_an_empty_database(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("db", "upgrade")
    command("flags", "set", "pricing.primary_source", "justtcg")
    file = tmp_path / "all.backup"
    said = command("backup", str(file))
    assert said.code == 0, said.err
    assert "rows in" in said.out
    again = command("backup", str(file))
    assert (again.code, "is there already" in again.err) == (2, True)
    refused = command("restore", str(file))
    assert (refused.code, "--replace loses what is there" in refused.err) == (1, True)
    monkeypatch.setenv("DB_URL", f"sqlite:///{tmp_path / 'fresh.db'}")
    said = command("restore", str(file))
    assert said.code == 0, said.err
    assert said.out.startswith("restored: ")
    assert command("flags", "get", "pricing.primary_source").out == "justtcg\n"
    file.write_bytes(file.read_bytes()[:-50])
    broken = command("restore", str(file), "--replace")
    assert (broken.code, "is cut off" in broken.err) == (2, True)
    assert command("flags", "get", "pricing.primary_source").out == "justtcg\n"
