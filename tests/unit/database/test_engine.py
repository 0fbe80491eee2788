"""A database makes its engines once, whoever comes first."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcgtracker.database.engine import Database

_THREADS = 8


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads give way to each other at every opportunity."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_that_come_first_together_share_one_engine(tmp_path: Path, restless: None) -> None:
    for number in range(20):
        database = Database(f"sqlite:///{tmp_path / f'{number}.db'}")
        start = threading.Barrier(_THREADS)
        seen = []

        def first_use(database: Database = database, start: threading.Barrier = start) -> None:
            start.wait()
            seen.append(database.engine(writes=True))  # noqa: B023

        threads = [threading.Thread(target=first_use) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        database.close()
        assert len({id(engine) for engine in seen}) == 1
