"""A caller process for the tests: `python -m tests.integration.limit_worker URL SERVICE ...`.

Says when each place was granted, on the clock that all processes of the machine share.
"""

import asyncio
import sys
import time

from tcgtracker.runtime.places import Pace
from tcgtracker.runtime.ports import NoPlace
from tcgtracker.runtime.redis_limiter import RedisRateLimiter


async def call(url: str, service: str, places: int, interval_s: float, for_s: float) -> None:
    limiter = RedisRateLimiter(url, {service: Pace(places, interval_s)})
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    ends = time.monotonic() + for_s

    async def caller() -> None:
        while time.monotonic() < ends:
            try:
                await limiter.acquire(service, patience_s=max(0.0, ends - time.monotonic()))
            except NoPlace:
                return
            sys.stdout.write(f"{time.monotonic()}\n")

    await asyncio.gather(caller(), caller())
    await limiter.close()


if __name__ == "__main__":
    asyncio.run(call(sys.argv[1], sys.argv[2], int(sys.argv[3]), *map(float, sys.argv[4:6])))
