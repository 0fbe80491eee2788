"""Unit files and compose file name commands and settings that the program has."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from tcgtracker.cli import app
from tests.docs_check import config_keys

OPS = Path(__file__).resolve().parents[3] / "ops"
UNITS = sorted((OPS / "systemd").glob("*.service"))
_OF_OTHERS = {"XDG_DATA_HOME", "PYTHONUNBUFFERED", "PATH"}


def commands() -> set[str]:
    return set(getattr(get_command(app), "commands", {}))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_there_is(unit: Path) -> None:
    text = unit.read_text()
    for line in re.findall(r"^Exec\w+=(.+)$", text, re.MULTILINE):
        program, command, *_ = line.split()
        assert program.endswith("/.venv/bin/tcgtracker")
        assert command in commands(), line
    named = set(re.findall(r"^Environment=(\w+)=", text, re.MULTILINE))
    assert named - _OF_OTHERS <= config_keys()
    assert re.findall(r"^\[(\w+)\]$", text, re.MULTILINE) == ["Unit", "Service", "Install"]


def test_the_containers_run_what_there_is() -> None:
    services: dict[str, Any] = yaml.safe_load((OPS / "compose.yaml").read_text())["services"]
    ours = {name: one for name, one in services.items() if one.get("image") == "tcgtracker"}
    assert set(ours) == {"upgrade", "api", "scheduler", "worker"}
    for name, one in ours.items():
        assert one["command"][0] in commands(), name
        assert set(one["environment"]) <= config_keys(), name
    for one in services.values():
        for needed in one.get("depends_on", {}):
            assert needed in services
    docker = (OPS / "Dockerfile").read_text()
    assert "USER tcgtracker" in docker
    assert re.search(r'ENTRYPOINT \["tcgtracker"\]\nCMD \["(\w+)"\]', docker)
