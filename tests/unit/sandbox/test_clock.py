from datetime import UTC, datetime, timedelta

import pytest

from tcgtracker.sandbox.clock import SandboxClock
from tests.unit.sandbox.echo_vendor import NOON


class Ticker:
    """A monotonic clock that is moved by hand."""

    at = 100.0

    def __call__(self) -> float:
        return self.at


def test_stands_until_it_is_moved():
    ticker = Ticker()
    clock = SandboxClock(NOON, monotonic=ticker)
    ticker.at += 1000
    assert clock.now() == NOON
    clock.advance(timedelta(days=1))
    assert clock.now() == NOON + timedelta(days=1)


def test_runs_at_its_speed_and_keeps_its_place_when_that_changes():
    ticker = Ticker()
    clock = SandboxClock(NOON, speed=60, monotonic=ticker)
    ticker.at += 10
    clock.run(0)
    ticker.at += 10
    assert clock.now() == NOON + timedelta(minutes=10)
    clock.run(1)
    clock.set(NOON)
    ticker.at += 2
    assert clock.now() == NOON + timedelta(seconds=2)


@pytest.mark.parametrize("speed", [-1, float("nan"), 1e9])
def test_absurd_speed_changes_nothing(speed):
    clock = SandboxClock(NOON)
    with pytest.raises(ValueError, match="speed must be"):
        clock.run(speed)
    assert clock.speed == 0


def test_moments_it_cannot_serve():
    clock = SandboxClock(NOON)
    for moment in (datetime(1800, 1, 1, tzinfo=UTC), NOON.replace(tzinfo=None)):
        with pytest.raises(ValueError, match=r"years|time zone"):
            clock.set(moment)
    assert clock.now() == NOON
