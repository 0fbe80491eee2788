"""A vendor that wants a second between two calls: jobs use all of it, people pass them."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from tcgtracker.bootstrap import build_tracker
from tcgtracker.config import Settings
from tcgtracker.runtime.adapters import Adapters
from tcgtracker.runtime.memory_cache import MemoryCache
from tcgtracker.runtime.memory_limiter import MemoryRateLimiter
from tcgtracker.runtime.places import Pace
from tests.unit.runtime.virtual_time import VirtualTime

SPACING_S = 1.05
CARDS = 100


class Spaced:
    """A limiter of PriceCharting's pace in a time of its own."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self._limiter = MemoryRateLimiter(
            {"vendor": Pace(60, 1.0)}, monotonic=self.time.monotonic, sleep=self.time.sleep
        )

    async def call(self, *, live: bool = False) -> float:
        await self._limiter.acquire("vendor", live=live, patience_s=600)
        return self.time.now

    async def call_at(self, moment: float) -> tuple[float, float]:
        """Return when a person asked and when it was her turn."""
        await self.time.sleep(moment)
        return self.time.now, await self.call(live=True)

    async def calls(self, count: int) -> list[float]:
        """Return the moments of a job's calls, one after the other."""
        return [await self.call() for _ in range(count)]


def test_a_hundred_calls_of_a_job_make_no_pause() -> None:
    spaced = Spaced()

    async def act() -> list[float]:
        job = asyncio.ensure_future(spaced.calls(CARDS))
        await spaced.time.run(job)
        return job.result()

    times = asyncio.run(act())
    assert times[-1] - times[0] == pytest.approx((CARDS - 1) * SPACING_S, abs=0.01)


@pytest.mark.parametrize("at_once", [1, 8, 100])
def test_people_have_a_fifth_of_the_calls_beside_jobs(at_once: int) -> None:
    """A person asks every 5.3 s, however many jobs queue: she waits for the next place alone."""
    spaced = Spaced()

    async def act() -> tuple[list[float], list[tuple[float, float]]]:
        jobs = [asyncio.ensure_future(spaced.calls(100 // at_once)) for _ in range(at_once)]
        people = [asyncio.ensure_future(spaced.call_at(5.3 * n)) for n in range(1, 20)]
        await spaced.time.run(*jobs, *people)
        return (
            [at for job in jobs for at in job.result()],
            [person.result() for person in people],
        )

    jobs, people = asyncio.run(act())
    assert max(got - asked for asked, got in people) <= 2 * SPACING_S
    times = sorted(jobs + [got for _, got in people])
    assert times[-1] - times[0] < (len(times) + 1) * SPACING_S, "a place was left empty"
    assert max(sum(start <= at <= start + 60 for at in times) for start in times) <= 60


@pytest.mark.parametrize("vendor", ["pricecharting", "justtcg", "tcgplayer", "tcgcsv", "ebay"])
@pytest.mark.parametrize("a_minute", [30, 60])
def test_the_setting_of_a_vendor_is_its_rate(
    vendor: str, a_minute: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes of a job's calls, as the program is wired; people are left a fifth at most."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv(f"API_{vendor.upper()}_RATE_LIMIT", str(a_minute))
    virtual, made = VirtualTime(), []

    def adapt(url: str, paces: Mapping[str, Pace]) -> Adapters:
        made.append(MemoryRateLimiter(paces, monotonic=virtual.monotonic, sleep=virtual.sleep))
        return Adapters(made[0], MemoryCache())

    build_tracker(Settings(), adapt=adapt).close()

    async def act() -> int:
        until, count = virtual.now + 600, 0

        async def call() -> None:
            nonlocal count
            while virtual.now < until:
                await made[0].acquire(vendor, patience_s=600)
                count += 1

        await virtual.run(asyncio.ensure_future(call()))
        return count

    assert 0.75 * 10 * a_minute <= asyncio.run(act()) <= 10 * a_minute
