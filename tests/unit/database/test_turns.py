"""Writers of one SQLite file take turns, also with one that writes all the time."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tcgtracker.database.engine import Database
from tcgtracker.domain.errors import Busy, StorageError

_HOLD_S = 0.05
"""How long each transaction of the busy writer takes."""
_LONGEST_WAIT_S = 1.5
_BUSY = """
import sys, time
from tcgtracker.database.engine import Database
database = Database(sys.argv[1])
print("begun", flush=True)
while True:
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE busy SET done = done + 1")
        time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def table(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url, busy_timeout_s=4)
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE busy (done INTEGER)")
        connection.exec_driver_sql("CREATE TABLE renewed (moment REAL)")
        connection.exec_driver_sql("INSERT INTO busy VALUES (0)")
    yield database
    database.close()


@contextmanager
def _busy_thread(database: Database) -> Iterator[None]:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with database.write() as connection:
                connection.exec_driver_sql("UPDATE busy SET done = done + 1")
                time.sleep(_HOLD_S)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def _busy_process(database: Database) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", _BUSY, str(database.url), str(_HOLD_S)],
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("busy", [_busy_thread, _busy_process])
def test_a_writer_without_pause_lets_others_write(
    table: Database, busy: Callable[[Database], AbstractContextManager[None]]
) -> None:
    waits = []
    with busy(table):
        _until_busy(table)
        for _ in range(10):
            start = time.monotonic()
            with table.write() as connection:
                took = time.monotonic() - start
                connection.exec_driver_sql("INSERT INTO renewed VALUES (1)")
            waits.append(took)
            time.sleep(_HOLD_S)
    with table.read() as connection:
        done = connection.exec_driver_sql("SELECT done FROM busy").scalar_one()
    assert max(waits) < _LONGEST_WAIT_S
    assert done >= len(waits) / 2, "the busy writer went on all the while"


def _until_busy(database: Database) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with database.read() as connection:
            if connection.exec_driver_sql("SELECT done FROM busy").scalar_one() >= 2:
                return
        time.sleep(0.01)
    pytest.fail("the busy writer did not begin")


def test_whoever_waits_too_long_is_told(table: Database) -> None:
    hurried = Database(str(table.url), busy_timeout_s=1)
    held, told = threading.Event(), threading.Event()

    def hold() -> None:
        with table.write():
            held.set()
            told.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)
    refusals = []

    def write() -> None:
        with pytest.raises(StorageError, match="locked"), hurried.write():
            pytest.fail("it wrote")
        refusals.append(1)

    # One of them stands first in line, the other one behind it: both are told.
    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(20)
    told.set()
    holder.join()
    hurried.close()
    assert len(refusals) == 2


def test_who_writes_at_once_or_not_at_all_waits_for_nobody(table: Database) -> None:
    other = Database(str(table.url), busy_timeout_s=4)
    with other.write():
        start = time.monotonic()
        with pytest.raises(Busy), table.write_at_once():
            pytest.fail("it wrote")
        assert time.monotonic() - start < 1
    with table.write_at_once() as connection:
        connection.exec_driver_sql("INSERT INTO renewed VALUES (1)")
        (kept,) = connection.exec_driver_sql("PRAGMA busy_timeout").one()
    assert kept == 4_000, "the connection goes back to the pool as patient as it was"
    with table.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM renewed").scalar_one() == 1
    other.close()
