"""Processes, broker and database killed, hung and emptied under a running distributed program.

The short forms run each fault once; the long ones often enough to meet the rare moments.
"""

import random
import time
from collections.abc import Iterator

import pytest

from tests.integration.town import Town, open_town

DONE_WITHIN_S = 90.0
"""All work that is due is done so long after the last fault."""


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with pytest.MonkeyPatch.context() as patch, open_town(patch) as town:
        yield town


@pytest.fixture(autouse=True)
def _clean(town: Town) -> None:
    town.answers.clear()
    town.accepted.clear()
    town.kills.clear()


def kill_often(town: Town, kills: int, *, days: int, seed: int) -> None:
    chance = random.Random(seed)
    asked = []
    with town.asking():
        for day in range(days):
            asked.append(town.next_day())
            while town.kills.total() < kills * (day + 1) // days:
                time.sleep(chance.uniform(0.1, 2.0))
                town.kill(chance)
            town.await_end(asked[-1:], DONE_WITHIN_S)
    took = town.await_end([*asked, *town.accepted], DONE_WITHIN_S)
    assert town.kills.total() == kills
    assert town.accepted, "nothing was asked for meanwhile"
    count = town.check_nothing_lost()
    town.check_quota()
    print(
        f"kills {dict(town.kills)}, {town.interrupted()} jobs begun more than once: {count} points,"
    )
    print(f"  {len(town.accepted)} updates accepted, all done {took:.1f} s after the last kill")


def redis_faults(town: Town, rounds: int) -> None:
    for number in range(rounds):
        day, session = town.next_day(), town.sign_in()
        for fault in ("kill", "hang", "flush", "empty"):
            town.answers.clear()
            with town.asking():
                if fault == "flush":
                    town.redis.flush()
                elif fault == "empty":
                    town.redis.kill()
                    town.redis.start()
                elif fault == "kill":
                    town.redis.kill()
                else:
                    town.redis.hang()
                time.sleep(1.5)
                if fault == "kill":
                    town.redis.start()
                town.redis.wake()
            took = town.await_end([day, *town.accepted], DONE_WITHIN_S)
            failed = {code: n for code, n in town.answers.items() if code >= 500}
            assert not failed, f"{fault}: {failed}"
            assert town.answers[200], "nobody read meanwhile"
            assert town.reads(session) == 200, "the session is there"
            print(f"redis {fault} {number + 1}: all done after {took:.1f} s")
    town.check_nothing_lost()
    town.check_quota()


def postgres_restarts(town: Town, restarts: int) -> None:
    recoveries = []
    for _ in range(restarts):
        with town.asking(pause_s=0.2):
            job_id = town.next_day()
            time.sleep(0.5)
            start = time.monotonic()
            town.postgres.restart_immediately()
            while town.reads() != 200:
                time.sleep(0.05)
                assert time.monotonic() - start < 60
            recoveries.append(time.monotonic() - start)
        town.await_end([job_id, *town.accepted], DONE_WITHIN_S)
    town.check_nothing_lost()
    town.check_quota()
    recoveries.sort()
    p95 = recoveries[min(len(recoveries) - 1, int(0.95 * len(recoveries)))]
    print(f"{restarts} immediate restarts: reads back after {p95:.2f} s (p95)")


def test_killed_processes_lose_nothing(town: Town) -> None:
    kill_often(town, 5, days=1, seed=1)


def test_a_redis_in_trouble_loses_nothing(town: Town) -> None:
    redis_faults(town, 1)


def test_an_immediate_restart_of_postgresql_loses_nothing_acknowledged(town: Town) -> None:
    postgres_restarts(town, 1)


@pytest.mark.long
def test_a_hundred_kills_lose_nothing(town: Town) -> None:
    kill_often(town, 100, days=20, seed=2)


@pytest.mark.long
def test_redis_in_trouble_ten_times_each_loses_nothing(town: Town) -> None:
    redis_faults(town, 10)


@pytest.mark.long
def test_twenty_immediate_restarts_of_postgresql_lose_nothing(town: Town) -> None:
    postgres_restarts(town, 20)
