"""An API to be asked by the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.database.migrate import upgrade
from tests.integration.api_subject import Subject


@pytest.fixture
def subject(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Subject]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECURITY_REGISTRATION", "open")
    tracker = build_tracker(Settings(database={"url": database_url}, history={"url": ""}))
    upgrade(tracker.database)
    yield Subject(tracker, tmp_path)
    tracker.close()
