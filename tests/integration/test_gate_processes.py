"""Several processes before one gate: a budget is spent once, an open breaker tested once."""

import os
import subprocess
import sys
from datetime import timedelta

from tcgtracker.database.engine import Database
from tcgtracker.domain.clock import SystemClock
from tcgtracker.operations import source_repository as repository
from tcgtracker.operations.breaker import Breaker
from tcgtracker.operations.source_repository import SourceState
from tests.integration.workers import ROOT


def entered(database: Database, *, per_day: int, tries: int, processes: int) -> list[list[int]]:
    """Return the calls and the probes that each process was let make."""
    url = database.url.render_as_string(hide_password=False)
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.integration.gate_worker", url, str(per_day), str(tries)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    found = []
    for worker in workers:
        out, err = worker.communicate(timeout=120)
        assert worker.returncode == 0, err[-3000:]
        found.append([int(word) for word in out.split()])
    return found


def test_processes_together_spend_a_budget_once(database: Database) -> None:
    found = entered(database, per_day=30, tries=15, processes=3)
    assert sum(calls for calls, _ in found) == 30


def test_processes_together_make_one_probe(database: Database) -> None:
    opened = SystemClock().now() - timedelta(minutes=5)
    with database.write() as connection:
        repository.lock_state(connection, database.dialect, "justtcg")
        state = SourceState(breaker=Breaker(failures=5, opened_at=opened))
        repository.save_state(connection, "justtcg", state)
    found = entered(database, per_day=30, tries=5, processes=3)
    assert sum(calls for calls, _ in found) == 1
    assert sum(probes for _, probes in found) == 1
