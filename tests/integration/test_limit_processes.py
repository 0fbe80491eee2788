"""Two processes that call the same vendor, each as fast as it may."""

import os
import subprocess
import sys
from itertools import pairwise

import pytest

from tests.integration.workers import ROOT
from tests.redis_server import new_name, shared_redis_url

JITTER_S = 0.04
"""How much later one grant may be noticed than another, on a machine that is busy.

The spacing holds 50 ms in hand for just that.
"""


def grants_of_two(places: int, interval_s: float, for_s: float) -> list[list[float]]:
    """Return when each of two processes was let through, in seconds of the machine's clock."""
    arguments = [shared_redis_url(), new_name(), str(places), str(interval_s), str(for_s)]
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.integration.limit_worker", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    found = []
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        out, err = worker.communicate(timeout=for_s + 60)
        assert worker.returncode == 0, err[-3000:]
        found.append([float(line) for line in out.split()])
    return found


def test_two_processes_together_keep_the_pace_of_one_a_second() -> None:
    one, other = grants_of_two(60, 1.0, 8)
    times = sorted(one + other)
    assert all(late - early >= 1.0 - JITTER_S for early, late in pairwise(times))
    assert 7 <= len(times) <= 9
    assert len(one) >= 2
    assert len(other) >= 2  # neither starves


def test_two_processes_together_take_no_more_than_the_places() -> None:
    one, other = grants_of_two(25, 0.0, 3)
    assert len(one) + len(other) == 20  # a fifth is kept for live callers


@pytest.mark.long
def test_no_minute_of_three_holds_more_than_sixty_calls() -> None:
    one, other = grants_of_two(60, 1.0, 180)
    times = sorted(one + other)
    assert all(late - early >= 1.0 - JITTER_S for early, late in pairwise(times))
    most = max(sum(start <= at < start + 60 for at in times) for start in times)
    assert most <= 60
    assert len(times) >= 140  # 48 a minute: a fifth is kept
    assert min(len(one), len(other)) >= len(times) / 4
