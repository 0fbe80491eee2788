"""The rate limit that all processes on one Redis share."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tcgtracker.runtime.places import LATE_S, Pace, Places, Question, Reply, Verdict, wait_for_place
from tcgtracker.runtime.reach import TIMEOUT_S, Reach
from tcgtracker.runtime.redis_places import FORGOTTEN, PLACES_LUA

if TYPE_CHECKING:
    from redis.asyncio import Redis

PARTS = 4
"""Without Redis each process keeps to one part in so many: others may be calling too."""
_US = 1_000_000


@dataclass(slots=True)
class _Bucket:
    """What this process knows of one service's bucket.

    own: the places it took within the last window, as (member, monotonic seconds), the newest
    last. untold: some of them were taken while Redis did not answer. counted: how many anybody had
    taken when Redis last answered, at `counted_at`.
    """

    pace: Pace
    own: deque[tuple[str, float]] = field(default_factory=deque)
    untold: bool = False
    counted: int = 0
    counted_at: float = 0.0
    local: Places | None = None

    def forget(self, now: float) -> None:
        """Drop the own places that have come back."""
        while self.own and self.own[0][1] <= now - self.pace.window_s:
            self.own.popleft()

    def alone(self) -> Places:
        """Return the bucket of this process alone, which begins with its part of what was taken."""
        if self.local is None:
            self.local = Places(self.pace.share(PARTS))
            others = max(0, self.counted - len(self.own))
            own = [at for _, at in self.own][::-PARTS]
            self.local.fill([*own, *[self.counted_at] * math.ceil(others / PARTS)])
        return self.local


class RedisRateLimiter:
    """A `RateLimiter` on Redis, used in one event loop; connects at the first call.

    No clock but the server's decides. While Redis does not answer, the process goes on alone with
    one part in `PARTS` of the pace, and what it last saw taken counts: slower, and the vendor's
    limit holds for up to `PARTS` processes. What it takes meanwhile is told to Redis later.
    """

    def __init__(
        self,
        url: str,
        paces: Mapping[str, Pace],
        *,
        timeout_s: float = TIMEOUT_S,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._buckets = {service: _Bucket(pace) for service, pace in paces.items()}
        self._monotonic = monotonic
        self._sleep = sleep
        self._reach = Reach("rate_limit", monotonic=monotonic)
        self._client: Redis | None = None

    async def acquire(self, service: str, *, live: bool = False, patience_s: float) -> None:
        bucket = self._buckets[service]

        async def ask(question: Question) -> Reply:
            return await self._ask(service, bucket, question)

        async def give_back(question: Question) -> None:
            await self._give_back(service, bucket, question)

        await wait_for_place(
            service,
            ask,
            give_back,
            live=live,
            patience_s=patience_s,
            monotonic=self._monotonic,
            sleep=self._sleep,
        )

    async def close(self) -> None:
        """Close the connections, in the loop in which they were used."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _ask(self, service: str, bucket: _Bucket, question: Question) -> Reply:
        from redis.exceptions import RedisError

        reply: Reply | None = None
        bucket.forget(self._monotonic())
        if self._reach.worth_trying():
            try:
                reply = await self._ask_redis(service, bucket, question)
            except (RedisError, OSError, TimeoutError) as exc:
                self._reach.failed(exc, f"one part in {PARTS} of each limit for this process alone")
            else:
                self._regain()
        now = self._monotonic()
        if reply is None:
            reply = bucket.alone().ask(question, now)
            bucket.untold |= reply.verdict is Verdict.TAKEN
        if reply.verdict is Verdict.TAKEN:
            bucket.own.append((_member("t", question), now))
        return reply

    async def _ask_redis(self, service: str, bucket: _Bucket, question: Question) -> Reply:
        pace = bucket.pace
        asked: list[str | int] = [
            question.caller,
            int(question.live),
            pace.places,
            pace.background,
            round(pace.spacing_s * _US),
            round(pace.window_s * _US),
            round(question.patience_s * _US),
            int(question.pressing),
            round(LATE_S * _US),
        ]
        said = [FORGOTTEN]
        if not bucket.untold:
            known = bucket.own[-1][0] if bucket.own else ""
            said = await self._run(service, pace, [*asked, known])
        if said[0] == FORGOTTEN:
            now = self._monotonic()
            told: list[str | int] = []
            for member, at in bucket.own:
                told += (member, round((now - at) * _US))
            bucket.untold = False
            try:
                said = await self._run(service, pace, [*asked, "", *told])
            except BaseException:
                bucket.untold = True
                raise
        verdict, wait_us, bucket.counted = said
        bucket.counted_at = self._monotonic()
        return Reply(Verdict(verdict), wait_us / _US)

    async def _run(self, service: str, pace: Pace, arguments: list[str | int]) -> list[int]:
        client = self._connected()
        async with asyncio.timeout(2 * self._timeout_s):
            # Loads the script anew where a restarted server does not know it.
            run: Any = client.register_script(PLACES_LUA)
            said = await run(keys=[_key(service, pace)], args=arguments)
        return [int(value) for value in said]

    async def _give_back(self, service: str, bucket: _Bucket, question: Question) -> None:
        """Take the promise back; one that stays is void `LATE_S` after its moment."""
        from redis.exceptions import RedisError

        if bucket.local is not None:
            bucket.local.give_back(question.caller)
        if self._reach.worth_trying():
            with suppress(RedisError, OSError, TimeoutError):
                async with asyncio.timeout(2 * self._timeout_s):
                    await self._connected().zrem(_key(service, bucket.pace), _member("w", question))

    def _connected(self) -> "Redis":
        if self._client is None:
            from redis.asyncio import Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff

            self._client = Redis.from_url(
                self._url,
                socket_timeout=self._timeout_s,
                socket_connect_timeout=self._timeout_s,
                retry=Retry(NoBackoff(), 0),
            )
        return self._client

    def _regain(self) -> None:
        if self._reach.lost:
            for bucket in self._buckets.values():
                bucket.local = None
            self._reach.answered()


def _key(service: str, pace: Pace) -> str:
    return f"rate_limit:{service}:{pace.window_s:g}"


def _member(state: str, question: Question) -> str:
    return f"{state}:{'l' if question.live else 'b'}:{question.caller}"
