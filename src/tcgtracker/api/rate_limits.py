"""How often an account, or an address without one, may ask: a moving window of a minute.

Counted in the memory of this process, or in Redis for all that share it. A store that is down
limits nobody: being slower is no reason to be shut.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from limits import RateLimitItemPerMinute, WindowStats
from limits.aio.storage.redis import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter as SharedWindow
from limits.errors import StorageError
from limits.storage.memory import MemoryStorage
from limits.strategies import MovingWindowRateLimiter as OwnWindow
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tcgtracker.accounts.request import ACCOUNT
from tcgtracker.accounts.values import Account
from tcgtracker.api.authentication_paths import (
    OPEN_PATHS,
    SIGN_IN_PAGES,
    STATIC_FILES,
    address_in,
)
from tcgtracker.api.middleware import refuse
from tcgtracker.config import AppSettings
from tcgtracker.runtime.reach import TIMEOUT_S, Reach

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

SIGN_INS_A_MINUTE = 20
"""Of an address: a person needs two or three, and each may cost a password hash."""
_WINDOW_S = 60
_NOT_LIMITED = frozenset({"/livez", "/readyz"})  # asked by what watches the process


@dataclass(frozen=True, slots=True)
class Policy:
    """So many requests a minute; `header` is how the RateLimit-Policy header says it."""

    name: str
    item: RateLimitItemPerMinute
    header: bytes

    @classmethod
    def of(cls, name: str, per_minute: int) -> "Policy | None":
        """Return the policy, None for no limit."""
        if not per_minute:
            return None
        header = f'"{name}";q={per_minute};w={_WINDOW_S}'.encode()
        return cls(name, RateLimitItemPerMinute(per_minute), header)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands within a policy, this request counted."""

    policy: Policy
    allowed: bool
    remaining: int
    resets_in_s: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers of draft-ietf-httpapi-ratelimit-headers-10, as ASGI has them."""
        said = f'"{self.policy.name}";r={self.remaining};t={self.resets_in_s}'
        return [(b"ratelimit-policy", self.policy.header), (b"ratelimit", said.encode())]


class RateLimits:
    """Counts requests. Used in one event loop at a time."""

    def __init__(self, settings: AppSettings, redis_url: str = "") -> None:
        address = settings.rate_limit_address
        self._account = Policy.of("account", settings.rate_limit)
        self._address = Policy.of("address", address)
        self._sign_in = Policy.of("sign-in", min(SIGN_INS_A_MINUTE, address))
        self._own = OwnWindow(MemoryStorage())
        self._redis_url = redis_url
        self._reach = Reach("rate limits")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._shared: SharedWindow | None = None
        self._pool: ConnectionPool | None = None

    async def count(self, scope: Scope) -> Standing | None:
        """Count a request by who asks; None when that is not limited."""
        account, path = scope.get(ACCOUNT), scope["path"]
        if path in _NOT_LIMITED or path.startswith(STATIC_FILES):
            return None
        if isinstance(account, Account):
            return await self._count(self._account, str(account.user_id))
        tries = path in OPEN_PATHS or (path in SIGN_IN_PAGES and scope["method"] == "POST")
        policy = self._sign_in if tries else self._address
        return await self._count(policy, address_in(scope))

    async def _count(self, policy: Policy | None, who: str) -> Standing | None:
        if policy is None:
            return None
        if not self._redis_url:
            allowed = self._own.hit(policy.item, policy.name, who)
            return _standing(
                policy, self._own.get_window_stats(policy.item, policy.name, who), allowed=allowed
            )
        if not self._reach.worth_trying():
            return None
        try:
            shared = self._connected()
            allowed = await shared.hit(policy.item, policy.name, who)
            stats = await shared.get_window_stats(policy.item, policy.name, who)
        except (StorageError, OSError) as exc:
            self._reach.failed(exc, "nobody is limited")
            return None
        self._reach.answered()
        return _standing(policy, stats, allowed=allowed)

    def _connected(self) -> SharedWindow:
        """Return the window in Redis; its connections belong to the loop that runs."""
        loop = asyncio.get_running_loop()
        if self._shared is None or self._loop is not loop:
            from redis.asyncio import ConnectionPool  # of the extra `server`, as the cache
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff

            self._pool = ConnectionPool.from_url(
                self._redis_url,
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
            )
            options: dict[str, Any] = {"connection_pool": self._pool}
            url = self._redis_url.replace("unix://", "redis+unix://", 1)
            storage = RedisStorage(
                f"async+{url}",
                wrap_exceptions=True,
                implementation="redispy",
                key_prefix="tcgtracker:requests",
                **options,
            )
            self._loop, self._shared = loop, SharedWindow(storage)
        return self._shared

    async def close(self) -> None:
        """Close the connections that were opened in this loop."""
        pool, self._pool, self._shared = self._pool, None, None
        if pool is not None:
            await pool.aclose()


class RateLimit:
    """Refuses those who ask too often. Inside of Authentication, so that accounts are known."""

    def __init__(self, app: ASGIApp, limits: RateLimits) -> None:
        self.app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        standing = await self._limits.count(scope)
        if standing is None:
            await self.app(scope, receive, send)
            return
        if not standing.allowed:
            await refuse_often(scope, receive, send, standing)
            return

        async def send_with_standing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *standing.headers()]
            await send(message)

        await self.app(scope, receive, send_with_standing)


async def refuse_often(scope: Scope, receive: Receive, send: Send, standing: Standing) -> None:
    """Answer 429 with the time to wait."""
    await refuse(
        scope,
        receive,
        send,
        status=429,
        name="too-often",
        detail=(
            f"{standing.policy.item.amount} requests a minute is the limit here: try again after"
            " Retry-After"
        ),
        headers={
            "Retry-After": str(max(1, standing.resets_in_s)),
            **{name.decode(): value.decode() for name, value in standing.headers()},
        },
    )


def _standing(policy: Policy, stats: WindowStats, *, allowed: bool) -> Standing:
    resets_in = max(0, int(stats.reset_time - time.time()) + 1)
    return Standing(policy, allowed, max(0, stats.remaining), min(resets_in, _WINDOW_S))
