"""The command line, called as a user calls it, on a database of its own."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from tcgtracker.cli import app
from tcgtracker.cli.errors import run


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Commands set logging up on the captured streams, which end with the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def command(
    tmp_path: Path,
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    monkeypatch.chdir(tmp_path)  # no .env of the developer's
    monkeypatch.setenv("DB_URL", sqlite_url)
    for key in ("HISTORY_URL", "APP_HOST", "APP_PORT", "APP_LOG_LEVEL"):
        monkeypatch.delenv(key, raising=False)

    def call(*arguments: str) -> Said:
        capsys.readouterr()
        code = run(app, arguments)
        return Said(code, *capsys.readouterr())

    return call
